//! `StatefulSet`.

use serde_json::{Map, Value};

use super::check::{always, at_most, label_selector, not_decremented, taken};
use crate::status::FieldError;
use crate::validate::{NameRule, Path};
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, drop_field, each, fill, fill_empty, found, keep, made, put};
use crate::ways::pod::{Owner, check_template, default_template};
use crate::ways::{STATUS, Ways, drop_status, keep_status, storage};

pub(in crate::ways) static STATEFUL_SET: Ways = Ways {
    default,
    prepare_create: |set| {
        drop_status(set);
        drop_unavailable(set);
    },
    prepare_update: |new, old| {
        keep_status(new, old);
        drop_unavailable(new);
    },
    validate: check,
    validate_status: status,
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
    for claim in each(spec, "volumeClaimTemplates") {
        storage::default_claim(claim);
        put(claim, "apiVersion", "v1");
        put(claim, "kind", "PersistentVolumeClaim");
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

fn drop_unavailable(set: &mut Value) {
    let strategy = found(set, "spec").and_then(|spec| found(spec, "updateStrategy"));
    if let Some(rolling) = strategy.and_then(|strategy| found(strategy, "rollingUpdate")) {
        drop_field(rolling, "maxUnavailable");
    }
}

fn check(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    let policy = spec.text("podManagementPolicy");
    if !["OrderedReady", "Parallel"].contains(&policy) {
        let at = at.field("podManagementPolicy");
        faults.invalid(&at, policy, "must be 'OrderedReady' or 'Parallel'");
    }
    strategy(
        spec.part("updateStrategy"),
        &at.field("updateStrategy"),
        &mut faults,
    );
    let policies = at.field("persistentVolumeClaimRetentionPolicy");
    for name in ["whenDeleted", "whenScaled"] {
        let policy = spec["persistentVolumeClaimRetentionPolicy"].text(name);
        if !["Retain", "Delete"].contains(&policy) {
            faults.unsupported(&policies.field(name), policy, &["Retain", "Delete"]);
        }
    }
    let claims = spec.items("volumeClaimTemplates");
    if old.is_none() {
        let at = at.field("volumeClaimTemplates");
        for (index, claim) in claims.iter().enumerate() {
            let at = at.index(index);
            storage::claim_spec(claim.part("spec"), &at.field("spec"), &mut faults);
        }
    }
    faults.none_negative(&at, spec, &["replicas", "minReadySeconds"]);
    let start = spec["ordinals"].number("start");
    faults.not_negative(&at.field("ordinals.start"), start);
    let service = spec.text("serviceName");
    if old.is_none() && !service.is_empty() {
        faults.label(&at.field("serviceName"), service);
    }
    label_selector(spec, &at, "statefulset", &mut faults);
    let template = spec.part("template");
    if taken(spec, &at, "", &mut faults) {
        let owner = Owner {
            claims,
            names_hosts: true,
        };
        let at = at.field("template");
        let found = check_template(template, &at, &owner);
        // Upstream looks at the labels of the template once more.
        faults.extend(found);
        faults.labels(&at.field("labels"), template["metadata"].part("labels"));
    }
    always(template, &at.field("template"), "StatefulSet", &mut faults);
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

fn strategy(strategy: &Value, at: &Path<'_>, faults: &mut Faults) {
    let rolling_at = at.field("rollingUpdate");
    let rolling = strategy.part("rollingUpdate");
    match strategy.text("type") {
        "OnDelete" => {
            if !rolling.is_null() {
                let why = "only allowed for updateStrategy 'RollingUpdate'";
                faults.invalid(&rolling_at, rolling.clone(), why);
            }
        }
        "RollingUpdate" => {
            faults.not_negative(&rolling_at.field("partition"), rolling.number("partition"));
        }
        other => {
            // Upstream shows its own struct, whose fields have other names.
            let shown = serde_json::json!({"Type": other, "RollingUpdate": rolling});
            faults.invalid(at, shown, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

fn status(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (status, at) = (new.part("status"), Path::at("status"));
    let counts = [
        "replicas",
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
        "observedGeneration",
        "collisionCount",
    ];
    faults.none_negative(&at, status, &counts);
    let parts = [
        "readyReplicas",
        "currentReplicas",
        "updatedReplicas",
        "availableReplicas",
    ];
    let why = "cannot be greater than status.readyReplicas";
    at_most(status, &at, &parts, why, &mut faults);
    not_decremented(status, old.part("status"), &at, &mut faults);
    faults.into_errors()
}
