//! What others write into the status of a workload.

use serde_json::Value;

/// The conditions of others, which the genuine controllers leave as they are.
pub(super) fn conditions(all: &Value) -> Vec<Value> {
    let all = all.as_array().into_iter().flatten();
    let is_own = |kind: &Value| kind.as_str().is_none_or(|kind| OWN.contains(&kind));
    let foreign = all.filter(|condition| !is_own(&condition["type"]));
    foreign.cloned().collect()
}

/// The conditions that the genuine controllers write.
const OWN: [&str; 12] = [
    "Available",
    "Progressing",
    "ReplicaFailure",
    "Suspended",
    "SuccessCriteriaMet",
    "Complete",
    "FailureTarget",
    "Failed",
    "PodScheduled",
    "Initialized",
    "ContainersReady",
    "Ready",
];
