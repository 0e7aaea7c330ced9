//! Claims of volumes.

use serde_json::Value;

use super::cell::{Row, amount, joined};

/// A `PersistentVolumeClaim`.
pub(super) fn claim(row: Row<'_>) -> Vec<Value> {
    let volume = row.text("spec.volumeName");
    let (capacity, modes) = if volume.is_empty() {
        (String::new(), String::new())
    } else {
        let capacity = amount(row.at("status.capacity.storage"));
        (capacity, access_modes(row.items("status.accessModes")))
    };
    let phase = if row.is_deleted() {
        "Terminating"
    } else {
        row.text("status.phase")
    };
    vec![
        row.name(),
        phase.into(),
        volume.into(),
        capacity.into(),
        modes.into(),
        row.text("spec.storageClassName").into(),
        row.text_or("spec.volumeAttributesClassName", "<unset>")
            .into(),
        row.age(),
        row.text_or("spec.volumeMode", "<unset>").into(),
    ]
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
