//! What is asked for, as far as it matters for whether it is allowed.

use super::User;
use crate::request::ResourceTarget;
use crate::status::{About, Status, go_quote};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attributes<'a> {
    /// The verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, or
    /// any other for resources; the HTTP method in lower case for paths.
    pub(crate) verb: &'a str,
    /// What it is done to.
    pub(crate) target: Target<'a>,
}

/// What something is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// Objects.
    Resource(ResourceAttributes<'a>),
    /// Anything that is no object: `/healthz`.
    Path(&'a str),
}

/// Which objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourceAttributes<'a> {
    /// The API group; empty for the core group.
    pub(crate) group: &'a str,
    /// The resource in the plural.
    pub(crate) resource: &'a str,
    /// The subresource; empty for the object itself.
    pub(crate) subresource: &'a str,
    /// The object's name; empty for all.
    pub(crate) name: &'a str,
    /// The namespace; empty for all, and for what has none.
    pub(crate) namespace: &'a str,
}

impl<'a> Attributes<'a> {
    /// A verb on objects.
    pub(crate) fn resource(verb: &'a str, resource: ResourceAttributes<'a>) -> Self {
        let target = Target::Resource(resource);
        Self { verb, target }
    }

    /// A verb on a path that is no object.
    pub(crate) fn path(verb: &'a str, path: &'a str) -> Self {
        let target = Target::Path(path);
        Self { verb, target }
    }

    /// What a request for objects asks for.
    pub(crate) fn of_request(request: &'a ResourceTarget) -> Self {
        Self::resource(
            request.verb.as_str(),
            ResourceAttributes {
                group: &request.group,
                resource: &request.resource,
                subresource: &request.subresource,
                name: &request.name,
                namespace: &request.namespace,
            },
        )
    }

    /// The namespace; empty if there is none.
    pub(crate) fn namespace(&self) -> &'a str {
        match self.target {
            Target::Resource(resource) => resource.namespace,
            Target::Path(_) => "",
        }
    }

    /// The 403 that the genuine server answers: who cannot do what, and the reason if there is one.
    pub(crate) fn forbidden(&self, user: &User, reason: &str) -> Status {
        let mut why = sanitized(&self.refusal(user));
        if !reason.is_empty() {
            why.push_str(": ");
            why.push_str(reason);
        }
        match self.target {
            Target::Resource(resource) if !resource.resource.is_empty() => {
                let about = About {
                    group: resource.group,
                    resource: resource.resource,
                    kind: "",
                };
                Status::forbidden(about, resource.name, &why)
            }
            _ => Status {
                code: 403,
                reason: "Forbidden",
                message: format!("forbidden: {why}"),
                details: Some(Box::default()),
                ..Status::internal("")
            },
        }
    }

    fn refusal(&self, user: &User) -> String {
        let (who, verb) = (go_quote(&user.name), self.verb);
        let asked = match self.target {
            Target::Path(path) => {
                return format!("User {who} cannot {verb} path {}", go_quote(path));
            }
            Target::Resource(asked) => asked,
        };
        let joined;
        let resource = if asked.subresource.is_empty() {
            asked.resource
        } else {
            joined = format!("{}/{}", asked.resource, asked.subresource);
            &joined
        };
        let (resource, group) = (go_quote(resource), go_quote(asked.group));
        if asked.namespace.is_empty() {
            format!(
                "User {who} cannot {verb} resource {resource} in API group {group} at the cluster scope"
            )
        } else {
            let namespace = go_quote(asked.namespace);
            format!(
                "User {who} cannot {verb} resource {resource} in API group {group} in the namespace {namespace}"
            )
        }
    }
}

/// Keeps a text that quotes the request from being taken for HTML.
fn sanitized(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
