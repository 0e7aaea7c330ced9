//! Where an object keeps its owners: `metadata.managedFields`.

use serde_json::{Map, Value};

/// What an object records; none where it records nothing.
pub(super) fn managed_fields(object: &Value) -> Option<&Value> {
    object.get("metadata")?.get("managedFields")
}

/// Takes the record out of an object.
pub(super) fn take_managed_fields(object: &mut Value) -> Option<Value> {
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    metadata.remove("managedFields")
}

/// Sets or removes an object's owners.
pub(super) fn set_managed_fields(object: &mut Value, fields: Option<Value>) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let Some(fields) = fields else {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        return;
    };
    let metadata = object.entry("metadata").or_insert(Value::Null);
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert("managedFields".to_owned(), fields);
    }
}

/// Whether a client says that there are no owners any more.
pub(super) fn is_reset(given: &Value) -> bool {
    let blank = |entry: &Value| match entry {
        Value::Object(map) => map.values().all(|value| value.is_null() || value == ""),
        other => other.is_null(),
    };
    match given.as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([only]) => blank(only),
        _ => false,
    }
}
