//! The kinds of RBAC.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/rbac. Whether a caller may grant what it grants is
//! decided elsewhere.

use serde_json::Value;

use super::fault::Faults;
use super::part::{Part as _, each, fill_empty, is_same, made};
use super::{PLAIN, Ways, again, selector};
use crate::status::FieldError;
use crate::validate::{NameRule, Path};

const GROUP: &str = "rbac.authorization.k8s.io";

const PLAIN_ROLE: Ways = Ways {
    create_on_update: true,
    name: NameRule::PathSegment,
    ..PLAIN
};

pub(super) static ROLE: Ways = Ways {
    validate: |new, old| role(new, old, Reach::Namespace),
    ..PLAIN_ROLE
};

pub(super) static CLUSTER_ROLE: Ways = Ways {
    validate: |new, old| role(new, old, Reach::Cluster),
    ..PLAIN_ROLE
};

pub(super) static ROLE_BINDING: Ways = Ways {
    default: default_binding,
    validate: |new, old| binding(new, old, Reach::Namespace),
    ..PLAIN_ROLE
};

pub(super) static CLUSTER_ROLE_BINDING: Ways = Ways {
    default: default_binding,
    validate: |new, old| binding(new, old, Reach::Cluster),
    ..PLAIN_ROLE
};

/// How far a role or a binding reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Namespace,
    Cluster,
}

fn default_binding(binding: &mut Value) {
    if let Some(role) = made(binding, "roleRef") {
        fill_empty(role, "apiGroup", GROUP);
    }
    for subject in each(binding, "subjects") {
        if matches!(subject.text("kind"), "User" | "Group") {
            fill_empty(subject, "apiGroup", GROUP);
        }
    }
}

fn role(new: &Value, old: Option<&Value>, reach: Reach) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &PLAIN_ROLE));
    }
    let rules = Path::at("rules");
    for (index, rule) in new.items("rules").iter().enumerate() {
        let at = rules.index(index);
        if rule.items("verbs").is_empty() {
            faults.required(&at.field("verbs"), "verbs must contain at least one value");
        }
        let has = |name: &str| !rule.items(name).is_empty();
        if has("nonResourceURLs") {
            let at = at.field("nonResourceURLs");
            let shown = || rule["nonResourceURLs"].clone();
            if reach == Reach::Namespace {
                let why = "namespaced rules cannot apply to non-resource URLs";
                faults.invalid(&at, shown(), why);
            }
            if has("apiGroups") || has("resources") || has("resourceNames") {
                let why = "rules cannot apply to both regular resources and non-resource URLs";
                faults.invalid(&at, shown(), why);
            }
            continue;
        }
        if !has("apiGroups") {
            let why = "resource rules must supply at least one api group";
            faults.required(&at.field("apiGroups"), why);
        }
        if !has("resources") {
            let why = "resource rules must supply at least one resource";
            faults.required(&at.field("resources"), why);
        }
    }
    if reach == Reach::Cluster && new.has("aggregationRule") {
        let at = Path::at("aggregationRule.clusterRoleSelectors");
        let selectors = new["aggregationRule"].items("clusterRoleSelectors");
        if selectors.is_empty() {
            let why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
            faults.required(&at, why);
        }
        for (index, own) in selectors.iter().enumerate() {
            selector::check(own, &at.index(index), &mut faults);
        }
    }
    faults.into_errors()
}

fn binding(new: &Value, old: Option<&Value>, reach: Reach) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &PLAIN_ROLE));
    }
    let (role, at) = (new.part("roleRef"), Path::at("roleRef"));
    let group = role.text("apiGroup");
    if group != GROUP {
        faults.unsupported(&at.field("apiGroup"), group, &[GROUP]);
    }
    let kinds: &[&str] = match reach {
        Reach::Namespace => &["Role", "ClusterRole"],
        Reach::Cluster => &["ClusterRole"],
    };
    let kind = role.text("kind");
    if !kinds.contains(&kind) {
        faults.unsupported(&at.field("kind"), kind, kinds);
    }
    match role.text("name") {
        "" => faults.required(&at.field("name"), ""),
        name => faults.path_segment(&at.field("name"), name),
    }
    let subjects = Path::at("subjects");
    for (index, subject) in new.items("subjects").iter().enumerate() {
        self::subject(subject, &subjects.index(index), reach, &mut faults);
    }
    if old.is_some_and(|old| !is_same(new, old, "roleRef")) {
        // Upstream shows its own struct, whose fields have other names.
        let shown = serde_json::json!({
            "APIGroup": group, "Kind": kind, "Name": role.text("name"),
        });
        faults.invalid(&at, shown, "cannot change roleRef");
    }
    faults.into_errors()
}

fn subject(subject: &Value, at: &Path<'_>, reach: Reach, faults: &mut Faults) {
    let (name, group) = (subject.text("name"), subject.text("apiGroup"));
    if name.is_empty() {
        faults.required(&at.field("name"), "");
    }
    let group_at = at.field("apiGroup");
    match subject.text("kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                faults.subdomain(&at.field("name"), name);
            }
            if !group.is_empty() {
                faults.unsupported(&group_at, group, &[""]);
            }
            if reach == Reach::Cluster && subject.text("namespace").is_empty() {
                faults.required(&at.field("namespace"), "");
            }
        }
        "User" | "Group" => {
            if group != GROUP {
                faults.unsupported(&group_at, group, &[GROUP]);
            }
        }
        other => {
            let known = ["ServiceAccount", "User", "Group"];
            faults.unsupported(&at.field("kind"), other, &known);
        }
    }
}
