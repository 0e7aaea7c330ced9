//! What is wrong with workloads.

use serde_json::Value;

use crate::status::FieldError;
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;
use crate::ways::pod::check_template;
use crate::ways::{rule, selector};

/// The numbers of the status of a Deployment.
const STATUS_COUNTS: [&str; 8] = [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "terminatingReplicas",
    "collisionCount",
];
const MORE_THAN_ALL: &str = "cannot be greater than status.replicas";
const NOT_TAKEN: &str = "`selector` does not match template `labels`";

/// Whether a change counts: that of the spec, or of an annotation.
pub(super) fn is_spec_or_annotation_changed(new: &Value, old: &Value) -> bool {
    let annotations = |object: &'_ Value| match object["metadata"].part("annotations") {
        Value::Object(all) if all.is_empty() => Value::Null,
        other => other.clone(),
    };
    new["spec"] != old["spec"] || annotations(new) != annotations(old)
}

/// A Deployment.
pub(super) fn deployment(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    faults.not_negative(&at.field("replicas"), spec.number("replicas"));
    label_selector(spec, &at, "deployment", &mut faults);
    template(spec, &at, "ReplicaSet", &mut faults);
    strategy(spec.part("strategy"), &at.field("strategy"), &mut faults);
    faults.none_negative(&at, spec, &["minReadySeconds", "revisionHistoryLimit"]);
    if let Some(seconds) = spec.some_number("progressDeadlineSeconds") {
        let at = at.field("progressDeadlineSeconds");
        faults.not_negative(&at, seconds);
        if seconds <= spec.number("minReadySeconds") {
            faults.invalid(&at, seconds, "must be greater than minReadySeconds");
        }
    }
    same_selector(new, old, &mut faults);
    faults.into_errors()
}

/// The status of a Deployment.
pub(super) fn deployment_status(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (status, at) = (new.part("status"), Path::at("status"));
    faults.none_negative(&at, status, &STATUS_COUNTS);
    for (name, of, why) in [
        ("updatedReplicas", "replicas", MORE_THAN_ALL),
        ("readyReplicas", "replicas", MORE_THAN_ALL),
        ("availableReplicas", "replicas", MORE_THAN_ALL),
        (
            "availableReplicas",
            "readyReplicas",
            "cannot be greater than readyReplicas",
        ),
    ] {
        if status.number(name) > status.number(of) {
            faults.invalid(&at.field(name), status.number(name), why);
        }
    }
    let (name, before) = ("collisionCount", old.part("status"));
    if status.number(name) < before.number(name) {
        faults.invalid(
            &at.field(name),
            status.number(name),
            "cannot be decremented",
        );
    }
    faults.into_errors()
}

/// A ReplicaSet.
pub(super) fn replica_set(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    faults.none_negative(&at, spec, &["replicas", "minReadySeconds"]);
    label_selector(spec, &at, "deployment", &mut faults);
    template(spec, &at, "ReplicaSet", &mut faults);
    same_selector(new, old, &mut faults);
    faults.into_errors()
}

/// The selector of a workload, which may not be empty.
pub(super) fn label_selector(spec: &Value, at: &Path<'_>, kind: &str, faults: &mut Faults) {
    let at = at.field("selector");
    if !spec.has("selector") {
        faults.required(&at, "");
        return;
    }
    let value = spec.part("selector");
    selector::check(value, &at, faults);
    if selector::is_empty(value) {
        let why = format!("empty selector is invalid for {kind}");
        faults.invalid(&at, value.clone(), why);
    }
}

pub(super) fn template(spec: &Value, at: &Path<'_>, kind: &str, faults: &mut Faults) {
    if !taken(spec, at, "invalid label selector", faults) {
        return;
    }
    let at = at.field("template");
    let value = spec.part("template");
    let claims = spec.items("volumeClaimTemplates");
    faults.extend(check_template(value, &at, claims));
    always(value, &at, kind, faults);
}

/// Whether a selector can be used; if it can, the labels of the template have to fit it.
fn taken(spec: &Value, at: &Path<'_>, why: &str, faults: &mut Faults) -> bool {
    let value = spec.part("selector");
    let mut own = Faults::default();
    selector::check(value, at, &mut own);
    if !own.is_empty() {
        faults.invalid(&at.field("selector"), value.clone(), why);
        return false;
    }
    let labels = spec["template"]["metadata"].part("labels");
    let is_any = value.is_object() && selector::is_empty(value);
    if !is_any && !selector::takes(value, labels) {
        let at = at.field("template");
        let at = at.field("metadata");
        faults.invalid(&at.field("labels"), labels.clone(), NOT_TAKEN);
    }
    true
}

/// Pods that have to run on and on.
fn always(template: &Value, at: &Path<'_>, kind: &str, faults: &mut Faults) {
    let (spec, at) = (template.part("spec"), at.field("spec"));
    let policy = spec.text("restartPolicy");
    if policy != "Always" {
        faults.unsupported(&at.field("restartPolicy"), policy, &["Always"]);
    }
    if spec.has("activeDeadlineSeconds") {
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        faults.forbidden(&at.field("activeDeadlineSeconds"), why);
    }
}

pub(super) fn same_selector(new: &Value, old: Option<&Value>, faults: &mut Faults) {
    if let Some(old) = old {
        let at = Path::at("spec.selector");
        let (new, old) = (new["spec"].part("selector"), old["spec"].part("selector"));
        faults.immutable(&at, new, old);
    }
}

fn strategy(strategy: &Value, at: &Path<'_>, faults: &mut Faults) {
    let rolling_at = at.field("rollingUpdate");
    match strategy.text("type") {
        "Recreate" => {
            if strategy.has("rollingUpdate") {
                let why = "may not be specified when strategy `type` is 'Recreate'";
                faults.forbidden(&rolling_at, why);
            }
        }
        "RollingUpdate" => {
            let rolling = strategy.part("rollingUpdate");
            let (unavailable, surge) = (rolling.part("maxUnavailable"), rolling.part("maxSurge"));
            let unavailable_at = rolling_at.field("maxUnavailable");
            count_or_share(unavailable, &unavailable_at, faults);
            count_or_share(surge, &rolling_at.field("maxSurge"), faults);
            if rule::share(unavailable) == 0 && rule::share(surge) == 0 {
                let why = "may not be 0 when `maxSurge` is 0";
                faults.invalid(&unavailable_at, unavailable.clone(), why);
            }
            at_most_all(unavailable, &unavailable_at, faults);
        }
        _ => {
            // Upstream shows its own struct, whose fields have other names.
            let shown = serde_json::json!({
                "Type": strategy["type"], "RollingUpdate": strategy["rollingUpdate"],
            });
            faults.unsupported(at, shown, &["Recreate", "RollingUpdate"]);
        }
    }
}

/// A number that is not negative, or a share.
fn count_or_share(value: &Value, at: &Path<'_>, faults: &mut Faults) {
    match value {
        Value::String(text) => {
            if let Some(why) = rule::percent(text) {
                faults.invalid(at, text.as_str(), why);
            }
        }
        other => faults.not_negative(at, other.as_i64().unwrap_or_default()),
    }
}

/// A share of at most all.
fn at_most_all(value: &Value, at: &Path<'_>, faults: &mut Faults) {
    let share = value.as_str().and_then(rule::percentage);
    if share.is_some_and(|share| share > 100) {
        faults.invalid(at, value.clone(), "must not be greater than 100%");
    }
}
