//! Who may do what, and what pods are configured with.

use serde_json::Value;

use super::cell::{Row, text};
use crate::crd::human_duration;

/// A `RoleBinding` or `ClusterRoleBinding`.
pub(super) fn role_binding(row: Row<'_>) -> Vec<Value> {
    let role = format!("{}/{}", row.text("roleRef.kind"), row.text("roleRef.name"));
    let subjects = |kind: &str| -> Value {
        let all = row.items("subjects").iter();
        let written = all
            .filter(|one| text(one, "kind") == kind)
            .map(|one| match kind {
                "ServiceAccount" => format!("{}/{}", text(one, "namespace"), text(one, "name")),
                _ => text(one, "name").to_owned(),
            });
        written.collect::<Vec<_>>().join(", ").into()
    };
    vec![
        row.name(),
        role.into(),
        row.age(),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}

pub(super) fn secret(row: Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.text("type").into(),
        row.size("data").into(),
        row.age(),
    ]
}

pub(super) fn config_map(row: Row<'_>) -> Vec<Value> {
    let count = row.size("data") + row.size("binaryData");
    vec![row.name(), count.into(), row.age()]
}

pub(super) fn signing_request(row: Row<'_>) -> Vec<Value> {
    let lifetime = row
        .at("spec.expirationSeconds")
        .as_i64()
        .map(human_duration);
    vec![
        row.name(),
        row.age(),
        row.text_unless_empty("spec.signerName", "<none>").into(),
        row.text("spec.username").into(),
        lifetime.unwrap_or_else(|| "<none>".to_owned()).into(),
        signing_status(row).into(),
    ]
}

fn signing_status(row: Row<'_>) -> String {
    let conditions = row.items("status.conditions");
    let has = |kind| conditions.iter().any(|one| text(one, "type") == kind);
    let mut status = match () {
        () if has("Denied") => "Denied",
        () if has("Approved") => "Approved",
        () => "Pending",
    }
    .to_owned();
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !row.text("status.certificate").is_empty() {
        status.push_str(",Issued");
    }
    status
}
