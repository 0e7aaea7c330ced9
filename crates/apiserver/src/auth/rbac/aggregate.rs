//! Cluster roles that are made of others, as upstream's controller of aggregated roles makes them.

use serde_json::Value;

use super::super::object;
use super::{PolicyRule, rules_of};

/// The rules that an aggregated cluster role should have, out of all cluster roles; nothing if it is not
/// aggregated, has them already, or has a selector that means nothing.
///
/// For each selector in turn: the rules of the roles it selects, by their names, each rule once.
/// The role itself is never one of them. `all` need not be sorted.
pub(crate) fn aggregated_rules<'a>(
    role: &Value,
    all: impl IntoIterator<Item = &'a Value>,
) -> Option<Vec<PolicyRule>> {
    let aggregation = role.get("aggregationRule").filter(|rule| !rule.is_null())?;
    let name = object::text(role, &["metadata", "name"]);
    let mut others: Vec<(&str, &Value)> = all
        .into_iter()
        .map(|other| (object::text(other, &["metadata", "name"]), other))
        .filter(|(other, _)| *other != name)
        .collect();
    others.sort_unstable_by_key(|(name, _)| *name);

    let mut rules: Vec<PolicyRule> = Vec::new();
    for selector in object::list(aggregation, &["clusterRoleSelectors"]) {
        for (_, other) in &others {
            if selects(selector, object::at(other, &["metadata", "labels"]))? {
                for rule in rules_of(other) {
                    if !rules.contains(&rule) {
                        rules.push(rule);
                    }
                }
            }
        }
    }
    (!rules_of(role).eq(rules.iter().cloned())).then_some(rules)
}

/// Whether a label selector selects an object with these labels; nothing if it means nothing.
fn selects(selector: &Value, labels: &Value) -> Option<bool> {
    let mut selected = true;
    if let Some(wanted) = selector["matchLabels"].as_object() {
        selected = wanted
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value));
    }
    for expression in object::list(selector, &["matchExpressions"]) {
        let own = labels[object::text(expression, &["key"])].as_str();
        let mut values = object::texts(expression, &["values"]);
        selected &= match object::text(expression, &["operator"]) {
            "In" => own.is_some_and(|own| values.any(|value| value == own)),
            "NotIn" => own.is_none_or(|own| values.all(|value| value != own)),
            "Exists" => own.is_some(),
            "DoesNotExist" => own.is_none(),
            _ => return None,
        };
    }
    Some(selected)
}
