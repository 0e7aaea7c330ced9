//! What makes pods.

use serde_json::Value;

use super::cell::{
    Row, between, condition, containers, labels, selector, selector_or_none, text, time,
};

const CONTAINERS: &str = "spec.template.spec.containers";

/// What `/scale` answers.
pub(super) fn scale(row: Row<'_>) -> Vec<Value> {
    let (wanted, there) = (row.whole("spec.replicas"), row.whole("status.replicas"));
    vec![row.name(), wanted.into(), there.into(), row.age()]
}

pub(super) fn replica_set(row: Row<'_>) -> Vec<Value> {
    let selector = selector_or_none(row.at("spec.selector"));
    let [names, images] = containers(row.items(CONTAINERS));
    vec![
        row.name(),
        row.whole("spec.replicas").into(),
        row.whole("status.replicas").into(),
        row.whole("status.readyReplicas").into(),
        row.age(),
        names,
        images,
        selector.into(),
    ]
}

pub(super) fn deployment(row: Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row.items(CONTAINERS));
    let selector = selector(row.at("spec.selector"));
    vec![
        row.name(),
        ready(row),
        row.whole("status.updatedReplicas").into(),
        row.whole("status.availableReplicas").into(),
        row.age(),
        names,
        images,
        selector.unwrap_or_else(|| "<invalid>".to_owned()).into(),
    ]
}

pub(super) fn stateful_set(row: Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row.items(CONTAINERS));
    vec![row.name(), ready(row), row.age(), names, images]
}

fn ready(row: Row<'_>) -> Value {
    let (ready, wanted) = (
        row.whole("status.readyReplicas"),
        row.whole("spec.replicas"),
    );
    format!("{ready}/{wanted}").into()
}

pub(super) fn daemon_set(row: Row<'_>) -> Vec<Value> {
    let [names, images] = containers(row.items(CONTAINERS));
    vec![
        row.name(),
        row.whole("status.desiredNumberScheduled").into(),
        row.whole("status.currentNumberScheduled").into(),
        row.whole("status.numberReady").into(),
        row.whole("status.updatedNumberScheduled").into(),
        row.whole("status.numberAvailable").into(),
        labels(row.at("spec.template.spec.nodeSelector")).into(),
        row.age(),
        names,
        images,
        selector_or_none(row.at("spec.selector")).into(),
    ]
}

pub(super) fn job(row: Row<'_>) -> Vec<Value> {
    let done = row.whole("status.succeeded");
    let completions = match row.at("spec.completions").as_i64() {
        Some(wanted) => format!("{done}/{wanted}"),
        None => match row.whole("spec.parallelism") {
            many @ 2.. => format!("{done}/1 of {many}"),
            _ => format!("{done}/1"),
        },
    };
    let begin = time(row.at("status.startTime"));
    let end = time(row.at("status.completionTime")).unwrap_or(row.now);
    let [names, images] = containers(row.items(CONTAINERS));
    vec![
        row.name(),
        job_status(row).into(),
        completions.into(),
        begin
            .map(|begin| between(begin, end))
            .unwrap_or_default()
            .into(),
        row.age(),
        names,
        images,
        selector_or_none(row.at("spec.selector")).into(),
    ]
}

fn job_status(row: Row<'_>) -> &'static str {
    let conditions = row.items("status.conditions");
    let is = |kind| condition(conditions, kind).is_some_and(|one| text(one, "status") == "True");
    match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if row.is_deleted() => "Terminating",
        () if is("Suspended") => "Suspended",
        () if is("FailureTarget") => "FailureTarget",
        () if is("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}
