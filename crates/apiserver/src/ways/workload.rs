//! `Deployment`, `ReplicaSet`, `StatefulSet` and `DaemonSet`.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/apps/v1 (defaults), pkg/apis/apps/validation, and the
//! strategies in pkg/registry/apps.

mod check;
mod daemon;
mod stateful;

use serde_json::{Map, Value};

pub(super) use daemon::DAEMON_SET;
pub(super) use stateful::STATEFUL_SET;

use super::part::{self, Part as _, fill, fill_empty, keep, made};
use super::pod::default_template;
use super::{STATUS, Ways, keep_spec};

pub(super) static DEPLOYMENT: Ways = Ways {
    default: default_deployment,
    prepare_status_update: |new, old| {
        keep_spec(new, old);
        if let Some(metadata) = made(new, "metadata") {
            keep(metadata, old.part("metadata"), "labels");
        }
    },
    validate: check::deployment,
    validate_status: check::deployment_status,
    generation: true,
    counts: check::is_spec_or_annotation_changed,
    status_resets: &["spec", "metadata.labels"],
    ..STATUS
};

pub(super) static REPLICA_SET: Ways = Ways {
    default: |object| {
        if let Some(spec) = made(object, "spec") {
            fill(spec, "replicas", 1);
            default_template(spec, "template");
        }
    },
    validate: check::replica_set,
    generation: true,
    ..STATUS
};

fn default_deployment(deployment: &mut Value) {
    let Some(spec) = made(deployment, "spec") else {
        return;
    };
    fill(spec, "replicas", 1);
    default_template(spec, "template");
    if let Some(strategy) = made(spec, "strategy") {
        fill_empty(strategy, "type", "RollingUpdate");
        if strategy.text("type") == "RollingUpdate"
            && let Some(rolling) = made(strategy, "rollingUpdate")
        {
            fill(rolling, "maxUnavailable", "25%");
            fill(rolling, "maxSurge", "25%");
        }
    }
    fill(spec, "revisionHistoryLimit", 10);
    fill(spec, "progressDeadlineSeconds", 600);
}

/// Gives an object that has no labels those of its Pods.
pub(super) fn take_labels(object: &mut Value, labels: &Value) {
    let own = object["metadata"].part("labels");
    let is_empty = own.as_object().is_none_or(Map::is_empty);
    let is_worth = labels.as_object().is_some_and(|labels| !labels.is_empty());
    if is_empty
        && is_worth
        && let Some(metadata) = made(object, "metadata")
    {
        part::put(metadata, "labels", labels.clone());
    }
}
