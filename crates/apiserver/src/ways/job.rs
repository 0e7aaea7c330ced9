//! `Job`.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/batch/v1 (defaults), pkg/apis/batch/validation, and the
//! strategies in pkg/registry/batch.

mod check;

use serde_json::{Value, json};

use super::part::{self, Part as _, fill, made};
use super::pod::default_template;
use super::workload::take_labels;
use super::{STATUS, Ways, drop_status};
use crate::registry::options::Propagation;

pub(super) static JOB: Ways = Ways {
    default: default_job,
    prepare_create: |job| {
        drop_status(job);
        if job["spec"]["manualSelector"] != json!(true) {
            select_own(job);
        }
    },
    validate: check::job,
    validate_status: check::status,
    generation: true,
    default_propagation: Propagation::Orphan,
    selectable: &[("status.successful", |job| {
        job["status"].number("succeeded").to_string()
    })],
    ..STATUS
};

const UID: &str = "batch.kubernetes.io/controller-uid";
const NAME: &str = "batch.kubernetes.io/job-name";
const OLD_UID: &str = "controller-uid";
const OLD_NAME: &str = "job-name";

fn default_job(job: &mut Value) {
    let labels = job["spec"]["template"]["metadata"]["labels"].clone();
    take_labels(job, &labels);
    let Some(spec) = made(job, "spec") else {
        return;
    };
    if !spec.has("completions") && !spec.has("parallelism") {
        part::put(spec, "completions", 1);
    }
    fill(spec, "parallelism", 1);
    let limit = if spec.has("backoffLimitPerIndex") {
        i32::MAX
    } else {
        6
    };
    fill(spec, "backoffLimit", limit);
    fill(spec, "completionMode", "NonIndexed");
    fill(spec, "suspend", false);
    let policy = if spec.has("podFailurePolicy") {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    fill(spec, "podReplacementPolicy", policy);
    fill(spec, "manualSelector", false);
    default_template(spec, "template");
}

/// Labels the Pods of a Job with its uid, and selects them by it. A Job without labels of its own has
/// theirs.
fn select_own(job: &mut Value) {
    let metadata = job.part("metadata");
    let (name, uid) = (
        metadata.text("name").to_owned(),
        metadata.text("uid").to_owned(),
    );
    let is_shared = metadata["labels"] == job["spec"]["template"]["metadata"]["labels"];
    let Some(spec) = made(job, "spec") else {
        return;
    };
    let labels = made(spec, "template")
        .and_then(|template| made(template, "metadata"))
        .and_then(|metadata| made(metadata, "labels"));
    let mut all = Value::Null;
    if let Some(labels) = labels {
        for (key, value) in [
            (OLD_NAME, &name),
            (NAME, &name),
            (OLD_UID, &uid),
            (UID, &uid),
        ] {
            fill(labels, key, value.as_str());
        }
        if is_shared {
            all = labels.clone();
        }
    }
    let labels = made(spec, "selector").and_then(|selector| made(selector, "matchLabels"));
    if let Some(labels) = labels {
        fill(labels, UID, uid);
    }
    if is_shared && let Some(metadata) = made(job, "metadata") {
        part::put(metadata, "labels", all);
    }
}
