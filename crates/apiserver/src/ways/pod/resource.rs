//! Amounts of resources that Pods ask for.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::schema::quantity;
use crate::validate::{Path, qualified_name};
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, fill, found, made};

/// A unit, in the billionths that amounts are counted in.
const UNIT: i128 = 1_000_000_000;
const MILLI: i128 = UNIT / 1000;
const HUGE: &str = "hugepages-";

/// A quantity in billionths.
pub(in crate::ways) fn amount(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => quantity::billionths(text),
        Value::Number(number) => quantity::billionths(&number.to_string()),
        _ => None,
    }
}

/// Rounds the quantities of a list up to thousandths, as upstream's defaults do.
pub(in crate::ways) fn round_up(holder: &mut Value, name: &str) {
    let Some(list) = found(holder, name).and_then(Value::as_object_mut) else {
        return;
    };
    for value in list.values_mut() {
        let Some(amount) = amount(value).filter(|amount| amount % MILLI != 0) else {
            continue;
        };
        let milli = amount.div_euclid(MILLI) + i128::from(amount > 0);
        *value = Value::from(format!("{milli}m"));
    }
}

/// What is limited is asked for, where a container of a Pod does not say.
pub(super) fn request_what_is_limited(container: &mut Value) {
    let Some(resources) = found(container, "resources") else {
        return;
    };
    let Some(limits) = resources["limits"]
        .as_object()
        .filter(|limits| !limits.is_empty())
    else {
        return;
    };
    let requests = resources.part("requests");
    let missing: Vec<(String, Value)> = limits
        .iter()
        .filter(|(name, _)| requests.get(name.as_str()).is_none())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(requests) = made(resources, "requests").and_then(Value::as_object_mut) {
        requests.extend(missing);
    }
}

/// What a Pod as a whole asks for, where it says so in part.
pub(super) fn of_pod(spec: &mut Value) {
    let limits = spec["resources"].part("limits");
    if limits.as_object().is_none_or(Map::is_empty) {
        return;
    }
    let own = spec["resources"].part("requests");
    let is_missing = |name: &str| own.get(name).is_none();
    let mut requests = Map::new();
    for name in ["cpu", "memory"] {
        let asked = asked(spec, name);
        if asked > 0 && is_missing(name) {
            requests.insert(name.to_owned(), written(asked, name));
        }
    }
    for (name, limit) in limits.as_object().into_iter().flatten() {
        let supported = matches!(name.as_str(), "cpu" | "memory") || name.starts_with(HUGE);
        if supported && is_missing(name) {
            requests
                .entry(name.clone())
                .or_insert_with(|| limit.clone());
        }
    }
    if let Some(own) = found(spec, "resources").and_then(|resources| made(resources, "requests"))
        && !requests.is_empty()
    {
        for (name, value) in requests {
            fill(own, &name, value);
        }
    }
}

/// What the containers ask for: all that run at once, or the greediest of those before them.
fn asked(spec: &Value, name: &str) -> i128 {
    let of = |container: &Value| {
        let requests = container["resources"].part("requests");
        requests.get(name).and_then(amount).unwrap_or(0)
    };
    let sum: i128 = spec.items("containers").iter().map(of).sum();
    let (mut beside, mut most) = (0, 0);
    for container in spec.items("initContainers") {
        if container.text("restartPolicy") == "Always" {
            beside += of(container);
            most = most.max(beside);
        } else {
            most = most.max(beside + of(container));
        }
    }
    most.max(sum + beside)
}

fn written(amount: i128, name: &str) -> Value {
    let text = if name == "memory" && amount % (UNIT * 1024) == 0 {
        format!("{}Ki", amount / (UNIT * 1024))
    } else {
        format!("{}m", amount / MILLI)
    };
    Value::from(quantity::canonical(&text).unwrap_or(text))
}

/// What is wrong with the resources of a container or of a Pod.
pub(in crate::ways) fn requirements(
    resources: &Value,
    at: &Path<'_>,
    of: Of<'_>,
    faults: &mut Faults,
) {
    let (limits_at, requests_at) = (at.field("limits"), at.field("requests"));
    let (mut has_compute, mut has_huge) = (false, false);
    for (name, value) in resources.entries("limits") {
        has_compute |= matches!(name, "cpu" | "memory");
        has_huge |= name.starts_with(HUGE);
        one(name, value, &limits_at.key(name), of, faults);
    }
    for (name, value) in resources.entries("requests") {
        has_compute |= matches!(name, "cpu" | "memory");
        has_huge |= name.starts_with(HUGE);
        one(name, value, &requests_at.key(name), of, faults);
        let may_differ =
            !name.contains('/') && !name.starts_with(HUGE) || name.contains("kubernetes.io/");
        let limit = resources["limits"].get(name);
        let (Some(asked), Some(limited)) = (amount(value), limit.and_then(amount)) else {
            if limit.is_none() && !may_differ {
                let why = "Limit must be set for non overcommitable resources";
                faults.required(&limits_at, why);
            }
            continue;
        };
        let shown = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let limit = shown(limit.unwrap_or(&Value::Null));
        if asked != limited && !may_differ {
            let why = format!("must be equal to {name} limit of {limit}");
            faults.invalid(&requests_at, shown(value), why);
        } else if asked > limited {
            let why = format!("must be less than or equal to {name} limit of {limit}");
            faults.invalid(&requests_at, shown(value), why);
        }
    }
    if has_huge && !has_compute {
        faults.forbidden(at, "HugePages require cpu or memory");
    }
    claims(resources, &at.field("claims"), of, faults);
}

/// Whose resources are looked at.
#[derive(Clone, Copy)]
pub(in crate::ways) enum Of<'a> {
    /// Those of a container, which may use these claims of its Pod.
    Container(&'a BTreeSet<&'a str>),
    /// Those of a Pod as a whole.
    Pod,
}

fn one(resource: &str, value: &Value, at: &Path<'_>, of: Of<'_>, faults: &mut Faults) {
    match of {
        Of::Container(_) => container_name(resource, at, faults),
        Of::Pod => {
            let before = faults.len();
            name(resource, at, faults);
            let known = matches!(resource, "cpu" | "memory") || resource.starts_with(HUGE);
            if faults.len() == before && !known {
                faults.unsupported(at, resource, &["cpu", "hugepages-", "memory"]);
            }
        }
    }
    quantity(resource, value, at, faults);
    if let Some(size) = resource.strip_prefix(HUGE).and_then(quantity::billionths)
        && let Some(amount) = amount(value)
        && size > 0
        && amount % size != 0
    {
        let why = format!(
            "{} is not positive integer multiple of {resource}",
            value.as_str().unwrap_or_default()
        );
        faults.invalid(at, value.clone(), why);
    }
}

fn claims(resources: &Value, at: &Path<'_>, of: Of<'_>, faults: &mut Faults) {
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (index, claim) in resources.items("claims").iter().enumerate() {
        let at = at.index(index);
        let (name, request) = (claim.text("name"), claim.text("request"));
        if name.is_empty() {
            faults.required(&at, "");
            continue;
        }
        if !seen.insert((name, request)) {
            faults.duplicate(&at, name);
        }
        let is_known = matches!(of, Of::Container(claims) if claims.contains(name));
        if !is_known {
            faults.not_found(&at, name);
        }
    }
}

/// What is wrong with the name of any resource.
pub(in crate::ways) fn name(resource: &str, at: &Path<'_>, faults: &mut Faults) {
    let found = qualified_name(resource);
    if !found.is_empty() {
        faults.each(at, resource, found);
    } else if !resource.contains('/') && !is_standard(resource) {
        let why = "must be a standard resource type or fully qualified";
        faults.invalid(at, resource, why);
    }
}

/// What is wrong with the name of a container's resource.
pub(in crate::ways) fn container_name(resource: &str, at: &Path<'_>, faults: &mut Faults) {
    name(resource, at, faults);
    if !resource.contains('/') {
        let known = matches!(resource, "cpu" | "memory" | "ephemeral-storage");
        if !known && !resource.starts_with(HUGE) {
            faults.invalid(at, resource, "must be a standard resource for containers");
        }
    } else if !resource.contains("kubernetes.io/") && !is_extended(resource) {
        let why = "doesn't follow extended resource name standard";
        faults.invalid(at, resource, why);
    }
}

/// What is wrong with an amount of a resource.
pub(in crate::ways) fn quantity(resource: &str, value: &Value, at: &Path<'_>, faults: &mut Faults) {
    let Some(amount) = amount(value) else {
        return;
    };
    if amount < 0 {
        let why = "must be greater than or equal to 0";
        faults.invalid(at, value.clone(), why);
    }
    let is_whole = is_counted(resource) || is_extended(resource);
    if is_whole && amount % UNIT != 0 {
        faults.invalid(at, value.clone(), "must be an integer");
    }
}

/// Whether a resource is somebody's own.
fn is_extended(resource: &str) -> bool {
    resource.contains('/')
        && !resource.contains("kubernetes.io/")
        && !resource.starts_with("requests.")
        && qualified_name(&format!("requests.{resource}")).is_empty()
}

/// Whether a resource is a number of objects.
fn is_counted(resource: &str) -> bool {
    matches!(
        resource,
        "pods"
            | "resourcequotas"
            | "services"
            | "replicationcontrollers"
            | "secrets"
            | "configmaps"
            | "persistentvolumeclaims"
            | "services.nodeports"
            | "services.loadbalancers"
    )
}

fn is_standard(resource: &str) -> bool {
    let plain = resource
        .strip_prefix("requests.")
        .or_else(|| resource.strip_prefix("limits."))
        .unwrap_or(resource);
    is_counted(resource)
        || matches!(plain, "cpu" | "memory" | "ephemeral-storage")
        || matches!(resource, "storage" | "requests.storage")
        || resource.starts_with(HUGE)
        || resource.starts_with("requests.hugepages-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_rounded_up_to_thousandths() {
        let mut list = json!({"x": {"cpu": "0.0001", "memory": "1Gi", "a": "1500u", "b": 1}});
        round_up(&mut list, "x");
        let wanted = json!({"x": {"cpu": "1m", "memory": "1Gi", "a": "2m", "b": 1}});
        assert_eq!(list, wanted);
    }

    #[test]
    fn a_pod_asks_for_what_its_containers_ask_for() {
        let mut spec = json!({
            "resources": {"limits": {"cpu": "4", "memory": "1Gi"}},
            "containers": [{"resources": {"requests": {"cpu": "1"}}}, {"resources": {"requests": {"cpu": "500m"}}}],
        });
        of_pod(&mut spec);
        let wanted = json!({"cpu": "1500m", "memory": "1Gi"});
        assert_eq!(spec["resources"]["requests"], wanted);
    }
}
