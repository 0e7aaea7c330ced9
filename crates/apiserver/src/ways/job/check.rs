//! What is wrong with Jobs and CronJobs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{NAME, OLD_NAME, OLD_UID, UID, schedule};
use crate::status::FieldError;
use crate::validate::{Form, NameRule, Path, dns1123_subdomain};
use crate::ways::again_as;
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, each, keep, names};
use crate::ways::pod::{Owner, check_template};
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
const OPERATORS: [&str; 2] = ["In", "NotIn"];
const STATUSES: [&str; 3] = ["False", "True", "Unknown"];
const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
const ONLY_INDEXED: &str = "requires indexed completion mode";
/// Names of CronJobs leave room for what the names of their Jobs end with.
const LONGEST: usize = 52;
const HIGH: i64 = 100_000;
const MOST_BY_INDEX: i64 = 10_000;

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
    if let Some(manager) = spec["managedBy"].as_str() {
        domain_path(manager, &at.field("managedBy"), faults);
        if manager.len() > 63 {
            faults.too_long(&at.field("managedBy"), 63);
        }
    }
    mode(spec, at, faults);
    if spec.has("podFailurePolicy") {
        failure_policy(spec, &at.field("podFailurePolicy"), faults);
    }
    if spec.has("successPolicy") {
        let (policy, at) = (spec.part("successPolicy"), at.field("successPolicy"));
        if spec.text("completionMode") != "Indexed" {
            faults.invalid(&at, policy.clone(), ONLY_INDEXED);
        } else if policy.items("rules").is_empty() {
            let why = "at least one rules must be specified when the successPolicy is specified";
            faults.required(&at.field("rules"), why);
        }
    }
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
    faults.extend(check_template(template, &at, &Owner::default()));
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
    let failed = spec.some_number("maxFailedIndexes");
    let failed_at = at.field("maxFailedIndexes");
    if mode != "Indexed" {
        for name in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if let Some(number) = spec.some_number(name).filter(|_| mode == "NonIndexed") {
                faults.invalid(&at.field(name), number, ONLY_INDEXED);
            }
        }
        return;
    }
    let completions = spec.some_number("completions");
    if completions.is_none() {
        faults.required(&at.field("completions"), "when completion mode is Indexed");
    }
    let parallelism = spec.number("parallelism");
    let parallelism_at = at.field("parallelism");
    if parallelism > HIGH {
        let why = format!("must be less than or equal to {HIGH} when completion mode is Indexed");
        faults.invalid(&parallelism_at, parallelism, why);
    }
    let completions = completions.unwrap_or(i64::MAX);
    if let Some(failed) = failed.filter(|failed| *failed > completions) {
        faults.invalid(
            &failed_at,
            failed,
            "must be less than or equal to completions",
        );
    }
    if let Some(failed) = failed.filter(|failed| *failed > HIGH) {
        let why = format!("must be less than or equal to {HIGH}");
        faults.invalid(&failed_at, failed, why);
    }
    if spec.number("completions") <= HIGH || !spec.has("backoffLimitPerIndex") {
        return;
    }
    if failed.is_none() {
        let why = format!("must be specified when completions is above {HIGH}");
        faults.required(&failed_at, why);
    }
    for (at, number) in [(&parallelism_at, Some(parallelism)), (&failed_at, failed)] {
        if let Some(number) = number.filter(|number| *number > MOST_BY_INDEX) {
            let why = format!(
                "must be less than or equal to {MOST_BY_INDEX} when completions are above {HIGH} and used with backoff limit per index"
            );
            faults.invalid(at, number, why);
        }
    }
}

/// A path below a domain, as `acme.io/foo`.
pub(in crate::ways) fn domain_path(text: &str, at: &Path<'_>, faults: &mut Faults) {
    if text.is_empty() {
        faults.required(at, "");
        return;
    }
    let (host, path) = text.split_once('/').unwrap_or_default();
    if host.is_empty() || path.is_empty() {
        let why = "must be a domain-prefixed path (such as \"acme.io/foo\")";
        faults.invalid(at, text, why);
        return;
    }
    faults.each(at, host, dns1123_subdomain(host));
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !path.bytes().all(known) {
        let why = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
        faults.invalid(at, path, why);
    }
}

fn failure_policy(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let at = at.field("rules");
    let rules = spec["podFailurePolicy"].items("rules");
    if rules.len() > 20 {
        faults.too_many(&at, rules.len(), 20);
    }
    let pods = spec["template"].part("spec");
    let mut containers = names(pods.items("containers"), "name");
    containers.extend(names(pods.items("initContainers"), "name"));
    for (index, rule) in rules.iter().enumerate() {
        let at = at.index(index);
        let (action, action_at) = (rule.text("action"), at.field("action"));
        if action.is_empty() {
            let why = "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]";
            faults.required(&action_at, why);
        } else if action == "FailIndex" && !spec.has("backoffLimitPerIndex") {
            let why = "requires the backoffLimitPerIndex to be set";
            faults.invalid(&action_at, action, why);
        } else if !ACTIONS.contains(&action) {
            faults.unsupported(&action_at, action, &ACTIONS);
        }
        if rule.has("onExitCodes") {
            let codes = rule.part("onExitCodes");
            exit_codes(codes, &containers, &at.field("onExitCodes"), faults);
        }
        let conditions = at.field("onPodConditions");
        for (index, pattern) in rule.items("onPodConditions").iter().enumerate() {
            let at = conditions.index(index);
            faults.qualified(&at.field("type"), pattern.text("type"));
            faults.one_of(&at.field("status"), pattern.text("status"), &STATUSES);
        }
    }
}

fn exit_codes(codes: &Value, containers: &BTreeSet<&str>, at: &Path<'_>, faults: &mut Faults) {
    let operator = codes.text("operator");
    if operator.is_empty() {
        faults.required(&at.field("operator"), "valid values: [\"In\" \"NotIn\"]");
    } else if !OPERATORS.contains(&operator) {
        faults.unsupported(&at.field("operator"), operator, &OPERATORS);
    }
    let container = codes["containerName"].as_str();
    if let Some(name) = container.filter(|name| !containers.contains(name)) {
        let why = "must be one of the container or initContainer names in the pod template";
        faults.invalid(&at.field("containerName"), name, why);
    }
    let values = codes.items("values");
    let at = at.field("values");
    if values.is_empty() {
        faults.invalid(&at, values.to_vec(), "at least one value is required");
    } else if values.len() > 255 {
        faults.too_many(&at, values.len(), 255);
    }
    let numbers: Vec<i64> = values.iter().filter_map(Value::as_i64).collect();
    let mut seen = BTreeSet::new();
    for (index, number) in numbers.iter().enumerate() {
        if operator == "In" && *number == 0 {
            faults.invalid(&at.index(index), 0, "must not be 0 for the In operator");
        }
        if !seen.insert(*number) {
            faults.duplicate(&at.index(index), *number);
        }
    }
    if !numbers.is_sorted() {
        faults.invalid(&at, values.to_vec(), "must be ordered");
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
    template_change(spec, old, &at.field("template"), faults);
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

/// The template may be changed while the Job is suspended, in parts.
fn template_change(spec: &Value, old: &Value, at: &Path<'_>, faults: &mut Faults) {
    let (template, before) = (spec.part("template"), old["spec"].part("template"));
    if template == before {
        return;
    }
    let is_suspended = old["spec"].is_true("suspend");
    let status = old.part("status");
    let says_so = |condition: &Value| {
        condition.text("type") == "Suspended" && condition.text("status") == "True"
    };
    let rests = !status.has("startTime") || status.items("conditions").iter().any(says_so);
    if !is_suspended || !rests || status.number("active") != 0 {
        faults.immutable(at, template, before);
        return;
    }
    let mut munged = before.part("spec").clone();
    let pods = template.part("spec");
    for name in ["nodeSelector", "tolerations", "schedulingGates"] {
        keep(&mut munged, pods, name);
    }
    if munged.has("affinity") && pods.has("affinity") {
        munged["affinity"]["nodeAffinity"] = pods["affinity"]["nodeAffinity"].clone();
    }
    for list in ["containers", "initContainers"] {
        for (container, new) in each(&mut munged, list).zip(pods.items(list)) {
            if container.text("name") == new.text("name") {
                keep(container, new, "resources");
            }
        }
    }
    faults.immutable(&at.field("spec"), pods, &munged);
}

/// A CronJob.
pub(super) fn cron_job(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    let before = old.map_or(&Value::Null, |old| old.part("spec"));
    schedule::check(spec, before, &at, &mut faults);
    let policy = spec.text("concurrencyPolicy");
    let known = ["Allow", "Forbid", "Replace"];
    faults.one_of(&at.field("concurrencyPolicy"), policy, &known);
    {
        let (spec, at) = (spec["jobTemplate"].part("spec"), at.field("jobTemplate"));
        let at = at.field("spec");
        self::spec(spec, &at, &mut faults);
        if spec.has("selector") {
            let why = "`selector` will be auto-generated";
            faults.invalid(&at.field("selector"), spec["selector"].clone(), why);
        }
        if spec.is_true("manualSelector") {
            faults.unsupported(&at.field("manualSelector"), true, &["nil", "false"]);
        }
    }
    let limits = ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"];
    faults.none_negative(&at, spec, &limits);
    let name = new["metadata"].text("name");
    if old.is_none() && name.len() > LONGEST {
        let why = format!("must be no more than {LONGEST} characters");
        faults.invalid(&Path::at("metadata.name"), name, why);
    }
    faults.into_errors()
}
