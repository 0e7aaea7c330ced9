//! What is wrong with the status of a Job.

use serde_json::Value;

use crate::status::FieldError;
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;

/// The status of a Job.
pub(super) fn job_status(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (status, at) = (new.part("status"), Path::at("status"));
    let counts = ["active", "succeeded", "failed", "ready", "terminating"];
    faults.none_negative(&at, status, &counts);
    let is = |object: &Value, kind: &str| {
        object["status"]
            .items("conditions")
            .iter()
            .any(|condition| condition.text("type") == kind && condition.text("status") == "True")
    };
    let (complete, failed) = (is(new, "Complete"), is(new, "Failed"));
    let conditions = at.field("conditions");
    let mut refuse = |why: &str| {
        // Upstream shows no value here.
        faults.extend([FieldError {
            kind: crate::status::FieldErrorKind::Forbidden,
            ..FieldError::invalid(conditions.text(), Value::Null, why)
        }]);
    };
    if complete && failed {
        refuse("cannot set Complete=True and Failed=true conditions");
    }
    for kind in ["Complete", "Failed"] {
        if is(old, kind) && !is(new, kind) {
            let why = format!("cannot disable the terminal {kind}=True condition");
            refuse(&why);
        }
    }
    if failed && !is(old, "Failed") && !is(new, "FailureTarget") {
        refuse("cannot set Failed=True condition without the FailureTarget=true condition");
    }
    if complete && !is(old, "Complete") && !is(new, "SuccessCriteriaMet") {
        refuse("cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
    }
    let changed = complete != is(old, "Complete") || failed != is(old, "Failed");
    if changed && (complete || failed) {
        if !status.has("startTime") {
            faults.required(
                &at.field("startTime"),
                "startTime is required for finished job",
            );
        }
        let active = status.number("active");
        if active > 0 {
            let why = "active>0 is invalid for finished job";
            faults.invalid(&at.field("active"), active, why);
        }
    }
    if complete && !status.has("completionTime") {
        let why = "completionTime is required for Complete jobs";
        faults.required(&at.field("completionTime"), why);
    }
    faults.into_errors()
}
