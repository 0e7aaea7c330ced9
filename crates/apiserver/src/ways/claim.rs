//! `PersistentVolumeClaim`.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/core. Where a claim is filled from is left as it is.

use serde_json::Value;

use super::fault::Faults;
use super::part::{Part as _, fill, fill_empty, found, keep, made, put};
use super::pod::{resource_amount, round_up};
use super::{STATUS, Ways, again};
use crate::status::FieldError;
use crate::validate::Path;

pub(super) static CLAIM: Ways = Ways {
    default: default_claim,
    prepare_create: |claim| put(claim, "status", serde_json::json!({"phase": "Pending"})),
    validate: check,
    ..STATUS
};

/// What a claim, or the template of one, is by default.
pub(super) fn default_claim(claim: &mut Value) {
    if let Some(status) = made(claim, "status") {
        fill_empty(status, "phase", "Pending");
    }
    if let Some(spec) = made(claim, "spec") {
        fill(spec, "volumeMode", "Filesystem");
        if let Some(resources) = found(spec, "resources") {
            round_up(resources, "limits");
            round_up(resources, "requests");
        }
    }
}

fn check(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    if old.is_some() {
        faults.extend(again(new, &CLAIM));
    }
    if spec.items("accessModes").is_empty() {
        let why = "at least 1 access mode is required";
        faults.required(&at.field("accessModes"), why);
    }
    let size = spec["resources"]["requests"].part("storage");
    let size_at = at.field("resources");
    match resource_amount(size) {
        None => faults.required(&size_at.key("storage"), ""),
        Some(amount) if amount <= 0 => {
            let why = "must be greater than zero";
            faults.invalid(&size_at.key("storage"), size.clone(), why);
        }
        Some(_) => {}
    }
    if let Some(old) = old {
        change(new, old.part("spec"), &at, &mut faults);
    }
    faults.into_errors()
}

fn change(new: &Value, before: &Value, at: &Path<'_>, faults: &mut Faults) {
    let mut munged = new.part("spec").clone();
    for name in ["volumeName", "storageClassName"] {
        if before.text(name).is_empty() {
            keep(&mut munged, before, name);
        }
    }
    if new["status"].text("phase") == "Bound" {
        keep(&mut munged, before, "volumeAttributesClassName");
        keep(&mut munged, before, "resources");
    }
    if munged != *before {
        let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n";
        faults.forbidden(at, why);
    }
}
