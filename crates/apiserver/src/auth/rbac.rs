//! Role-based access control: which rules apply to a user, kept so that a decision looks at the user's
//! own bindings only.

mod aggregate;
mod binding;
mod bootstrap;
mod escalation;
mod rule;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::object;
use super::quote::{Quoted, aggregate as joined};
use super::user::MASTERS;
use super::{Attributes, User};
use crate::status::Status;

use binding::Binding;

pub use aggregate::aggregated_rules;
pub use binding::Grant;
pub use bootstrap::bootstrap_objects;
pub use escalation::Write;
pub use rule::PolicyRule;

/// The API group of roles and bindings.
pub const GROUP: &str = "rbac.authorization.k8s.io";

/// The four kinds that RBAC is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RbacKind {
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
    pub fn of_resource(resource: &str) -> Option<Self> {
        Some(match resource {
            "roles" => Self::Role,
            "clusterroles" => Self::ClusterRole,
            "rolebindings" => Self::RoleBinding,
            "clusterrolebindings" => Self::ClusterRoleBinding,
            _ => return None,
        })
    }

    /// The kind by its name (`ClusterRole`).
    pub fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "Role" => Self::Role,
            "ClusterRole" => Self::ClusterRole,
            "RoleBinding" => Self::RoleBinding,
            "ClusterRoleBinding" => Self::ClusterRoleBinding,
            _ => return None,
        })
    }

    /// The kind's name.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::ClusterRole => "ClusterRole",
            Self::RoleBinding => "RoleBinding",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
        }
    }

    /// The resource's name.
    pub fn resource(self) -> &'static str {
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

/// All roles and bindings, indexed by subject.
///
/// Cloning shares what is in it, so that a reader may keep a copy while a writer goes on.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By namespace, which is empty for cluster roles, and name.
    roles: ByPlace<[PolicyRule]>,
    /// By namespace, which is empty for cluster role bindings, and name.
    bindings: ByPlace<Binding>,
    /// The bindings of each user. ServiceAccounts are users.
    users: HashMap<Box<str>, Grants>,
    groups: HashMap<Box<str>, Grants>,
}

type ByPlace<T> = HashMap<Box<str>, HashMap<Box<str>, Arc<T>>>;

/// The bindings of one subject by namespace, which is empty for the cluster; each list by name.
type Grants = HashMap<Box<str>, Vec<Arc<Binding>>>;

/// Whether something is allowed.
#[derive(Debug)]
pub enum Decision<'a> {
    /// It is, by this.
    Allow(Grant<'a>),
    /// Nothing allows it. The text says what was wrong with the user's bindings; it is empty if nothing
    /// was.
    Deny(String),
}

impl Rules {
    /// Takes a role or binding in, or in place of its former state.
    pub fn set(&mut self, kind: RbacKind, object: &Value) {
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
                self.forget_binding(namespace, name);
                let binding = Arc::new(Binding::from_json(namespace, name, object));
                for (is_group, subject) in binding.keys() {
                    let index = if is_group {
                        &mut self.groups
                    } else {
                        &mut self.users
                    };
                    let list = index
                        .entry(subject.into())
                        .or_default()
                        .entry(namespace.into())
                        .or_default();
                    match list.binary_search_by(|other| (*other.name).cmp(name)) {
                        Ok(_) => {} // a subject that is named twice
                        Err(at) => list.insert(at, Arc::clone(&binding)),
                    }
                }
                place(&mut self.bindings, namespace).insert(name.into(), binding);
            }
        }
    }

    /// Forgets a role or binding. The namespace is empty for the cluster's kinds.
    pub fn remove(&mut self, kind: RbacKind, namespace: &str, name: &str) {
        match kind {
            RbacKind::Role | RbacKind::ClusterRole => {
                take(&mut self.roles, namespace, name);
            }
            RbacKind::RoleBinding | RbacKind::ClusterRoleBinding => {
                self.forget_binding(namespace, name);
            }
        }
    }

    /// Whether a user may do something, without saying why. Allocates nothing.
    pub fn allows(&self, user: &User, asked: &Attributes<'_>) -> bool {
        self.grant(user, asked).is_some()
    }

    /// Whether a user may do something, and by what or why not.
    pub fn decide(&self, user: &User, asked: &Attributes<'_>) -> Decision<'_> {
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
    pub fn authorize(&self, user: &User, asked: &Attributes<'_>) -> Result<(), Status> {
        match self.decide(user, asked) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(reason) => Err(asked.forbidden(user, &reason)),
        }
    }

    /// The rules that apply to a user in a namespace (empty: in the cluster alone), those of the
    /// cluster's bindings first, by the names of the bindings.
    pub fn rules_for<'a>(&'a self, user: &User, namespace: &str) -> Vec<&'a PolicyRule> {
        let mut rules = Vec::new();
        for binding in self.bindings_for(user, namespace) {
            rules.extend(self.role(binding).unwrap_or_default());
        }
        rules
    }

    /// What is wrong with a user's bindings in a namespace: they name roles that are not there.
    pub fn broken_bindings(&self, user: &User, namespace: &str) -> Vec<String> {
        self.missing_roles(user, namespace, "clusterrole", "role")
    }

    fn grant(&self, user: &User, asked: &Attributes<'_>) -> Option<Grant<'_>> {
        if user.is_in(MASTERS) {
            return Some(Grant(None));
        }
        let allows = |place: &str| {
            self.grants(user)
                .filter_map(|grants| grants.get(place))
                .flatten()
                .find(|binding| {
                    let rules = self.role(binding).unwrap_or_default();
                    rules.iter().any(|rule| rule.allows(asked))
                })
        };
        let namespace = asked.namespace();
        let by = allows("").or_else(|| {
            if namespace.is_empty() {
                None
            } else {
                allows(namespace)
            }
        })?;
        let subject = by.subjects.iter().find(|subject| subject.is(user))?;
        Some(Grant(Some((by, subject))))
    }

    /// The bindings of a user and of their groups, one set each.
    fn grants(&self, user: &User) -> impl Iterator<Item = &Grants> {
        let groups = user
            .groups
            .iter()
            .filter_map(|group| self.groups.get(group.as_str()));
        self.users.get(user.name.as_str()).into_iter().chain(groups)
    }

    /// The bindings that apply to a user, each once, the cluster's first, by name.
    fn bindings_for(&self, user: &User, namespace: &str) -> Vec<&Binding> {
        let mut found = Vec::new();
        for place in ["", namespace] {
            let start = found.len();
            for grants in self.grants(user) {
                found.extend(grants.get(place).into_iter().flatten().map(Arc::as_ref));
            }
            found[start..].sort_by(|a: &&Binding, b| a.name.cmp(&b.name));
            if namespace.is_empty() {
                break;
            }
        }
        found.dedup_by(|a, b| a.name == b.name && a.namespace == b.namespace);
        found
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
        self.roles.get(place)?.get(name).map(Arc::as_ref)
    }

    /// What is wrong with a user's bindings: they name roles that are not there. How a message calls
    /// the resources depends on who asks.
    fn missing_roles(
        &self,
        user: &User,
        namespace: &str,
        cluster: &str,
        local: &str,
    ) -> Vec<String> {
        let mut missing = Vec::new();
        for binding in self.bindings_for(user, namespace) {
            if self.role(binding).is_none() {
                let name = Quoted(&binding.role.name);
                missing.push(match &*binding.role.kind {
                    "ClusterRole" => format!("{cluster}.{GROUP} {name} not found"),
                    "Role" => format!("{local}.{GROUP} {name} not found"),
                    other => format!("unsupported role reference kind: {}", Quoted(other)),
                });
            }
        }
        missing
    }

    fn forget_binding(&mut self, namespace: &str, name: &str) {
        let Some(binding) = take(&mut self.bindings, namespace, name) else {
            return;
        };
        for (is_group, subject) in binding.keys() {
            let index = if is_group {
                &mut self.groups
            } else {
                &mut self.users
            };
            let Some(grants) = index.get_mut(subject) else {
                continue; // the subject is named twice
            };
            if let Some(list) = grants.get_mut(namespace) {
                list.retain(|other| *other.name != *name);
                if list.is_empty() {
                    grants.remove(namespace);
                }
            }
            if grants.is_empty() {
                index.remove(subject);
            }
        }
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
) -> &'a mut HashMap<Box<str>, Arc<T>> {
    places.entry(namespace.into()).or_default()
}

fn take<T: ?Sized>(places: &mut ByPlace<T>, namespace: &str, name: &str) -> Option<Arc<T>> {
    let names = places.get_mut(namespace)?;
    let taken = names.remove(name);
    if names.is_empty() {
        places.remove(namespace);
    }
    taken
}

#[cfg(test)]
mod tests;
