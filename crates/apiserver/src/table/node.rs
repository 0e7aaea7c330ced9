//! Nodes, namespaces, and small kinds that say how pods run.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cell::{Row, condition, joined, text};

pub(super) fn node(row: Row<'_>) -> Vec<Value> {
    let ready = row.items("status.conditions").iter().rev();
    let mut ready = ready.filter(|one| text(one, "type") == "Ready");
    // Upstream lets the last of several conditions win here.
    let status = match ready.next().map(|one| text(one, "status") == "True") {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if row.flag("spec.unschedulable") {
        ",SchedulingDisabled"
    } else {
        ""
    };
    let info = |field: &str| match text(row.at("status.nodeInfo"), field) {
        "" => "<unknown>",
        text => text,
    };
    let mut kernel = info("kernelVersion").to_owned();
    let architecture = row.text("status.nodeInfo.architecture");
    if !architecture.is_empty() {
        kernel = format!("{kernel} ({architecture})");
    }
    vec![
        row.name(),
        format!("{status}{cordoned}").into(),
        roles(row).into(),
        row.age(),
        row.text("status.nodeInfo.kubeletVersion").into(),
        address(row, "InternalIP"),
        address(row, "ExternalIP"),
        info("osImage").into(),
        kernel.into(),
        info("containerRuntimeVersion").into(),
    ]
}

/// The roles of a node, sorted: what stands behind `node-role.kubernetes.io/` in its labels, and the values of
/// `kubernetes.io/role`.
fn roles(row: Row<'_>) -> String {
    let labels = row.at("metadata.labels").as_object().into_iter().flatten();
    let role = |(key, value): (&'_ String, &'_ Value)| match key
        .strip_prefix("node-role.kubernetes.io/")
    {
        Some(role) => Some(role.to_owned()),
        None if key == "kubernetes.io/role" => value.as_str().map(str::to_owned),
        None => None,
    };
    let roles: BTreeSet<String> = labels
        .filter_map(role)
        .filter(|role| !role.is_empty())
        .collect();
    if roles.is_empty() {
        return "<none>".to_owned();
    }
    joined(roles.iter().map(String::as_str))
}

fn address(row: Row<'_>, kind: &str) -> Value {
    let found = condition(row.items("status.addresses"), kind);
    found.map_or("<none>", |one| text(one, "address")).into()
}

pub(super) fn namespace(row: Row<'_>) -> Vec<Value> {
    vec![row.name(), row.text("status.phase").into(), row.age()]
}

pub(super) fn component(row: Row<'_>) -> Vec<Value> {
    let Some(healthy) = condition(row.items("conditions"), "Healthy") else {
        return vec![row.name(), "Unknown".into(), "".into(), "".into()];
    };
    let status = if text(healthy, "status") == "True" {
        "Healthy"
    } else {
        "Unhealthy"
    };
    let (message, error) = (text(healthy, "message"), text(healthy, "error"));
    vec![row.name(), status.into(), message.into(), error.into()]
}

pub(super) fn lease(row: Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.text("spec.holderIdentity").into(),
        row.age(),
    ]
}

pub(super) fn runtime_class(row: Row<'_>) -> Vec<Value> {
    vec![row.name(), row.text("handler").into(), row.age()]
}

pub(super) fn priority_class(row: Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.whole("value").into(),
        row.flag("globalDefault").into(),
        row.age(),
        row.text("preemptionPolicy").into(),
    ]
}
