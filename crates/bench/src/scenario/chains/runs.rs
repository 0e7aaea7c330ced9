//! Workloads that stamp a Runnable each, which makes a run: what Cartographer's documented figure is of.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kinds::Workload;
use kube::Api;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::shape::{NAMESPACE, Shape, carto, create, half};
use super::{PATIENCE, REFERENCE_MEMORY, is_ready};
use crate::Outcome;
use crate::args::Args;
use crate::effort::Clock;
use crate::floor::value_of;
use crate::process;
use crate::report::{Report, Row};
use crate::sight;
use crate::stage::Stage;
use crate::traffic;

pub(super) async fn run(stage: &Stage, args: &Args, report: &mut Report) -> Outcome {
    let shape = Shape {
        name: "runs",
        resources: 1,
        count: if args.quick { 150 } else { 1500 },
    };
    let count = shape.count;
    stage.namespace(NAMESPACE).await?;
    define(stage, shape).await?;
    let mut controller = stage.full_controller().await;
    stage.rest().await?;
    let mut window = stage.world.audit().await;
    let clock = Clock::start(stage, Some(controller.pid()))?;
    let workloads: Api<Workload> = Api::namespaced(stage.client.clone(), NAMESPACE);
    let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), NAMESPACE);
    let ready = tokio::spawn(sight::until_all(workloads, count, PATIENCE, is_ready));
    let is_run = |map: &ConfigMap| value_of(map).starts_with("run of ");
    let made = tokio::spawn(sight::until_all(maps, count, PATIENCE, is_run));
    let began = Instant::now();
    create(stage, shape, true).await?;
    let ready = ready.await.map_err(|error| error.to_string())??;
    let made = made.await.map_err(|error| error.to_string())??;
    let what = format!("{count} Workloads, each with a Runnable and its run");
    report.row(Row::new(
        format!("{what}: until all are ready and have run, their creation included"),
        format!("{:.1} s", (ready.all.max(made.all) - began).as_secs_f64()),
    ));
    stage.rest().await?;
    let memory = process::memory(controller.pid())?;
    let most = REFERENCE_MEMORY / 2.0;
    report.row(
        Row::new(
            format!("{what}: memory of the controller (at the end, peak)"),
            format!("{:.1} MiB, {:.1} MiB", memory.now, memory.peak),
        )
        .judged(
            format!("at most {most} MiB, half of the reference's"),
            memory.peak <= most,
        ),
    );
    let requests = traffic::of_controller(&window.requests().await);
    report.row(Row::new(
        format!("{what}: the controller's CPU seconds; requests"),
        format!(
            "{:.1}; {} ({})",
            clock.read()?.controller,
            requests.count(),
            traffic::by_verb(&requests)
        ),
    ));
    tokio::task::block_in_place(|| controller.stop());
    let mut window = stage.world.audit().await;
    let controller = stage.full_controller().await;
    sleep(Duration::from_secs(5)).await;
    stage.rest().await?;
    let writes = traffic::of_controller(&window.requests().await)
        .writes()
        .only(|request| !traffic::keeps_lease(request));
    report.row(
        Row::new(
            format!("{what}: restart: writes (without the Lease's)"),
            writes.count().to_string(),
        )
        .judged("0 writes", writes.count() == 0),
    );
    drop(controller);
    stage.remove_namespace(NAMESPACE).await?;
    stage.rest().await
}

async fn define(stage: &Stage, shape: Shape) -> Outcome {
    let run = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterRunTemplate", "metadata": {"name": "bench-run"},
        "spec": {"template": {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"generateName": "$(runnable.metadata.name)$-"},
            "data": {"value": "run of $(runnable.spec.inputs.of)$"},
        }},
    });
    stage.apply(&carto("clusterruntemplates"), &run).await?;
    let template = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterTemplate", "metadata": {"name": "bench-runs"},
        "spec": {"healthRule": {"alwaysHealthy": {}}, "template": {
            "apiVersion": "carto.run/v1alpha1", "kind": "Runnable",
            "metadata": {"name": "$(workload.metadata.name)$"},
            "spec": {
                "serviceAccountName": "deployer", "runTemplateRef": {"name": "bench-run"},
                "inputs": {"of": "$(workload.metadata.name)$"},
            },
        }},
    });
    stage.apply(&carto("clustertemplates"), &template).await?;
    for half in [half(0), half(1)] {
        let name = format!("bench-{}-{half}", shape.name);
        let chain = json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain", "metadata": {"name": name},
            "spec": {
                "selector": {super::shape::CHAIN: name}, "serviceAccountRef": {"name": "deployer"},
                "resources": [
                    {"name": "run", "templateRef": {"kind": "ClusterTemplate", "name": "bench-runs"}},
                ],
            },
        });
        stage.apply(&carto("clustersupplychains"), &chain).await?;
    }
    Ok(())
}
