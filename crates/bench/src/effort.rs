//! What a stretch of time cost: processor seconds of each program that takes part, and of all
//! others on the machine, which tell how far the numbers can be trusted.

use std::fmt;

use tokio::time::Instant;

use crate::Outcome;
use crate::process;
use crate::stage::Stage;

/// The programs that take part, in the order of [`Effort`]'s fields.
#[derive(Clone, Copy)]
struct Snapshot {
    at: Instant,
    controller: f64,
    apiserver: f64,
    etcd: f64,
    manager: f64,
    bench: f64,
    machine: f64,
}

impl Snapshot {
    fn take(stage: &Stage, controller: Option<u32>) -> Outcome<Self> {
        let running = stage.world.state();
        let cluster = &running.clusters[0];
        let seconds = |pid: Option<u32>| pid.map_or(Ok(0.0), |pid| process::seconds(pid, false));
        Ok(Self {
            at: Instant::now(),
            controller: seconds(controller)?,
            apiserver: process::seconds(cluster.apiserver_pid, false)?,
            etcd: seconds(running.etcd_pid)?,
            manager: seconds(cluster.controller_manager_pid)?,
            // With the `git` programs that it has waited for.
            bench: process::seconds(std::process::id(), true)?,
            machine: process::machine_seconds()?,
        })
    }
}

/// Measures from its making on.
pub(crate) struct Clock<'a> {
    stage: &'a Stage,
    controller: Option<u32>,
    begin: Snapshot,
}

impl<'a> Clock<'a> {
    /// Begins, with the process id of the controller if there is one.
    pub(crate) fn start(stage: &'a Stage, controller: Option<u32>) -> Outcome<Self> {
        Ok(Self {
            stage,
            controller,
            begin: Snapshot::take(stage, controller)?,
        })
    }

    /// What it cost so far.
    pub(crate) fn read(&self) -> Outcome<Effort> {
        let (old, new) = (&self.begin, Snapshot::take(self.stage, self.controller)?);
        let effort = Effort {
            seconds: (new.at - old.at).as_secs_f64(),
            controller: new.controller - old.controller,
            apiserver: new.apiserver - old.apiserver,
            etcd: new.etcd - old.etcd,
            manager: new.manager - old.manager,
            bench: new.bench - old.bench,
            others: 0.0,
        };
        let ours =
            effort.controller + effort.apiserver + effort.etcd + effort.manager + effort.bench;
        Ok(Effort {
            others: (new.machine - old.machine - ours).max(0.0),
            ..effort
        })
    }
}

/// Processor seconds over a stretch of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// How long it was.
    pub(crate) seconds: f64,
    /// Of the controller.
    pub(crate) controller: f64,
    apiserver: f64,
    etcd: f64,
    manager: f64,
    bench: f64,
    /// Of all programs that have no part in it.
    pub(crate) others: f64,
}

impl Effort {
    /// How far the machine was ours, as a sentence. Controllers that have ended count as ours.
    pub(crate) fn company(&self) -> String {
        format!(
            "in the {:.0} minutes of the run all programs that have no part in it kept {:.2} cores busy on average",
            self.seconds / 60.0,
            self.others / self.seconds
        )
    }

    /// The same, with the seconds of a controller that the clock did not know: they were counted
    /// among the others'.
    pub(crate) fn by_controller(self, seconds: f64) -> Self {
        Self {
            controller: seconds,
            others: (self.others - seconds).max(0.0),
            ..self
        }
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "CPU seconds in {:.1} s: controller {:.1}, kube-apiserver {:.1}, etcd {:.1}, \
             kube-controller-manager {:.1}, this program with its Git server {:.1}, \
             everything else on the machine {:.1}",
            self.seconds,
            self.controller,
            self.apiserver,
            self.etcd,
            self.manager,
            self.bench,
            self.others
        )
    }
}
