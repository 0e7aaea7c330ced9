//! `HorizontalPodAutoscaler`, in both of its versions, and `PodDisruptionBudget`.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/autoscaling and pkg/apis/policy.

use serde_json::{Value, json};

use super::fault::Faults;
use super::part::{self, Part as _, fill, made};
use super::pod::resource_amount;
use super::workload::{at_most_all, count_or_share};
use super::{STATUS, Ways, selector};
use crate::status::FieldError;
use crate::validate::{NameRule, Path};

pub(super) static AUTOSCALER: Ways = Ways {
    default: default_autoscaler,
    validate: check_autoscaler,
    validate_status: |new, _| {
        let mut faults = Faults::default();
        let counts = ["currentReplicas", "desiredReplicas"];
        faults.none_negative(&Path::at("status"), new.part("status"), &counts);
        faults.into_errors()
    },
    ..STATUS
};

pub(super) static BUDGET: Ways = Ways {
    validate: check_budget,
    validate_status: |new, _| {
        let mut faults = Faults::default();
        let counts = [
            "disruptionsAllowed",
            "currentHealthy",
            "desiredHealthy",
            "expectedPods",
        ];
        faults.none_negative(&Path::at("status"), new.part("status"), &counts);
        faults.into_errors()
    },
    generation: true,
    unconditional_update: false,
    name: NameRule::PathSegment,
    ..STATUS
};

/// How much of its processors a Pod uses at most, in percent, where nobody says anything.
const UTILIZATION: i64 = 80;
const KINDS: [&str; 5] = [
    "ContainerResource",
    "External",
    "Object",
    "Pods",
    "Resource",
];
/// The kinds of metrics with their fields, in upstream's order.
const SOURCES: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];

fn default_autoscaler(autoscaler: &mut Value) {
    let is_v1 = autoscaler.text("apiVersion") == "autoscaling/v1";
    let others = part::annotation(autoscaler, "autoscaling.alpha.kubernetes.io/metrics").is_some();
    let Some(spec) = made(autoscaler, "spec") else {
        return;
    };
    fill(spec, "minReplicas", 1);
    if is_v1 {
        if !others {
            fill(spec, "targetCPUUtilizationPercentage", UTILIZATION);
        }
        return;
    }
    if spec.items("metrics").is_empty() {
        let target = json!({"type": "Utilization", "averageUtilization": UTILIZATION});
        let resource = json!({"name": "cpu", "target": target});
        let metrics = json!([{"type": "Resource", "resource": resource}]);
        part::put(spec, "metrics", metrics);
    }
    if let Some(behavior) = part::found(spec, "behavior") {
        if let Some(up) = made(behavior, "scaleUp") {
            fill(up, "stabilizationWindowSeconds", 0);
            fill(up, "selectPolicy", "Max");
            fill_policies(
                up,
                json!([
                    {"type": "Pods", "value": 4, "periodSeconds": 15},
                    {"type": "Percent", "value": 100, "periodSeconds": 15},
                ]),
            );
        }
        if let Some(down) = made(behavior, "scaleDown") {
            fill(down, "selectPolicy", "Max");
            let all = json!([{"type": "Percent", "value": 100, "periodSeconds": 15}]);
            fill_policies(down, all);
        }
    }
}

fn fill_policies(rules: &mut Value, policies: Value) {
    fill(rules, "policies", policies);
}

fn check_autoscaler(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    let (least, most) = (spec.some_number("minReplicas"), spec.number("maxReplicas"));
    let (least_at, most_at) = (at.field("minReplicas"), at.field("maxReplicas"));
    if let Some(least) = least.filter(|least| *least < 1) {
        faults.invalid(&least_at, least, "must be greater than or equal to 1");
    }
    if most == 0 {
        faults.required(&most_at, "must be set and greater than 0");
    } else if most < 0 {
        faults.invalid(&most_at, most, "must be greater than or equal to 1");
    }
    if least.is_some_and(|least| most < least) {
        let why = "must be greater than or equal to `minReplicas`";
        faults.invalid(&most_at, most, why);
    }
    let target = spec.part("scaleTargetRef");
    let before = old.map_or(&Value::Null, |old| old["spec"].part("scaleTargetRef"));
    let is_known = ["kind", "apiVersion"]
        .iter()
        .all(|name| target[*name] == before[*name]);
    let version = match target.text("kind") {
        _ if is_known && old.is_some() => Version::Known,
        "ReplicationController" => Version::Any,
        _ => Version::Grouped,
    };
    reference(target, version, &at.field("scaleTargetRef"), &mut faults);
    let metrics = at.field("metrics");
    for (index, metric) in spec.items("metrics").iter().enumerate() {
        self::metric(metric, &metrics.index(index), &mut faults);
    }
    let is_own = |metric: &Value| matches!(metric.text("type"), "Object" | "External");
    if least == Some(0) && !spec.items("metrics").iter().any(is_own) {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        faults.forbidden(&metrics, why);
    }
    if let Some(share) = spec
        .some_number("targetCPUUtilizationPercentage")
        .filter(|share| *share < 1)
    {
        // Upstream looks at it as a metric of the newer version.
        let at = metrics.index(0);
        let at = at.field("resource");
        let at = at.field("target");
        faults.invalid(
            &at.field("averageUtilization"),
            share,
            "must be greater than 0",
        );
    }
    let at = at.field("behavior");
    for name in ["scaleUp", "scaleDown"] {
        if spec["behavior"].has(name) {
            rules(spec["behavior"].part(name), &at.field(name), &mut faults);
        }
    }
    faults.into_errors()
}

/// What is checked of a reference's apiVersion.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    /// It has a group.
    Grouped,
    /// It may be of the core group.
    Any,
    /// It is as it was.
    Known,
}

fn reference(reference: &Value, version: Version, at: &Path<'_>, faults: &mut Faults) {
    for name in ["kind", "name"] {
        match reference.text(name) {
            "" => faults.required(&at.field(name), ""),
            text => faults.path_segment(&at.field(name), text),
        }
    }
    if version == Version::Known {
        return;
    }
    let text = reference.text("apiVersion");
    let (group, rest) = text.split_once('/').unwrap_or_default();
    if rest.contains('/') {
        let why = format!("unexpected GroupVersion string: {text}");
        faults.invalid(&at.field("apiVersion"), text, why);
    } else if group.is_empty() && version == Version::Grouped {
        let why = "apiVersion must specify API group";
        faults.invalid(&at.field("apiVersion"), text, why);
    }
}

fn metric(metric: &Value, at: &Path<'_>, faults: &mut Faults) {
    let kind = metric.text("type");
    if kind.is_empty() {
        faults.required(&at.field("type"), "must specify a metric source type");
    }
    if !KINDS.contains(&kind) {
        faults.unsupported(&at.field("type"), kind, &KINDS);
    }
    let mut given = 0;
    for (_, name) in SOURCES {
        if metric.has(name) {
            given += 1;
            if given == 1 {
                source(name, metric.part(name), &at.field(name), faults);
            }
        }
    }
    let expected = SOURCES.iter().find(|(known, _)| *known == kind);
    match expected {
        Some((_, name)) if !metric.has(name) => {
            let why = "must populate information for the given metric source";
            faults.required(&at.field(name), why);
        }
        Some(_) => {}
        None => faults.unsupported(&at.field("type"), kind, &KINDS),
    }
    if given != 1 {
        for (known, name) in SOURCES {
            if metric.has(name) && known != kind {
                let why = "must populate the given metric source only";
                faults.forbidden(&at.field(name), why);
            }
        }
    }
}

fn source(kind: &str, source: &Value, at: &Path<'_>, faults: &mut Faults) {
    let (target, target_at) = (source.part("target"), at.field("target"));
    if kind == "object" {
        let object = source.part("describedObject");
        reference(object, Version::Any, &at.field("describedObject"), faults);
    }
    if matches!(kind, "object" | "external" | "pods") {
        let at = at.field("metric");
        match source["metric"].text("name") {
            "" => faults.required(&at.field("name"), "must specify a metric name"),
            name => faults.path_segment(&at.field("name"), name),
        }
    } else if source.text("name").is_empty() {
        faults.required(&at.field("name"), "must specify a resource name");
    }
    if kind == "containerResource" {
        match source.text("container") {
            "" => faults.required(&at.field("container"), "must specify a container"),
            name => faults.label(&at.field("container"), name),
        }
    }
    self::target(target, &target_at, faults);
    let [value, average, share] =
        ["value", "averageValue", "averageUtilization"].map(|name| target.has(name));
    let average_at = target_at.field("averageValue");
    match kind {
        "pods" if !average => {
            faults.required(&average_at, "must specify a positive target averageValue");
        }
        "object" if !value && !average => {
            let why = "must set either a target value or averageValue";
            faults.required(&average_at, why);
        }
        "external" if !value && !average => {
            let why = "must set either a target value for metric or a per-pod target";
            faults.required(&average_at, why);
        }
        "external" if value && average => {
            let why = "may not set both a target value for metric and a per-pod target";
            faults.forbidden(&target_at.field("value"), why);
        }
        "resource" | "containerResource" if !share && !average => {
            let why = "must set either a target raw value or a target utilization";
            faults.required(&target_at.field("averageUtilization"), why);
        }
        "resource" | "containerResource" if share && average => {
            let why = "may not set both a target raw value and a target utilization";
            faults.forbidden(&average_at, why);
        }
        _ => {}
    }
}

fn target(target: &Value, at: &Path<'_>, faults: &mut Faults) {
    let kind = target.text("type");
    if kind.is_empty() {
        faults.required(&at.field("type"), "must specify a metric target type");
    }
    if !["Utilization", "Value", "AverageValue"].contains(&kind) {
        let why = "must be either Utilization, Value, or AverageValue";
        faults.invalid(&at.field("type"), kind, why);
    }
    for name in ["value", "averageValue"] {
        let value = target.part(name);
        if resource_amount(value).is_some_and(|amount| amount <= 0) {
            faults.invalid(&at.field(name), value.clone(), "must be positive");
        }
    }
    let share = target.some_number("averageUtilization");
    if let Some(share) = share.filter(|share| *share < 1) {
        faults.invalid(
            &at.field("averageUtilization"),
            share,
            "must be greater than 0",
        );
    }
}

fn rules(rules: &Value, at: &Path<'_>, faults: &mut Faults) {
    let (seconds, seconds_at) = (
        rules.some_number("stabilizationWindowSeconds"),
        at.field("stabilizationWindowSeconds"),
    );
    if let Some(seconds) = seconds.filter(|seconds| *seconds < 0) {
        faults.invalid(
            &seconds_at,
            seconds,
            "must be greater than or equal to zero",
        );
    }
    if let Some(seconds) = seconds.filter(|seconds| *seconds > 3600) {
        faults.invalid(&seconds_at, seconds, "must be less than or equal to 3600");
    }
    let policy = rules.part("selectPolicy");
    faults.one_of_if(
        &at.field("selectPolicy"),
        policy,
        &["Disabled", "Max", "Min"],
    );
    let at = at.field("policies");
    let all = rules.items("policies");
    if all.is_empty() {
        faults.required(&at, "must specify at least one Policy");
    }
    for (index, policy) in all.iter().enumerate() {
        let at = at.index(index);
        let kind = policy.text("type");
        if !["Percent", "Pods"].contains(&kind) {
            faults.unsupported(&at.field("type"), kind, &["Percent", "Pods"]);
        }
        for name in ["value", "periodSeconds"] {
            let number = policy.number(name);
            if number <= 0 {
                faults.invalid(&at.field(name), number, "must be greater than zero");
            }
        }
        let seconds = policy.number("periodSeconds");
        if seconds > 1800 {
            let why = "must be less than or equal to 1800";
            faults.invalid(&at.field("periodSeconds"), seconds, why);
        }
    }
}

fn check_budget(new: &Value, _: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    let names = ["minAvailable", "maxUnavailable"];
    if names.iter().all(|name| spec.has(name)) {
        // Upstream shows its own struct, whose fields have other names.
        let shown = json!({
            "MinAvailable": spec["minAvailable"], "Selector": spec["selector"],
            "MaxUnavailable": spec["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": spec["unhealthyPodEvictionPolicy"],
        });
        let why = "minAvailable and maxUnavailable cannot be both set";
        faults.invalid(&at, shown, why);
    }
    for name in names {
        if spec.has(name) {
            count_or_share(spec.part(name), &at.field(name), &mut faults);
            at_most_all(spec.part(name), &at.field(name), &mut faults);
        }
    }
    selector::check(spec.part("selector"), &at.field("selector"), &mut faults);
    let policy = spec.part("unhealthyPodEvictionPolicy");
    let known = ["AlwaysAllow", "IfHealthyBudget"];
    faults.one_of_if(&at.field("unhealthyPodEvictionPolicy"), policy, &known);
    faults.into_errors()
}
