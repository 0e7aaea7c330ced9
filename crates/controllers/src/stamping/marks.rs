//! What stamped objects say of themselves: whose they are, what they were stamped from, how old they are.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kinds::names;
use manifest::ObjectId;
use serde::Deserialize as _;
use serde_json::{Value, json};

/// The identity of an object of the same kind and place as another.
pub(super) fn known(like: &ObjectId, object: &Value) -> ObjectId {
    ObjectId {
        name: text(&object["metadata"]["name"]).to_owned(),
        ..like.clone()
    }
}

pub(super) fn is_shipment(id: &ObjectId) -> bool {
    id.group == names::GROUP && id.kind == "Shipment"
}

/// Whether every value is there.
pub(super) fn contains(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| live.get(key).is_some_and(|live| contains(live, value))),
        (live, wanted) => live == wanted,
    }
}

/// Whether an object belongs to the very object that another one does.
pub(super) fn is_owned_as(object: &Value, like: &Value) -> bool {
    let owner = &like["metadata"]["ownerReferences"][0]["uid"];
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.is_some_and(|owners| owners.iter().any(|other| other["uid"] == *owner))
}

/// Sets a label or an annotation. Where the template has no map there the API server says so.
pub(super) fn note(object: &mut Value, map: &str, key: &str, value: &str) {
    let map = &mut object["metadata"][map];
    if map.is_null() || map.is_object() {
        map[key] = json!(value);
    }
}

pub(super) fn note_inputs(object: &mut Value, inputs: &str) {
    if !inputs.is_empty() {
        note(object, "annotations", names::INPUTS_ANNOTATION, inputs);
    }
}

pub(super) fn meta(object: &Value) -> Option<ObjectMeta> {
    ObjectMeta::deserialize(&object["metadata"]).ok()
}

pub(super) fn version(object: &Value) -> u64 {
    let version = object["metadata"]["resourceVersion"].as_str();
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_makes_is_no_run() {
        let owned = |by: &str| json!({"metadata": {"ownerReferences": [{"uid": by}]}});
        assert!(is_owned_as(&owned("runnable"), &owned("runnable")));
        assert!(!is_owned_as(&owned("run"), &owned("runnable")));
        assert!(!is_owned_as(&json!({"metadata": {}}), &owned("runnable")));
    }
}
