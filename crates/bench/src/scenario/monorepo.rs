//! One of many folders of a repository changes.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, ResourceExt as _};
use suite::Controller;
use tokio::time::{Instant, sleep};

use super::install::Fleet;
use crate::Outcome;
use crate::effort::Clock;
use crate::report::{Report, Row};
use crate::sight::Sight;
use crate::specification;
use crate::stage::Stage;
use crate::traffic;

const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) async fn run(stage: &Stage, fleet: &Fleet, report: &mut Report) -> Outcome {
    let name = specification::name(fleet.count / 2);
    let mut sight = follow(stage, &fleet.namespace, &name);
    sight.until("1", PATIENCE).await?;
    let text = specification::yaml(&specification::deployment(&name, "2"))?;
    fleet
        .repository
        .write(&format!("apps/{name}/deployment.yaml"), &text)?;
    fleet.repository.commit()?;
    stage.rest().await?;
    fleet.repository.push()?;

    let mut window = stage.world.audit().await;
    let clock = Clock::start(stage, Some(fleet.controller.pid()))?;
    let (git, before) = (stage.git.requests(), Counts::read(&fleet.controller).await?);
    let began = Instant::now();
    stage.hook(&fleet.controller, &fleet.repository).await?;
    let seen = sight.until("2", PATIENCE).await?;
    let seconds = (seen - began).as_secs_f64();
    // What follows is part of what the change costs.
    sleep(Duration::from_secs(3)).await;
    stage.rest().await?;
    let effort = clock.read()?;
    let now = stage.git.requests();
    let after = Counts::read(&fleet.controller).await?;
    let (fetches, renders) = (now.fetches - git.fetches, after.renders - before.renders);
    let requests = traffic::of_controller(&window.requests().await);
    let requests = requests.only(|request| !traffic::keeps_lease(request));
    report.row(
        Row::new(
            format!(
                "monorepo, 1 of {} folders changed: fetches; renders; passes",
                fleet.count
            ),
            format!("{fetches}; {renders}; {}", after.passes - before.passes),
        )
        .judged("1 fetch, 1 render", fetches == 1 && renders == 1),
    );
    report.row(Row::new(
        "monorepo: seconds from the hook until applied; writes",
        format!(
            "{seconds:.2}; {}",
            traffic::by_verb(&requests.clone().writes())
        ),
    ));
    report.detail(
        "Monorepo",
        format!(
            "{effort}, which includes waiting for rest. Lists of references: {}.\n\n{}",
            now.ls_refs - git.ls_refs,
            traffic::table(&requests, 1).replace("a Shipment", "a change"),
        ),
    );
    Ok(())
}

/// Follows the value of a Deployment that scenarios change.
pub(crate) fn follow(stage: &Stage, namespace: &str, name: &str) -> Sight {
    let api: Api<Deployment> = Api::namespaced(stage.client.clone(), namespace);
    Sight::follow(api, name, |deployment| {
        let value = deployment.annotations().get("example.org/value");
        value.cloned().unwrap_or_default()
    })
}

/// What only the controller can count.
struct Counts {
    renders: u64,
    passes: u64,
}

impl Counts {
    async fn read(controller: &Controller) -> Outcome<Self> {
        let (_, text) = controller.get("/metrics").await?;
        Ok(Self {
            renders: counter(&text, "shipway_renders_total")?,
            passes: counter(&text, "shipway_passes_total")?,
        })
    }
}

fn counter(text: &str, name: &str) -> Outcome<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.trim().parse().ok())
        .ok_or_else(|| format!("the metrics have no `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::counter;

    #[test]
    fn reads_a_counter() {
        let text =
            "# HELP shipway_renders x\nshipway_renders_total 12\nshipway_passes_total 3\n# EOF";
        assert_eq!(counter(text, "shipway_renders_total"), Ok(12));
        assert!(counter(text, "shipway_renders").is_err());
    }
}
