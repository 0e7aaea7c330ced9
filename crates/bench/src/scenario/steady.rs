//! Many Shipments that nobody changes.

use std::time::Duration;

use tokio::time::sleep;

use super::install::Fleet;
use crate::Outcome;
use crate::args::Args;
use crate::effort::Clock;
use crate::process;
use crate::report::{Report, Row};
use crate::stage::Stage;
use crate::traffic;

/// The design's bound, in MiB.
const MOST_MEMORY: f64 = 50.0;

pub(crate) async fn run(stage: &Stage, args: &Args, fleet: &Fleet, report: &mut Report) -> Outcome {
    let minutes = args.minutes();
    let pid = fleet.controller.pid();
    stage.rest().await?;
    let mut window = stage.world.audit().await;
    let clock = Clock::start(stage, Some(pid))?;
    let git = stage.git.requests();
    sleep(Duration::from_mins(minutes)).await;
    let effort = clock.read()?;
    let memory = process::memory(pid)?;
    let requests = traffic::of_controller(&window.requests().await);
    // A watch is opened anew every few minutes, whatever there is to see.
    let about_objects = requests
        .clone()
        .only(|request| !traffic::keeps_lease(request) && request.verb != "watch");
    let objects = fleet.count * 4;
    report.row(
        Row::new(
            format!("steady state, {objects} unchanged objects for {minutes} min: calls that are no Lease's and no watch's; all"),
            format!("{}; {}", about_objects.count(), traffic::by_verb(&requests)),
        )
        .judged("0 calls per unchanged object", about_objects.count() == 0),
    );
    report.row(Row::new(
        format!("steady state: the controller's CPU seconds in {minutes} min"),
        format!("{:.2}", effort.controller),
    ));
    report.row(
        Row::new(
            format!("steady state: memory of the controller (now, peak), {objects} objects"),
            format!("{:.1} MiB, {:.1} MiB", memory.now, memory.peak),
        )
        .judged(
            format!("at most {MOST_MEMORY} MiB"),
            memory.now <= MOST_MEMORY,
        ),
    );
    let now = stage.git.requests();
    report.detail(
        "Steady state",
        format!(
            "{effort}. Requests to the Git server: {} in all, {} lists of references, {} fetches.\n\n{}",
            now.all - git.all,
            now.ls_refs - git.ls_refs,
            now.fetches - git.fetches,
            traffic::table(&requests, fleet.count),
        ),
    );
    Ok(())
}
