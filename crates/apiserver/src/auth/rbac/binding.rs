//! Who has which role, and how that is told.

use std::fmt;

use serde_json::Value;

use super::super::object;
use super::super::user::{User, service_account_username};
use crate::status::go_quote;

/// Who has a role.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) namespace: Box<str>,
    pub(super) name: Box<str>,
    pub(super) role: RoleRef,
    pub(super) subjects: Vec<Subject>,
}

/// Which role.
#[derive(Debug)]
pub(super) struct RoleRef {
    pub(super) kind: Box<str>,
    pub(super) name: Box<str>,
}

/// Who.
#[derive(Debug)]
pub(super) enum Subject {
    User(Box<str>),
    Group(Box<str>),
    ServiceAccount {
        namespace: Box<str>,
        name: Box<str>,
        username: Box<str>,
    },
    Unknown,
}

/// What allowed something. Its text is the genuine server's reason; empty for `system:masters`.
#[derive(Debug)]
pub(crate) struct Grant<'a>(pub(super) Option<(&'a Binding, &'a Subject)>);

impl Binding {
    pub(super) fn from_json(namespace: &str, name: &str, object: &Value) -> Self {
        let subjects = object::list(object, &["subjects"]);
        Self {
            namespace: namespace.into(),
            name: name.into(),
            role: RoleRef {
                kind: object::text(object, &["roleRef", "kind"]).into(),
                name: object::text(object, &["roleRef", "name"]).into(),
            },
            subjects: subjects
                .iter()
                .map(|subject| Subject::from_json(subject, namespace))
                .collect(),
        }
    }
}

impl Subject {
    fn from_json(subject: &Value, binding_namespace: &str) -> Self {
        let name = object::text(subject, &["name"]);
        match object::text(subject, &["kind"]) {
            "User" => Self::User(name.into()),
            "Group" => Self::Group(name.into()),
            "ServiceAccount" => {
                let namespace = match object::text(subject, &["namespace"]) {
                    "" => binding_namespace,
                    own => own,
                };
                if namespace.is_empty() {
                    return Self::Unknown;
                }
                Self::ServiceAccount {
                    namespace: namespace.into(),
                    name: name.into(),
                    username: service_account_username(namespace, name).into(),
                }
            }
            _ => Self::Unknown,
        }
    }

    pub(super) fn is(&self, user: &User) -> bool {
        match self {
            Self::User(name) => **name == *user.name,
            Self::Group(name) => user.is_in(name),
            Self::ServiceAccount { username, .. } => **username == *user.name,
            Self::Unknown => false,
        }
    }
}

impl fmt::Display for Grant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((binding, subject)) = self.0 else {
            return Ok(());
        };
        let (kind, place) = if binding.namespace.is_empty() {
            ("ClusterRoleBinding", binding.name.to_string())
        } else {
            (
                "RoleBinding",
                format!("{}/{}", binding.name, binding.namespace),
            )
        };
        let role = &binding.role;
        write!(
            f,
            "RBAC: allowed by {kind} {} of {} {} to ",
            go_quote(&place),
            role.kind,
            go_quote(&role.name)
        )?;
        match subject {
            Subject::User(name) => write!(f, "User {}", go_quote(name)),
            Subject::Group(name) => write!(f, "Group {}", go_quote(name)),
            Subject::ServiceAccount {
                namespace, name, ..
            } => write!(
                f,
                "ServiceAccount {}",
                go_quote(&format!("{name}/{namespace}"))
            ),
            Subject::Unknown => Ok(()),
        }
    }
}
