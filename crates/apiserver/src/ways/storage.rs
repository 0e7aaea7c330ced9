//! `PersistentVolumeClaim`, `PersistentVolume`, `StorageClass` and what else storage needs.
//!
//! External rules: k8s.io/kubernetes, pkg/apis/core and pkg/apis/storage. Of a volume's source is
//! checked that there is one.

mod class;

use serde_json::Value;

use super::fault::Faults;
use super::part::{self, Part as _, drop_field, fill, fill_empty, found, is_same, keep, made, put};
use super::pod::{host_path, node_selector, resource_amount, resource_quantity, round_up};
use super::{PLAIN, STATUS, Ways, again, drop_status, keep_status, selector};
use crate::status::FieldError;
use crate::validate::Path;

pub(super) static CLAIM: Ways = Ways {
    default: default_claim,
    prepare_create: |claim| {
        put(claim, "status", serde_json::json!({"phase": "Pending"}));
        settle_sources(claim, None);
    },
    prepare_update: |new, old| {
        keep_status(new, old);
        settle_sources(new, Some(old));
    },
    validate: check_claim,
    ..STATUS
};

pub(super) static VOLUME: Ways = Ways {
    default: |volume| {
        if let Some(status) = made(volume, "status") {
            fill_empty(status, "phase", "Pending");
        }
        if let Some(spec) = made(volume, "spec") {
            fill_empty(spec, "persistentVolumeReclaimPolicy", "Retain");
            fill(spec, "volumeMode", "Filesystem");
            round_up(spec, "capacity");
            if let Some(path) = found(spec, "hostPath") {
                fill(path, "type", "");
            }
        }
    },
    prepare_create: |volume| {
        let now = volume["metadata"]["creationTimestamp"].clone();
        let status = serde_json::json!({"phase": "Pending", "lastPhaseTransitionTime": now});
        put(volume, "status", status);
    },
    validate: check_volume,
    ..STATUS
};

pub(super) static STORAGE_CLASS: Ways = Ways {
    default: |class| {
        fill(class, "reclaimPolicy", "Delete");
        fill(class, "volumeBindingMode", "Immediate");
    },
    validate: class::check,
    ..PLAIN
};

pub(super) static DRIVER: Ways = Ways {
    default: |driver| {
        let Some(spec) = made(driver, "spec") else {
            return;
        };
        fill(spec, "attachRequired", true);
        fill(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
        for name in [
            "podInfoOnMount",
            "requiresRepublish",
            "seLinuxMount",
            "storageCapacity",
        ] {
            fill(spec, name, false);
        }
        if spec.items("volumeLifecycleModes").is_empty() {
            put(
                spec,
                "volumeLifecycleModes",
                serde_json::json!(["Persistent"]),
            );
        }
    },
    unconditional_update: false,
    ..PLAIN
};

pub(super) static ATTACHMENT: Ways = Ways {
    prepare_create: drop_status,
    unconditional_update: false,
    status_resets: &["metadata", "spec"],
    ..STATUS
};

const MODES: [&str; 4] = [
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOnce",
    "ReadWriteOncePod",
];
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

/// What a claim, or the template of one, is by default.
pub(super) fn default_claim(claim: &mut Value) {
    if let Some(status) = made(claim, "status") {
        fill_empty(status, "phase", "Pending");
        round_up(status, "capacity");
    }
    if let Some(spec) = made(claim, "spec") {
        fill(spec, "volumeMode", "Filesystem");
        if let Some(resources) = found(spec, "resources") {
            round_up(resources, "limits");
            round_up(resources, "requests");
        }
    }
}

/// What a claim is filled from can be written in two ways.
fn settle_sources(claim: &mut Value, old: Option<&Value>) {
    let old = old.map_or(&Value::Null, |old| old.part("spec"));
    let Some(spec) = made(claim, "spec") else {
        return;
    };
    let had_one = old.has("dataSource") || old.has("dataSourceRef");
    if !had_one && !spec.has("dataSourceRef") && spec.has("dataSource") {
        let source = spec.part("dataSource");
        let known = matches!(
            (source.text("apiGroup"), source.text("kind")),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        );
        if !known {
            drop_field(spec, "dataSource");
        }
    }
    match (spec.has("dataSource"), spec.has("dataSourceRef")) {
        (true, false) => {
            let source = spec["dataSource"].clone();
            put(spec, "dataSourceRef", source);
        }
        (false, true) if spec["dataSourceRef"].text("namespace").is_empty() => {
            let mut source = spec["dataSourceRef"].clone();
            drop_field(&mut source, "namespace");
            put(spec, "dataSource", source);
        }
        _ => {}
    }
}

fn check_claim(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &CLAIM));
    }
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    claim_spec(spec, &at, &mut faults);
    if let Some(old) = old {
        change(new, old, &at, &mut faults);
    }
    faults.into_errors()
}

fn change(new: &Value, old: &Value, at: &Path<'_>, faults: &mut Faults) {
    let (spec, before) = (new.part("spec"), old.part("spec"));
    if spec == before {
        return;
    }
    let mut munged = spec.clone();
    if before.text("volumeName").is_empty() {
        keep(&mut munged, before, "volumeName");
    }
    if !before.has("storageClassName") {
        keep(&mut munged, before, "storageClassName");
    }
    let (size, size_before) = (
        spec["resources"]["requests"].part("storage"),
        before["resources"]["requests"].part("storage"),
    );
    if new["status"].text("phase") == "Bound" {
        keep(&mut munged, before, "volumeAttributesClassName");
        let requests = found(&mut munged, "resources")
            .and_then(|resources| part::found(resources, "requests"));
        if let Some(requests) = requests {
            put(requests, "storage", size_before.clone());
        }
    }
    if munged != *before {
        let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n";
        faults.forbidden(at, why);
    }
    let (size, size_before) = (
        resource_amount(size).unwrap_or(0),
        resource_amount(size_before).unwrap_or(0),
    );
    let capacity = resource_amount(old["status"]["capacity"].part("storage")).unwrap_or(0);
    if size < size_before && size <= capacity {
        let at = Path::at("spec.resources.requests.storage");
        faults.forbidden(&at, "field can not be less than status.capacity");
    }
    let mode = "volumeMode";
    faults.immutable(&Path::at(mode), spec.part(mode), before.part(mode));
}

/// What is wrong with the spec of a claim.
pub(super) fn claim_spec(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let modes = at.field("accessModes");
    if spec.items("accessModes").is_empty() {
        faults.required(&modes, "at least 1 access mode is required");
    }
    selector::check(spec.part("selector"), &at.field("selector"), faults);
    access_modes(spec, &modes, faults);
    let resources = at.field("resources");
    let size_at = resources.key("storage");
    let size = spec["resources"]["requests"].part("storage");
    match resource_amount(size) {
        None => faults.required(&size_at, ""),
        Some(amount) if amount <= 0 => {
            faults.invalid(&size_at, size.clone(), "must be greater than zero");
        }
        Some(_) => resource_quantity("storage", size, &size_at, faults),
    }
    class_name(spec, "storageClassName", at, faults);
    let mode = spec.part("volumeMode");
    faults.one_of_if(&at.field("volumeMode"), mode, &["Block", "Filesystem"]);
    for name in ["dataSource", "dataSourceRef"] {
        if spec.has(name) {
            source(spec.part(name), &at.field(name), faults);
        }
    }
    class_name(spec, "volumeAttributesClassName", at, faults);
}

fn access_modes(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    for mode in spec.texts("accessModes") {
        if !MODES.contains(&mode) {
            faults.unsupported(at, mode, &MODES);
        }
    }
    let alone = |mode: &str| mode == "ReadWriteOncePod";
    let known = || {
        spec.texts("accessModes")
            .filter(|mode| MODES.contains(mode))
    };
    if known().any(alone) && !known().all(alone) {
        let why = "may not use ReadWriteOncePod with other access modes";
        faults.forbidden(at, why);
    }
}

fn class_name(spec: &Value, name: &str, at: &Path<'_>, faults: &mut Faults) {
    let class = spec.text(name);
    if !class.is_empty() {
        faults.subdomain(&at.field(name), class);
    }
}

fn source(source: &Value, at: &Path<'_>, faults: &mut Faults) {
    for name in ["name", "kind"] {
        if source.text(name).is_empty() {
            faults.required(&at.field(name), "");
        }
    }
    let group = source.text("apiGroup");
    if group.is_empty() && source.text("kind") != "PersistentVolumeClaim" {
        let why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        faults.invalid(at, source["kind"].clone(), why);
    } else if !group.is_empty() {
        faults.subdomain(&at.field("apiGroup"), group);
    }
}

fn check_volume(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &VOLUME));
    }
    let (spec, at) = (new.part("spec"), Path::at("spec"));
    if spec.items("accessModes").is_empty() {
        faults.required(&at.field("accessModes"), "");
    }
    access_modes(spec, &at.field("accessModes"), &mut faults);
    let capacity = at.field("capacity");
    let entries = spec.entries("capacity").count();
    if entries == 0 {
        faults.required(&capacity, "");
    }
    if entries != 1 || !spec["capacity"].has("storage") {
        let shown = spec["capacity"].clone();
        faults.unsupported(&capacity, shown, &["storage"]);
    }
    for (name, value) in spec.entries("capacity") {
        if resource_amount(value).is_some_and(|amount| amount <= 0) {
            let why = "must be greater than zero";
            faults.invalid(&capacity.key(name), value.clone(), why);
        }
    }
    let policy = spec.part("persistentVolumeReclaimPolicy");
    let known = ["Delete", "Recycle", "Retain"];
    faults.one_of_if(&at.field("persistentVolumeReclaimPolicy"), policy, &known);
    if spec["nodeAffinity"].has("required") {
        let at = at.field("nodeAffinity");
        let required = spec["nodeAffinity"].part("required");
        node_selector(required, &at.field("required"), &mut faults);
    }
    volume_source(spec, &at, &mut faults);
    class_name(spec, "storageClassName", &at, &mut faults);
    let mode = spec.part("volumeMode");
    faults.one_of_if(&at.field("volumeMode"), mode, &["Block", "Filesystem"]);
    if let Some(old) = old {
        let before = old.part("spec");
        if !SOURCES.iter().all(|name| is_same(spec, before, name)) {
            let why = "spec.persistentvolumesource is immutable after creation\n";
            faults.forbidden(&at.field("persistentvolumesource"), why);
        }
        let name = "volumeMode";
        faults.immutable(&Path::at(name), spec.part(name), before.part(name));
        let name = "nodeAffinity";
        if before.has(name) && !is_same(spec, before, name) {
            let shown = spec[name].clone();
            faults.invalid(&Path::at(name), shown, "field is immutable");
        }
    }
    faults.into_errors()
}

fn volume_source(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let mut given = false;
    for name in SOURCES {
        if !spec.has(name) {
            continue;
        }
        let at = at.field(name);
        if given {
            faults.forbidden(&at, "may not specify more than 1 volume type");
        } else if name == "hostPath" {
            host_path(spec.part(name), &at, faults);
        } else if name == "local" && spec[name].text("path").is_empty() {
            faults.required(&at.field("path"), "");
        }
        given = true;
    }
    if spec.has("local") && !spec["nodeAffinity"].has("required") {
        let why = "Local volume requires node affinity";
        faults.required(&at.field("nodeAffinity"), why);
    }
    if !given {
        faults.required(at, "must specify a volume type");
    }
}
