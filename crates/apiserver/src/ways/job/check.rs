//! What is wrong with Jobs. Left out: what policies of failure and success say.

use serde_json::Value;

use super::{NAME, OLD_NAME, OLD_UID, UID};
use crate::status::FieldError;
use crate::validate::{Form, NameRule, Path};
use crate::ways::again_as;
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, drop_field, each, is_same, keep, made};
use crate::ways::pod::check_template;
use crate::ways::selector;

const COUNTS: [&str; 7] = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
];
const ONLY_INDEXED: &str = "requires indexed completion mode";
/// A Job.
pub(super) fn job(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again_as(new, NameRule::Subdomain));
    }
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    generated(new, &mut faults);
    selected(spec, &at, &mut faults);
    let completions = spec.number("completions");
    if spec.text("completionMode") == "Indexed" && completions > 0 {
        let name = new["metadata"].text("name");
        let last = format!("{name}-{}", completions - 1);
        if !NameRule::Label.faults(&last, Form::Whole).is_empty() {
            let why = format!("will not able to create pod with invalid DNS label: {last}");
            faults.invalid(&Path::at("metadata.name"), name, why);
        }
    }
    if let Some(old) = old {
        change(spec, old, &at, &mut faults);
    }
    faults.into_errors()
}

/// What the server itself writes where the caller does not select Pods.
fn generated(job: &Value, faults: &mut Faults) {
    let (spec, metadata) = (job.part("spec"), job.part("metadata"));
    if spec.is_true("manualSelector") || !spec.has("selector") {
        return;
    }
    let labels = spec["template"]["metadata"].part("labels");
    let at = Path::at("spec.template.metadata.labels");
    let (name, uid) = (metadata.text("name"), metadata.text("uid"));
    for (key, wanted) in [(OLD_UID, uid), (OLD_NAME, name), (UID, uid), (NAME, name)] {
        let why = format!("must be '{wanted}'");
        match labels.get(key).and_then(Value::as_str) {
            None => faults.required(&at.key(key), why),
            Some(value) if value != wanted => faults.invalid(&at.key(key), labels.clone(), why),
            Some(_) => {}
        }
    }
    let wanted = serde_json::json!({UID: uid, NAME: name, OLD_UID: uid, OLD_NAME: name});
    let own = spec.part("selector");
    if !selector::takes(own, &wanted) {
        faults.invalid(
            &Path::at("spec.selector"),
            own.clone(),
            "`selector` not auto-generated",
        );
    }
}

fn selected(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    self::spec(spec, at, faults);
    let own = spec.part("selector");
    if own.is_null() {
        faults.required(&at.field("selector"), "");
    }
    let before = faults.len();
    selector::check(own, &at.field("selector"), faults);
    let labels = spec["template"]["metadata"].part("labels");
    if faults.len() == before && !selector::takes(own, labels) {
        let at = at.field("template");
        let at = at.field("metadata");
        let why = "`selector` does not match template `labels`";
        faults.invalid(&at.field("labels"), labels.clone(), why);
    }
}

fn spec(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    faults.none_negative(at, spec, &COUNTS);
    if spec.has("maxFailedIndexes") && !spec.has("backoffLimitPerIndex") {
        let why = "when maxFailedIndexes is specified";
        faults.required(&at.field("backoffLimitPerIndex"), why);
    }
    mode(spec, at, faults);
    if let Some(policy) = spec["podReplacementPolicy"].as_str() {
        let known: &[&str] = if spec.has("podFailurePolicy") {
            &["Failed"]
        } else {
            &["Failed", "TerminatingOrFailed"]
        };
        if !known.contains(&policy) {
            faults.unsupported(&at.field("podReplacementPolicy"), policy, known);
        }
    }
    let template = spec.part("template");
    let at = at.field("template");
    faults.extend(check_template(template, &at, &[]));
    let at = at.field("spec");
    let at = at.field("restartPolicy");
    match template["spec"].text("restartPolicy") {
        "Always" | "" => faults.required(&at, "valid values: \"OnFailure\", \"Never\""),
        "OnFailure" if spec.has("podFailurePolicy") => {
            let why = "only \"Never\" is supported when podFailurePolicy is specified";
            faults.invalid(&at, "OnFailure", why);
        }
        "OnFailure" | "Never" => {}
        other => faults.unsupported(&at, other, &["OnFailure", "Never"]),
    }
}

fn mode(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let mode = spec.text("completionMode");
    let known = ["NonIndexed", "Indexed"];
    faults.one_of_if(
        &at.field("completionMode"),
        spec.part("completionMode"),
        &known,
    );
    if mode != "Indexed" {
        for name in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if let Some(number) = spec.some_number(name).filter(|_| mode == "NonIndexed") {
                faults.invalid(&at.field(name), number, ONLY_INDEXED);
            }
        }
        return;
    }
    if !spec.has("completions") {
        faults.required(&at.field("completions"), "when completion mode is Indexed");
    }
}

fn change(spec: &Value, old: &Value, at: &Path<'_>, faults: &mut Faults) {
    let before = old.part("spec");
    // Upstream looks at the spec of a changed Job twice.
    selected(spec, at, faults);
    let completions = spec.part("completions");
    if spec.text("completionMode") != "Indexed" {
        faults.immutable(
            &at.field("completions"),
            completions,
            before.part("completions"),
        );
    } else if *completions != before["completions"]
        && !completions.is_null()
        && *completions != spec["parallelism"]
    {
        let why = "can only be modified in tandem with spec.parallelism";
        faults.invalid(&at.field("completions"), completions.clone(), why);
    }
    let same = |name: &str, faults: &mut Faults| {
        faults.immutable(&at.field(name), spec.part(name), before.part(name));
    };
    same("selector", faults);
    template_change(spec, old, at, faults);
    for name in [
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ] {
        same(name, faults);
    }
}

/// The template stays, but for what decides where Pods run and what they need, while no Pod does.
fn template_change(spec: &Value, old: &Value, at: &Path<'_>, faults: &mut Faults) {
    let (template, before) = (spec.part("template"), old["spec"].part("template"));
    let status = old.part("status");
    let says_so = |condition: &Value| {
        condition.text("type") == "Suspended" && condition.text("status") == "True"
    };
    let rests = !status.has("startTime") || status.items("conditions").iter().any(says_so);
    if !old["spec"].is_true("suspend") || !rests || status.number("active") != 0 {
        faults.immutable(&at.field("template"), template, before);
        return;
    }
    let (new, mut old) = (template.part("spec"), before["spec"].clone());
    for name in ["nodeSelector", "tolerations", "schedulingGates"] {
        keep(&mut old, new, name);
    }
    node_affinity(&mut old, new);
    for list in ["containers", "initContainers"] {
        let containers = new.items(list);
        if old.items(list).len() == containers.len() {
            for (old, new) in each(&mut old, list).zip(containers) {
                if old.text("name") == new.text("name") {
                    keep(old, new, "resources");
                }
            }
        }
    }
    let at = at.field("template");
    faults.immutable(&at.field("spec"), new, &old);
}

/// Gives an old template the node affinity of the new one.
fn node_affinity(old: &mut Value, new: &Value) {
    if !new.has("affinity") {
        if let Some(affinity) = old.get_mut("affinity") {
            drop_field(affinity, "nodeAffinity");
            if affinity.as_object().is_some_and(serde_json::Map::is_empty) {
                drop_field(old, "affinity");
            }
        }
    } else if let Some(affinity) = made(old, "affinity") {
        keep(affinity, new.part("affinity"), "nodeAffinity");
    }
}

/// What is wrong with the status of a Job. Left out: what its conditions and indexes say.
pub(super) fn status(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (status, before) = (new.part("status"), old.part("status"));
    let at = Path::at("status");
    faults.none_negative(
        &at,
        status,
        &["active", "succeeded", "failed", "ready", "terminating"],
    );
    let has_changed = ["ready", "active"]
        .iter()
        .any(|name| !is_same(status, before, name));
    if has_changed
        && let Some(ready) = status.some_number("ready")
        && ready > status.number("active")
    {
        let why = "cannot set more ready pods than active";
        faults.invalid(&at.field("ready"), ready, why);
    }
    for name in ["failed", "succeeded"] {
        if status.number(name) < before.number(name) {
            let why = format!("cannot decrease the {name} counter");
            faults.invalid(&at.field(name), status.number(name), why);
        }
    }
    if before.has("startTime")
        && !is_same(status, before, "startTime")
        && !new["spec"].is_true("suspend")
    {
        let why = "field is immutable for unsuspended job once set";
        faults.invalid(&at.field("startTime"), status["startTime"].clone(), why);
    }
    faults.into_errors()
}
