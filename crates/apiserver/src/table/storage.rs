//! Volumes, claims and what provides them.

use serde_json::Value;

use super::cell::{Row, amount, joined, or_default, text};

/// Where classes were written before there was a field for them.
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn volume(row: Row<'_>) -> Vec<Value> {
    let claim = row.at("spec.claimRef");
    let claim = if claim.is_null() {
        String::new()
    } else {
        format!("{}/{}", text(claim, "namespace"), text(claim, "name"))
    };
    vec![
        row.name(),
        amount(row.at("spec.capacity.storage")).into(),
        access_modes(row.items("spec.accessModes")).into(),
        row.text("spec.persistentVolumeReclaimPolicy").into(),
        phase(row).into(),
        claim.into(),
        class_name(row).into(),
        row.text_or("spec.volumeAttributesClassName", "<unset>")
            .into(),
        row.text("status.reason").into(),
        row.age(),
        row.text_or("spec.volumeMode", "<unset>").into(),
    ]
}

pub(super) fn claim(row: Row<'_>) -> Vec<Value> {
    let volume = row.text("spec.volumeName");
    let (capacity, modes) = if volume.is_empty() {
        (String::new(), String::new())
    } else {
        let capacity = amount(row.at("status.capacity.storage"));
        (capacity, access_modes(row.items("status.accessModes")))
    };
    vec![
        row.name(),
        phase(row).into(),
        volume.into(),
        capacity.into(),
        modes.into(),
        class_name(row).into(),
        row.text_or("spec.volumeAttributesClassName", "<unset>")
            .into(),
        row.age(),
        row.text_or("spec.volumeMode", "<unset>").into(),
    ]
}

fn phase(row: Row<'_>) -> &str {
    if row.is_deleted() {
        "Terminating"
    } else {
        row.text("status.phase")
    }
}

fn class_name(row: Row<'_>) -> &str {
    let old = row.annotation(OLD_CLASS);
    old.unwrap_or_else(|| row.text("spec.storageClassName"))
}

/// Access modes for short, each once, in the same order always.
fn access_modes(modes: &[Value]) -> String {
    let known = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let wanted = known
        .iter()
        .filter(|(mode, _)| modes.iter().any(|one| one == mode));
    joined(wanted.map(|(_, short)| *short))
}

pub(super) fn class(row: Row<'_>) -> Vec<Value> {
    let annotations = [
        "storageclass.kubernetes.io/is-default-class",
        "storageclass.beta.kubernetes.io/is-default-class",
    ];
    vec![
        or_default(row, &annotations),
        row.text("provisioner").into(),
        row.text_or("reclaimPolicy", "Delete").into(),
        row.text_or("volumeBindingMode", "Immediate").into(),
        row.flag("allowVolumeExpansion").into(),
        row.age(),
    ]
}

pub(super) fn attachment(row: Row<'_>) -> Vec<Value> {
    vec![
        row.name(),
        row.text("spec.attacher").into(),
        row.text("spec.source.persistentVolumeName").into(),
        row.text("spec.nodeName").into(),
        row.flag("status.attached").into(),
        row.age(),
    ]
}

pub(super) fn node(row: Row<'_>) -> Vec<Value> {
    vec![row.name(), row.count("spec.drivers"), row.age()]
}

pub(super) fn driver(row: Row<'_>) -> Vec<Value> {
    let requests = row.at("spec.tokenRequests").as_array();
    let audiences = requests.map(|all| joined(all.iter().map(|one| text(one, "audience"))));
    let modes = joined(
        row.items("spec.volumeLifecycleModes")
            .iter()
            .filter_map(Value::as_str),
    );
    vec![
        row.name(),
        row.at("spec.attachRequired")
            .as_bool()
            .unwrap_or(true)
            .into(),
        row.flag("spec.podInfoOnMount").into(),
        row.flag("spec.storageCapacity").into(),
        audiences.unwrap_or_else(|| "<unset>".to_owned()).into(),
        row.flag("spec.requiresRepublish").into(),
        if modes.is_empty() {
            "<none>".to_owned()
        } else {
            modes
        }
        .into(),
        row.age(),
    ]
}
