//! `DaemonSet`. How often its template changed stands in an annotation, for clients of old.

use serde_json::Value;

use super::check::{label_selector, same_selector, template};
use crate::status::FieldError;
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, annotation, fill, fill_empty, made, put};
use crate::ways::pod::default_template;
use crate::ways::{STATUS, Ways, drop_status, keep_status};

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
    label_selector(spec, &at, "daemonset", &mut faults);
    template(spec, &at, "DaemonSet", &mut faults);
    faults.none_negative(&at, spec, &["minReadySeconds", "revisionHistoryLimit"]);
    faults.into_errors()
}
