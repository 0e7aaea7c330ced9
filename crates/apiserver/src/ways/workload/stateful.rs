//! `StatefulSet`.

use serde_json::{Map, Value};

use super::check::{label_selector, template};
use crate::status::FieldError;
use crate::validate::{NameRule, Path};
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, each, fill, fill_empty, found, keep, made, put};
use crate::ways::pod::default_template;
use crate::ways::{STATUS, Ways, claim};

pub(in crate::ways) static STATEFUL_SET: Ways = Ways {
    default,
    validate: check,
    generation: true,
    name: NameRule::Label,
    ..STATUS
};

/// The fields of a spec that may change.
const MUTABLE: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

fn default(set: &mut Value) {
    let Some(spec) = made(set, "spec") else {
        return;
    };
    default_template(spec, "template");
    for template in each(spec, "volumeClaimTemplates") {
        claim::default_claim(template);
        put(template, "apiVersion", "v1");
        put(template, "kind", "PersistentVolumeClaim");
    }
    fill_empty(spec, "podManagementPolicy", "OrderedReady");
    if let Some(strategy) = made(spec, "updateStrategy") {
        if strategy.text("type").is_empty() {
            put(strategy, "type", "RollingUpdate");
            fill(strategy, "rollingUpdate", Map::new());
        }
        if strategy.text("type") == "RollingUpdate"
            && let Some(rolling) = found(strategy, "rollingUpdate")
        {
            fill(rolling, "partition", 0);
        }
    }
    if let Some(policy) = made(spec, "persistentVolumeClaimRetentionPolicy") {
        fill_empty(policy, "whenDeleted", "Retain");
        fill_empty(policy, "whenScaled", "Retain");
    }
    fill(spec, "replicas", 1);
    fill(spec, "revisionHistoryLimit", 10);
}

fn check(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    faults.none_negative(&at, spec, &["replicas", "minReadySeconds"]);
    label_selector(spec, &at, "statefulset", &mut faults);
    template(spec, &at, "StatefulSet", &mut faults);
    if let Some(old) = old {
        let mut munged = spec.clone();
        for name in MUTABLE {
            keep(&mut munged, old.part("spec"), name);
        }
        if munged != old["spec"] {
            let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
            faults.forbidden(&at, why);
        }
    }
    faults.into_errors()
}
