//! How many pods there may be: autoscalers, disruption budgets, quotas.

use std::fmt::Write as _;

use serde_json::Value;

use super::cell::{Row, amount, at, text};

/// What stands for a value that nobody has measured yet.
const UNKNOWN: &str = "<unknown>";
/// How many metrics of an autoscaler are shown.
const METRICS: usize = 2;
/// What autoscaling/v1 aims at where nothing is said (`DefaultCPUUtilization`).
const USUAL_CPU: i64 = 80;

pub(super) fn disruption_budget(row: Row<'_>) -> Vec<Value> {
    let bound = |path| match row.at(path) {
        Value::Null => "N/A".to_owned(),
        value => amount(value),
    };
    vec![
        row.name(),
        bound("spec.minAvailable").into(),
        bound("spec.maxUnavailable").into(),
        row.whole("status.disruptionsAllowed").into(),
        row.age(),
    ]
}

pub(super) fn quota(row: Row<'_>) -> Vec<Value> {
    let (mut requests, mut limits) = (String::new(), String::new());
    let used = row.at("status.used");
    for (resource, hard) in row.at("status.hard").as_object().into_iter().flatten() {
        let column = if resource.starts_with("limits.") {
            &mut limits
        } else {
            &mut requests
        };
        let comma = if column.is_empty() { "" } else { ", " };
        let used = amount(used.get(resource).unwrap_or(&Value::Null));
        // Writing to a string does not fail.
        let _ = write!(column, "{comma}{resource}: {used}/{}", amount(hard));
    }
    vec![row.name(), requests.into(), limits.into(), row.age()]
}

/// What `/scale` answers.
pub(super) fn scale(row: Row<'_>) -> Vec<Value> {
    let (wanted, there) = (row.whole("spec.replicas"), row.whole("status.replicas"));
    vec![row.name(), wanted.into(), there.into(), row.age()]
}

pub(super) fn autoscaler(row: Row<'_>) -> Vec<Value> {
    let reference = format!(
        "{}/{}",
        row.text("spec.scaleTargetRef.kind"),
        row.text("spec.scaleTargetRef.name")
    );
    let min = row.at("spec.minReplicas").as_i64();
    vec![
        row.name(),
        reference.into(),
        metrics(row).into(),
        min.map_or_else(|| "<unset>".to_owned(), |min| min.to_string())
            .into(),
        row.whole("spec.maxReplicas").into(),
        row.whole("status.currentReplicas").into(),
        row.age(),
    ]
}

fn metrics(row: Row<'_>) -> String {
    if row.text("apiVersion") == "autoscaling/v1" && row.at("spec.metrics").is_null() {
        let wanted = row.at("spec.targetCPUUtilizationPercentage").as_i64();
        let current = percent(row.at("status.currentCPUUtilizationPercentage"), UNKNOWN);
        return format!("cpu: {current}/{}%", wanted.unwrap_or(USUAL_CPU));
    }
    let wanted = row.items("spec.metrics");
    if wanted.is_empty() {
        return "<none>".to_owned();
    }
    let current = row.items("status.currentMetrics");
    let mut written = String::new();
    for (index, one) in wanted.iter().take(METRICS).enumerate() {
        if index > 0 {
            written.push_str(", ");
        }
        written.push_str(&metric(one, current.get(index).unwrap_or(&Value::Null)));
    }
    if wanted.len() > METRICS {
        // Writing to a string does not fail.
        let _ = write!(written, " + {} more...", wanted.len() - METRICS);
    }
    written
}

/// `current/wanted` of one metric.
fn metric(wanted: &Value, current: &Value) -> String {
    let field = match text(wanted, "type") {
        "External" => "external",
        "Pods" => "pods",
        "Object" => "object",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        _ => return "<unknown type>".to_owned(),
    };
    let (source, current) = (at(wanted, field), at(current, field));
    let (target, now) = (at(source, "target"), at(current, "current"));
    // What was measured, where there is a measurement; where that lacks the value it is zero.
    let measured = |value: &Value| {
        if current.is_null() {
            UNKNOWN.to_owned()
        } else {
            amount(value)
        }
    };
    let (value, average) = (at(target, "value"), at(target, "averageValue"));
    let (now_value, now_average) = (at(now, "value"), at(now, "averageValue"));
    match field {
        "pods" => format!("{}/{}", measured(now_average), amount(average)),
        "external" | "object" if average.is_null() => {
            format!("{}/{}", measured(now_value), amount(value))
        }
        "external" | "object" => {
            let now = match now_average {
                Value::Null => UNKNOWN.to_owned(),
                value => amount(value),
            };
            format!("{now}/{} (avg)", amount(average))
        }
        _ if average.is_null() => {
            let now = percent(at(now, "averageUtilization"), UNKNOWN);
            let target = percent(at(target, "averageUtilization"), "<auto>");
            format!("{}: {now}/{target}", text(source, "name"))
        }
        _ => {
            let name = text(source, "name");
            format!("{name}: {}/{}", measured(now_average), amount(average))
        }
    }
}

fn percent(value: &Value, absent: &str) -> String {
    match value.as_i64() {
        Some(value) => format!("{value}%"),
        None => absent.to_owned(),
    }
}
