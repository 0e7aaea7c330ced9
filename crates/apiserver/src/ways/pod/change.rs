//! What may not be changed of a Pod.
//!
//! External rules: `ValidatePodUpdate` of k8s.io/kubernetes, pkg/apis/core/validation. Where upstream
//! shows the difference of both specs, nothing is shown.

use serde_json::Value;

use super::check;
use crate::status::FieldError;
use crate::validate::{NameRule, Path};
use crate::ways::again_as;
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, each, keep};

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
    }
    if spec != before && differs(spec, before) {
        let why = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n";
        faults.forbidden(&at, why);
    }
    faults.into_errors()
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
    munged != *old
}
