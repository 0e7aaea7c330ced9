//! What is measured, and in which order: small things first, on an empty cluster; then the
//! scenarios that share one large installation.

mod chains;
mod drift;
mod idle;
mod install;
mod monorepo;
mod push;
mod restart;
mod server;
mod single;
mod steady;

use crate::Outcome;
use crate::args::Args;
use crate::report::Report;
use crate::stage::Stage;

/// Something to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Memory of a controller with nothing to do.
    Idle,
    /// From a push to the first apply.
    Push,
    /// From a change behind Git's back to its repair.
    Drift,
    /// Many Workloads on supply chains.
    Chains,
    /// Many Shipments until all are ready.
    Install,
    /// Many Shipments that nobody changes.
    Steady,
    /// One of many folders changes.
    Monorepo,
    /// The controller is started again.
    Restart,
    /// The embedded API server beside the genuine one.
    Server,
}

impl Scenario {
    /// All, in the order in which they run.
    pub(crate) const ALL: [Self; 9] = [
        Self::Idle,
        Self::Push,
        Self::Drift,
        Self::Chains,
        Self::Install,
        Self::Steady,
        Self::Monorepo,
        Self::Restart,
        Self::Server,
    ];

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Push => "push",
            Self::Drift => "drift",
            Self::Chains => "chains",
            Self::Install => "install",
            Self::Steady => "steady",
            Self::Monorepo => "monorepo",
            Self::Restart => "restart",
            Self::Server => "server",
        }
    }
}

/// Runs what is wanted. Tells what could not be measured; the others are measured all the same.
pub(crate) async fn run_all(stage: &Stage, args: &Args, report: &mut Report) -> Vec<String> {
    let mut failed = Vec::new();
    for scenario in [
        Scenario::Server,
        Scenario::Idle,
        Scenario::Push,
        Scenario::Drift,
        Scenario::Chains,
    ] {
        let is_judge_missing = scenario == Scenario::Server && stage.is_embedded();
        if !args.wants(scenario) || is_judge_missing {
            continue;
        }
        announce(scenario);
        let outcome = match scenario {
            Scenario::Server => server::run(stage, args, report).await,
            Scenario::Idle => idle::run(stage, report).await,
            Scenario::Push => push::run(stage, args, report).await,
            Scenario::Drift => drift::run(stage, args, report).await,
            _ => chains::run(stage, args, report).await,
        };
        note(scenario, outcome, &mut failed);
    }
    let large = [
        Scenario::Install,
        Scenario::Steady,
        Scenario::Monorepo,
        Scenario::Restart,
    ];
    if large.into_iter().any(|scenario| args.wants(scenario)) {
        run_large(stage, args, report, &mut failed).await;
    }
    failed
}

async fn run_large(stage: &Stage, args: &Args, report: &mut Report, failed: &mut Vec<String>) {
    announce(Scenario::Install);
    let mut fleet = match install::run(stage, args, report).await {
        Ok(fleet) => fleet,
        Err(why) => return note(Scenario::Install, Err(why), failed),
    };
    for scenario in [Scenario::Steady, Scenario::Monorepo, Scenario::Restart] {
        if !args.wants(scenario) {
            continue;
        }
        announce(scenario);
        let outcome = match scenario {
            Scenario::Steady => steady::run(stage, args, &fleet, report).await,
            Scenario::Monorepo => monorepo::run(stage, &fleet, report).await,
            _ => restart::run(stage, &mut fleet, report).await,
        };
        note(scenario, outcome, failed);
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a run of half an hour says where it is"
)]
fn announce(scenario: Scenario) {
    eprintln!("measuring {} …", scenario.name());
}

#[expect(clippy::print_stderr, reason = "a failure is told at once")]
fn note(scenario: Scenario, outcome: Outcome, failed: &mut Vec<String>) {
    if let Err(why) = outcome {
        eprintln!("{} failed: {why}", scenario.name());
        failed.push(format!("{}: {why}", scenario.name()));
    }
}
