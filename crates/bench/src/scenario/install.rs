//! Many Shipments of four objects each from one repository, until all are ready.

use std::fmt::Write as _;
use std::time::Duration;

use kinds::Shipment;
use kinds::condition::{self, Condition, kind};
use kube::Api;
use suite::Controller;
use tokio::time::Instant;

use crate::Outcome;
use crate::args::Args;
use crate::connection::Protocol;
use crate::effort::{Clock, Effort};
use crate::floor::{self, Way};
use crate::process::{self, Memory};
use crate::report::{Report, Row};
use crate::sight;
use crate::specification;
use crate::stage::{Repository, Stage};
use crate::traffic;

/// The design's bounds: times the floor, and MiB.
const MOST_TIMES: f64 = 1.5;
const MOST_MEMORY: f64 = 100.0;
/// How many Shipments find out how the floor writes best.
const SMALL: usize = 100;
/// How the Shipments are created.
const CREATING: Way = Way {
    protocol: Protocol::One,
    connections: 8,
};

/// An installation that others measure on.
pub(crate) struct Fleet {
    pub(crate) controller: Controller,
    pub(crate) repository: Repository,
    pub(crate) namespace: String,
    pub(crate) count: usize,
}

/// Measures the floors if they are wanted, and installs; the larger installation stays.
pub(crate) async fn run(stage: &Stage, args: &Args, report: &mut Report) -> Outcome<Fleet> {
    if !args.wants(super::Scenario::Install) {
        let (fleet, _) = deliver(stage, args.shipments()).await?;
        return Ok(fleet);
    }
    let (way, small) = best_way(stage, report).await?;
    if args.shipments() == SMALL {
        let (fleet, done) = deliver(stage, SMALL).await?;
        tell(&fleet, &done, small, way, report);
        return Ok(fleet);
    }
    let (fleet, done) = deliver(stage, SMALL).await?;
    tell(&fleet, &done, small, way, report);
    stage.remove_namespace(&fleet.namespace).await?;
    drop(fleet);
    stage.rest().await?;
    let large = floor::install(stage, "floor-large", args.shipments(), way).await?;
    let (fleet, done) = deliver(stage, args.shipments()).await?;
    tell(&fleet, &done, large, way, report);
    Ok(fleet)
}

/// Measures the floor in all ways, and tells the best.
async fn best_way(stage: &Stage, report: &mut Report) -> Outcome<(Way, floor::Install)> {
    let mut best: Option<(Way, floor::Install)> = None;
    let mut text =
        "| connections | HTTP | writing 6 × 100 | until Kubernetes' controllers had seen it | CPU seconds of everything else |\n\
                    |---:|---|---:|---:|---:|\n"
            .to_owned();
    // What is written first finds an API server that is not warm.
    let warm = Way {
        protocol: Protocol::One,
        connections: 8,
    };
    floor::install(stage, "floor-warm", SMALL, warm).await?;
    for protocol in [Protocol::One, Protocol::Two] {
        for connections in [1, 8, 16, 32] {
            let way = Way {
                protocol,
                connections,
            };
            let version = if protocol == Protocol::One { 1 } else { 2 };
            let namespace = format!("floor-{version}-{connections}");
            let took = floor::install(stage, &namespace, SMALL, way).await?;
            let _ = writeln!(
                text,
                "| {connections} | {} | {:.2} s | {:.2} s | {:.1} |",
                protocol.name(),
                took.writing,
                took.observed,
                took.effort.others
            );
            if best.is_none_or(|(_, best)| took.writing < best.writing) {
                best = Some((way, took));
            }
        }
    }
    report.detail("The floor of an installation, in all ways", text);
    best.ok_or_else(|| "no way was tried".to_owned())
}

/// What an installation took.
struct Done {
    creating: f64,
    first: f64,
    half: f64,
    seconds: f64,
    effort: Effort,
    memory: Memory,
    requests: testkit::audit::Requests,
    after: testkit::audit::Requests,
}

async fn deliver(stage: &Stage, count: usize) -> Outcome<(Fleet, Done)> {
    let namespace = format!("fleet-{count}");
    stage.namespace(&namespace).await?;
    let repository = stage.repository(&namespace)?;
    for index in 0..count {
        let name = specification::name(index);
        for object in specification::application(&namespace, &name) {
            let text = specification::yaml(&object.manifest)?;
            repository.write(&format!("apps/{name}/{}", object.file), &text)?;
        }
    }
    repository.commit()?;
    repository.push()?;
    let controller = stage.controller().await;
    stage.rest().await?;

    let mut window = stage.world.audit().await;
    let clock = Clock::start(stage, Some(controller.pid()))?;
    let api: Api<Shipment> = Api::namespaced(stage.client.clone(), &namespace);
    let ready = tokio::spawn(sight::until_all(
        api,
        count,
        Duration::from_mins(20),
        is_ready,
    ));
    let began = Instant::now();
    create(stage, &namespace, &repository, count).await?;
    let creating = began.elapsed().as_secs_f64();
    let ready = ready.await.map_err(|error| error.to_string())??;
    let effort = clock.read()?;
    let memory = process::memory(controller.pid())?;
    let requests = traffic::of_controller(&window.requests().await);
    stage.rest().await?;
    let after = traffic::of_controller(&window.requests().await);
    let fleet = Fleet {
        controller,
        repository,
        namespace,
        count,
    };
    let done = Done {
        creating,
        first: (ready.first - began).as_secs_f64(),
        half: (ready.half - began).as_secs_f64(),
        seconds: (ready.all - began).as_secs_f64(),
        effort,
        memory,
        requests,
        after,
    };
    Ok((fleet, done))
}

async fn create(stage: &Stage, namespace: &str, repository: &Repository, count: usize) -> Outcome {
    let shipments: Vec<_> = (0..count)
        .map(|index| {
            let name = specification::name(index);
            repository.shipment(namespace, &name, &format!("apps/{name}"))
        })
        .collect();
    let shipments = std::sync::Arc::new(shipments);
    let collection = format!("/apis/shipway.run/v1alpha1/namespaces/{namespace}/shipments");
    floor::spread(stage, CREATING, count, move |connection, index| {
        let (shipments, collection) = (shipments.clone(), collection.clone());
        async move { connection.create(&collection, &shipments[index]).await }
    })
    .await
}

/// Whether a Shipment is ready, and of its latest generation.
fn is_ready(shipment: &Shipment) -> bool {
    let Some(status) = &shipment.status else {
        return false;
    };
    status.observed_generation == shipment.metadata.generation
        && condition::find(&status.conditions, kind::READY).is_some_and(Condition::is_true)
}

fn tell(fleet: &Fleet, done: &Done, floor: floor::Install, way: Way, report: &mut Report) {
    let Fleet { count, .. } = fleet;
    let times = done.seconds / floor.writing;
    report.row(
        Row::new(
            format!("install {count} Shipments of 4 objects until all are ready"),
            format!("{:.1} s, {times:.2} times the floor", done.seconds),
        )
        .beside(format!("{:.2} s ({way})", floor.writing))
        .judged(format!("within {MOST_TIMES} times"), times <= MOST_TIMES),
    );
    report.row(Row::new(
        format!("install {count}: against a floor that creates the Shipments too; that waits until Kubernetes' own controllers have seen each Deployment"),
        format!(
            "{:.2} times; {:.2} times",
            done.seconds / (floor.writing + floor.creating),
            done.seconds / floor.observed
        ),
    ).beside(format!("{:.2} s; {:.2} s", floor.writing + floor.creating, floor.observed)));
    report.row(
        Row::new(
            format!("install {count}: memory of the controller (at the end, peak)"),
            format!("{:.1} MiB, {:.1} MiB", done.memory.now, done.memory.peak),
        )
        .judged(
            format!("at most {MOST_MEMORY} MiB"),
            done.memory.peak <= MOST_MEMORY,
        ),
    );
    report.row(
        Row::new(
            format!("install {count}: the controller's CPU seconds; requests"),
            format!(
                "{:.1}; {} ({})",
                done.effort.controller,
                done.requests.count(),
                traffic::by_verb(&done.requests)
            ),
        )
        .beside(format!("{} requests", count * 6)),
    );
    report.detail(
        format!("Install {count}"),
        format!(
            "Creating the Shipments took {:.1} s of it; the first was ready after {:.1} s, half of them after {:.1} s. {}. \
             Its floor: {}.\n\nThe controller's requests until all were ready, and {} \
             after that:\n\n{}",
            done.creating,
            done.first,
            done.half,
            done.effort,
            floor.effort,
            done.after.count(),
            traffic::table(&done.requests, *count),
        ),
    );
}
