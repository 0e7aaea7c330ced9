//! A controller with nothing to do.

use std::time::Duration;

use tokio::time::sleep;

use crate::Outcome;
use crate::effort::Clock;
use crate::process;
use crate::report::{Report, Row};
use crate::stage::Stage;

/// The design's bound, in MiB.
const MOST: f64 = 25.0;

pub(crate) async fn run(stage: &Stage, report: &mut Report) -> Outcome {
    let controller = stage.controller().await;
    sleep(Duration::from_secs(5)).await;
    let clock = Clock::start(stage, Some(controller.pid()))?;
    sleep(Duration::from_secs(20)).await;
    let memory = process::memory(controller.pid())?;
    let effort = clock.read()?;
    report.row(
        Row::new(
            "idle: resident memory of a controller with nothing to do (now, peak)",
            format!("{:.1} MiB, {:.1} MiB", memory.now, memory.peak),
        )
        .judged(format!("at most {MOST} MiB"), memory.now <= MOST),
    );
    report.detail("Idle", format!("{effort}."));
    Ok(())
}
