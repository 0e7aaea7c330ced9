//! From a change behind Git's back to its repair.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::single::{NAME, PATIENCE, Single, write};
use crate::Outcome;
use crate::args::Args;
use crate::effort::Clock;
use crate::floor;
use crate::latency::Latency;
use crate::report::{Report, Row};
use crate::stage::Stage;
use crate::traffic;

/// The design's bound on the 99th percentile.
const MOST: Duration = Duration::from_secs(1);
/// The value that Git has at first.
const RIGHT: &str = "right";
/// After so many repairs Git gets another value: more in a row would count as repairs that do not hold,
/// and wait.
const IN_A_ROW: usize = 10;
/// Between a repair and the next change.
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) async fn run(stage: &Stage, args: &Args, report: &mut Report) -> Outcome {
    let mut single = Single::deliver(stage, "bench-drift", RIGHT).await?;
    let floor = floor::latency(stage, &single.namespace, args.samples()).await?;
    let mut window = stage.world.audit().await;
    let clock = Clock::start(stage, Some(single.controller.pid()))?;
    let path = format!("/api/v1/namespaces/{}/configmaps/{NAME}", single.namespace);
    let mut samples = Vec::new();
    let mut right = RIGHT.to_owned();
    for round in 1..=args.samples() {
        if round.is_multiple_of(IN_A_ROW) {
            right = format!("{RIGHT}-{round}");
            write(&single.repository, &right)?;
            single.repository.commit()?;
            single.repository.push()?;
            stage.hook(&single.controller, &single.repository).await?;
            single.sight.until(&right, PATIENCE).await?;
        }
        let value = format!("wrong-{round}");
        let change = json!({"data": {"value": value}});
        stage.admin.merge(&path, "kubectl-patch", &change).await?;
        let patched = Instant::now();
        single.sight.until(&value, PATIENCE).await?;
        let repaired = single.sight.until(&right, PATIENCE).await?;
        samples.push(repaired.saturating_duration_since(patched));
        sleep(PAUSE).await;
    }
    let effort = clock.read()?;
    let requests = traffic::of_controller(&window.requests().await);
    let latency = Latency::of(samples);
    let is_met = latency.percentile(99) < MOST;
    report.row(
        Row::new(
            format!(
                "drift to repaired, {} times: from the patch's answer",
                args.samples()
            ),
            latency.to_string(),
        )
        .beside(floor.to_string())
        .judged("p99 below 1 s", is_met),
    );
    report.detail(
        "Drift to repaired",
        format!(
            "Each time one owned field of a ConfigMap is patched by another manager; after every ten Git gets another \
             value, which is not measured, but among the requests. {effort}.\n\nThe controller's \
             requests to the API server:\n\n{}",
            traffic::table(&requests, args.samples()).replace("a Shipment", "a repair"),
        ),
    );
    single.remove(stage).await
}
