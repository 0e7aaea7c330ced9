//! What is wrong with what a container mounts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::volume::{Volumes, relative};
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, names};

/// Looks at what a container mounts.
pub(super) fn mounts(container: &Value, at: &Path<'_>, volumes: &Volumes<'_>, faults: &mut Faults) {
    let (mounts_at, devices_at) = (at.field("volumeMounts"), at.field("volumeDevices"));
    let (mounts, devices) = (
        container.items("volumeMounts"),
        container.items("volumeDevices"),
    );
    let device_names = names(devices, "name");
    let device_paths = names(devices, "devicePath");
    let mut seen = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let at = mounts_at.index(index);
        let (name, path) = (mount.text("name"), mount.text("mountPath"));
        if name.is_empty() {
            faults.required(&at.field("name"), "");
        }
        if !volumes.contains_key(name) {
            faults.not_found(&at.field("name"), name);
        }
        if path.is_empty() {
            faults.required(&at.field("mountPath"), "");
        }
        if !seen.insert(path) {
            faults.invalid(&at.field("mountPath"), path, "must be unique");
        }
        if device_names.contains(name) {
            let why = "must not already exist in volumeDevices";
            faults.invalid(&at.field("name"), name, why);
        }
        if device_paths.contains(path) {
            let why = "must not already exist as a path in volumeDevices";
            faults.invalid(&at.field("mountPath"), path, why);
        }
        let (within, expression) = (mount.text("subPath"), mount.text("subPathExpr"));
        // From here on upstream names the list.
        relative(within, &mounts_at.field("subPath"), faults);
        if !expression.is_empty() && !within.is_empty() {
            let why = "subPathExpr and subPath are mutually exclusive";
            faults.invalid(&at.field("subPathExpr"), expression, why);
        }
        relative(expression, &mounts_at.field("subPathExpr"), faults);
        shared(mount, container, &mounts_at, faults);
    }
    self::devices(devices, mounts, &devices_at, volumes, faults);
}

fn shared(mount: &Value, container: &Value, at: &Path<'_>, faults: &mut Faults) {
    let propagation = mount.part("mountPropagation");
    let propagation_at = at.field("mountPropagation");
    let known = ["Bidirectional", "HostToContainer", "None"];
    faults.one_of_if(&propagation_at, propagation, &known);
    if propagation == "Bidirectional" && !container["securityContext"].is_true("privileged") {
        let why = "Bidirectional mount propagation is available only to privileged containers";
        faults.forbidden(&propagation_at, why);
    }
    let at = at.field("recursiveReadOnly");
    let recursive = mount.part("recursiveReadOnly");
    faults.one_of_if(&at, recursive, &["Disabled", "Enabled", "IfPossible"]);
    if recursive == "Enabled" || recursive == "IfPossible" {
        if !mount.is_true("readOnly") {
            faults.forbidden(&at, "may only be specified when readOnly is true");
        }
        if propagation.is_string() && propagation != "None" {
            let why = "may only be specified when mountPropagation is None or not specified";
            faults.forbidden(&at, why);
        }
    }
}

fn devices(
    devices: &[Value],
    mounts: &[Value],
    at: &Path<'_>,
    volumes: &Volumes<'_>,
    faults: &mut Faults,
) {
    let (mounted, paths) = (names(mounts, "name"), names(mounts, "mountPath"));
    let (mut seen_names, mut seen_paths) = (BTreeSet::new(), BTreeSet::new());
    for (index, device) in devices.iter().enumerate() {
        let at = at.index(index);
        let (name, path) = (device.text("name"), device.text("devicePath"));
        if name.is_empty() {
            faults.required(&at.field("name"), "");
        }
        if !seen_names.insert(name) {
            faults.invalid(&at.field("name"), name, "must be unique");
        }
        match volumes.get(name) {
            None => faults.not_found(&at.field("name"), name),
            Some(volume) => {
                let is_claim = ["persistentVolumeClaim", "ephemeral", "spec"];
                if !is_claim.iter().any(|source| volume.has(source)) {
                    let why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                    faults.invalid(&at.field("name"), name, why);
                }
            }
        }
        if path.is_empty() {
            faults.required(&at.field("devicePath"), "");
        }
        if !seen_paths.insert(path) {
            faults.invalid(&at.field("devicePath"), path, "must be unique");
        }
        if path.split('/').any(|step| step == "..") {
            let why = "can not contain backsteps ('..')";
            faults.invalid(&at.field("devicePath"), path, why);
        }
        if paths.contains(path) {
            let why = "must not already exist as a path in volumeMounts";
            faults.invalid(&at.field("devicePath"), path, why);
        }
        if mounted.contains(name) {
            let why = "must not already exist in volumeMounts";
            faults.invalid(&at.field("name"), name, why);
        }
    }
}
