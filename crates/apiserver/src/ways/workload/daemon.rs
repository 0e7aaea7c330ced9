//! `DaemonSet`. How often its template changed stands in an annotation, for clients of old.

use serde_json::Value;

use super::check::{always, at_most_all, count_or_share, not_decremented, same_selector};
use crate::status::FieldError;
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, annotation, fill, fill_empty, made, put};
use crate::ways::pod::{Owner, check_template, default_template};
use crate::ways::{STATUS, Ways, drop_status, keep_status, rule, selector};

pub(in crate::ways) static DAEMON_SET: Ways = Ways {
    default,
    prepare_create: |set| {
        drop_status(set);
        let count = template_generation(set).max(1);
        set_template_generation(set, count);
    },
    prepare_update: |new, old| {
        keep_status(new, old);
        let is_changed = new["spec"]["template"] != old["spec"]["template"];
        let count = template_generation(old) + i64::from(is_changed);
        set_template_generation(new, count);
    },
    validate: check,
    validate_status: status,
    generation: true,
    ..STATUS
};

const GENERATION: &str = "deprecated.daemonset.template.generation";

fn template_generation(set: &Value) -> i64 {
    let text = annotation(set, GENERATION).unwrap_or_default();
    text.parse().unwrap_or(0)
}

fn set_template_generation(set: &mut Value, count: i64) {
    let annotations = made(set, "metadata").and_then(|metadata| made(metadata, "annotations"));
    if let Some(annotations) = annotations {
        put(annotations, GENERATION, count.to_string());
    }
}

fn default(set: &mut Value) {
    if annotation(set, GENERATION).is_none() {
        set_template_generation(set, 0);
    }
    let Some(spec) = made(set, "spec") else {
        return;
    };
    default_template(spec, "template");
    if let Some(strategy) = made(spec, "updateStrategy") {
        fill_empty(strategy, "type", "RollingUpdate");
        if strategy.text("type") == "RollingUpdate"
            && let Some(rolling) = made(strategy, "rollingUpdate")
        {
            fill(rolling, "maxUnavailable", 1);
            fill(rolling, "maxSurge", 0);
        }
    }
    fill(spec, "revisionHistoryLimit", 10);
}

fn check(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    same_selector(new, old, &mut faults);
    let own = spec.part("selector");
    let before = faults.len();
    selector::check(own, &at.field("selector"), &mut faults);
    let template = spec.part("template");
    let labels = template["metadata"].part("labels");
    if faults.len() == before && !selector::takes(own, labels) {
        let why = "`selector` does not match template `labels`";
        let at = at.field("template");
        let at = at.field("metadata");
        faults.invalid(&at.field("labels"), labels.clone(), why);
    }
    if own.is_object() && selector::is_empty(own) {
        let why = "empty selector is invalid for daemonset";
        faults.invalid(&at.field("selector"), own.clone(), why);
    }
    let template_at = at.field("template");
    faults.extend(check_template(template, &template_at, &Owner::default()));
    always(template, &template_at, "DaemonSet", &mut faults);
    faults.none_negative(&at, spec, &["minReadySeconds"]);
    strategy(
        spec.part("updateStrategy"),
        &at.field("updateStrategy"),
        &mut faults,
    );
    faults.none_negative(&at, spec, &["revisionHistoryLimit"]);
    faults.into_errors()
}

fn strategy(strategy: &Value, at: &Path<'_>, faults: &mut Faults) {
    match strategy.text("type") {
        "OnDelete" => {}
        "RollingUpdate" => {
            let at = at.field("rollingUpdate");
            let rolling = strategy.part("rollingUpdate");
            let names = ["maxUnavailable", "maxSurge"];
            for name in names {
                count_or_share(rolling.part(name), &at.field(name), faults);
            }
            for name in names {
                at_most_all(rolling.part(name), &at.field(name), faults);
            }
            let [unavailable, surge] = names.map(|name| rule::share(rolling.part(name)) != 0);
            if unavailable && surge {
                let why = "may not be set when maxUnavailable is non-zero";
                faults.invalid(&at.field("maxSurge"), rolling["maxSurge"].clone(), why);
            } else if !unavailable && !surge {
                let why = "cannot be 0 when maxSurge is 0";
                faults.required(&at.field("maxUnavailable"), why);
            }
        }
        other => {
            // Upstream shows its own struct, whose fields have other names.
            let shown = serde_json::json!({
                "Type": other, "RollingUpdate": strategy["rollingUpdate"],
            });
            faults.unsupported(at, shown, &["RollingUpdate", "OnDelete"]);
        }
    }
}

fn status(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (status, at) = (new.part("status"), Path::at("status"));
    let counts = [
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ];
    faults.none_negative(&at, status, &counts);
    not_decremented(status, old.part("status"), &at, &mut faults);
    faults.into_errors()
}
