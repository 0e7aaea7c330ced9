//! One Workload after the other, beside as many supply chains as nobody has.

use std::time::Duration;

use kinds::{ClusterSupplyChain, Workload};
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use serde_json::json;
use tokio::time::Instant;

use super::is_ready;
use super::shape::{CHAIN, NAMESPACE, WAY, carto, supply_chain, template};
use crate::Outcome;
use crate::args::Args;
use crate::floor;
use crate::latency::Latency;
use crate::process;
use crate::report::{Report, Row};
use crate::sight::Sight;
use crate::stage::Stage;

/// The label of those that serve nobody.
const MANY: &str = "bench.shipway.run/many";

pub(super) async fn run(stage: &Stage, args: &Args, report: &mut Report) -> Outcome {
    let count = if args.quick { 1_000 } else { 10_000 };
    let samples = args.samples() / 10;
    stage.namespace(NAMESPACE).await?;
    let only = template("bench-only", "a value", "$(workload.metadata.name)$");
    stage.apply(&carto("clusterconfigtemplates"), &only).await?;
    let chain = supply_chain("bench-only", &["bench-only".to_owned()]);
    stage.apply(&carto("clustersupplychains"), &chain).await?;
    let controller = stage.full_controller().await;
    stage.rest().await?;
    let alone = latency(stage, "alone", samples).await?;
    floor::spread(stage, WAY, count, |connection, index| async move {
        let mut chain = supply_chain(&format!("bench-many-{index}"), &["bench-only".to_owned()]);
        chain["metadata"]["labels"] = json!({MANY: "yes"});
        connection
            .create(&carto("clustersupplychains"), &chain)
            .await
    })
    .await?;
    stage.rest().await?;
    let beside = latency(stage, "beside", samples).await?;
    let memory = process::memory(controller.pid())?;
    report.row(
        Row::new(
            format!("{count} supply chains: from the creation of a Workload until it is ready, {samples} times"),
            beside.to_string(),
        )
        .beside(format!("{alone}, beside one supply chain")),
    );
    report.row(Row::new(
        format!("{count} supply chains: memory of the controller (at the end, peak)"),
        format!("{:.1} MiB, {:.1} MiB", memory.now, memory.peak),
    ));
    let chains: Api<ClusterSupplyChain> = Api::all(stage.client.clone());
    let those = ListParams::default().labels(MANY);
    let gone = chains
        .delete_collection(&DeleteParams::default(), &those)
        .await;
    gone.map_err(|error| error.to_string())?;
    drop(controller);
    stage.remove_namespace(NAMESPACE).await?;
    stage.rest().await
}

async fn latency(stage: &Stage, word: &str, samples: usize) -> Outcome<Latency> {
    let workloads: Api<Workload> = Api::namespaced(stage.client.clone(), NAMESPACE);
    let collection = carto(&format!("namespaces/{NAMESPACE}/workloads"));
    let mut all = Vec::new();
    for round in 0..samples {
        let name = format!("{word}-{round}");
        let ready = |workload: &Workload| is_ready(workload).to_string();
        let mut sight = Sight::follow(workloads.clone(), &name, ready);
        let workload = json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "Workload",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {CHAIN: "bench-only"}}, "spec": {},
        });
        let began = Instant::now();
        stage.admin.create(&collection, &workload).await?;
        let seen = sight.until("true", Duration::from_mins(1)).await?;
        all.push(seen.saturating_duration_since(began));
    }
    Ok(Latency::of(all))
}
