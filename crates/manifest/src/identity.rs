//! What makes two manifests the same object: group, kind, namespace and name, never the version.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind without its version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupKind {
    /// The API group, empty for the core group.
    pub group: String,
    /// The kind, as in `Deployment`.
    pub kind: String,
}

impl GroupKind {
    /// Names a kind of a group.
    pub fn new(group: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            kind: kind.into(),
        }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            return f.write_str(&self.kind);
        }
        write!(f, "{}.{}", self.kind, self.group)
    }
}

/// Whether a text can be the name of an object of any kind: the API server takes no other.
pub fn is_path_segment(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '%'])
}

/// One object of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId {
    /// The API group, empty for the core group.
    pub group: String,
    /// The kind, as in `Deployment`.
    pub kind: String,
    /// The namespace; none for a cluster-scoped object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl ObjectId {
    /// The kind of the object.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }
}

/// Prints `Deployment/shop/web`, `ClusterRole/admin` or `Widget.example.com/shop/w`.
///
/// The group is left out where the kind alone says enough: in the groups that Kubernetes itself
/// serves, which have no dot or end in `.k8s.io`.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.group.contains('.') && !self.group.ends_with(".k8s.io") {
            write!(f, ".{}", self.group)?;
        }
        if let Some(namespace) = &self.namespace {
            write!(f, "/{namespace}")?;
        }
        write!(f, "/{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(group: &str, kind: &str, namespace: Option<&str>, shown: &str) {
        let id = ObjectId {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.map(Into::into),
            name: "web".into(),
        };
        assert_eq!(id.to_string(), shown);
    }

    #[test]
    fn shows_an_object_as_kind_namespace_name() {
        check("apps", "Deployment", Some("shop"), "Deployment/shop/web");
        check("", "ConfigMap", Some("shop"), "ConfigMap/shop/web");
        check(
            "rbac.authorization.k8s.io",
            "ClusterRole",
            None,
            "ClusterRole/web",
        );
        check(
            "example.com",
            "Widget",
            Some("shop"),
            "Widget.example.com/shop/web",
        );
    }

    #[test]
    fn shows_a_kind_with_its_group() {
        assert_eq!(
            GroupKind::new("apps", "Deployment").to_string(),
            "Deployment.apps"
        );
        assert_eq!(GroupKind::new("", "ConfigMap").to_string(), "ConfigMap");
    }
}
