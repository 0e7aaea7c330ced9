//! What is wrong with the volumes of a Pod and with how its containers mount them.
//!
//! Looked at are the sources that are files of other objects, and claims.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;

/// The names of the volumes that may be mounted.
pub(super) type Volumes<'a> = BTreeSet<&'a str>;

const MODES: &str = "must be a number between 0 and 0777 (octal), both inclusive";
/// The sources, in upstream's order.
const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];
/// What some of them require.
const REQUIRED: [(&str, &str); 4] = [
    ("hostPath", "path"),
    ("secret", "secretName"),
    ("persistentVolumeClaim", "claimName"),
    ("configMap", "name"),
];

/// Looks at the volumes; those without a fault may be mounted, and those that the owner adds.
pub(super) fn check<'a>(
    spec: &'a Value,
    at: &Path<'_>,
    claims: &'a [Value],
    faults: &mut Faults,
) -> Volumes<'a> {
    let claimed: Volumes<'a> = claims
        .iter()
        .map(|claim| claim["metadata"].text("name"))
        .collect();
    let mut volumes = claimed.clone();
    for (index, volume) in spec.items("volumes").iter().enumerate() {
        let at = at.index(index);
        let name = volume.text("name");
        let before = faults.len();
        source(volume, &at, faults);
        if name.is_empty() {
            faults.required(&at.field("name"), "");
        } else {
            faults.label(&at.field("name"), name);
        }
        if volumes.contains(name) && !claimed.contains(name) {
            faults.duplicate(&at.field("name"), name);
        }
        if faults.len() == before {
            volumes.insert(name);
        }
    }
    volumes
}

fn source(volume: &Value, at: &Path<'_>, faults: &mut Faults) {
    let mut given = SOURCES.iter().filter(|name| volume.has(name));
    let Some(&name) = given.next() else {
        faults.required(at, "must specify a volume type");
        return;
    };
    let source = volume.part(name);
    let source_at = at.field(name);
    for (_, required) in REQUIRED.iter().filter(|(of, _)| *of == name) {
        if source.text(required).is_empty() {
            faults.required(&source_at.field(required), "");
        }
    }
    mode(source, "defaultMode", &source_at, faults);
    if matches!(name, "secret" | "configMap") {
        items(source, &source_at, faults);
    }
    let sources = source_at.field("sources");
    for (index, source) in source.items("sources").iter().enumerate() {
        let at = sources.index(index);
        for name in ["secret", "configMap"] {
            let (source, at) = (source.part(name), at.field(name));
            if !source.is_null() && source.text("name").is_empty() {
                faults.required(&at.field("name"), "");
            }
            items(source, &at, faults);
        }
    }
    for name in given {
        faults.forbidden(&at.field(name), "may not specify more than 1 volume type");
    }
}

/// Looks at what a container mounts.
pub(super) fn mounts(container: &Value, at: &Path<'_>, volumes: &Volumes<'_>, faults: &mut Faults) {
    let mut seen = BTreeSet::new();
    for (index, mount) in container.items("volumeMounts").iter().enumerate() {
        let place = at.index(index);
        let (name, path) = (mount.text("name"), mount.text("mountPath"));
        if name.is_empty() {
            faults.required(&place.field("name"), "");
        }
        if !volumes.contains(name) {
            faults.not_found(&place.field("name"), name);
        }
        if path.is_empty() {
            faults.required(&place.field("mountPath"), "");
        }
        if !seen.insert(path) {
            faults.invalid(&place.field("mountPath"), path, "must be unique");
        }
        // From here on upstream names the list.
        relative(mount.text("subPath"), &at.field("subPath"), faults);
    }
}

fn mode(source: &Value, name: &str, at: &Path<'_>, faults: &mut Faults) {
    if let Some(mode) = source
        .some_number(name)
        .filter(|mode| !(0..=0o777).contains(mode))
    {
        faults.invalid(&at.field(name), mode, MODES);
    }
}

fn items(source: &Value, at: &Path<'_>, faults: &mut Faults) {
    let at = at.field("items");
    for (index, item) in source.items("items").iter().enumerate() {
        let at = at.index(index);
        for name in ["key", "path"] {
            if item.text(name).is_empty() {
                faults.required(&at.field(name), "");
            }
        }
        file_path(item.text("path"), &at.field("path"), faults);
        mode(item, "mode", &at, faults);
    }
}

/// A path within a volume.
fn file_path(path: &str, at: &Path<'_>, faults: &mut Faults) {
    relative(path, at, faults);
    if path.starts_with("..") && !path.starts_with("../") {
        faults.invalid(at, path, "must not start with '..'");
    }
}

/// A path that does not begin at the root and does not leave where it begins.
fn relative(path: &str, at: &Path<'_>, faults: &mut Faults) {
    if path.starts_with('/') {
        faults.invalid(at, path, "must be a relative path");
    }
    no_steps_back(path, at, faults);
}

fn no_steps_back(path: &str, at: &Path<'_>, faults: &mut Faults) {
    if path.split('/').any(|step| step == "..") {
        faults.invalid(at, path, "must not contain '..'");
    }
}
