//! The rules for single kinds, matched by group and kind.

use std::time::Duration;

use serde_json::Value;

use super::{Health, Status, conditions, integer, text};

/// How long a Pod may wait for a node before that counts as a failure.
const SCHEDULE_WINDOW: Duration = Duration::from_secs(15);
/// What the API server writes for a Deployment without a deadline.
const NO_DEADLINE: i64 = i32::MAX as i64;

/// Judges an object of a kind that has a rule.
pub(super) fn by_kind(object: &Value, age: Option<Duration>) -> Option<Health> {
    let group = text(object, "/apiVersion")
        .split_once('/')
        .map_or("", |(group, _)| group);
    let health = match (group, text(object, "/kind")) {
        ("", "ConfigMap" | "Secret") | ("batch", "CronJob") => {
            Health::current("the object is always ready")
        }
        ("apps" | "extensions", "Deployment") => deployment(object),
        ("apps", "StatefulSet") => stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => daemon_set(object),
        ("apps" | "extensions", "ReplicaSet") => replica_set(object),
        ("", "Pod") => pod(object, age),
        ("batch", "Job") => job(object),
        ("", "Service") => service(object),
        ("", "PersistentVolumeClaim") => claim(object),
        ("policy", "PodDisruptionBudget") => {
            Health::current("the allowed disruptions are computed")
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        _ => return None,
    };
    Some(health)
}

/// The numbers that a workload counts its Pods in; absent ones are what the controllers take.
struct Counts<'a>(&'a Value);

impl Counts<'_> {
    fn wanted(&self) -> i64 {
        integer(self.0, "/spec/replicas").unwrap_or(1)
    }

    fn status(&self, field: &str) -> i64 {
        self.0
            .get("status")
            .and_then(|status| status.get(field)?.as_i64())
            .unwrap_or(0)
    }
}

/// In progress, if there are fewer than wanted.
fn too_few(reason: &str, what: &str, have: i64, wanted: i64) -> Option<Health> {
    (wanted > have).then(|| Health::in_progress(reason, format!("{what}: {have}/{wanted}")))
}

/// In progress, if there are more than wanted.
fn too_many(have: i64, wanted: i64) -> Option<Health> {
    let rest = have.saturating_sub(wanted);
    (rest > 0).then(|| Health::in_progress("ExtraPods", format!("pods to be terminated: {rest}")))
}

fn deployment(object: &Value) -> Health {
    let mut progressed =
        integer(object, "/spec/progressDeadlineSeconds").unwrap_or(NO_DEADLINE) == NO_DEADLINE;
    let mut available = false;
    for condition in conditions(object) {
        match (condition.kind, condition.status, condition.reason) {
            ("Progressing", _, "ProgressDeadlineExceeded") => {
                return Health::failed(condition.reason, "the progress deadline is exceeded");
            }
            ("Progressing", "True", "NewReplicaSetAvailable") => progressed = true,
            ("Available", "True", _) => available = true,
            _ => {}
        }
    }
    let counts = Counts(object);
    let (wanted, replicas) = (counts.wanted(), counts.status("replicas"));
    let updated = counts.status("updatedReplicas");
    let unfinished = too_few("LessReplicas", "replicas", replicas, wanted)
        .or_else(|| too_few("LessUpdated", "updated", updated, wanted))
        .or_else(|| too_many(replicas, wanted))
        .or_else(|| {
            too_few(
                "LessAvailable",
                "available",
                counts.status("availableReplicas"),
                updated,
            )
        })
        .or_else(|| too_few("LessReady", "ready", counts.status("readyReplicas"), wanted));
    if let Some(unfinished) = unfinished {
        return unfinished;
    }
    if !progressed {
        return Health::in_progress(
            "ReplicaSetNotAvailable",
            "the new ReplicaSet is not available",
        );
    }
    if !available {
        return Health::in_progress("DeploymentNotAvailable", "the Deployment is not available");
    }
    Health::current(format!("the Deployment is available, replicas: {replicas}"))
}

fn stateful_set(object: &Value) -> Health {
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return Health::current("Pods are updated when somebody deletes them");
    }
    let counts = Counts(object);
    let (wanted, replicas) = (counts.wanted(), counts.status("replicas"));
    let unfinished = too_few("LessReplicas", "replicas", replicas, wanted)
        .or_else(|| too_few("LessReady", "ready", counts.status("readyReplicas"), wanted))
        .or_else(|| too_many(replicas, wanted));
    if let Some(unfinished) = unfinished {
        return unfinished;
    }
    let partition = integer(object, "/spec/updateStrategy/rollingUpdate/partition")
        .filter(|partition| *partition != -1);
    if let Some(partition) = partition {
        let updated = counts.status("updatedReplicas");
        return too_few(
            "PartitionRollout",
            "updated",
            updated,
            wanted.saturating_sub(partition),
        )
        .unwrap_or_else(|| {
            Health::current(format!("the partition is rolled out, updated: {updated}"))
        });
    }
    if let Some(unfinished) = too_few(
        "LessCurrent",
        "current",
        counts.status("currentReplicas"),
        wanted,
    ) {
        return unfinished;
    }
    if text(object, "/status/currentRevision") != text(object, "/status/updateRevision") {
        return Health::in_progress("RevisionMismatch", "the new revision is being rolled out");
    }
    Health::current(format!("all replicas are scheduled: {replicas}"))
}

fn daemon_set(object: &Value) -> Health {
    // Its controller sets both, so that without them it has not seen the object.
    if integer(object, "/metadata/generation").is_none() {
        return Health::in_progress("NoGeneration", "`metadata.generation` is missing");
    }
    if integer(object, "/status/observedGeneration").is_none() {
        return Health::in_progress(
            "NoObservedGeneration",
            "`status.observedGeneration` is missing",
        );
    }
    let desired =
        integer(object, "/status/desiredNumberScheduled").filter(|desired| *desired != -1);
    let Some(desired) = desired else {
        return Health::in_progress(
            "NoDesiredNumber",
            "`status.desiredNumberScheduled` is missing",
        );
    };
    let counts = Counts(object);
    too_few(
        "LessCurrent",
        "current",
        counts.status("currentNumberScheduled"),
        desired,
    )
    .or_else(|| {
        too_few(
            "LessUpdated",
            "updated",
            counts.status("updatedNumberScheduled"),
            desired,
        )
    })
    .or_else(|| {
        too_few(
            "LessAvailable",
            "available",
            counts.status("numberAvailable"),
            desired,
        )
    })
    .or_else(|| too_few("LessReady", "ready", counts.status("numberReady"), desired))
    .unwrap_or_else(|| Health::current(format!("all replicas are scheduled: {desired}")))
}

fn replica_set(object: &Value) -> Health {
    if conditions(object)
        .any(|condition| condition.kind == "ReplicaFailure" && condition.status == "True")
    {
        return Health::in_progress("ReplicaFailure", "Pods cannot be created or deleted");
    }
    let counts = Counts(object);
    let (wanted, replicas) = (counts.wanted(), counts.status("replicas"));
    too_few(
        "LessLabelled",
        "labelled",
        counts.status("fullyLabeledReplicas"),
        wanted,
    )
    .or_else(|| {
        too_few(
            "LessAvailable",
            "available",
            counts.status("availableReplicas"),
            wanted,
        )
    })
    .or_else(|| too_few("LessReady", "ready", counts.status("readyReplicas"), wanted))
    .or_else(|| too_many(replicas, wanted))
    .unwrap_or_else(|| {
        Health::current(format!("the ReplicaSet is available, replicas: {replicas}"))
    })
}

fn pod(object: &Value, age: Option<Duration>) -> Health {
    match text(object, "/status/phase") {
        "Succeeded" => Health::current("the Pod has completed"),
        "Failed" => Health::current("the Pod has completed, but not successfully"),
        "Running" => running_pod(object),
        "Pending" => pending_pod(object, age),
        "" => Health::in_progress("PodNotObserved", "the Pod has no phase yet"),
        _ => Health::new(
            Status::Unknown,
            "UnknownPhase",
            "the phase of the Pod is not known",
        ),
    }
}

fn running_pod(object: &Value) -> Health {
    if conditions(object).any(|condition| condition.kind == "Ready" && condition.status == "True") {
        return Health::current("the Pod is ready");
    }
    let containers = object
        .pointer("/status/containerStatuses")
        .and_then(Value::as_array);
    let crashing: Vec<&str> = containers
        .into_iter()
        .flatten()
        .filter(|container| text(container, "/state/waiting/reason") == "CrashLoopBackOff")
        .map(|container| text(container, "/name"))
        .filter(|name| !name.is_empty())
        .collect();
    if crashing.is_empty() {
        return Health::in_progress("PodRunningNotReady", "the Pod runs but is not ready");
    }
    let message = format!(
        "containers that crash again and again: {}",
        crashing.join(", ")
    );
    Health::failed("ContainerCrashLooping", message)
}

fn pending_pod(object: &Value, age: Option<Duration>) -> Health {
    let unschedulable = conditions(object)
        .find(|condition| condition.kind == "PodScheduled" && condition.status == "False")
        .is_some_and(|condition| condition.reason == "Unschedulable");
    if !unschedulable {
        return Health::in_progress("PodPending", "the Pod is pending");
    }
    if age.is_some_and(|age| age >= SCHEDULE_WINDOW) {
        return Health::failed("PodUnschedulable", "no node takes the Pod");
    }
    Health::in_progress("PodNotScheduled", "the Pod has no node yet")
}

fn job(object: &Value) -> Health {
    let counts = Counts(object);
    let parallelism = integer(object, "/spec/parallelism").unwrap_or(1);
    let completions = integer(object, "/spec/completions").unwrap_or(parallelism);
    let (succeeded, failed) = (counts.status("succeeded"), counts.status("failed"));
    for condition in conditions(object).filter(|condition| condition.status == "True") {
        match condition.kind {
            "Complete" => {
                return Health::current(format!(
                    "the Job is complete, succeeded: {succeeded}/{completions}"
                ));
            }
            "Failed" => {
                return Health::failed(
                    "JobFailed",
                    format!("the Job has failed, failed: {failed}/{completions}"),
                );
            }
            "Suspended" => return Health::current("the Job is suspended"),
            _ => {}
        }
    }
    if text(object, "/status/startTime").is_empty() {
        return Health::in_progress("JobNotStarted", "the Job has not started");
    }
    let active = counts.status("active");
    Health::current(format!(
        "the Job runs, succeeded: {succeeded}, active: {active}, failed: {failed}"
    ))
}

fn service(object: &Value) -> Health {
    if text(object, "/spec/type") == "LoadBalancer" && text(object, "/spec/clusterIP").is_empty() {
        return Health::in_progress("NoIPAssigned", "the Service has no cluster address yet");
    }
    Health::current("the Service is ready")
}

fn claim(object: &Value) -> Health {
    if text(object, "/status/phase") == "Bound" {
        return Health::current("the claim is bound");
    }
    Health::in_progress("NotBound", "the claim is not bound")
}

fn definition(object: &Value) -> Health {
    for condition in conditions(object) {
        match (condition.kind, condition.status, condition.reason) {
            ("NamesAccepted", "False", reason) => return Health::failed(reason, condition.message),
            ("Established", "False", reason) if reason != "Installing" => {
                return Health::failed(reason, condition.message);
            }
            ("Established", "True", _) => return Health::current("the definition is established"),
            _ => {}
        }
    }
    Health::in_progress("Installing", "the definition is not established yet")
}
