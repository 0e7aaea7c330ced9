//! What may not be changed of a Pod.
//!
//! External rules: `ValidatePodUpdate` of k8s.io/kubernetes, pkg/apis/core/validation. Where upstream
//! shows the difference of both specs, nothing is shown.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check;
use crate::status::FieldError;
use crate::validate::{NameRule, Path};
use crate::ways::again_as;
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, drop_field, each, keep, names};

/// What is wrong with a change.
pub(super) fn check(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    faults.extend(again_as(new, NameRule::Subdomain));
    check::pod(new, &mut faults);
    let at = Path::at("spec");
    let (spec, before) = (new.part("spec"), old.part("spec"));
    for list in ["containers", "initContainers"] {
        if spec.items(list).len() != before.items(list).len() {
            let why = "pod updates may not add or remove containers";
            faults.forbidden(&at.field(list), why);
            return faults.into_errors();
        }
        let at = at.field(list);
        for (index, container) in spec.items(list).iter().enumerate() {
            let at = at.index(index);
            if container.text("image").is_empty() {
                faults.required(&at.field("image"), "");
            }
            check::untrimmed(container, &at, &mut faults);
        }
    }
    if !deadline(
        spec,
        before,
        &at.field("activeDeadlineSeconds"),
        &mut faults,
    ) {
        return faults.into_errors();
    }
    tolerations(spec, before, &at.field("tolerations"), &mut faults);
    let gates = names(before.items("schedulingGates"), "name");
    let gates_at = at.field("schedulingGates");
    for (index, gate) in spec.items("schedulingGates").iter().enumerate() {
        let name = gate.text("name");
        if !gates.contains(name) {
            let why = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            faults.forbidden(&gates_at.index(index).field("name"), why);
        }
    }
    if spec != before && differs(spec, before) {
        let why = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n";
        faults.forbidden(&at, why);
    }
    faults.into_errors()
}

fn deadline(new: &Value, old: &Value, at: &Path<'_>, faults: &mut Faults) -> bool {
    let name = "activeDeadlineSeconds";
    match (new.some_number(name), old.some_number(name)) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            let why = "must be between 0 and 2147483647, inclusive";
            faults.invalid(at, new, why);
            false
        }
        (Some(new), Some(old)) if old < new => {
            let why = "must be less than or equal to previous value";
            faults.invalid(at, new, why);
            false
        }
        (None, Some(_)) => {
            let why = "must not update from a positive integer to nil value";
            faults.invalid(at, Value::Null, why);
            true
        }
        _ => true,
    }
}

/// Tolerations may be added, and may last longer or shorter.
fn tolerations(new: &Value, old: &Value, at: &Path<'_>, faults: &mut Faults) {
    let plain = |toleration: &Value| {
        let mut plain = toleration.clone();
        drop_field(&mut plain, "tolerationSeconds");
        plain.to_string()
    };
    let all: BTreeSet<String> = new.items("tolerations").iter().map(plain).collect();
    let is_kept = |toleration: &Value| all.contains(&plain(toleration));
    if !old.items("tolerations").iter().all(is_kept) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        faults.forbidden(at, why);
    }
}

/// Whether specs differ in what may not change.
fn differs(new: &Value, old: &Value) -> bool {
    let mut munged = new.clone();
    for list in ["containers", "initContainers"] {
        for (container, before) in each(&mut munged, list).zip(old.items(list)) {
            keep(container, before, "image");
        }
    }
    for name in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        keep(&mut munged, old, name);
    }
    if old.number("terminationGracePeriodSeconds") < 0 {
        keep(&mut munged, old, "terminationGracePeriodSeconds");
    }
    if !old.items("schedulingGates").is_empty() {
        // A Pod that is held back may still be told where to run.
        keep(&mut munged, old, "nodeSelector");
        if munged.has("affinity") && old.has("affinity") {
            let nodes = old["affinity"]["nodeAffinity"].clone();
            munged["affinity"]["nodeAffinity"] = nodes;
        }
    }
    munged != *old
}
