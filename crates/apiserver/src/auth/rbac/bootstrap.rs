//! The roles and bindings that every cluster begins with.

use serde_json::Value;

use super::RbacKind;

/// Recorded from the genuine server by `data/roles.sh`: one object a line, those of one kind together.
const OBJECTS: &str = include_str!("../../../data/roles.jsonl");

/// The roles and bindings that every cluster begins with, without uid and time of creation. Aggregated
/// roles have their rules already. Namespaced ones are in `kube-system` and `kube-public`.
///
/// What they are is upstream's `plugin/pkg/auth/authorizer/rbac/bootstrappolicy`.
pub(crate) fn bootstrap_objects() -> impl Iterator<Item = (RbacKind, Value)> {
    OBJECTS.lines().map(|line| {
        let object: Value = serde_json::from_str(line).expect("a test parses every line");
        let kind = object["kind"].as_str().and_then(RbacKind::of_kind);
        (kind.expect("a test reads every kind"), object)
    })
}
