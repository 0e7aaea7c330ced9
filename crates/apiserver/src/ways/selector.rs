//! Label selectors inside objects.

use serde_json::Value;

use super::fault::Faults;
use super::part::Part as _;
use crate::validate::{Path, label_value};

/// What is wrong with a selector; nothing where there is none.
pub(super) fn check(selector: &Value, at: &Path<'_>, faults: &mut Faults) {
    faults.labels(&at.field("matchLabels"), selector.part("matchLabels"));
    let list = at.field("matchExpressions");
    for (index, expression) in selector.items("matchExpressions").iter().enumerate() {
        requirement(expression, &list.index(index), faults);
    }
}

fn requirement(expression: &Value, at: &Path<'_>, faults: &mut Faults) {
    let values = at.field("values");
    let given = expression.items("values").len();
    match expression.text("operator") {
        "In" | "NotIn" if given == 0 => {
            faults.required(
                &values,
                "must be specified when `operator` is 'In' or 'NotIn'",
            );
        }
        "Exists" | "DoesNotExist" if given > 0 => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            faults.forbidden(&values, why);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => faults.invalid(
            &at.field("operator"),
            other,
            "not a valid selector operator",
        ),
    }
    faults.qualified(&at.field("key"), expression.text("key"));
    for (index, value) in expression.texts("values").enumerate() {
        faults.each(&values.index(index), value, label_value(value));
    }
}

/// Whether a selector asks for nothing: it takes everything.
pub(super) fn is_empty(selector: &Value) -> bool {
    let labels = selector["matchLabels"].as_object();
    labels.is_none_or(serde_json::Map::is_empty) && selector.items("matchExpressions").is_empty()
}

/// Whether a selector takes labels. None at all takes nothing.
pub(super) fn takes(selector: &Value, labels: &Value) -> bool {
    if selector.is_null() {
        return false;
    }
    let all = selector
        .entries("matchLabels")
        .all(|(key, value)| labels.get(key) == Some(value));
    all && selector.items("matchExpressions").iter().all(|expression| {
        let is = labels.get(expression.text("key"));
        let among = || is.is_some_and(|is| expression.items("values").contains(is));
        match expression.text("operator") {
            "In" => among(),
            "NotIn" => !among(),
            "Exists" => is.is_some(),
            "DoesNotExist" => is.is_none(),
            _ => false,
        }
    })
}

/// A selector as text, by key; empty where it asks for nothing.
pub(crate) fn text(selector: &Value) -> String {
    let labels = selector.entries("matchLabels");
    let mut parts: Vec<(&str, String)> = labels
        .map(|(key, value)| (key, format!("{key}={}", value.as_str().unwrap_or_default())))
        .collect();
    for expression in selector.items("matchExpressions") {
        let key = expression.text("key");
        let mut values: Vec<&str> = expression.texts("values").collect();
        values.sort_unstable();
        let values = values.join(",");
        let text = match expression.text("operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        };
        parts.push((key, text));
    }
    parts.sort_by_key(|(key, _)| *key);
    let texts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
    texts.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectors_are_written_by_key() {
        let selector = json!({
            "matchLabels": {"app": "web", "tier": "front"},
            "matchExpressions": [
                {"key": "app", "operator": "In", "values": ["web", "other"]},
                {"key": "part", "operator": "Exists"},
                {"key": "zone", "operator": "DoesNotExist"},
            ],
        });
        assert_eq!(
            text(&selector),
            "app=web,app in (other,web),part,tier=front,!zone"
        );
        assert_eq!(text(&json!(null)), "");
    }

    #[test]
    fn selectors_take_labels_as_the_genuine_server_has_it() {
        let labels = json!({"app": "web", "tier": "front"});
        for (selector, takes_them) in [
            (json!(null), false),
            (json!({}), true),
            (json!({"matchLabels": {"app": "web"}}), true),
            (json!({"matchLabels": {"app": "api"}}), false),
            (
                json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}),
                true,
            ),
            (
                json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}),
                false,
            ),
            (
                json!({"matchExpressions": [{"key": "x", "operator": "NotIn", "values": ["web"]}]}),
                true,
            ),
            (
                json!({"matchExpressions": [{"key": "x", "operator": "Exists"}]}),
                false,
            ),
            (
                json!({"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}),
                true,
            ),
        ] {
            assert_eq!(takes(&selector, &labels), takes_them, "{selector}");
        }
    }
}
