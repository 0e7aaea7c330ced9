//! What happens to a definition over its life: what it begins with, which names it gets, when it is
//! established, and how it ends (upstream's `pkg/controller/{status,establish,apiapproval,finalizer}`
//! and `pkg/registry/customresourcedefinition`).
//!
//! Upstream takes several writes to establish a definition. Here it is one, so that whoever sees the
//! names accepted sees it established, too.

use serde_json::{Map, Value, json};

use crate::validate::text;

/// Keeps a deleted definition until its objects are gone.
pub(crate) const CLEANUP_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Gives a new definition its defaults, and the status every one begins with.
pub(crate) fn prepare_create(object: &mut Value) {
    defaults(object);
    let Some(map) = object.as_object_mut() else {
        return;
    };
    let stored: Vec<Value> = storage_version(map).into_iter().collect();
    let status = json!({
        "acceptedNames": {"kind": "", "plural": ""},
        "conditions": null,
        "storedVersions": if stored.is_empty() { Value::Null } else { json!(stored) },
    });
    map.insert("status".to_owned(), status);
    set_generation(object, 1);
}

/// Gives a changed definition its defaults and the status it had. A new storage version joins those
/// that were ever stored, and the generation counts changes of the spec.
pub(crate) fn prepare_update(new: &mut Value, old: &Value) {
    defaults(new);
    let changed = new.get("spec") != old.get("spec");
    let generation = old.pointer("/metadata/generation").and_then(Value::as_i64);
    let generation = generation.unwrap_or_default();
    set_generation(new, generation + i64::from(changed));
    let Some(map) = new.as_object_mut() else {
        return;
    };
    let storage = storage_version(map);
    let mut status = old.get("status").cloned().unwrap_or_else(|| json!({}));
    if let (Some(storage), Some(status)) = (storage, status.as_object_mut()) {
        let stored = status.entry("storedVersions").or_insert_with(|| json!([]));
        match stored {
            Value::Array(stored) if stored.contains(&storage) => {}
            Value::Array(stored) => stored.push(storage),
            stored => *stored = json!([storage]),
        }
    }
    map.insert("status".to_owned(), status);
}

/// Leaves of an update of the status all but the spec.
pub(crate) fn prepare_status_update(new: &mut Value, old: &Value) {
    if let (Some(map), Some(spec)) = (new.as_object_mut(), old.get("spec")) {
        map.insert("spec".to_owned(), spec.clone());
    }
}

fn set_generation(object: &mut Value, generation: i64) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("generation".to_owned(), json!(generation));
    }
}

fn storage_version(object: &Map<String, Value>) -> Option<Value> {
    let versions = object.get("spec")?.get("versions")?.as_array()?;
    let stored = |version: &&Value| version.get("storage") == Some(&json!(true));
    versions.iter().find(stored)?.get("name").cloned()
}

/// Names that follow from others, and no conversion.
fn defaults(object: &mut Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if spec.get("conversion").is_none_or(Value::is_null) {
        spec.insert("conversion".to_owned(), json!({"strategy": "None"}));
    }
    let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) else {
        return;
    };
    let kind = text(names.get("kind")).to_owned();
    if kind.is_empty() {
        return;
    }
    for (name, value) in [
        ("singular", kind.to_lowercase()),
        ("listKind", format!("{kind}List")),
    ] {
        if text(names.get(name)).is_empty() {
            names.insert(name.to_owned(), json!(value));
        }
    }
}

fn texts<'a>(names: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    let list = names.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// Brings the status of a definition up to date: its names are accepted, and it is established.
///
/// `now` is a time of RFC 3339. Returns the new status, or none where nothing changes. Names that
/// another definition of the group has are not told apart.
pub(crate) fn settle(definition: &Value, now: &str) -> Option<Value> {
    let requested = definition.pointer("/spec/names")?;
    let before = definition.get("status")?;
    let empty = json!({});
    let accepted = before.get("acceptedNames").unwrap_or(&empty);
    if same_names(requested, accepted) {
        return None;
    }
    let mut status = before.clone();
    status["acceptedNames"] = requested.clone();
    let names = "no conflicts found";
    let established = "the initial names have been accepted";
    for condition in [
        ["NamesAccepted", "True", "NoConflicts", names],
        ["Established", "True", "InitialNamesAccepted", established],
    ] {
        set_condition(&mut status, condition, now);
    }
    Some(status)
}

/// Whether all names are accepted, those that are empty or absent being one.
fn same_names(requested: &Value, accepted: &Value) -> bool {
    ["plural", "singular", "kind", "listKind"]
        .into_iter()
        .all(|name| text(requested.get(name)) == text(accepted.get(name)))
        && ["shortNames", "categories"]
            .into_iter()
            .all(|name| texts(requested, name).eq(texts(accepted, name)))
}

/// Sets a condition: type, status, reason, message. Its time changes with its status alone.
fn set_condition(status: &mut Value, condition: [&str; 4], now: &str) {
    let [kind, state, reason, message] = condition;
    let Some(status) = status.as_object_mut() else {
        return;
    };
    let conditions = status.entry("conditions").or_insert(Value::Null);
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else {
        return;
    };
    let new = |since: &Value| {
        json!({
            "type": kind, "status": state, "reason": reason, "message": message,
            "lastTransitionTime": since,
        })
    };
    let found = conditions
        .iter_mut()
        .find(|it| text(it.get("type")) == kind);
    match found {
        None => conditions.push(new(&json!(now))),
        Some(old) if text(old.get("status")) == state => {
            let since = old.get("lastTransitionTime").cloned();
            *old = new(&since
                .filter(|it| !it.is_null())
                .unwrap_or_else(|| json!(now)));
        }
        Some(old) => *old = new(&json!(now)),
    }
}

/// Whether a definition is established: its objects may be there.
pub(crate) fn is_established(definition: &Value) -> bool {
    let conditions = definition.pointer("/status/conditions");
    let conditions = conditions.and_then(Value::as_array).into_iter().flatten();
    conditions
        .filter(|it| text(it.get("type")) == "Established")
        .any(|it| text(it.get("status")) == "True")
}

/// Marks a definition as deleted, for as long as its objects are being removed.
///
/// `now` is a time of RFC 3339. One that is marked already is left as it is.
pub(crate) fn start_deletion(definition: &mut Value, now: &str) {
    let Some(metadata) = definition
        .get_mut("metadata")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    if metadata
        .get("deletionTimestamp")
        .is_some_and(|it| !it.is_null())
    {
        return;
    }
    metadata.insert("deletionTimestamp".to_owned(), json!(now));
    let finalizers = metadata.entry("finalizers").or_insert_with(|| json!([]));
    if let Value::Array(finalizers) = finalizers
        && !finalizers.iter().any(|it| it == CLEANUP_FINALIZER)
    {
        finalizers.push(json!(CLEANUP_FINALIZER));
    }
    let condition = [
        "Terminating",
        "True",
        "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    ];
    set_status_condition(definition, condition, now);
}

/// How far the removal of a definition's objects is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It has begun.
    Started,
    /// There are none left.
    Completed,
    /// There never were any.
    NeverEstablished,
}

/// Notes in a deleted definition how far the removal of its objects is. With the last object the
/// finalizer goes.
///
/// `now` is a time of RFC 3339.
pub(crate) fn end(definition: &mut Value, ended: Ended, now: &str) {
    let condition = match ended {
        Ended::Started => [
            "Terminating",
            "True",
            "InstanceDeletionInProgress",
            "CustomResource deletion is in progress",
        ],
        Ended::Completed => [
            "Terminating",
            "False",
            "InstanceDeletionCompleted",
            "removed all instances",
        ],
        Ended::NeverEstablished => [
            "Terminating",
            "False",
            "NeverEstablished",
            "resource was never established",
        ],
    };
    set_status_condition(definition, condition, now);
    let finalizers = definition.pointer_mut("/metadata/finalizers");
    if let Some(finalizers) = finalizers.and_then(Value::as_array_mut)
        && ended != Ended::Started
    {
        finalizers.retain(|it| it != CLEANUP_FINALIZER);
    }
}

fn set_status_condition(definition: &mut Value, condition: [&str; 4], now: &str) {
    if let Some(map) = definition.as_object_mut() {
        let status = map.entry("status").or_insert_with(|| json!({}));
        set_condition(status, condition, now);
    }
}
