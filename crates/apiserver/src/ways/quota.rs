//! `LimitRange`, `ResourceQuota` and `PriorityClass`: what a namespace or a Pod may have.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/core and pkg/apis/scheduling.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fault::Faults;
use super::part::{Part as _, each, fill, found, made};
use super::pod::{
    container_resource_name, resource_amount, resource_name, resource_quantity, round_up,
};
use super::{PLAIN, STATUS, Ways, again};
use crate::status::FieldError;
use crate::validate::{Path, qualified_name};

pub(super) static LIMIT_RANGE: Ways = Ways {
    default: default_limits,
    validate: check_limits,
    create_on_update: true,
    ..PLAIN
};

pub(super) static QUOTA: Ways = Ways {
    default: |quota| {
        for (part, names) in [("spec", &["hard"][..]), ("status", &["hard", "used"])] {
            if let Some(part) = found(quota, part) {
                for name in names {
                    round_up(part, name);
                }
            }
        }
    },
    validate: check_quota,
    ..STATUS
};

pub(super) static PRIORITY_CLASS: Ways = Ways {
    default: |class| fill(class, "preemptionPolicy", "PreemptLowerPriority"),
    validate: check_class,
    generation: true,
    counts: |_, _| false,
    ..PLAIN
};

const LISTS: [&str; 5] = [
    "max",
    "min",
    "default",
    "defaultRequest",
    "maxLimitRequestRatio",
];
/// Higher priorities are the system's.
const HIGHEST: i64 = 1_000_000_000;

fn default_limits(range: &mut Value) {
    let Some(spec) = made(range, "spec") else {
        return;
    };
    for item in each(spec, "limits") {
        if item.text("type") == "Container" {
            take(item, "default", "max");
            take(item, "defaultRequest", "default");
            take(item, "defaultRequest", "min");
        }
        for list in LISTS {
            round_up(item, list);
        }
    }
}

/// A list takes what it lacks from another one.
fn take(item: &mut Value, into: &str, from: &str) {
    let other = item[from].as_object().cloned().unwrap_or_default();
    if let Some(list) = made(item, into) {
        for (name, value) in other {
            fill(list, &name, value);
        }
    }
}

fn check_limits(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &LIMIT_RANGE));
    }
    let limits = Path::at("spec.limits");
    let all = new["spec"].items("limits");
    let mut kinds = BTreeSet::new();
    for (index, item) in all.iter().enumerate() {
        let at = limits.index(index);
        let kind = item.text("type");
        let found = qualified_name(kind);
        let standard = ["Pod", "Container", "PersistentVolumeClaim"];
        if !found.is_empty() {
            faults.each(&at.field("type"), kind, found);
        } else if !kind.contains('/') && !standard.contains(&kind) {
            let why = "must be a standard limit type or fully qualified";
            faults.invalid(&at.field("type"), kind, why);
        }
        if !kinds.insert(kind) {
            faults.duplicate(&at.field("type"), kind);
        }
        limit(item, kind, &at, &mut faults);
    }
    faults.into_errors()
}

fn limit(item: &Value, kind: &str, at: &Path<'_>, faults: &mut Faults) {
    let mut names = BTreeSet::new();
    for list in LISTS {
        let at = at.field(list);
        if kind == "Pod" && is_default(list) {
            if item[list].as_object().is_some_and(|list| !list.is_empty()) {
                faults.forbidden(&at, "may not be specified when `type` is 'Pod'");
            }
            continue;
        }
        for (name, _) in item.entries(list) {
            names.insert(name);
            if matches!(kind, "Pod" | "Container") {
                container_resource_name(name, &at.key(name), faults);
            } else {
                resource_name(name, &at.key(name), faults);
            }
        }
    }
    let has = |list: &str| item[list].has("storage");
    if kind == "PersistentVolumeClaim" && !has("min") && !has("max") {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        faults.required(&at.field("limits"), why);
    }
    for name in names {
        bounds(item, name, at, faults);
    }
}

/// Whether a list is for those who do not say, which only containers may leave open.
fn is_default(list: &str) -> bool {
    matches!(list, "default" | "defaultRequest")
}

/// What is least may not be more than what is most.
fn bounds(item: &Value, name: &str, at: &Path<'_>, faults: &mut Faults) {
    // The smaller list, the greater list, the list at fault, the value shown, and both words.
    let rules = [
        ("min", "max", "min", 0, "min value", "max value"),
        (
            "min",
            "defaultRequest",
            "defaultRequest",
            1,
            "min value",
            "default request value",
        ),
        (
            "defaultRequest",
            "max",
            "defaultRequest",
            0,
            "default request value",
            "max value",
        ),
        (
            "defaultRequest",
            "default",
            "defaultRequest",
            0,
            "default request value",
            "default limit value",
        ),
        ("min", "default", "default", 0, "min value", "default value"),
        ("default", "max", "default", 1, "default value", "max value"),
    ];
    for (less, more, at_fault, shown, less_words, more_words) in rules {
        if item.text("type") == "Pod" && (is_default(less) || is_default(more)) {
            continue;
        }
        let (less, more) = (item[less].part(name), item[more].part(name));
        let (Some(low), Some(high)) = (resource_amount(less), resource_amount(more)) else {
            continue;
        };
        if low <= high {
            continue;
        }
        let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
        let (low, high) = (text(less), text(more));
        let why = format!("{less_words} {low} is greater than {more_words} {high}");
        let value = if shown == 0 { low } else { high };
        faults.invalid(&at.field(at_fault).key(name), value, why);
    }
    let ratio = item["maxLimitRequestRatio"].part(name);
    if resource_amount(ratio).is_some_and(|amount| amount < 1_000_000_000) {
        let why = format!(
            "ratio {} is less than 1",
            ratio.as_str().unwrap_or_default()
        );
        faults.invalid(
            &at.field("maxLimitRequestRatio").key(name),
            ratio.clone(),
            why,
        );
    }
}

fn check_quota(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    let hard = at.field("hard");
    for (name, value) in spec.entries("hard") {
        let at = hard.key(name);
        resource_name(name, &at, &mut faults);
        let counted = name.starts_with("count/") || name.contains('/');
        if !counted && !is_quota(name) {
            faults.invalid(&at, name, "must be a standard resource for quota");
        }
        resource_quantity(name, value, &at, &mut faults);
    }
    let scopes = at.field("scopes");
    let own: BTreeSet<&str> = spec.texts("scopes").collect();
    let shown = || spec["scopes"].clone();
    for scope in spec.texts("scopes").take(MOST_SCOPES) {
        if !SCOPES.contains(&scope) {
            faults.invalid(&scopes, shown(), "unsupported scope");
        }
        let hard = spec.entries("hard").map(|(name, _)| name);
        let outside = hard.filter(|name| is_quota(name) && !is_in_scope(scope, name));
        for _ in outside.take(MOST_SCOPES) {
            faults.invalid(&scopes, shown(), "unsupported scope applied to resource");
        }
    }
    for pair in [
        ["BestEffort", "NotBestEffort"],
        ["Terminating", "NotTerminating"],
    ] {
        if pair.iter().all(|scope| own.contains(scope)) {
            faults.invalid(&scopes, shown(), "conflicting scopes");
        }
    }
    let before: Option<BTreeSet<&str>> = old.map(|old| old["spec"].texts("scopes").collect());
    if before.is_some_and(|before| before != own) {
        faults.invalid(&scopes, shown(), "field is immutable");
    }
    faults.into_errors()
}

/// There are fewer; each fault shows the list, so that more are not looked at.
const MOST_SCOPES: usize = 16;
const SCOPES: [&str; 7] = [
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];

fn is_quota(name: &str) -> bool {
    let plain = name
        .strip_prefix("requests.")
        .or_else(|| name.strip_prefix("limits."))
        .unwrap_or(name);
    let counted = [
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "persistentvolumeclaims",
        "configmaps",
        "services.nodeports",
        "services.loadbalancers",
        "requests.storage",
    ];
    counted.contains(&name)
        || matches!(plain, "cpu" | "memory" | "ephemeral-storage")
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

fn is_in_scope(scope: &str, name: &str) -> bool {
    let plain = name
        .strip_prefix("requests.")
        .or_else(|| name.strip_prefix("limits."))
        .unwrap_or(name);
    match scope {
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => {
            matches!(name, "persistentvolumeclaims" | "requests.storage")
        }
        scope if SCOPES.contains(&scope) => name == "pods" || matches!(plain, "cpu" | "memory"),
        _ => true,
    }
}

fn check_class(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let policy = "preemptionPolicy";
    if let Some(old) = old {
        if new["value"] != old["value"] {
            faults.forbidden(&Path::at("value"), "may not be changed in an update.");
        }
        faults.immutable(&Path::at(policy), new.part(policy), old.part(policy));
        return faults.into_errors();
    }
    let (name, value) = (new["metadata"].text("name"), new.number("value"));
    if name.starts_with("system-") {
        let wanted = match name {
            "system-node-critical" => Some(2 * HIGHEST + 1000),
            "system-cluster-critical" => Some(2 * HIGHEST),
            _ => None,
        };
        let why = match wanted {
            None => format!("{name} is not a known system priority class"),
            Some(wanted) if wanted != value => {
                format!("value of {name} PriorityClass must be {wanted}")
            }
            Some(_) if new.is_true("globalDefault") => {
                format!("globalDefault of {name} PriorityClass must be false")
            }
            Some(_) => return faults.into_errors(),
        };
        let why = format!(
            "priority class names with 'system-' prefix are reserved for system use only. error: {why}"
        );
        faults.forbidden(&Path::at("metadata.name"), why);
    } else if value > HIGHEST {
        let why = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        faults.forbidden(&Path::at("value"), why);
    }
    let known = ["PreemptLowerPriority", "Never"];
    faults.one_of_if(&Path::at(policy), new.part(policy), &known);
    faults.into_errors()
}
