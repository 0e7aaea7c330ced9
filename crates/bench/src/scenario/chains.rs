//! Many Workloads: on a supply chain of one resource, and on one of five, each of which takes from the one
//! before; started again; with another template; and how soon the next resource follows an output. Then Workloads
//! with Runnables, and thousands of supply chains.

mod many;
mod runs;
mod shape;

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kinds::Workload;
use kinds::condition::{self, Condition, kind};
use kube::Api;
use serde_json::json;
use suite::Controller;
use testkit::audit::Requests;
use tokio::time::{Instant, sleep};

use crate::Outcome;
use crate::args::Args;
use crate::effort::{Clock, Effort};
use crate::floor::{self, value_of};
use crate::latency::Latency;
use crate::process::{self, Memory};
use crate::report::{Report, Row};
use crate::sight::{self, Sight};
use crate::stage::Stage;
use crate::traffic;
use shape::{CHAIN, NAMESPACE, Shape, WAY, carto, create, define, half, supply_chain, template};

const PATIENCE: Duration = Duration::from_mins(20);
/// What Cartographer documents for 1,500 Workloads on one resource: 162 MB.
const REFERENCE_MEMORY: f64 = 162.0;

/// What it took until all were ready.
struct Done {
    seconds: f64,
    memory: Memory,
    effort: Effort,
    requests: Requests,
}

pub(crate) async fn run(stage: &Stage, args: &Args, report: &mut Report) -> Outcome {
    suite::install_of(&stage.world, "full").await;
    let shapes = [
        Shape {
            name: "one",
            resources: 1,
            count: if args.quick { 150 } else { 1500 },
        },
        Shape {
            name: "five",
            resources: 5,
            count: if args.quick { 50 } else { 500 },
        },
    ];
    for shape in shapes {
        stage.namespace(NAMESPACE).await?;
        let floor = shape::floor(stage, shape).await?;
        stage.remove_namespace(NAMESPACE).await?;
        stage.rest().await?;
        stage.namespace(NAMESPACE).await?;
        define(stage, shape, "first").await?;
        let mut controller = stage.full_controller().await;
        stage.rest().await?;
        let done = deliver(stage, shape, &controller).await?;
        tell(shape, &done, floor, report);
        restart(stage, shape, &mut controller, report).await?;
        another_template(stage, shape, &controller, report).await?;
        if shape.resources > 1 {
            follow(stage, args, report).await?;
        }
        drop(controller);
        stage.remove_namespace(NAMESPACE).await?;
        stage.rest().await?;
    }
    runs::run(stage, args, report).await?;
    many::run(stage, args, report).await
}

async fn deliver(stage: &Stage, shape: Shape, controller: &Controller) -> Outcome<Done> {
    let mut window = stage.world.audit().await;
    let clock = Clock::start(stage, Some(controller.pid()))?;
    let api: Api<Workload> = Api::namespaced(stage.client.clone(), NAMESPACE);
    let ready = tokio::spawn(sight::until_all(api, shape.count, PATIENCE, is_ready));
    let began = Instant::now();
    create(stage, shape, true).await?;
    let ready = ready.await.map_err(|error| error.to_string())??;
    Ok(Done {
        seconds: (ready.all - began).as_secs_f64(),
        effort: clock.read()?,
        memory: process::memory(controller.pid())?,
        requests: traffic::of_controller(&window.requests().await),
    })
}

fn is_ready(workload: &Workload) -> bool {
    let Some(status) = &workload.status else {
        return false;
    };
    status.observed_generation == workload.metadata.generation
        && condition::find(&status.conditions, kind::READY).is_some_and(Condition::is_true)
}

fn tell(shape: Shape, done: &Done, floor: f64, report: &mut Report) {
    let Shape {
        count, resources, ..
    } = shape;
    let what = format!("supply chain of {resources}, {count} Workloads");
    let times = done.seconds / floor;
    report.row(
        Row::new(
            format!("{what}: until all are ready, their creation included"),
            format!("{:.1} s, {times:.2} times the floor", done.seconds),
        )
        .beside(format!("{floor:.2} s ({WAY})")),
    );
    let memory = Row::new(
        format!("{what}: memory of the controller (at the end, peak)"),
        format!("{:.1} MiB, {:.1} MiB", done.memory.now, done.memory.peak),
    );
    let half = REFERENCE_MEMORY / 2.0;
    report.row(if resources == 1 {
        let is_met = done.memory.peak <= half;
        memory.judged(
            format!("at most {half} MiB, half of the reference's"),
            is_met,
        )
    } else {
        memory
    });
    report.row(
        Row::new(
            format!("{what}: the controller's CPU seconds; requests"),
            format!(
                "{:.1}; {} ({})",
                done.effort.controller,
                done.requests.count(),
                traffic::by_verb(&done.requests)
            ),
        )
        .beside(format!("{} requests", count * (resources + 1))),
    );
    let table = traffic::table(&done.requests, count).replace("a Shipment", "a Workload");
    report.detail(
        format!("Supply chain of {resources}"),
        format!(
            "{}.\n\nThe controller's requests until all were ready:\n\n{table}",
            done.effort
        ),
    );
}

async fn restart(
    stage: &Stage,
    shape: Shape,
    controller: &mut Controller,
    report: &mut Report,
) -> Outcome {
    tokio::task::block_in_place(|| controller.stop());
    stage.rest().await?;
    let mut window = stage.world.audit().await;
    *controller = stage.full_controller().await;
    sleep(Duration::from_secs(5)).await;
    stage.rest().await?;
    let requests = traffic::of_controller(&window.requests().await);
    let writes = requests
        .clone()
        .writes()
        .only(|request| !traffic::keeps_lease(request));
    let memory = process::memory(controller.pid())?;
    report.row(
        Row::new(
            format!(
                "supply chain of {}, {} Workloads: restart: writes (without the Lease's); gets; memory (at the end, peak); CPU seconds",
                shape.resources, shape.count
            ),
            format!(
                "{}; {}; {:.1} MiB, {:.1} MiB; {:.1}",
                writes.count(),
                requests.clone().only(|request| request.verb == "get").count(),
                memory.now,
                memory.peak,
                process::seconds(controller.pid(), false)?
            ),
        )
        .judged("0 writes", writes.count() == 0),
    );
    Ok(())
}

/// The first template of one half changes: its owners are stamped anew, and nobody else.
async fn another_template(
    stage: &Stage,
    shape: Shape,
    controller: &Controller,
    report: &mut Report,
) -> Outcome {
    let mut window = stage.world.audit().await;
    let clock = Clock::start(stage, Some(controller.pid()))?;
    let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), NAMESPACE);
    let owners = shape.count.div_ceil(2);
    let last = format!("-{}", shape.resources - 1);
    let is_new = move |map: &ConfigMap| {
        let name = map.metadata.name.as_deref().unwrap_or_default();
        name.ends_with(&last) && value_of(map).starts_with("second ")
    };
    let seen = tokio::spawn(sight::until_all(maps, owners, PATIENCE, is_new));
    let began = Instant::now();
    let value = "second $(workload.metadata.name)$";
    let name = format!("bench-{}-{}-0", shape.name, half(0));
    let next = template(&name, value, "$(workload.metadata.name)$-0");
    stage.apply(&carto("clusterconfigtemplates"), &next).await?;
    let seen = seen.await.map_err(|error| error.to_string())??;
    stage.rest().await?;
    let requests = traffic::of_controller(&window.requests().await);
    let stamped = requests
        .clone()
        .writes()
        .only(|request| request.resource == "configmaps");
    let expected = owners * shape.resources;
    report.row(
        Row::new(
            format!(
                "supply chain of {}: the template of {owners} of {} Workloads changes: seconds until the last object is new; objects written; CPU seconds",
                shape.resources, shape.count
            ),
            format!(
                "{:.1}; {}; {:.1}",
                (seen.all - began).as_secs_f64(),
                stamped.count(),
                clock.read()?.controller
            ),
        )
        .judged(
            format!("exactly {expected}, those of its owners"),
            stamped.count() == expected,
        ),
    );
    Ok(())
}

/// From the change of an output until the next resource's object is new.
async fn follow(stage: &Stage, args: &Args, report: &mut Report) -> Outcome {
    let first = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterConfigTemplate", "metadata": {"name": "bench-ticks"},
        // Somebody else writes what comes out, as whatever builds or tests does.
        "spec": {"configPath": ".data.tick", "template": {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ticks"},
        }},
    });
    stage
        .apply(&carto("clusterconfigtemplates"), &first)
        .await?;
    let second = template("bench-follows", "$(config)$", "follows");
    stage
        .apply(&carto("clusterconfigtemplates"), &second)
        .await?;
    let templates = ["bench-ticks", "bench-follows"].map(str::to_owned);
    let chain = supply_chain("bench-follow", &templates);
    stage.apply(&carto("clustersupplychains"), &chain).await?;
    let workload = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "Workload",
        "metadata": {"name": "follow", "namespace": NAMESPACE, "labels": {CHAIN: "bench-follow"}}, "spec": {},
    });
    let collection = carto(&format!("namespaces/{NAMESPACE}/workloads"));
    stage.apply(&collection, &workload).await?;
    let maps: Api<ConfigMap> = Api::namespaced(stage.client.clone(), NAMESPACE);
    let name = |map: &ConfigMap| map.metadata.name.clone().unwrap_or_default();
    let mut ticks = Sight::follow(maps.clone(), "ticks", name);
    ticks.until("ticks", Duration::from_secs(30)).await?;
    let floor = floor::latency(stage, NAMESPACE, args.samples()).await?;
    let mut sight = Sight::follow(maps, "follows", value_of);
    let path = format!("/api/v1/namespaces/{NAMESPACE}/configmaps/ticks");
    let mut samples = Vec::new();
    // The first one makes the second object, and is not counted.
    for round in 0..=args.samples() {
        let value = format!("tick-{round}");
        let change = json!({"data": {"tick": value}});
        stage.admin.merge(&path, "builder", &change).await?;
        let patched = Instant::now();
        let seen = sight.until(&value, Duration::from_secs(30)).await?;
        if round > 0 {
            samples.push(seen.saturating_duration_since(patched));
        }
    }
    report.row(
        Row::new(
            format!(
                "supply chains: from an output's change to the next stamp, {} times",
                args.samples()
            ),
            Latency::of(samples).to_string(),
        )
        .beside(floor.to_string()),
    );
    Ok(())
}
