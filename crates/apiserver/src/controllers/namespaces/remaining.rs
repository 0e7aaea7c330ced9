//! What is left in a namespace that is to go, and how its status says so.
//!
//! External rule: `pkg/controller/namespace/deletion/status_condition_utils.go` of k8s.io/kubernetes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::registry::meta;
use crate::store::{Resource, Scope};

/// Objects of one resource that are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    resource: Resource,
    count: usize,
    /// How many of them each finalizer holds.
    finalizers: BTreeMap<String, usize>,
}

/// What is left in a namespace.
pub(super) fn of(cluster: &Cluster, namespace: &str) -> Vec<Left> {
    let scope = Scope::namespace(namespace);
    let counts = cluster.store.counts(namespace).into_iter();
    let all = counts.map(|(resource, count)| {
        let mut finalizers = BTreeMap::new();
        for record in cluster.store.snapshot(&resource).iter(&scope) {
            for finalizer in meta::finalizers(&record.value()) {
                *finalizers.entry(finalizer.to_owned()).or_default() += 1;
            }
        }
        Left {
            resource,
            count,
            finalizers,
        }
    });
    all.collect()
}

/// The conditions of a namespace in which this is left; those that others have told stay.
pub(super) fn conditions(left: &[Left], before: &Value, now: &str) -> Value {
    let mut resources: Vec<String> = left
        .iter()
        .map(|left| {
            let (name, group) = (left.resource.name(), left.resource.group());
            format!("{name}.{group} has {} resource instances", left.count)
        })
        .collect();
    resources.sort();
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for (finalizer, count) in left.iter().flat_map(|left| &left.finalizers) {
        *held.entry(finalizer).or_default() += count;
    }
    let held: Vec<String> = held
        .iter()
        .map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"))
        .collect();
    let (remains, resources) = if left.is_empty() {
        let told = "All content successfully removed".to_owned();
        (("False", "ContentRemoved"), told)
    } else {
        let told = format!("Some resources are remaining: {}", resources.join(", "));
        (("True", "SomeResourcesRemain"), told)
    };
    let finalizers = if held.is_empty() {
        "All content-preserving finalizers finished".to_owned()
    } else {
        let held = held.join(", ");
        format!("Some content in the namespace has finalizers remaining: {held}")
    };
    let (waits, why) = if held.is_empty() {
        ("False", "ContentHasNoFinalizers")
    } else {
        ("True", "SomeFinalizersRemain")
    };
    let all = [
        (
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        (
            "NamespaceContentRemaining",
            remains.0,
            remains.1,
            &resources,
        ),
        ("NamespaceFinalizersRemaining", waits, why, &finalizers),
    ];
    let mut conditions = before.as_array().cloned().unwrap_or_default();
    for (kind, status, reason, message) in all {
        let old = conditions.iter_mut().find(|old| old["type"] == kind);
        let same = old.as_ref().filter(|old| old["status"] == status);
        let since = same.map_or_else(|| json!(now), |old| old["lastTransitionTime"].clone());
        let condition = json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": since,
        });
        match old {
            Some(old) => *old = condition,
            None => conditions.push(condition),
        }
    }
    conditions.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_name_what_is_left_and_who_holds_it() {
        let left = |group: &str, name: &str, finalizers: &[(&str, usize)]| Left {
            resource: Resource::new(group, name),
            count: 2,
            finalizers: finalizers
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
        };
        let all = [
            left("apps", "deployments", &[]),
            left("", "configmaps", &[("example.com/hold", 1)]),
        ];
        let first = conditions(&all, &Value::Null, "then");
        let message = "Some resources are remaining: configmaps. has 2 resource instances, deployments.apps has 2 resource instances";
        assert_eq!(first[3]["message"], message);
        assert_eq!(first[4]["reason"], "SomeFinalizersRemain");
        let second = conditions(&all[..1], &first, "now");
        assert_eq!(second[3]["lastTransitionTime"], "then");
        assert_eq!(second[4]["lastTransitionTime"], "now");
        assert_eq!(second[4]["reason"], "ContentHasNoFinalizers");
        let last = conditions(&[], &second, "later");
        assert_eq!(last[3]["reason"], "ContentRemoved");
        assert_eq!(last[3]["lastTransitionTime"], "later");
        assert_eq!(last[4], second[4]);
    }
}
