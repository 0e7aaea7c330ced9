//! The health of each kind of object, as its status tells it.

mod single;
mod workload;

use super::*;

/// Judges `group/Kind`, with the rest of the object in flow style; compares status and reason.
#[track_caller]
fn check(kind: &str, rest: &str, seen: &str) {
    check_aged(kind, rest, None, seen);
}

#[track_caller]
fn check_aged(kind: &str, rest: &str, age: Option<u64>, seen: &str) {
    let health = health(&object(kind, rest), age.map(Duration::from_secs));
    let text = format!("{} {}", health.status.as_str(), health.reason);
    assert_eq!(text.trim(), seen, "{}", health.message);
}

fn object(kind: &str, rest: &str) -> Value {
    let (group, kind) = kind.rsplit_once('/').unwrap_or(("", kind));
    let version = if group.is_empty() {
        "v1".to_owned()
    } else {
        format!("{group}/v1")
    };
    // What `manifest` drops is put back: it reads what authors write, and this is a live object.
    let rest = rest
        .replace("status:", "state:")
        .replace("metadata:", "meta:");
    let text = format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: it}}, {rest}}}");
    let mut manifests = manifest::parse_file("a.yaml", text.as_bytes()).expect(&text);
    let mut value = manifests.remove(0).into_value();
    for (from, to) in [("state", "status"), ("meta", "metadata")] {
        if let Some(part) = value.as_object_mut().and_then(|object| object.remove(from)) {
            value[to] = restore(part);
        }
    }
    value
}

/// Undoes the renaming inside conditions.
fn restore(value: Value) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| {
                (
                    if key == "state" && value.is_string() {
                        "status".to_owned()
                    } else {
                        key
                    },
                    restore(value),
                )
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(restore).collect(),
        scalar => scalar,
    }
}

const WIDGET: &str = "x.io/Widget";

#[test]
fn an_object_that_is_being_deleted_is_terminating() {
    check(
        WIDGET,
        "metadata: {deletionTimestamp: '2026-01-01T00:00:00Z', generation: 2}, status: {observedGeneration: 1}",
        "Terminating Deleted",
    );
    check(
        "ConfigMap",
        "metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}",
        "Terminating Deleted",
    );
}

#[test]
fn an_unobserved_generation_is_in_progress() {
    check(
        WIDGET,
        "metadata: {generation: 2}, status: {observedGeneration: 1, conditions: [{type: Stalled, status: 'True', reason: No}]}",
        "InProgress LatestGenerationNotObserved",
    );
    check(
        WIDGET,
        "metadata: {generation: 2}, status: {observedGeneration: 2}",
        "Current",
    );
    check(WIDGET, "metadata: {generation: 2}, status: {}", "Current");
}

#[test]
fn the_standard_conditions_decide_before_the_kind() {
    check(
        WIDGET,
        "status: {conditions: [{type: Reconciling, status: 'True', reason: Busy}]}",
        "InProgress Busy",
    );
    check(
        WIDGET,
        "status: {conditions: [{type: Stalled, status: 'True', reason: Stuck}]}",
        "Failed Stuck",
    );
    check(
        WIDGET,
        "status: {conditions: [{type: Stalled, status: 'False', reason: Stuck}]}",
        "Current",
    );
    check(
        "ConfigMap",
        "status: {conditions: [{type: Stalled, status: 'True', reason: Stuck}]}",
        "Failed Stuck",
    );
}

#[test]
fn a_kind_without_rule_goes_by_ready() {
    check(
        WIDGET,
        "status: {conditions: [{type: Ready, status: 'True'}]}",
        "Current",
    );
    check(
        WIDGET,
        "status: {conditions: [{type: Ready, status: 'False', reason: Wait}]}",
        "InProgress Wait",
    );
    check(
        WIDGET,
        "status: {conditions: [{type: Ready, status: Unknown, reason: Ask}]}",
        "InProgress Ask",
    );
    check(
        WIDGET,
        "status: {conditions: [{type: Other, status: 'False'}]}",
        "Current",
    );
    check(WIDGET, "spec: {}", "Current");
    for kind in [
        "Namespace",
        "networking.k8s.io/Ingress",
        "apiregistration.k8s.io/APIService",
        "autoscaling/HorizontalPodAutoscaler",
    ] {
        check(kind, "spec: {}", "Current");
    }
}

#[test]
fn nothing_is_not_found() {
    assert_eq!(health(&Value::Null, None).status, Status::NotFound);
}

#[test]
fn tells_which_kinds_need_their_status() {
    for kind in [
        "ConfigMap",
        "Secret",
        "ServiceAccount",
        "rbac.authorization.k8s.io/Role",
        "rbac.authorization.k8s.io/RoleBinding",
        "rbac.authorization.k8s.io/ClusterRole",
        "rbac.authorization.k8s.io/ClusterRoleBinding",
        "networking.k8s.io/NetworkPolicy",
        "batch/CronJob",
    ] {
        let (group, kind) = kind.rsplit_once('/').unwrap_or(("", kind));
        assert!(!needs_status(group, kind), "{kind}");
    }
    for kind in [
        "Pod",
        "Service",
        "apps/Deployment",
        "x.io/ConfigMap",
        "x.io/Widget",
        "policy/PodDisruptionBudget",
        "Namespace",
    ] {
        let (group, kind) = kind.rsplit_once('/').unwrap_or(("", kind));
        assert!(needs_status(group, kind), "{kind}");
    }
}

#[test]
fn survives_an_object_of_any_shape() {
    for text in [
        "status: 5",
        "status: {conditions: {a: b}}",
        "status: {conditions: [5, null, {type: 5}]}",
        "metadata: []",
        "spec: [], status: []",
        "status: {containerStatuses: [5], phase: Running}",
    ] {
        for kind in [
            "apps/Deployment",
            "apps/StatefulSet",
            "apps/DaemonSet",
            "apps/ReplicaSet",
            "Pod",
            "batch/Job",
            "Service",
            WIDGET,
        ] {
            let _ = health(&object(kind, text), None);
        }
    }
}
