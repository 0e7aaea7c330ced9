//! The controller is stopped and started again, once with nothing to do and once with a change
//! that was made meanwhile.

use std::time::Duration;

use serde_json::json;
use testkit::audit::Requests;
use tokio::time::{Instant, sleep};

use super::install::Fleet;
use super::monorepo::follow;
use crate::Outcome;
use crate::effort::{Clock, Effort};
use crate::process::{self, Memory};
use crate::report::{Report, Row};
use crate::specification;
use crate::stage::Stage;
use crate::traffic;

const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) async fn run(stage: &Stage, fleet: &mut Fleet, report: &mut Report) -> Outcome {
    let quiet = quietly(stage, fleet).await?;
    let lists = traffic::most_of_one(&quiet.requests, "list");
    let writes = quiet
        .requests
        .clone()
        .writes()
        .only(|request| !traffic::keeps_lease(request));
    let is_met = lists <= 1 && writes.count() == 0;
    report.row(
        Row::new(
            format!("restart with {} Shipments: lists, watches, writes (without the Lease's); most lists of one kind, however many pages", fleet.count),
            format!(
                "{}, {}, {}; {lists}",
                quiet.requests.clone().only(|request| request.verb == "list").count(),
                quiet.requests.clone().only(|request| request.verb == "watch").count(),
                writes.count()
            ),
        )
        .judged("one list per kind, 0 writes", is_met),
    );
    report.row(Row::new(
        "restart: seconds until /readyz; the controller's CPU seconds until it rests; memory (at the end, peak)",
        format!(
            "{:.2}; {:.1}; {:.1} MiB, {:.1} MiB",
            quiet.ready, quiet.effort.controller, quiet.memory.now, quiet.memory.peak
        ),
    ));
    report.detail(
        "Restart",
        format!(
            "{}, until the cluster rested. A kind that is read by a streaming list shows as a watch: what is watched \
             twice was read twice, which the verdict does not count. The controller's requests:\n\n{}",
            quiet.effort,
            traffic::table(&quiet.requests, fleet.count),
        ),
    );
    let repaired = with_drift(stage, fleet).await?;
    report.row(Row::new(
        "restart: seconds until a change made meanwhile is repaired",
        format!("{repaired:.2}"),
    ));
    Ok(())
}

/// A restart.
struct Restart {
    ready: f64,
    requests: Requests,
    effort: Effort,
    memory: Memory,
}

async fn quietly(stage: &Stage, fleet: &mut Fleet) -> Outcome<Restart> {
    tokio::task::block_in_place(|| fleet.controller.stop());
    stage.rest().await?;
    let mut window = stage.world.audit().await;
    let clock = Clock::start(stage, None)?;
    let began = Instant::now();
    fleet.controller = stage.launch().await;
    while fleet.controller.get("/readyz").await?.0 != 200 {
        if began.elapsed() > PATIENCE {
            return Err("the controller does not become ready".to_owned());
        }
        sleep(Duration::from_millis(10)).await;
    }
    let ready = began.elapsed().as_secs_f64();
    sleep(Duration::from_secs(5)).await;
    stage.rest().await?;
    let pid = fleet.controller.pid();
    // The process is younger than the clock: all it ever used counts.
    let effort = clock.read()?.by_controller(process::seconds(pid, false)?);
    Ok(Restart {
        ready,
        requests: traffic::of_controller(&window.requests().await),
        effort,
        memory: process::memory(pid)?,
    })
}

/// Seconds from the start of a controller until what was changed before is repaired.
async fn with_drift(stage: &Stage, fleet: &mut Fleet) -> Outcome<f64> {
    let name = specification::name(1);
    let mut sight = follow(stage, &fleet.namespace, &name);
    sight.until("1", PATIENCE).await?;
    tokio::task::block_in_place(|| fleet.controller.stop());
    stage.rest().await?;
    let path = format!(
        "/apis/apps/v1/namespaces/{}/deployments/{name}",
        fleet.namespace
    );
    let change = json!({"metadata": {"annotations": {"example.org/value": "wrong"}}});
    stage.admin.merge(&path, "kubectl-patch", &change).await?;
    sight.until("wrong", PATIENCE).await?;
    let began = Instant::now();
    fleet.controller = stage.launch().await;
    let repaired = sight.until("1", PATIENCE).await?;
    Ok((repaired - began).as_secs_f64())
}
