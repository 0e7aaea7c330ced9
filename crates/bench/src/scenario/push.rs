//! From a push to the first apply, by push events.

use std::time::Duration;

use tokio::time::Instant;

use super::single::{PATIENCE, Single, write};
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

pub(crate) async fn run(stage: &Stage, args: &Args, report: &mut Report) -> Outcome {
    let mut single = Single::deliver(stage, "bench-push", "0").await?;
    let floor = floor::latency(stage, &single.namespace, args.samples()).await?;
    let mut window = stage.world.audit().await;
    let clock = Clock::start(stage, Some(single.controller.pid()))?;
    let git = stage.git.requests();
    let (mut from_push, mut from_hook) = (Vec::new(), Vec::new());
    for round in 1..=args.samples() {
        let value = round.to_string();
        write(&single.repository, &value)?;
        single.repository.commit()?;
        single.repository.push()?;
        let pushed = Instant::now();
        stage.hook(&single.controller, &single.repository).await?;
        let told = Instant::now();
        let seen = single.sight.until(&value, PATIENCE).await?;
        from_push.push(seen - pushed);
        from_hook.push(seen.saturating_duration_since(told));
    }
    let effort = clock.read()?;
    let requests = traffic::of_controller(&window.requests().await);
    let (from_push, from_hook) = (Latency::of(from_push), Latency::of(from_hook));
    let is_met = from_push.percentile(99) < MOST;
    report.row(
        Row::new(
            format!(
                "push to first apply, {} pushes by hook: from the end of `git push`",
                args.samples()
            ),
            from_push.to_string(),
        )
        .beside(floor.to_string())
        .judged("p99 below 1 s", is_met),
    );
    report.row(
        Row::new(
            "push to first apply: from the hook's answer",
            from_hook.to_string(),
        )
        .beside(floor.to_string()),
    );
    let now = stage.git.requests();
    report.detail(
        "Push to first apply",
        format!(
            "Each push changes one value of one ConfigMap of one Shipment. {effort}.\n\nThe Git server's requests, \
             those of the pushes included: {} in all, {} fetches, {} lists of references. \
             The controller's requests to the API server:\n\n{}",
            now.all - git.all,
            now.fetches - git.fetches,
            now.ls_refs - git.ls_refs,
            traffic::table(&requests, args.samples()).replace("a Shipment", "a push"),
        ),
    );
    single.remove(stage).await
}
