//! Pods: what their containers are at, in one word.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cell::{Row, at, between, condition, flag, items, text, time, whole};

/// A pod's row.
pub(super) fn cells(row: Row<'_>) -> Vec<Value> {
    let (word, restarts, ready) = state(row);
    let restarts = match restarts.last {
        Some(last) if restarts.count != 0 => {
            format!("{} ({} ago)", restarts.count, between(last, row.now))
        }
        _ => restarts.count.to_string(),
    };
    let sidecars = row
        .items("spec.initContainers")
        .iter()
        .filter(|one| is_restartable(one));
    let total = row.items("spec.containers").len() + sidecars.count();
    let address = row
        .items("status.podIPs")
        .first()
        .map_or("", |one| text(one, "ip"));
    vec![
        row.name(),
        format!("{ready}/{total}").into(),
        word.into(),
        restarts.into(),
        row.age(),
        if address.is_empty() {
            "<none>"
        } else {
            address
        }
        .into(),
        row.text_unless_empty("spec.nodeName", "<none>").into(),
        row.text_unless_empty("status.nominatedNodeName", "<none>")
            .into(),
        readiness_gates(row).into(),
    ]
}

/// That a pod has ended.
pub(super) fn conditions(pod: &Value) -> Option<Value> {
    let phase = text(pod, "status.phase");
    let message = match phase {
        "Succeeded" => "The pod has completed successfully.",
        "Failed" => "The pod failed.",
        _ => return None,
    };
    Some(json!([{"type": "Completed", "status": "True", "reason": phase, "message": message}]))
}

/// How often containers were restarted, and when the last time was.
#[derive(Clone, Copy, Default)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, status: &Value) {
        self.count = self.count.saturating_add(whole(status, "restartCount"));
        self.last = self
            .last
            .max(time(at(status, "lastState.terminated.finishedAt")));
    }
}

/// The word, the restarts, and how many containers are ready.
fn state(row: Row<'_>) -> (String, Restarts, usize) {
    let phase = row.text("status.phase");
    let conditions = row.items("status.conditions");
    let gated = |one: &Value| {
        text(one, "type") == "PodScheduled" && text(one, "reason") == "SchedulingGated"
    };
    let mut word = if conditions.iter().any(gated) {
        "SchedulingGated"
    } else {
        row.text_unless_empty("status.reason", phase)
    }
    .to_owned();

    let mut init = Initialization::of(row);
    if let Some(stuck) = init.stuck.take() {
        word = stuck;
        let initialized = condition(conditions, "Initialized");
        if initialized.is_none_or(|one| text(one, "status") != "True") {
            return (ended(row, phase).unwrap_or(word), init.all, init.ready);
        }
    }
    let mut restarts = init.sidecars;
    let running = Running::of(row, &mut word, &mut restarts);
    if word == "Completed" {
        let is_ready = |one: &Value| text(one, "type") == "Ready" && text(one, "status") == "True";
        match running.failed {
            _ if running.ready > 0 && conditions.iter().any(is_ready) => {
                "Running".clone_into(&mut word);
            }
            Some(failed) => word = failed,
            None if running.ready > 0 => "NotReady".clone_into(&mut word),
            None => {}
        }
    }
    (
        ended(row, phase).unwrap_or(word),
        restarts,
        init.ready + running.ready,
    )
}

/// The word for a pod that is being deleted.
fn ended(row: Row<'_>, phase: &str) -> Option<String> {
    let word = match phase {
        _ if !row.is_deleted() => return None,
        _ if row.text("status.reason") == "NodeLost" => "Unknown",
        "Succeeded" | "Failed" => return None,
        _ => "Terminating",
    };
    Some(word.to_owned())
}

/// Whether an init container keeps running: a sidecar.
fn is_restartable(container: &Value) -> bool {
    text(container, "restartPolicy") == "Always"
}

/// How a container ended, in one word.
fn outcome(terminated: &Value) -> String {
    match (text(terminated, "reason"), whole(terminated, "signal")) {
        ("", 0) => format!("ExitCode:{}", whole(terminated, "exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

/// Where the init containers are.
#[derive(Default)]
struct Initialization {
    /// What it stands at; none where all has been done.
    stuck: Option<String>,
    /// Restarts of the init containers that were reached.
    all: Restarts,
    /// Restarts of the sidecars among them.
    sidecars: Restarts,
    /// How many sidecars are ready.
    ready: usize,
}

impl Initialization {
    fn of(row: Row<'_>) -> Self {
        let containers = row.items("spec.initContainers");
        let sidecars: HashSet<&str> = containers
            .iter()
            .filter(|one| is_restartable(one))
            .map(|one| text(one, "name"))
            .collect();
        let mut init = Self::default();
        for (index, status) in row.items("status.initContainerStatuses").iter().enumerate() {
            let is_sidecar = sidecars.contains(text(status, "name"));
            init.all.add(status);
            if is_sidecar {
                init.sidecars.add(status);
            }
            let terminated = at(status, "state.terminated");
            if terminated.is_object() && whole(terminated, "exitCode") == 0 {
                continue;
            }
            if is_sidecar && flag(status, "started") {
                init.ready += usize::from(flag(status, "ready"));
                continue;
            }
            init.stuck = Some(match text(status, "state.waiting.reason") {
                _ if terminated.is_object() => format!("Init:{}", outcome(terminated)),
                "" | "PodInitializing" => format!("Init:{index}/{}", containers.len()),
                waiting => format!("Init:{waiting}"),
            });
            break;
        }
        init
    }
}

/// Where the other containers are.
struct Running {
    ready: usize,
    /// How the first container that failed ended.
    failed: Option<String>,
}

impl Running {
    /// Reads the containers from the last to the first: the word is the first one's that has something to
    /// say.
    fn of(row: Row<'_>, word: &mut String, restarts: &mut Restarts) -> Self {
        let mut running = Self {
            ready: 0,
            failed: None,
        };
        for status in row.items("status.containerStatuses").iter().rev() {
            restarts.add(status);
            let waiting = text(status, "state.waiting.reason");
            let terminated = at(status, "state.terminated");
            if !waiting.is_empty() {
                waiting.clone_into(word);
            } else if terminated.is_object() {
                *word = outcome(terminated);
                if whole(terminated, "exitCode") != 0 {
                    running.failed = Some(word.clone());
                }
            } else if flag(status, "ready") && at(status, "state.running").is_object() {
                running.ready += 1;
            }
        }
        running
    }
}

fn readiness_gates(row: Row<'_>) -> String {
    let gates = row.items("spec.readinessGates");
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let mut open: HashMap<&str, bool> = HashMap::new();
    for condition in items(row.object, "status.conditions") {
        let is_true = text(condition, "status") == "True";
        open.entry(text(condition, "type")).or_insert(is_true);
    }
    let is_open = |gate: &&Value| open.get(text(gate, "conditionType")) == Some(&true);
    format!("{}/{}", gates.iter().filter(is_open).count(), gates.len())
}
