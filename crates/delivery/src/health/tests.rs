//! The health of each kind of object, as its status tells it.

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
fn a_deployment_needs_replicas_progress_and_availability() {
    const ALL: &str = "replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2";
    const GOOD: &str = "conditions: [{type: Progressing, status: 'True', reason: NewReplicaSetAvailable}, {type: Available, status: 'True'}]";
    let check = |spec: &str, counts: &str, conditions: &str, seen: &str| {
        check(
            "apps/Deployment",
            &format!("spec: {{{spec}}}, status: {{{counts}, {conditions}}}"),
            seen,
        );
    };
    let spec = "replicas: 2, progressDeadlineSeconds: 600";
    check(spec, ALL, GOOD, "Current");
    check(spec, "x: 0", GOOD, "InProgress LessReplicas");
    check(
        spec,
        &ALL.replace("updatedReplicas: 2", "updatedReplicas: 1"),
        GOOD,
        "InProgress LessUpdated",
    );
    check(
        spec,
        &ALL.replacen("replicas: 2", "replicas: 3", 1),
        GOOD,
        "InProgress ExtraPods",
    );
    check(
        spec,
        &ALL.replace("availableReplicas: 2", "availableReplicas: 1"),
        GOOD,
        "InProgress LessAvailable",
    );
    check(
        spec,
        &ALL.replace("readyReplicas: 2", "readyReplicas: 1"),
        GOOD,
        "InProgress LessReady",
    );
    check(
        spec,
        ALL,
        "conditions: [{type: Available, status: 'True'}]",
        "InProgress ReplicaSetNotAvailable",
    );
    check(
        spec,
        ALL,
        "conditions: [{type: Progressing, status: 'True', reason: NewReplicaSetAvailable}]",
        "InProgress DeploymentNotAvailable",
    );
    check(
        spec,
        "x: 0",
        "conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]",
        "Failed ProgressDeadlineExceeded",
    );
    let available = "conditions: [{type: Available, status: 'True'}]";
    check("replicas: 2", ALL, available, "Current");
    check(
        "replicas: 2, progressDeadlineSeconds: 2147483647",
        ALL,
        available,
        "Current",
    );
    check("x: 0", "x: 0", available, "InProgress LessReplicas");
    check("replicas: 0", "x: 0", available, "Current");
}

#[test]
fn a_stateful_set_needs_replicas_and_one_revision() {
    const ALL: &str = "replicas: 2, readyReplicas: 2, currentReplicas: 2, updatedReplicas: 2, currentRevision: a, updateRevision: a";
    let check = |spec: &str, status: &str, seen: &str| {
        check(
            "apps/StatefulSet",
            &format!("spec: {{{spec}}}, status: {{{status}}}"),
            seen,
        );
    };
    check("replicas: 2", ALL, "Current");
    check(
        "replicas: 2, updateStrategy: {type: OnDelete}",
        "x: 0",
        "Current",
    );
    check("replicas: 2", "x: 0", "InProgress LessReplicas");
    check(
        "replicas: 2",
        &ALL.replace("readyReplicas: 2", "readyReplicas: 1"),
        "InProgress LessReady",
    );
    check(
        "replicas: 2",
        &ALL.replacen("replicas: 2", "replicas: 3", 1),
        "InProgress ExtraPods",
    );
    check(
        "replicas: 2",
        &ALL.replace("currentReplicas: 2", "currentReplicas: 1"),
        "InProgress LessCurrent",
    );
    check(
        "replicas: 2",
        &ALL.replace("updateRevision: a", "updateRevision: b"),
        "InProgress RevisionMismatch",
    );
    let partition = "replicas: 2, updateStrategy: {rollingUpdate: {partition: 1}}";
    check(
        partition,
        &ALL.replace("updatedReplicas: 2", "updatedReplicas: 0"),
        "InProgress PartitionRollout",
    );
    check(
        partition,
        &ALL.replace("updatedReplicas: 2", "updatedReplicas: 1")
            .replace("updateRevision: a", "updateRevision: b"),
        "Current",
    );
}

#[test]
fn a_daemon_set_needs_its_controllers_numbers() {
    const ALL: &str = "observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2, numberReady: 2";
    let check_of = |metadata: &str, status: &str, seen: &str| {
        check(
            "apps/DaemonSet",
            &format!("metadata: {{{metadata}}}, status: {{{status}}}"),
            seen,
        );
    };
    check_of("x: 0", ALL, "InProgress NoGeneration");
    check_of("generation: 1", "x: 0", "InProgress NoObservedGeneration");
    check_of(
        "generation: 1",
        "observedGeneration: 1",
        "InProgress NoDesiredNumber",
    );
    check_of("generation: 1", ALL, "Current");
    for (field, reason) in [
        ("currentNumberScheduled", "LessCurrent"),
        ("updatedNumberScheduled", "LessUpdated"),
        ("numberAvailable", "LessAvailable"),
        ("numberReady", "LessReady"),
    ] {
        let status = ALL.replace(&format!("{field}: 2"), &format!("{field}: 1"));
        check_of("generation: 1", &status, &format!("InProgress {reason}"));
    }
    check_of(
        "generation: 1",
        "observedGeneration: 1, desiredNumberScheduled: 0",
        "Current",
    );
}

#[test]
fn a_replica_set_needs_its_replicas() {
    const ALL: &str =
        "replicas: 2, fullyLabeledReplicas: 2, availableReplicas: 2, readyReplicas: 2";
    let check = |status: &str, seen: &str| {
        check(
            "apps/ReplicaSet",
            &format!("spec: {{replicas: 2}}, status: {{{status}}}"),
            seen,
        );
    };
    check(ALL, "Current");
    check(
        &format!("{ALL}, conditions: [{{type: ReplicaFailure, status: 'True'}}]"),
        "InProgress ReplicaFailure",
    );
    check(
        &ALL.replace("fullyLabeledReplicas: 2", "fullyLabeledReplicas: 1"),
        "InProgress LessLabelled",
    );
    check(
        &ALL.replace("availableReplicas: 2", "availableReplicas: 1"),
        "InProgress LessAvailable",
    );
    check(
        &ALL.replace("readyReplicas: 2", "readyReplicas: 1"),
        "InProgress LessReady",
    );
    check(
        &ALL.replacen("replicas: 2", "replicas: 3", 1),
        "InProgress ExtraPods",
    );
}

#[test]
fn a_pod_goes_by_its_phase() {
    check("Pod", "status: {phase: Succeeded}", "Current");
    check("Pod", "status: {phase: Failed}", "Current");
    check(
        "Pod",
        "status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}",
        "Current",
    );
    check(
        "Pod",
        "status: {phase: Running}",
        "InProgress PodRunningNotReady",
    );
    check(
        "Pod",
        "status: {phase: Running, containerStatuses: [{name: web, state: {waiting: {reason: CrashLoopBackOff}}}]}",
        "Failed ContainerCrashLooping",
    );
    check(
        "Pod",
        "status: {phase: Running, containerStatuses: [{name: web, state: {waiting: {reason: ContainerCreating}}}]}",
        "InProgress PodRunningNotReady",
    );
    check("Pod", "status: {phase: Pending}", "InProgress PodPending");
    check("Pod", "spec: {}", "InProgress PodNotObserved");
    check("Pod", "status: {phase: Odd}", "Unknown UnknownPhase");
}

#[test]
fn a_pod_that_no_node_takes_fails_after_a_while() {
    let status = "status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable}]}";
    check_aged("Pod", status, Some(14), "InProgress PodNotScheduled");
    check_aged("Pod", status, Some(16), "Failed PodUnschedulable");
    check_aged("Pod", status, None, "InProgress PodNotScheduled");
}

#[test]
fn a_job_is_current_once_it_runs() {
    check("batch/Job", "spec: {}", "InProgress JobNotStarted");
    check(
        "batch/Job",
        "status: {startTime: '2026-01-01T00:00:00Z'}",
        "Current",
    );
    check(
        "batch/Job",
        "status: {conditions: [{type: Complete, status: 'True'}]}",
        "Current",
    );
    check(
        "batch/Job",
        "status: {conditions: [{type: Failed, status: 'True'}]}",
        "Failed JobFailed",
    );
    check(
        "batch/Job",
        "status: {conditions: [{type: Failed, status: 'False'}]}",
        "InProgress JobNotStarted",
    );
    check(
        "batch/Job",
        "spec: {suspend: true}, status: {conditions: [{type: Suspended, status: 'True'}]}",
        "Current",
    );
}

#[test]
fn a_service_needs_no_address_of_its_load_balancer() {
    check(
        "Service",
        "spec: {type: LoadBalancer}",
        "InProgress NoIPAssigned",
    );
    check(
        "Service",
        "spec: {type: LoadBalancer, clusterIP: 10.0.0.1}",
        "Current",
    );
    check("Service", "spec: {type: ClusterIP}", "Current");
}

#[test]
fn a_claim_has_to_be_bound() {
    check("PersistentVolumeClaim", "status: {phase: Bound}", "Current");
    check(
        "PersistentVolumeClaim",
        "status: {phase: Lost}",
        "InProgress NotBound",
    );
    check("PersistentVolumeClaim", "spec: {}", "InProgress NotBound");
}

#[test]
fn a_disruption_budget_needs_its_generation_seen() {
    check(
        "policy/PodDisruptionBudget",
        "metadata: {generation: 1}, status: {observedGeneration: 0}",
        "InProgress LatestGenerationNotObserved",
    );
    check(
        "policy/PodDisruptionBudget",
        "metadata: {generation: 1}, status: {observedGeneration: 1}",
        "Current",
    );
}

#[test]
fn a_definition_has_to_be_established() {
    let check = |conditions: &str, seen: &str| {
        check(
            "apiextensions.k8s.io/CustomResourceDefinition",
            &format!("status: {{conditions: [{conditions}]}}"),
            seen,
        );
    };
    check("", "InProgress Installing");
    check(
        "{type: NamesAccepted, status: 'True'}, {type: Established, status: 'True'}",
        "Current",
    );
    check(
        "{type: NamesAccepted, status: 'False', reason: Conflict}",
        "Failed Conflict",
    );
    check(
        "{type: Established, status: 'False', reason: Installing}",
        "InProgress Installing",
    );
    check(
        "{type: Established, status: 'False', reason: Broken}",
        "Failed Broken",
    );
}

#[test]
fn some_kinds_are_always_current() {
    for kind in ["ConfigMap", "Secret", "batch/CronJob"] {
        check(
            kind,
            "status: {conditions: [{type: Ready, status: 'False'}]}",
            "Current",
        );
    }
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
