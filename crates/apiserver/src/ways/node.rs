//! `Node`, `Lease` and `Event`.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/core and pkg/apis/coordination.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fault::Faults;
use super::part::{Part as _, drop_field, fill, found, is_same, made, put};
use super::pod::round_up;
use super::{PLAIN, STATUS, Ways, rule};
use crate::status::FieldError;
use crate::validate::{NameRule, Path, dns1123_subdomain, label_value};

pub(super) static NODE: Ways = Ways {
    default: default_node,
    prepare_create: |node| {
        if let Some(spec) = made(node, "spec") {
            drop_field(spec, "configSource");
        }
    },
    validate: check_node,
    validate_status: |new, old| check_node(new, Some(old)),
    selectable: &[("spec.unschedulable", |node| {
        node["spec"].is_true("unschedulable").to_string()
    })],
    ..STATUS
};

pub(super) static LEASE: Ways = Ways {
    prepare_create: drop_strategy,
    prepare_update: |new, _| drop_strategy(new),
    validate: |new, _| {
        let mut faults = Faults::default();
        let (spec, at) = (new.part("spec"), Path::at("spec"));
        let name = "leaseDurationSeconds";
        if let Some(seconds) = spec.some_number(name).filter(|seconds| *seconds <= 0) {
            faults.invalid(&at.field(name), seconds, "must be greater than 0");
        }
        faults.none_negative(&at, spec, &["leaseTransitions"]);
        faults.into_errors()
    },
    unconditional_update: false,
    create_on_update: true,
    ..PLAIN
};

/// Events as the core group has them: the oldest kind, whose names are hardly checked.
pub(super) static CORE_EVENT: Ways = Ways {
    validate: |new, _| core_event(new),
    create_on_update: true,
    name: NameRule::PathSegment,
    selectable: &[
        ("involvedObject.apiVersion", |event| {
            involved(event, "apiVersion")
        }),
        ("involvedObject.fieldPath", |event| {
            involved(event, "fieldPath")
        }),
        ("involvedObject.kind", |event| involved(event, "kind")),
        ("involvedObject.name", |event| involved(event, "name")),
        ("involvedObject.namespace", |event| {
            involved(event, "namespace")
        }),
        ("involvedObject.resourceVersion", |event| {
            involved(event, "resourceVersion")
        }),
        ("involvedObject.uid", |event| involved(event, "uid")),
        ("reason", |event| event.text("reason").to_owned()),
        ("reportingComponent", |event| {
            event.text("reportingComponent").to_owned()
        }),
        ("source", |event| {
            match event["source"].text("component") {
                "" => event.text("reportingComponent"),
                component => component,
            }
            .to_owned()
        }),
        ("type", |event| event.text("type").to_owned()),
    ],
    ..PLAIN
};

pub(super) static EVENT: Ways = Ways {
    validate: event,
    create_on_update: true,
    selectable: &[
        ("reason", |event| event.text("reason").to_owned()),
        ("regarding.apiVersion", |event| {
            regarding(event, "apiVersion")
        }),
        ("regarding.fieldPath", |event| regarding(event, "fieldPath")),
        ("regarding.kind", |event| regarding(event, "kind")),
        ("regarding.name", |event| regarding(event, "name")),
        ("regarding.namespace", |event| regarding(event, "namespace")),
        ("regarding.resourceVersion", |event| {
            regarding(event, "resourceVersion")
        }),
        ("regarding.uid", |event| regarding(event, "uid")),
        ("reportingController", |event| {
            event.text("reportingController").to_owned()
        }),
        ("type", |event| event.text("type").to_owned()),
    ],
    ..PLAIN
};

fn involved(event: &Value, name: &str) -> String {
    event["involvedObject"].text(name).to_owned()
}

fn regarding(event: &Value, name: &str) -> String {
    event["regarding"].text(name).to_owned()
}

/// The feature that these fields belong to is off.
fn drop_strategy(lease: &mut Value) {
    if let Some(spec) = found(lease, "spec") {
        drop_field(spec, "strategy");
        drop_field(spec, "preferredHolder");
    }
}

fn default_node(node: &mut Value) {
    if let Some(status) = found(node, "status") {
        round_up(status, "capacity");
        if status.has("capacity") {
            let capacity = status["capacity"].clone();
            fill(status, "allocatable", capacity);
        }
        round_up(status, "allocatable");
    }
    let Some(spec) = found(node, "spec") else {
        return;
    };
    // The old and the new way to write a node's networks: the first of the new ones is the old one.
    let range = spec.text("podCIDR");
    let first = spec["podCIDRs"][0].as_str().unwrap_or_default();
    if !range.is_empty() && range != first {
        let ranges = serde_json::json!([range]);
        put(spec, "podCIDRs", ranges);
    } else if range.is_empty() && !first.is_empty() {
        let first = first.to_owned();
        put(spec, "podCIDR", first);
    }
}

fn check_node(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    // Upstream looks for the taints in the metadata.
    taints(spec, &Path::at("metadata.taints"), &mut faults);
    let ranges = at.field("podCIDRs");
    for (index, range) in spec.texts("podCIDRs").enumerate() {
        faults.each(&ranges.index(index), range, rule::network_faults(range));
    }
    let Some(old) = old else {
        return faults.into_errors();
    };
    let before = old.part("spec");
    if !before.items("podCIDRs").is_empty() && !is_same(spec, before, "podCIDRs") {
        let why = "node updates may not change podCIDR except from \"\" to valid";
        faults.forbidden(&ranges, why);
    }
    let id = "providerID";
    if !before.text(id).is_empty() && !is_same(spec, before, id) {
        let why = "node updates may not change providerID except from \"\" to valid";
        faults.forbidden(&at.field(id), why);
    }
    faults.into_errors()
}

fn taints(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let all = spec.items("taints");
    let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    let mut seen = BTreeSet::new();
    for (index, taint) in all.iter().enumerate() {
        let at = at.index(index);
        faults.qualified(&at.field("key"), taint.text("key"));
        let found = label_value(taint.text("value"));
        if !found.is_empty() {
            faults.invalid(&at.field("value"), taint.text("value"), found.join(";"));
        }
        faults.one_of(&at.field("effect"), taint.text("effect"), &known);
        if !seen.insert((taint.text("key"), taint.text("effect"))) {
            let mut shown = taint.clone();
            fill(&mut shown, "value", "");
            faults.extend([FieldError {
                detail: "taints must be unique by key and effect pair".to_owned(),
                ..FieldError::duplicate(at.text(), shown)
            }]);
        }
    }
}

fn core_event(event: &Value) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let namespace = event["metadata"].text("namespace");
    let about = event["involvedObject"].text("namespace");
    let at = Path::at("involvedObject.namespace");
    let why = "does not match event.namespace";
    if event.has("eventTime") {
        if about.is_empty() && !matches!(namespace, "default" | "kube-system") {
            faults.invalid(&at, about, why);
        }
        required(event, "reportingComponent", &mut faults);
    } else if about.is_empty() {
        if !matches!(namespace, "" | "default") {
            faults.invalid(&at, about, why);
        }
    } else if about != namespace {
        faults.invalid(&at, about, why);
    }
    faults.each(
        &Path::at("namespace"),
        namespace,
        dns1123_subdomain(namespace),
    );
    faults.into_errors()
}

/// What events have to say since they have a time.
fn required(event: &Value, controller: &str, faults: &mut Faults) {
    let name = event.text(controller);
    if name.is_empty() {
        faults.required(&Path::at(controller), "");
    }
    faults.qualified(&Path::at(controller), name);
    for (name, most) in [("reportingInstance", 128), ("action", 128), ("reason", 128)] {
        let text = event.text(name);
        if text.is_empty() {
            faults.required(&Path::at(name), "");
        } else if text.len() > most {
            let why = format!("can have at most {most} characters");
            faults.invalid(&Path::at(name), "", why);
        }
    }
    for name in ["message", "note"] {
        if event.text(name).len() > 1024 {
            let why = "can have at most 1024 characters";
            faults.invalid(&Path::at("message"), "", why);
        }
    }
}

fn event(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let namespace = new["metadata"].text("namespace");
    if new.has("eventTime") {
        let about = new["regarding"].text("namespace");
        if about.is_empty() && !matches!(namespace, "default" | "kube-system") {
            let at = Path::at("involvedObject.namespace");
            faults.invalid(&at, about, "does not match event.namespace");
        }
        required(new, "reportingController", &mut faults);
    }
    if new.has("series") {
        if new["series"].number("count") < 2 {
            faults.invalid(&Path::at("series.count"), "", "should be at least 2");
        }
        if !new["series"].has("lastObservedTime") {
            faults.required(&Path::at("series.lastObservedTime"), "");
        }
    }
    if let Some(old) = old {
        for (name, known) in [
            ("regarding", "involvedObject"),
            ("reason", "reason"),
            ("note", "message"),
            ("type", "type"),
            ("action", "action"),
            ("related", "related"),
            ("reportingController", "reportingController"),
            ("reportingInstance", "reportingInstance"),
        ] {
            faults.immutable(&Path::at(known), new.part(name), old.part(name));
        }
        return faults.into_errors();
    }
    if !new.has("eventTime") {
        faults.required(&Path::at("eventTime"), "");
    }
    let kind = new.text("type");
    if !["Normal", "Warning"].contains(&kind) {
        faults.invalid(&Path::at("type"), "", format!("has invalid value: {kind}"));
    }
    for (name, known) in [
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
    ] {
        if new.has(name) && new[name] != 0 {
            faults.invalid(&Path::at(known), "", "needs to be unset");
        }
    }
    let source = new.part("deprecatedSource");
    if !source.text("component").is_empty() || !source.text("host").is_empty() {
        faults.invalid(&Path::at("source"), "", "needs to be unset");
    }
    faults.into_errors()
}
