//! The status of workloads that nothing runs: what kstatus, `kubectl rollout status` and `kubectl wait`
//! read, as the genuine controllers would have written it in the end. It is simulated, and says so.
//! Pure.

use serde_json::{Map, Value, json};

/// The annotation that decides how a workload ends: `fail` or `hang`; anything else, and none, is well.
pub(crate) const OUTCOME: &str = "apiserver.shipway.run/simulate";
/// The annotation of an object whose status is simulated.
pub(crate) const SIMULATED: &str = "apiserver.shipway.run/simulated";
/// What an image has in its name that nobody can pull: its workload hangs.
const BROKEN: &str = "broken";

/// How a workload ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It runs, or is done.
    Well,
    /// It has failed for good.
    Fail,
    /// It is on its way and never gets there.
    Hang,
}

/// How a workload is to end: by its own word, its template's, its images', or that of its namespace.
pub(crate) fn outcome(object: &Value, namespace: &Value) -> Outcome {
    let template = &object["spec"]["template"];
    let said = |object: &Value| match object["metadata"]["annotations"][OUTCOME].as_str() {
        Some("fail") => Some(Outcome::Fail),
        Some("hang") => Some(Outcome::Hang),
        _ => None,
    };
    let containers = [
        &object["spec"]["containers"],
        &template["spec"]["containers"],
    ];
    let is_broken = || {
        let all = containers.iter().filter_map(|all| all.as_array()).flatten();
        let mut images = all.filter_map(|container| container["image"].as_str());
        images.any(|image| image.contains(BROKEN))
    };
    said(object)
        .or_else(|| said(template))
        .or_else(|| is_broken().then_some(Outcome::Hang))
        .or_else(|| said(namespace))
        .unwrap_or(Outcome::Well)
}

/// The status of a workload, now and here; nothing for kinds that get none.
pub(crate) fn status(
    group: &str,
    resource: &str,
    object: &Value,
    outcome: Outcome,
    now: &str,
) -> Option<Value> {
    let (.., write, own) = WORKLOADS
        .iter()
        .find(|(of, name, ..)| (*of, *name) == (group, resource))?;
    // Of nothing, nothing hangs or fails.
    let is_none = object["spec"]["replicas"] == 0;
    let outcome = if is_none { Outcome::Well } else { outcome };
    let mut status = write(&Workload {
        object,
        outcome,
        now,
    });
    // The conditions of others stay, as with the genuine controllers.
    let known = object["status"]["conditions"].as_array();
    let is_own = |it: &Value| it["type"].as_str().is_none_or(|kind| own.contains(&kind));
    for foreign in known.into_iter().flatten().filter(|it| !is_own(it)) {
        match &mut status["conditions"] {
            Value::Array(all) => all.push(foreign.clone()),
            none => *none = json!([foreign]),
        }
    }
    Some(status)
}

/// The kinds whose status is simulated.
pub(crate) fn workloads() -> impl Iterator<Item = (&'static str, &'static str)> {
    WORKLOADS
        .iter()
        .map(|(group, resource, ..)| (*group, *resource))
}

type Write = fn(&Workload<'_>) -> Value;

/// Each with the conditions that its genuine controller writes.
const WORKLOADS: &[(&str, &str, Write, &[&str])] = &[
    ("", "pods", pod, OF_PODS),
    ("", "persistentvolumeclaims", claim, &[]),
    ("apps", "deployments", deployment, OF_DEPLOYMENTS),
    ("apps", "replicasets", replica_set, &["ReplicaFailure"]),
    ("apps", "statefulsets", stateful_set, &[]),
    ("apps", "daemonsets", daemon_set, &[]),
    ("batch", "jobs", job, OF_JOBS),
];

const OF_PODS: &[&str] = &["PodScheduled", "Initialized", "ContainersReady", "Ready"];
const OF_DEPLOYMENTS: &[&str] = &["Available", "Progressing", "ReplicaFailure"];
const OF_JOBS: &[&str] = &[
    "Suspended",
    "SuccessCriteriaMet",
    "Complete",
    "FailureTarget",
    "Failed",
];

struct Workload<'a> {
    object: &'a Value,
    outcome: Outcome,
    now: &'a str,
}

impl Workload<'_> {
    fn generation(&self) -> &Value {
        &self.object["metadata"]["generation"]
    }

    fn replicas(&self) -> i64 {
        self.object["spec"]["replicas"].as_i64().unwrap_or(1)
    }

    fn is_well(&self) -> bool {
        self.outcome == Outcome::Well
    }

    /// A condition, which keeps its time where it says the same as before.
    fn condition(
        &self,
        kind: &str,
        status: &str,
        reason: &str,
        message: &str,
        updated: bool,
    ) -> Value {
        let known = self.object["status"]["conditions"].as_array();
        let before = known
            .into_iter()
            .flatten()
            .find(|condition| condition["type"] == kind);
        let same_status = before.filter(|before| before["status"] == status);
        let since = same_status.map_or_else(
            || json!(self.now),
            |before| before["lastTransitionTime"].clone(),
        );
        let mut condition = Map::new();
        condition.insert("type".to_owned(), json!(kind));
        condition.insert("status".to_owned(), json!(status));
        condition.insert("lastTransitionTime".to_owned(), since);
        if updated {
            let same = same_status
                .filter(|before| before["reason"] == reason && before["message"] == message);
            let at = same.map_or_else(
                || json!(self.now),
                |before| before["lastUpdateTime"].clone(),
            );
            condition.insert("lastUpdateTime".to_owned(), at);
        }
        if !reason.is_empty() {
            condition.insert("reason".to_owned(), json!(reason));
            condition.insert("message".to_owned(), json!(message));
        }
        Value::Object(condition)
    }

    fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }
}

fn deployment(of: &Workload<'_>) -> Value {
    let replicas = of.replicas();
    let mut status = counts(
        of,
        replicas,
        &["replicas", "updatedReplicas"],
        &["readyReplicas", "availableReplicas"],
    );
    status.insert("observedGeneration".to_owned(), of.generation().clone());
    if !of.is_well() {
        status.insert("unavailableReplicas".to_owned(), json!(replicas));
    }
    let name = of.name();
    let available = if of.is_well() {
        of.condition(
            "Available",
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
            true,
        )
    } else {
        of.condition(
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
            true,
        )
    };
    let progressing = match of.outcome {
        Outcome::Well => {
            let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
            of.condition(
                "Progressing",
                "True",
                "NewReplicaSetAvailable",
                &message,
                true,
            )
        }
        Outcome::Hang => {
            let message = format!("ReplicaSet \"{name}\" is progressing.");
            of.condition("Progressing", "True", "ReplicaSetUpdated", &message, true)
        }
        Outcome::Fail => {
            let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
            of.condition(
                "Progressing",
                "False",
                "ProgressDeadlineExceeded",
                &message,
                true,
            )
        }
    };
    status.insert("conditions".to_owned(), json!([available, progressing]));
    Value::Object(status)
}

fn replica_set(of: &Workload<'_>) -> Value {
    let mut status = counts(
        of,
        of.replicas(),
        &["fullyLabeledReplicas"],
        &["readyReplicas", "availableReplicas"],
    );
    status.insert("replicas".to_owned(), json!(of.replicas()));
    status.insert("observedGeneration".to_owned(), of.generation().clone());
    Value::Object(status)
}

fn stateful_set(of: &Workload<'_>) -> Value {
    let mut status = counts(
        of,
        of.replicas(),
        &["currentReplicas", "updatedReplicas"],
        &["readyReplicas"],
    );
    let available = if of.is_well() { of.replicas() } else { 0 };
    status.insert("availableReplicas".to_owned(), json!(available));
    status.insert("replicas".to_owned(), json!(of.replicas()));
    status.insert("collisionCount".to_owned(), json!(0));
    status.insert("observedGeneration".to_owned(), of.generation().clone());
    let revision = json!(format!("{}-simulated", of.name()));
    status.insert("currentRevision".to_owned(), revision.clone());
    status.insert("updateRevision".to_owned(), revision);
    Value::Object(status)
}

/// As on a cluster of one node.
fn daemon_set(of: &Workload<'_>) -> Value {
    let ready = i64::from(of.is_well());
    let mut status = json!({
        "currentNumberScheduled": 1, "desiredNumberScheduled": 1, "updatedNumberScheduled": 1,
        "numberMisscheduled": 0, "numberReady": ready,
    });
    let other = if of.is_well() {
        "numberAvailable"
    } else {
        "numberUnavailable"
    };
    status[other] = json!(1);
    status["observedGeneration"] = of.generation().clone();
    status
}

fn job(of: &Workload<'_>) -> Value {
    let spec = &of.object["spec"];
    let started = match &of.object["status"]["startTime"] {
        Value::Null => json!(of.now),
        known => known.clone(),
    };
    let mut status =
        json!({"startTime": started, "ready": 0, "terminating": 0, "uncountedTerminatedPods": {}});
    if spec["suspend"] == true {
        let suspended = of.condition("Suspended", "True", "JobSuspended", "Job suspended", false);
        return json!({"conditions": [suspended], "ready": 0, "terminating": 0, "uncountedTerminatedPods": {}});
    }
    match of.outcome {
        Outcome::Hang => status["active"] = json!(spec["parallelism"].as_i64().unwrap_or(1)),
        Outcome::Well => {
            status["succeeded"] = json!(spec["completions"].as_i64().unwrap_or(1));
            let reached = "Reached expected number of succeeded pods";
            status["conditions"] = json!([
                of.condition(
                    "SuccessCriteriaMet",
                    "True",
                    "CompletionsReached",
                    reached,
                    false
                ),
                of.condition("Complete", "True", "CompletionsReached", reached, false),
            ]);
            let completed = &of.object["status"]["completionTime"];
            status["completionTime"] = if completed.is_null() {
                json!(of.now)
            } else {
                completed.clone()
            };
        }
        Outcome::Fail => {
            status["failed"] = json!(1);
            let why = "Job has reached the specified backoff limit";
            status["conditions"] = json!([
                of.condition("FailureTarget", "True", "BackoffLimitExceeded", why, false),
                of.condition("Failed", "True", "BackoffLimitExceeded", why, false),
            ]);
        }
    }
    status
}

fn claim(of: &Workload<'_>) -> Value {
    if !of.is_well() {
        let phase = if of.outcome == Outcome::Fail {
            "Lost"
        } else {
            "Pending"
        };
        return json!({"phase": phase});
    }
    let spec = &of.object["spec"];
    json!({"phase": "Bound", "accessModes": spec["accessModes"], "capacity": spec["resources"]["requests"]})
}

fn pod(of: &Workload<'_>) -> Value {
    let spec = &of.object["spec"];
    let ends = spec["restartPolicy"]
        .as_str()
        .is_some_and(|policy| policy != "Always");
    let (phase, ready) = match (of.outcome, ends) {
        (Outcome::Hang, _) => ("Pending", false),
        (Outcome::Fail, _) => ("Failed", false),
        (Outcome::Well, true) => ("Succeeded", false),
        (Outcome::Well, false) => ("Running", true),
    };
    let truth = if ready { "True" } else { "False" };
    let reason = if phase == "Succeeded" {
        "PodCompleted"
    } else {
        ""
    };
    let mut conditions = vec![of.condition("PodScheduled", "True", "", "", false)];
    conditions.push(of.condition("Initialized", "True", reason, "", false));
    conditions.push(of.condition("ContainersReady", truth, reason, "", false));
    conditions.push(of.condition("Ready", truth, reason, "", false));
    let since = match &of.object["status"]["startTime"] {
        Value::Null => json!(of.now),
        known => known.clone(),
    };
    let containers = spec["containers"].as_array();
    let statuses: Vec<Value> = containers
        .into_iter()
        .flatten()
        .map(|container| {
            let state = match phase {
                "Pending" => json!({"waiting": {"reason": "ImagePullBackOff", "message": format!(
                    "Back-off pulling image {}", container["image"]
                )}}),
                "Running" => json!({"running": {"startedAt": since}}),
                ended => {
                    let (code, reason) = if ended == "Failed" { (1, "Error") } else { (0, "Completed") };
                    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": since, "finishedAt": since}})
                }
            };
            json!({
                "name": container["name"], "image": container["image"], "imageID": "", "ready": ready,
                "started": ready, "restartCount": 0, "state": state, "lastState": {},
            })
        })
        .collect();
    json!({
        "phase": phase, "conditions": conditions, "containerStatuses": statuses, "startTime": since,
        "observedGeneration": of.generation(), "qosClass": of.object["status"]["qosClass"].as_str().unwrap_or("BestEffort"),
    })
}

/// Counts of replicas: some in any case, some only of what is well. A count of nothing is absent.
fn counts(of: &Workload<'_>, replicas: i64, always: &[&str], well: &[&str]) -> Map<String, Value> {
    let mut status = Map::new();
    let names = always.iter().chain(well.iter().filter(|_| of.is_well()));
    for name in names.filter(|_| replicas > 0) {
        status.insert((*name).to_owned(), json!(replicas));
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-02T03:04:05Z";

    fn written(group: &str, resource: &str, object: &Value) -> Value {
        status(group, resource, object, outcome(object, &Value::Null), NOW)
            .expect("it is a workload")
    }

    #[test]
    fn the_nearest_word_decides_how_a_workload_ends() {
        let told = |word: &str| json!({"metadata": {"annotations": {OUTCOME: word}}});
        assert_eq!(outcome(&json!({}), &json!({})), Outcome::Well);
        assert_eq!(outcome(&json!({}), &told("hang")), Outcome::Hang);
        assert_eq!(outcome(&told("fail"), &told("hang")), Outcome::Fail);
        let template = json!({"spec": {"template": told("fail")}});
        assert_eq!(outcome(&template, &told("hang")), Outcome::Fail);
    }

    #[test]
    fn a_deployment_ends_as_it_says() {
        let object = |how: &str, image: &str| {
            json!({
                "metadata": {"name": "web", "generation": 3, "annotations": {OUTCOME: how}},
                "spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "a", "image": image}]}}},
            })
        };
        for (how, image, available, reason) in [
            ("", "nginx", json!(2), "NewReplicaSetAvailable"),
            ("fail", "nginx", Value::Null, "ProgressDeadlineExceeded"),
            ("hang", "nginx", Value::Null, "ReplicaSetUpdated"),
            ("", "registry/broken:1", Value::Null, "ReplicaSetUpdated"),
        ] {
            let status = written("apps", "deployments", &object(how, image));
            assert_eq!(status["availableReplicas"], available, "{how}");
            assert_eq!(status["conditions"][1]["reason"], reason, "{how}");
            assert_eq!(status["observedGeneration"], 3);
        }
    }

    #[test]
    fn a_status_that_is_written_again_stays_the_same() {
        for (group, resource) in workloads() {
            let mut object = json!({
                "metadata": {"name": "web", "generation": 1},
                "spec": {"containers": [{"name": "a", "image": "x"}], "template": {}},
            });
            let theirs = json!({"type": "Theirs", "status": "True"});
            object["status"] = json!({"conditions": [theirs]});
            object["status"] = written(group, resource, &object);
            let conditions = object["status"]["conditions"].as_array();
            let is_kept = conditions.is_some_and(|all| all.contains(&theirs));
            assert!(is_kept, "{resource}: {}", object["status"]);
            let again = status(
                group,
                resource,
                &object,
                Outcome::Well,
                "2027-01-01T00:00:00Z",
            );
            assert_eq!(again.as_ref(), Some(&object["status"]), "{resource}");
        }
    }

    #[test]
    fn a_job_is_done_or_has_failed() {
        let object = json!({"metadata": {"name": "job"}, "spec": {"completions": 2}});
        assert_eq!(
            written("batch", "jobs", &object)["conditions"][1]["type"],
            "Complete"
        );
        let failed = status("batch", "jobs", &object, Outcome::Fail, NOW).expect("it is one");
        assert_eq!(failed["conditions"][1]["type"], "Failed");
        assert_eq!(status("", "configmaps", &object, Outcome::Well, NOW), None);
    }
}
