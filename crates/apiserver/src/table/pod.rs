//! Pods: what their containers are at, in one word. Init containers and readiness gates say nothing here.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cell::{Row, at, between, flag, text, time, whole};

/// A pod's row.
pub(super) fn cells(row: Row<'_>) -> Vec<Value> {
    let (word, restarts, ready) = state(row);
    let restarts = match restarts.last {
        Some(last) if restarts.count != 0 => {
            format!("{} ({} ago)", restarts.count, between(last, row.now))
        }
        _ => restarts.count.to_string(),
    };
    let total = row.items("spec.containers").len();
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
        "<none>".into(),
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

    let mut restarts = Restarts::default();
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
    let word = ended(row, phase).unwrap_or(word);
    (word, restarts, running.ready)
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

/// How a container ended, in one word.
fn outcome(terminated: &Value) -> String {
    match (text(terminated, "reason"), whole(terminated, "signal")) {
        ("", 0) => format!("ExitCode:{}", whole(terminated, "exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
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
