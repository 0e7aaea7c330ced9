//! Role-based access control: which rules apply to a user, kept so that a decision looks at the user's
//! own bindings only.

mod aggregate;
mod binding;
mod bootstrap;
mod escalation;
mod rule;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::object;
use super::user::MASTERS;
use super::{Attributes, User};
use crate::status::{Status, go_quote};

use binding::{Binding, Subject};

pub(crate) use aggregate::aggregated_rules;
pub(crate) use binding::Grant;
pub(crate) use bootstrap::bootstrap_objects;
pub(crate) use escalation::Write;
pub(crate) use rule::PolicyRule;

/// The API group of roles and bindings.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// The four kinds that RBAC is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RbacKind {
    /// Rules within a namespace.
    Role,
    /// Rules for the cluster, or for any namespace that a binding names them in.
    ClusterRole,
    /// Who has a role in a namespace.
    RoleBinding,
    /// Who has a role everywhere.
    ClusterRoleBinding,
}

impl RbacKind {
    /// The kind of a resource of [`GROUP`] (`clusterroles`).
    pub(crate) fn of_resource(resource: &str) -> Option<Self> {
        Some(match resource {
            "roles" => Self::Role,
            "clusterroles" => Self::ClusterRole,
            "rolebindings" => Self::RoleBinding,
            "clusterrolebindings" => Self::ClusterRoleBinding,
            _ => return None,
        })
    }

    /// The kind by its name (`ClusterRole`).
    pub(crate) fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "Role" => Self::Role,
            "ClusterRole" => Self::ClusterRole,
            "RoleBinding" => Self::RoleBinding,
            "ClusterRoleBinding" => Self::ClusterRoleBinding,
            _ => return None,
        })
    }

    /// The kind's name.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::ClusterRole => "ClusterRole",
            Self::RoleBinding => "RoleBinding",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
        }
    }

    /// The resource's name.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Self::Role => "roles",
            Self::ClusterRole => "clusterroles",
            Self::RoleBinding => "rolebindings",
            Self::ClusterRoleBinding => "clusterrolebindings",
        }
    }

    fn is_namespaced(self) -> bool {
        matches!(self, Self::Role | Self::RoleBinding)
    }
}

/// All roles and bindings.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// By namespace, which is empty for cluster roles, and name.
    roles: ByPlace<[PolicyRule]>,
    /// By namespace, which is empty for cluster role bindings, and name.
    bindings: ByPlace<Binding>,
}

type ByPlace<T> = HashMap<Box<str>, BTreeMap<Box<str>, Box<T>>>;

/// Whether something is allowed.
#[derive(Debug)]
pub(crate) enum Decision<'a> {
    /// It is, by this.
    Allow(Grant<'a>),
    /// Nothing allows it. The text says what was wrong with the user's bindings; it is empty if nothing
    /// was.
    Deny(String),
}

impl Rules {
    /// Takes a role or binding in, or in place of its former state.
    pub(crate) fn set(&mut self, kind: RbacKind, object: &Value) {
        let name = object::text(object, &["metadata", "name"]);
        let namespace = if kind.is_namespaced() {
            object::text(object, &["metadata", "namespace"])
        } else {
            ""
        };
        match kind {
            RbacKind::Role | RbacKind::ClusterRole => {
                let rules = rules_of(object).collect();
                place(&mut self.roles, namespace).insert(name.into(), rules);
            }
            RbacKind::RoleBinding | RbacKind::ClusterRoleBinding => {
                let binding = Binding::from_json(namespace, name, object);
                place(&mut self.bindings, namespace).insert(name.into(), Box::new(binding));
            }
        }
    }

    /// Forgets a role or binding. The namespace is empty for the cluster's kinds.
    pub(crate) fn remove(&mut self, kind: RbacKind, namespace: &str, name: &str) {
        match kind {
            RbacKind::Role | RbacKind::ClusterRole => {
                take(&mut self.roles, namespace, name);
            }
            RbacKind::RoleBinding | RbacKind::ClusterRoleBinding => {
                take(&mut self.bindings, namespace, name);
            }
        }
    }

    /// Whether a user may do something, without saying why.
    pub(crate) fn allows(&self, user: &User, asked: &Attributes<'_>) -> bool {
        self.grant(user, asked).is_some()
    }

    /// Whether a user may do something, and by what or why not.
    pub(crate) fn decide<'a>(&'a self, user: &'a User, asked: &'a Attributes<'_>) -> Decision<'a> {
        if let Some(grant) = self.grant(user, asked) {
            return Decision::Allow(grant);
        }
        let broken = self.broken_bindings(user, asked.namespace());
        Decision::Deny(if broken.is_empty() {
            String::new()
        } else {
            format!("RBAC: {}", joined(broken))
        })
    }

    /// Lets a user do something.
    ///
    /// # Errors
    ///
    /// 403 with the genuine server's text if nothing allows it.
    pub(crate) fn authorize(&self, user: &User, asked: &Attributes<'_>) -> Result<(), Status> {
        match self.decide(user, asked) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(reason) => Err(asked.forbidden(user, &reason)),
        }
    }

    /// The rules that apply to a user in a namespace (empty: in the cluster alone), those of the
    /// cluster's bindings first, by the names of the bindings.
    pub(crate) fn rules_for<'a>(&'a self, user: &User, namespace: &str) -> Vec<&'a PolicyRule> {
        let mut rules = Vec::new();
        for (binding, _) in self.bindings_for(user, namespace) {
            rules.extend(self.role(binding).unwrap_or_default());
        }
        rules
    }

    fn grant<'a>(&'a self, user: &'a User, asked: &'a Attributes<'_>) -> Option<Grant<'a>> {
        if user.is_in(MASTERS) {
            return Some(Grant(None));
        }
        let mut bindings = self.bindings_for(user, asked.namespace());
        let by = bindings.find(|(binding, _)| {
            let rules = self.role(binding).unwrap_or_default();
            rules.iter().any(|rule| rule.allows(asked))
        });
        Some(Grant(Some(by?)))
    }

    /// The bindings that apply to a user, the cluster's first, by name, and as what they name the user.
    fn bindings_for<'a>(
        &'a self,
        user: &'a User,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a Binding, &'a Subject)> {
        let places = [Some(""), Some(namespace).filter(|place| !place.is_empty())];
        let places = places.into_iter().flatten();
        let bindings = places.filter_map(|place| self.bindings.get(place));
        bindings.flat_map(BTreeMap::values).filter_map(|binding| {
            let subject = binding.subjects.iter().find(|subject| subject.is(user))?;
            Some((&**binding, subject))
        })
    }

    /// The rules of the role that a binding names; none if there is no such role.
    fn role(&self, binding: &Binding) -> Option<&[PolicyRule]> {
        self.referenced(&binding.role.kind, &binding.role.name, &binding.namespace)
    }

    fn referenced(&self, kind: &str, name: &str, namespace: &str) -> Option<&[PolicyRule]> {
        let place = match kind {
            "ClusterRole" => "",
            "Role" if !namespace.is_empty() => namespace,
            _ => return None,
        };
        self.roles.get(place)?.get(name).map(Box::as_ref)
    }

    /// What is wrong with a user's bindings in a namespace: they name roles that are not there.
    pub(crate) fn broken_bindings(&self, user: &User, namespace: &str) -> Vec<String> {
        let bindings = self.bindings_for(user, namespace);
        let broken = bindings.filter(|(binding, _)| self.role(binding).is_none());
        let told = broken.map(|(binding, _)| {
            let name = go_quote(&binding.role.name);
            match &*binding.role.kind {
                "ClusterRole" => format!("clusterrole.{GROUP} {name} not found"),
                "Role" => format!("role.{GROUP} {name} not found"),
                other => format!("unsupported role reference kind: {}", go_quote(other)),
            }
        });
        told.collect()
    }
}

/// Several errors as Go's `Aggregate` writes them: each text once, in brackets if they are several.
pub(super) fn joined(texts: Vec<String>) -> String {
    let mut unique: Vec<String> = Vec::new();
    for text in texts {
        if !unique.contains(&text) {
            unique.push(text);
        }
    }
    match unique.as_slice() {
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// The rules of a role.
fn rules_of(role: &Value) -> impl Iterator<Item = PolicyRule> {
    object::list(role, &["rules"])
        .iter()
        .map(PolicyRule::from_json)
}

fn place<'a, T: ?Sized>(
    places: &'a mut ByPlace<T>,
    namespace: &str,
) -> &'a mut BTreeMap<Box<str>, Box<T>> {
    places.entry(namespace.into()).or_default()
}

fn take<T: ?Sized>(places: &mut ByPlace<T>, namespace: &str, name: &str) {
    if let Some(names) = places.get_mut(namespace) {
        names.remove(name);
        if names.is_empty() {
            places.remove(namespace);
        }
    }
}

#[cfg(test)]
mod tests;
