//! What a request asks for: read from its method, path and query alone.

mod query;

pub(crate) use query::Query;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Objects.
    Resource(ResourceTarget),
    /// Anything else (`/version`, `/apis`, `/openapi/v3`).
    Path,
}

/// What is to be done, as RBAC names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verb {
    /// Reads one object.
    Get,
    /// Reads a collection.
    List,
    /// Follows a collection, or one object of it.
    Watch,
    /// Makes an object.
    Create,
    /// Replaces an object.
    Update,
    /// Changes an object.
    Patch,
    /// Deletes an object.
    Delete,
    /// Deletes a collection.
    DeleteCollection,
}

impl Verb {
    /// As RBAC and messages write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

/// Objects that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceTarget {
    /// What is to be done.
    pub(crate) verb: Verb,
    /// The API group; empty for the core group.
    pub(crate) group: String,
    /// The version.
    pub(crate) version: String,
    /// The resource in the plural.
    pub(crate) resource: String,
    /// The subresource; empty for none.
    pub(crate) subresource: String,
    /// The namespace; empty for none. A Namespace is in itself, as RBAC sees it.
    pub(crate) namespace: String,
    /// The object's name; empty for a collection.
    pub(crate) name: String,
}

impl ResourceTarget {
    /// Whether what the path names can be asked for this. Objects are added to a collection, to that of one
    /// namespace where they are in namespaces, and changed one by one.
    pub(crate) fn is_at_its_place(&self, namespaced: bool) -> bool {
        let has_place = !namespaced || !self.namespace.is_empty();
        match self.verb {
            _ if !self.subresource.is_empty() => true,
            Verb::Create => self.name.is_empty() && has_place,
            Verb::DeleteCollection => has_place,
            Verb::Update | Verb::Patch => !self.name.is_empty(),
            Verb::Get | Verb::List | Verb::Watch | Verb::Delete => true,
        }
    }
}

impl Target {
    /// Reads a request. A path that is none of a resource is [`Target::Path`], as is one with more
    /// parts than any resource has.
    ///
    /// As upstream's `RequestInfoFactory` (k8s.io/apiserver, `pkg/endpoints/request`).
    pub(crate) fn of(method: &http::Method, path: &str, query: &Query) -> Self {
        Self::read(method, path, query).map_or(Self::Path, Self::Resource)
    }

    fn read(method: &http::Method, path: &str, query: &Query) -> Option<ResourceTarget> {
        let mut parts = path.trim_matches('/').split('/').map(percent_decoded);
        let group = match parts.next()??.as_str() {
            "api" => String::new(),
            "apis" => parts.next()??,
            _ => return None,
        };
        let version = parts.next()??;
        let rest: Vec<String> = parts.collect::<Option<_>>()?;
        if version.is_empty() || rest.iter().any(String::is_empty) {
            return None;
        }
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let (namespace, rest) = match rest.as_slice() {
            ["namespaces", namespace, resource, rest @ ..]
                if !is_of_namespaces(resource, rest, &group) =>
            {
                (*namespace, [&[*resource], rest].concat())
            }
            ["namespaces", name, ..] => (*name, rest.clone()),
            _ => ("", rest),
        };
        let (resource, name, subresource) = match rest.as_slice() {
            [resource] => (*resource, "", ""),
            [resource, name] => (*resource, *name, ""),
            [resource, name, subresource] => (*resource, *name, *subresource),
            _ => return None,
        };
        let verb = verb(method, name, query)?;
        Some(ResourceTarget {
            verb,
            group,
            version,
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// Whether what follows `namespaces/NAME/` is a subresource of the Namespace itself.
fn is_of_namespaces(part: &str, rest: &[&str], group: &str) -> bool {
    group.is_empty() && rest.is_empty() && matches!(part, "status" | "finalize")
}

fn verb(method: &http::Method, name: &str, query: &Query) -> Option<Verb> {
    Some(match (method.as_str(), name) {
        ("GET" | "HEAD", "") if query.is_true("watch") => Verb::Watch,
        ("GET" | "HEAD", "") => Verb::List,
        // One object is not watched like this, whatever the query says.
        ("GET" | "HEAD", _) => Verb::Get,
        ("POST", _) => Verb::Create,
        ("PUT", _) => Verb::Update,
        ("PATCH", _) => Verb::Patch,
        ("DELETE", "") => Verb::DeleteCollection,
        ("DELETE", _) => Verb::Delete,
        _ => return None,
    })
}

/// The text behind percent signs; nothing where it is none.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, wanted: &str) {
        let (method, uri) = line.split_once(' ').expect("a method and a path");
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let query = Query::parse(query).expect("it is one");
        let method = method.parse().expect("it is one");
        let found = match Target::of(&method, path, &query) {
            Target::Path => "path".to_owned(),
            Target::Resource(target) => format!(
                "{} {}/{} {}/{} in {} named {}",
                target.verb.as_str(),
                target.group,
                target.version,
                target.resource,
                target.subresource,
                target.namespace,
                target.name
            ),
        };
        assert_eq!(found, wanted, "{line}");
    }

    #[test]
    fn collections_are_added_to_and_objects_changed() {
        for (line, namespaced, wanted) in [
            ("POST /api/v1/namespaces/a/pods", true, true),
            ("POST /api/v1/namespaces/a/pods/b", true, false),
            ("POST /api/v1/namespaces/a/pods/b/eviction", true, true),
            ("POST /api/v1/pods", true, false),
            ("POST /api/v1/nodes", false, true),
            ("POST /api/v1/namespaces/a", false, false),
            ("PUT /api/v1/namespaces/a/pods", true, false),
            ("PATCH /api/v1/namespaces/a/pods", true, false),
            ("PATCH /api/v1/namespaces/a/pods/b", true, true),
            ("DELETE /api/v1/namespaces/a/pods", true, true),
            ("DELETE /api/v1/pods", true, false),
            ("DELETE /api/v1/nodes", false, true),
            ("GET /api/v1/pods", true, true),
        ] {
            let (method, path) = line.split_once(' ').expect("a method and a path");
            let method = method.parse().expect("it is one");
            let Target::Resource(target) = Target::of(&method, path, &Query::default()) else {
                panic!("{line} is of no resource");
            };
            assert_eq!(target.is_at_its_place(namespaced), wanted, "{line}");
        }
    }

    #[test]
    fn requests_are_read_as_upstream_reads_them() {
        for (line, wanted) in [
            ("GET /api/v1/pods", "list /v1 pods/ in  named "),
            ("GET /api/v1/pods?watch=1", "watch /v1 pods/ in  named "),
            ("GET /api/v1/namespaces", "list /v1 namespaces/ in  named "),
            (
                "GET /api/v1/namespaces/a?watch=1",
                "get /v1 namespaces/ in a named a",
            ),
            (
                "GET /api/v1/namespaces/a",
                "get /v1 namespaces/ in a named a",
            ),
            (
                "PUT /api/v1/namespaces/a/finalize",
                "update /v1 namespaces/finalize in a named a",
            ),
            (
                "PATCH /api/v1/namespaces/a/status",
                "patch /v1 namespaces/status in a named a",
            ),
            (
                "POST /api/v1/namespaces/a/pods",
                "create /v1 pods/ in a named ",
            ),
            (
                "GET /api/v1/namespaces/a/status/x",
                "get /v1 status/ in a named x",
            ),
            (
                "DELETE /api/v1/namespaces/a/pods",
                "deletecollection /v1 pods/ in a named ",
            ),
            (
                "DELETE /api/v1/namespaces/a/pods/b",
                "delete /v1 pods/ in a named b",
            ),
            (
                "GET /apis/apps/v1/namespaces/a/deployments/b/scale",
                "get apps/v1 deployments/scale in a named b",
            ),
            (
                "POST /api/v1/namespaces/a/serviceaccounts/b/token",
                "create /v1 serviceaccounts/token in a named b",
            ),
            (
                "GET /apis/x.io/v1/things/system%3Aa",
                "get x.io/v1 things/ in  named system:a",
            ),
            ("GET /api/v1", "path"),
            ("GET /apis/apps/v1", "path"),
            ("GET /apis/apps/v1/a/b/c/d", "path"),
            ("GET /apis/apps/v1//b", "path"),
            ("GET /api/v1/pods/%zz", "path"),
            ("GET /version", "path"),
            ("GET /", "path"),
        ] {
            check(line, wanted);
        }
    }
}
