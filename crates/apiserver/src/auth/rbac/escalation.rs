//! Nobody may hand out more than they have: the checks on writing roles and bindings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::object;
use super::super::user::MASTERS;
use super::super::{Attributes, ResourceAttributes, User};
use super::rule::{has, path_covers, quoted};
use super::{GROUP, PolicyRule, RbacKind, Rules, rules_of};
use crate::status::{About, Status, go_quote};

/// How many single permissions one written role may hold to be compared. The largest of upstream's own
/// roles holds some hundred; lists that multiply to more are made to keep a server busy.
const MAX_PERMISSIONS: usize = 100_000;

/// A role or binding that is about to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write<'a> {
    /// Its kind.
    pub(crate) kind: RbacKind,
    /// The namespace of the request; empty for the cluster's kinds.
    pub(crate) namespace: &'a str,
    /// The name in the request's path; empty if the request creates.
    pub(crate) name: &'a str,
    /// The object, defaulted.
    pub(crate) object: &'a Value,
    /// What it was; none where it is created.
    pub(crate) old: Option<&'a Value>,
}

impl Rules {
    /// Lets a user write a role or binding: one in `system:masters` always; others if they may
    /// `escalate` roles or `bind` the role, or have all that it allows themselves. A role that takes in
    /// others is for those alone who may do everything.
    ///
    /// # Errors
    ///
    /// 403 with the list of what the user lacks; 404 if a binding names a role that is not there.
    pub(crate) fn check_write(&self, user: &User, write: &Write<'_>) -> Result<(), Status> {
        if user.is_in(MASTERS) || write.hands_out_nothing() {
            return Ok(());
        }
        match write.kind {
            RbacKind::Role | RbacKind::ClusterRole => self.check_role(user, write),
            RbacKind::RoleBinding | RbacKind::ClusterRoleBinding => self.check_binding(user, write),
        }
    }

    fn check_role(&self, user: &User, write: &Write<'_>) -> Result<(), Status> {
        let escalate = Attributes::resource(
            "escalate",
            ResourceAttributes {
                group: GROUP,
                resource: write.kind.resource(),
                name: write.name,
                namespace: write.namespace,
                ..ResourceAttributes::default()
            },
        );
        if self.allows(user, &escalate) {
            return Ok(());
        }
        let rules: Vec<PolicyRule> = rules_of(write.object).collect();
        self.check_rules(user, write, &rules)?;
        // What is aggregated can be anything, and who changes that can keep rules from going.
        let is_aggregated = is_aggregated(write.object) || write.old.is_some_and(is_aggregated);
        if is_aggregated && !self.has_everything(user) {
            let why = "must have cluster-admin privileges to use the aggregationRule";
            return Err(write.forbidden(why));
        }
        Ok(())
    }

    /// Whether a user may do whatever there is.
    fn has_everything(&self, user: &User) -> bool {
        let any = || vec![Box::from("*")];
        let all = [
            PolicyRule {
                verbs: any(),
                api_groups: any(),
                resources: any(),
                ..PolicyRule::default()
            },
            PolicyRule {
                verbs: any(),
                non_resource_urls: any(),
                ..PolicyRule::default()
            },
        ];
        missing(&self.rules_for(user, ""), &all).is_empty()
    }

    fn check_binding(&self, user: &User, write: &Write<'_>) -> Result<(), Status> {
        let role = |field: &str| object::text(write.object, &["roleRef", field]);
        let resource = match role("kind") {
            "ClusterRole" => "clusterroles",
            "Role" => "roles",
            other => {
                let why = format!("unsupported role reference kind: {}", go_quote(other));
                return Err(Status::internal(why));
            }
        };
        let bind = Attributes::resource(
            "bind",
            ResourceAttributes {
                group: role("apiGroup"),
                resource,
                name: role("name"),
                namespace: write.namespace,
                ..ResourceAttributes::default()
            },
        );
        if self.allows(user, &bind) {
            return Ok(());
        }
        if resource == "roles" && write.namespace.is_empty() {
            return Err(Status::bad_request("Namespace parameter required."));
        }
        let Some(rules) = self.referenced(role("kind"), role("name"), write.namespace) else {
            // As above: called by the resource of the request.
            return Err(Status::not_found(write.about(), role("name")));
        };
        self.check_rules(user, write, rules)
    }

    /// Refuses rules that the user does not have.
    fn check_rules(
        &self,
        user: &User,
        write: &Write<'_>,
        rules: &[PolicyRule],
    ) -> Result<(), Status> {
        let count = rules.iter().map(permissions).fold(0, usize::saturating_add);
        if count > MAX_PERMISSIONS {
            let why = format!("its rules hold more than {MAX_PERMISSIONS} single permissions");
            return Err(write.forbidden(&why));
        }
        let own = self.rules_for(user, write.namespace);
        let missing = missing(&own, rules);
        if missing.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = missing.into_iter().collect();
        let why = format!(
            "user {} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
            go_quote(&user.name),
            quoted(&user.groups),
            lines.join("\n")
        );
        Err(write.forbidden(&why))
    }
}

impl Write<'_> {
    fn about(&self) -> About<'static> {
        About {
            group: GROUP,
            resource: self.kind.resource(),
            kind: self.kind.kind(),
        }
    }

    /// Whether nothing changes but what the garbage collector writes.
    fn hands_out_nothing(&self) -> bool {
        let bare = |object: &Value| {
            let mut object = object.clone();
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("ownerReferences");
                metadata.remove("finalizers");
                metadata.remove("managedFields");
                metadata.remove("resourceVersion");
            }
            object
        };
        self.old.is_some_and(|old| bare(old) == bare(self.object))
    }

    fn forbidden(&self, why: &str) -> Status {
        let name = object::text(self.object, &["metadata", "name"]);
        Status::forbidden(self.about(), name, why)
    }
}

/// Whether a role takes in others.
fn is_aggregated(role: &Value) -> bool {
    !object::list(role, &["aggregationRule", "clusterRoleSelectors"]).is_empty()
}

/// How many single permissions a rule multiplies to.
fn permissions(rule: &PolicyRule) -> usize {
    let names = rule.resource_names.len().max(1);
    let resources = [rule.resources.len(), rule.verbs.len(), names]
        .into_iter()
        .fold(rule.api_groups.len(), usize::saturating_mul);
    resources.saturating_add(
        rule.non_resource_urls
            .len()
            .saturating_mul(rule.verbs.len()),
    )
}

/// A permission that cannot be divided.
#[derive(Clone, Copy)]
enum Permission<'a> {
    Resource {
        group: &'a str,
        resource: &'a str,
        name: Option<&'a str>,
        verb: &'a str,
    },
    Path {
        url: &'a str,
        verb: &'a str,
    },
}

/// The short forms of what rules allow beyond others: the verbs of one resource together, sorted.
///
/// Taken apart, each permission is covered by one rule or by none, so that nothing has to be combined.
fn missing(own: &[&PolicyRule], wanted: &[PolicyRule]) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let mut by_resource: BTreeMap<(&str, &str, Option<&str>), PolicyRule> = BTreeMap::new();
    for permission in wanted.iter().flat_map(taken_apart) {
        if own.iter().any(|rule| permission.is_covered_by(rule)) {
            continue;
        }
        match permission {
            Permission::Resource {
                group,
                resource,
                name,
                verb,
            } => by_resource
                .entry((group, resource, name))
                .or_insert_with(|| PolicyRule {
                    api_groups: vec![group.into()],
                    resources: vec![resource.into()],
                    resource_names: name.into_iter().map(Box::from).collect(),
                    ..PolicyRule::default()
                })
                .verbs
                .push(verb.into()),
            Permission::Path { url, verb } => {
                let rule = PolicyRule {
                    verbs: vec![verb.into()],
                    non_resource_urls: vec![url.into()],
                    ..PolicyRule::default()
                };
                lines.insert(rule.to_string());
            }
        }
    }
    lines.extend(by_resource.values().map(ToString::to_string));
    lines
}

fn taken_apart(rule: &PolicyRule) -> impl Iterator<Item = Permission<'_>> {
    let names = rule.resource_names.iter().map(|name| Some(&**name));
    let unnamed = rule.resource_names.is_empty().then_some(None);
    let names: Vec<Option<&str>> = names.chain(unnamed).collect();
    let mut permissions = Vec::new();
    for group in &rule.api_groups {
        for resource in &rule.resources {
            for verb in &rule.verbs {
                permissions.extend(names.iter().map(|&name| Permission::Resource {
                    group,
                    resource,
                    name,
                    verb,
                }));
            }
        }
    }
    for url in &rule.non_resource_urls {
        permissions.extend(rule.verbs.iter().map(|verb| Permission::Path { url, verb }));
    }
    permissions.into_iter()
}

impl Permission<'_> {
    fn is_covered_by(self, rule: &PolicyRule) -> bool {
        match self {
            Self::Path { url, verb } => {
                let urls = &rule.non_resource_urls;
                has(&rule.verbs, verb) && urls.iter().any(|own| path_covers(own, url))
            }
            Self::Resource {
                group,
                resource,
                name,
                verb,
            } => {
                let names = &rule.resource_names;
                has(&rule.verbs, verb)
                    && has(&rule.api_groups, group)
                    && rule.resources.iter().any(|own| covers(own, resource))
                    && (names.is_empty()
                        || name.is_some_and(|name| names.iter().any(|own| **own == *name)))
            }
        }
    }
}

/// Whether a resource of a rule covers another.
fn covers(own: &str, resource: &str) -> bool {
    own == "*"
        || own == resource
        || resource
            .split_once('/')
            .is_some_and(|(_, subresource)| own.strip_prefix("*/") == Some(subresource))
}
