//! Who may do what, and what pods are configured with.

use serde_json::Value;

use super::cell::{Row, text};

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
