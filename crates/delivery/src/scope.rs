//! Whether a kind lives in namespaces, as discovery or a definition says.

/// Where the objects of a kind live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In the cluster.
    Cluster,
}

/// What the API server says about a kind in a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// It is served, with this scope.
    Yes(Scope),
    /// The kind is served, but in these versions.
    OtherVersions(Vec<String>),
    /// The kind is not served.
    Unknown,
}

/// Knows what an API server serves.
pub trait Scopes {
    /// Looks a kind up.
    fn scope(&self, group: &str, version: &str, kind: &str) -> Served;
}

impl<F: Fn(&str, &str, &str) -> Served> Scopes for F {
    fn scope(&self, group: &str, version: &str, kind: &str) -> Served {
        self(group, version, kind)
    }
}
