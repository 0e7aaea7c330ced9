//! What has a say in requests, and the API groups that others serve.

use std::fmt::Write as _;

use serde_json::Value;

use super::cell::{Row, at, condition, items, text};

/// A `MutatingWebhookConfiguration` or `ValidatingWebhookConfiguration`.
pub(super) fn webhooks(row: Row<'_>) -> Vec<Value> {
    vec![row.name(), row.count("webhooks"), row.age()]
}

pub(super) fn mutating_policy(row: Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.count("spec.mutations"),
        param_kind(row),
        row.age(),
    ]
}

pub(super) fn validating_policy(row: Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.count("spec.validations"),
        param_kind(row),
        row.age(),
    ]
}

fn param_kind(row: Row<'_>) -> Value {
    match row.at("spec.paramKind") {
        Value::Null => "<unset>".into(),
        kind => format!("{}/{}", text(kind, "apiVersion"), text(kind, "kind")).into(),
    }
}

/// A binding of a policy of either kind.
pub(super) fn binding(row: Row<'_>) -> Vec<Value> {
    let param = row.at("spec.paramRef");
    let selector = at(param, "selector");
    let param = match (text(param, "namespace"), text(param, "name")) {
        (_, "") if selector.is_null() => "<unset>".to_owned(),
        (_, "") => go_selector(selector),
        ("", name) => format!("*/{name}"),
        (namespace, name) => format!("{namespace}/{name}"),
    };
    vec![
        row.name(),
        row.text("spec.policyName").into(),
        param.into(),
        row.age(),
    ]
}

/// A `LabelSelector` as Go prints it, which is what upstream shows here.
fn go_selector(selector: &Value) -> String {
    let mut labels = String::new();
    for (key, value) in at(selector, "matchLabels")
        .as_object()
        .into_iter()
        .flatten()
    {
        // Writing to a string does not fail.
        let _ = write!(labels, "{key}: {},", value.as_str().unwrap_or_default());
    }
    let mut expressions = String::new();
    for expression in items(selector, "matchExpressions") {
        let (key, operator) = (text(expression, "key"), text(expression, "operator"));
        let values: Vec<&str> = items(expression, "values")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let values = values.join(" ");
        let _ = write!(
            expressions,
            "LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{values}],}},"
        );
    }
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},\
         MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
}

pub(super) fn api_service(row: Row<'_>) -> Vec<Value> {
    let service = match row.at("spec.service") {
        Value::Null => "Local".to_owned(),
        service => format!("{}/{}", text(service, "namespace"), text(service, "name")),
    };
    let available = match condition(row.items("status.conditions"), "Available") {
        None => "Unknown".to_owned(),
        Some(one) => match (text(one, "status"), text(one, "reason")) {
            (status @ "True", _) | (status, "") => status.to_owned(),
            (status, reason) => format!("{status} ({reason})"),
        },
    };
    vec![row.name(), service.into(), available.into(), row.age()]
}
