//! Kinds that keep a number of Pods.

use super::check;

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
