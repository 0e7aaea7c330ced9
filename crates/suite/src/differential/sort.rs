//! What is compared: sorts of objects, and how one of each is made up.

mod config;
mod custom;
mod service;
mod workload;

use serde_json::{Map, Value, json};

use crate::chance::Chance;
pub(super) use custom::definitions;

/// A sort of objects.
#[derive(Debug)]
pub(super) struct Sort {
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    pub(super) kind: &'static str,
    /// Whether a definition makes it.
    pub(super) custom: bool,
    /// Whether it can be scaled.
    pub(super) scale: bool,
    /// Makes up a status, where it can be written.
    pub(super) status: Option<fn(&mut Chance) -> Value>,
    /// Makes up an object, without what all objects have.
    pub(super) make: fn(&mut Chance) -> Value,
}

impl Sort {
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Where its objects are.
    pub(super) fn path(&self, namespace: &str) -> String {
        let (group, version, plural) = (self.group, self.version, self.plural);
        if group.is_empty() {
            format!("/api/{version}/namespaces/{namespace}/{plural}")
        } else {
            format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}")
        }
    }
}

/// All sorts.
pub(super) const SORTS: &[&Sort] = &[
    &config::CONFIG_MAP,
    &config::SECRET,
    &config::SERVICE_ACCOUNT,
    &config::ROLE,
    &service::SERVICE,
    &workload::DEPLOYMENT,
    &workload::DEPLOYMENT,
    &workload::JOB,
    &custom::WIDGET,
    &custom::WIDGET,
    &custom::GADGET,
    &custom::PARCEL,
];

/// Metadata without a name.
pub(super) fn metadata(chance: &mut Chance) -> Value {
    let mut metadata = json!({});
    if chance.percent(50) {
        metadata["labels"] = texts(
            chance,
            &["app", "tier", "example.com/part"],
            &["a", "b", ""],
        );
    }
    if chance.percent(35) {
        metadata["annotations"] = texts(chance, &["note", "example.com/why"], &["x", "y z", ""]);
    }
    if chance.percent(8) {
        let all = ["example.com/hold", "example.com/keep"];
        let count = 1 + chance.below(2);
        metadata["finalizers"] = json!(all[..count]);
    }
    if chance.percent(6) {
        let owner = *chance.pick(&["one", "two"]);
        metadata["ownerReferences"] = json!([{
            "apiVersion": "v1", "kind": "ConfigMap", "name": owner, "uid": format!("uid-{owner}"),
        }]);
    }
    metadata
}

/// A map of some keys.
fn texts(chance: &mut Chance, keys: &[&str], values: &[&str]) -> Value {
    let mut map = Map::new();
    for key in keys {
        if chance.percent(55) {
            map.insert((*key).to_owned(), json!(*chance.pick(values)));
        }
    }
    Value::Object(map)
}

/// Some of some values, in their order or turned round.
fn some(chance: &mut Chance, of: &[Value]) -> Value {
    let mut some: Vec<Value> = of.iter().filter(|_| chance.percent(60)).cloned().collect();
    if chance.percent(25) {
        some.reverse();
    }
    Value::Array(some)
}

/// Sets a field, so often in a hundred times.
fn maybe(chance: &mut Chance, percent: usize, object: &mut Value, field: &str, values: &[Value]) {
    if chance.percent(percent) {
        object[field] = chance.pick(values).clone();
    }
}
