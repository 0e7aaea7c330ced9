//! Kinds that stand for themselves.

use super::{check, check_aged};

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
