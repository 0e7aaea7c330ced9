//! `Deployment`, `ReplicaSet`, `ReplicationController`, `StatefulSet`, `DaemonSet` and
//! `ControllerRevision`.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/apps/v1 (defaults), pkg/apis/apps/validation, and the
//! strategies in pkg/registry/apps. `maxUnavailable` of StatefulSets is dropped: the feature is off.

mod check;
mod daemon;
mod stateful;

use serde_json::{Map, Value};

pub(super) use check::{at_most_all, count_or_share};
pub(super) use daemon::DAEMON_SET;
pub(super) use stateful::STATEFUL_SET;

use super::fault::Faults;
use super::part::{self, Part as _, fill, fill_empty, keep, made};
use super::pod::default_template;
use super::{PLAIN, ReadField, STATUS, Ways, again, keep_spec};
use crate::registry::options::Propagation;
use crate::validate::Path;

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
    validate_status: check::replica_status,
    generation: true,
    selectable: REPLICAS,
    ..STATUS
};

pub(super) static REPLICATION_CONTROLLER: Ways = Ways {
    default: default_controller,
    validate: check::controller,
    validate_status: check::replica_status,
    generation: true,
    default_propagation: Propagation::Orphan,
    selectable: REPLICAS,
    ..STATUS
};

pub(super) static CONTROLLER_REVISION: Ways = Ways {
    validate: |new, old| {
        let mut faults = Faults::default();
        if old.is_some() {
            faults.extend(again(new, &CONTROLLER_REVISION));
        }
        faults.not_negative(&Path::at("revision"), new.number("revision"));
        let at = Path::at("data");
        match (old, new.part("data")) {
            (Some(old), data) => faults.immutable(&at, data, old.part("data")),
            (None, Value::Object(_)) => {}
            (None, Value::Null) => faults.required(&at, "data is mandatory"),
            (None, _) => faults.required(&at, "data must be a valid JSON object"),
        }
        faults.into_errors()
    },
    ..PLAIN
};

const REPLICAS: &[(&str, ReadField)] = &[("status.replicas", |object| {
    object["status"].number("replicas").to_string()
})];

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

fn default_controller(controller: &mut Value) {
    let labels = controller["spec"]["template"]["metadata"]["labels"].clone();
    if labels.is_object() {
        take_labels(controller, &labels);
    }
    let Some(spec) = made(controller, "spec") else {
        return;
    };
    fill(spec, "replicas", 1);
    let is_empty = spec["selector"].as_object().is_none_or(Map::is_empty);
    if labels.is_object() && is_empty {
        part::put(spec, "selector", labels);
    }
    if spec.has("template") {
        default_template(spec, "template");
    }
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
