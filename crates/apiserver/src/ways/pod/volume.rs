//! What is wrong with the volumes of a Pod and with how its containers mount them.
//!
//! Of the sources that clusters no longer have, what is required is checked, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::check::Place;
use super::{resource, variable};
use crate::validate::{Form, NameRule, Path};
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;
use crate::ways::{selector, storage};

/// The volumes that may be mounted, by name.
pub(super) type Volumes<'a> = BTreeMap<&'a str, &'a Value>;

const MODES: &str = "must be a number between 0 and 0777 (octal), both inclusive";
const FIELDS: [&str; 5] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];
const HOST_PATHS: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];
/// The sources, in upstream's order, with what they require.
const SOURCES: [(&str, &[&str]); 30] = [
    ("emptyDir", &[]),
    ("hostPath", &[]),
    ("gitRepo", &["repository"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("secret", &["secretName"]),
    ("nfs", &["server", "path"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("glusterfs", &["endpoints", "path"]),
    ("flocker", &[]),
    ("persistentVolumeClaim", &["claimName"]),
    ("rbd", &["image"]),
    ("cinder", &["volumeID"]),
    ("cephfs", &[]),
    ("quobyte", &["registry", "volume"]),
    ("downwardAPI", &[]),
    ("fc", &[]),
    ("flexVolume", &["driver"]),
    ("configMap", &["name"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("storageos", &["volumeName"]),
    ("projected", &[]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("csi", &["driver"]),
    ("ephemeral", &[]),
    ("image", &[]),
];

/// Looks at the volumes; those without a fault may be mounted, and those that the owner adds.
pub(super) fn check<'a>(
    spec: &'a Value,
    at: &Path<'_>,
    place: Place<'_>,
    claims: &'a [Value],
    faults: &mut Faults,
) -> Volumes<'a> {
    let mut volumes = Volumes::new();
    for claim in claims {
        volumes.insert(claim["metadata"].text("name"), claim);
    }
    let claimed: BTreeSet<&str> = volumes.keys().copied().collect();
    for (index, volume) in spec.items("volumes").iter().enumerate() {
        let at = at.index(index);
        let name = volume.text("name");
        let before = faults.len();
        source(volume, &at, place, faults);
        if let Place::Pod(pod) = place
            && volume.has("ephemeral")
            && !pod.is_empty()
        {
            let claim = format!("{pod}-{name}");
            for why in NameRule::Subdomain.faults(&claim, Form::Whole) {
                let why = format!("PVC name \"{claim}\": {why}");
                faults.invalid(&at.field("name"), name, why);
            }
        }
        if name.is_empty() {
            faults.required(&at.field("name"), "");
        } else {
            faults.label(&at.field("name"), name);
        }
        if volumes.contains_key(name) && !claimed.contains(name) {
            faults.duplicate(&at.field("name"), name);
        }
        if faults.len() == before {
            volumes.insert(name, volume);
        }
    }
    volumes
}

fn source(volume: &Value, at: &Path<'_>, place: Place<'_>, faults: &mut Faults) {
    let mut given = false;
    for (name, required) in SOURCES {
        if !volume.has(name) {
            continue;
        }
        let (source, at) = (volume.part(name), at.field(name));
        if given {
            faults.forbidden(&at, "may not specify more than 1 volume type");
            continue;
        }
        given = true;
        for name in required {
            if source.text(name).is_empty() {
                faults.required(&at.field(name), "");
            }
        }
        if name == "image" && place != Place::Template && source.text("reference").is_empty() {
            faults.required(&at.field("reference"), "");
        }
        details(name, source, &at, faults);
    }
    if !given {
        faults.required(at, "must specify a volume type");
    }
}

fn details(name: &str, source: &Value, at: &Path<'_>, faults: &mut Faults) {
    match name {
        "emptyDir" if resource::amount(source.part("sizeLimit")).unwrap_or(0) < 0 => {
            let why = "SizeLimit field must be a valid resource quantity";
            faults.forbidden(&at.field("sizeLimit"), why);
        }
        "hostPath" => host_path(source, at, faults),
        "secret" | "configMap" => {
            mode(source, "defaultMode", at, faults);
            items(source, at, faults);
        }
        "downwardAPI" => {
            mode(source, "defaultMode", at, faults);
            for file in source.items("items") {
                // Upstream does not say which.
                downward(file, at, faults);
            }
        }
        "projected" => {
            mode(source, "defaultMode", at, faults);
            projected(source, at, faults);
        }
        "ephemeral" => {
            let at = at.field("volumeClaimTemplate");
            if source.has("volumeClaimTemplate") {
                let spec = source["volumeClaimTemplate"].part("spec");
                storage::claim_spec(spec, &at.field("spec"), faults);
            } else {
                faults.required(&at, "");
            }
        }
        "image" => {
            let policy = source.text("pullPolicy");
            let known = ["Always", "IfNotPresent", "Never"];
            faults.one_of(&at.field("pullPolicy"), policy, &known);
        }
        _ => {}
    }
}

/// A path of a node.
pub(in crate::ways) fn host_path(source: &Value, at: &Path<'_>, faults: &mut Faults) {
    let path = source.text("path");
    if path.is_empty() {
        faults.required(&at.field("path"), "");
        return;
    }
    no_steps_back(path, &at.field("path"), faults);
    faults.one_of_if(&at.field("type"), source.part("type"), &HOST_PATHS);
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

fn downward(file: &Value, at: &Path<'_>, faults: &mut Faults) {
    let path = file.text("path");
    if path.is_empty() {
        faults.required(&at.field("path"), "");
    }
    file_path(path, &at.field("path"), faults);
    if file.has("fieldRef") {
        variable::field(
            file.part("fieldRef"),
            &FIELDS,
            &at.field("fieldRef"),
            faults,
        );
        if file.has("resourceFieldRef") {
            let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
            faults.invalid(at, "resource", why);
        }
    } else if file.has("resourceFieldRef") {
        let (reference, at) = (file.part("resourceFieldRef"), at.field("resourceFieldRef"));
        if reference.text("containerName").is_empty() {
            faults.required(&at.field("containerName"), "");
        } else {
            variable::resource_field(reference, &at, faults);
        }
    } else {
        faults.required(at, "one of fieldRef and resourceFieldRef is required");
    }
    mode(file, "mode", at, faults);
}

fn projected<'a>(projected: &'a Value, at: &Path<'_>, faults: &mut Faults) {
    let mut paths: BTreeSet<&'a str> = BTreeSet::new();
    let mut note = |path: &'a str, shown: &str, faults: &mut Faults| {
        if !path.is_empty() && !paths.insert(path) {
            faults.invalid(at, shown, "conflicting duplicate paths");
        }
    };
    let sources = at.field("sources");
    for (index, source) in projected.items("sources").iter().enumerate() {
        let source_at = sources.index(index);
        let mut given = 0;
        for name in ["secret", "configMap"] {
            if source.has(name) {
                given += 1;
                let (source, at) = (source.part(name), source_at.field(name));
                let name = source.text("name");
                if name.is_empty() {
                    faults.required(&at.field("name"), "");
                }
                items(source, &at, faults);
                for item in source.items("items") {
                    note(item.text("path"), name, faults);
                }
            }
        }
        if source.has("downwardAPI") {
            given += 1;
            for file in source["downwardAPI"].items("items") {
                downward(file, &source_at.field("downwardAPI"), faults);
                note(file.text("path"), file.text("path"), faults);
            }
        }
        if source.has("serviceAccountToken") {
            given += 1;
            let account = source.part("serviceAccountToken");
            let place = source_at.field("serviceAccountToken");
            let seconds = account.number("expirationSeconds");
            if seconds < 600 {
                let why = "may not specify a duration less than 10 minutes";
                faults.invalid(&place.field("expirationSeconds"), seconds, why);
            } else if seconds > 1 << 32 {
                let why = "may not specify a duration larger than 2^32 seconds";
                faults.invalid(&place.field("expirationSeconds"), seconds, why);
            }
            match account.text("path") {
                "" => faults.required(&at.field("path"), ""),
                path => file_path(path, &at.field("path"), faults),
            }
        }
        if source.has("clusterTrustBundle") {
            given += 1;
            let (bundle, at) = (
                source.part("clusterTrustBundle"),
                source_at.field("clusterTrustBundle"),
            );
            selector::check(
                bundle.part("labelSelector"),
                &at.field("labelSelector"),
                faults,
            );
            if bundle.text("path").is_empty() {
                faults.required(&at.field("path"), "");
            }
        }
        if given > 1 {
            let why = "may not specify more than 1 volume type per source";
            faults.forbidden(&source_at, why);
        }
    }
}

/// Where the tokens of accounts are projected.
pub(super) fn tokens(spec: &Value, at: &Path<'_>, mut tell: impl FnMut(&Path<'_>)) {
    for (index, volume) in spec.items("volumes").iter().enumerate() {
        let at = at.index(index);
        let at = at.field("projected");
        let at = at.field("sources");
        for (index, source) in volume["projected"].items("sources").iter().enumerate() {
            if source.has("serviceAccountToken") {
                tell(&at.index(index).field("serviceAccountToken"));
            }
        }
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
pub(super) fn relative(path: &str, at: &Path<'_>, faults: &mut Faults) {
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
