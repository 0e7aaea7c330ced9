//! Amounts of resources that Pods ask for.

use serde_json::Value;

use crate::schema::quantity;
use crate::validate::{Path, qualified_name};
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, found, made};

/// A unit, in the billionths that amounts are counted in.
const UNIT: i128 = 1_000_000_000;
const MILLI: i128 = UNIT / 1000;

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

/// What is wrong with the resources of a container.
pub(super) fn requirements(resources: &Value, at: &Path<'_>, faults: &mut Faults) {
    let (limits_at, requests_at) = (at.field("limits"), at.field("requests"));
    for (name, value) in resources.entries("limits") {
        one(name, value, &limits_at.key(name), faults);
    }
    for (name, value) in resources.entries("requests") {
        one(name, value, &requests_at.key(name), faults);
        let limit = resources["limits"].part(name);
        if let (Some(asked), Some(limited)) = (amount(value), amount(limit))
            && asked > limited
        {
            let limit = limit.as_str().unwrap_or_default();
            let why = format!("must be less than or equal to {name} limit of {limit}");
            faults.invalid(&requests_at, value.clone(), why);
        }
    }
}

fn one(name: &str, value: &Value, at: &Path<'_>, faults: &mut Faults) {
    let found = qualified_name(name);
    if !found.is_empty() {
        faults.each(at, name, found);
    } else if !name.contains('/') && !is_standard(name) {
        // Upstream looks twice, in other words.
        let why = "must be a standard resource type or fully qualified";
        faults.invalid(at, name, why);
        faults.invalid(at, name, "must be a standard resource for containers");
    }
    if amount(value).is_some_and(|amount| amount < 0) {
        let why = "must be greater than or equal to 0";
        faults.invalid(at, value.clone(), why);
    }
}

fn is_standard(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-")
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
}
