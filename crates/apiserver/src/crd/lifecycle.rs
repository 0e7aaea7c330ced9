//! What happens to a definition over its life: what it begins with, which names it gets, when it is
//! established, and how it ends (upstream's `pkg/controller/{status,establish,apiapproval,finalizer}`
//! and `pkg/registry/customresourcedefinition`).
//!
//! Upstream takes several writes to establish a definition. Here it is one, so that whoever sees the
//! names accepted sees it established, too.

mod approval;

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::validate::text;
pub(super) use approval::{Approval, approval, approval_annotation};

/// Keeps a deleted definition until its objects are gone.
pub const CLEANUP_FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Gives a new definition its defaults, and the status every one begins with.
pub fn prepare_create(object: &mut Value) {
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
pub fn prepare_update(new: &mut Value, old: &Value) {
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
pub fn prepare_status_update(new: &mut Value, old: &Value) {
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

/// The names that the other definitions of a group have got.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    resources: HashSet<String>,
    kinds: HashSet<String>,
}

impl Claims {
    /// Adds the accepted names of a definition of the same group.
    pub fn add(&mut self, definition: &Value) {
        let Some(names) = definition.pointer("/status/acceptedNames") else {
            return;
        };
        let resources = [text(names.get("plural")), text(names.get("singular"))];
        let short = texts(names, "shortNames");
        for name in resources.into_iter().chain(short) {
            self.resources.insert(name.to_owned());
        }
        for name in ["kind", "listKind"] {
            self.kinds.insert(text(names.get(name)).to_owned());
        }
    }
}

fn texts<'a>(names: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    let list = names.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// Brings the status of a definition up to date: names, whether it is established, approval.
///
/// `claims` are the names of the others of its group, `now` is a time of RFC 3339. Returns the new
/// status, or none where nothing changes. When names change hands, the others of the group are to be
/// settled again.
pub fn settle(definition: &Value, claims: &Claims, now: &str) -> Option<Value> {
    let requested = definition.pointer("/spec/names")?;
    let before = definition.get("status")?;
    let empty = json!({});
    let accepted = before.get("acceptedNames").unwrap_or(&empty);
    let mut status = before.clone();
    if !same_names(requested, accepted) {
        let (names, conflict) = accept(requested, accepted, claims);
        status["acceptedNames"] = names;
        let (state, reason, message) = match &conflict {
            None => ("True", "NoConflicts", "no conflicts found"),
            Some((reason, message)) => ("False", *reason, message.as_str()),
        };
        set_condition(&mut status, ["NamesAccepted", state, reason, message], now);
        // Once established, a definition stays so: its objects are there.
        if !is_established(definition) {
            let condition = if conflict.is_none() {
                [
                    "Established",
                    "True",
                    "InitialNamesAccepted",
                    "the initial names have been accepted",
                ]
            } else {
                [
                    "Established",
                    "False",
                    "NotAccepted",
                    "not all names are accepted",
                ]
            };
            set_condition(&mut status, condition, now);
        }
    }
    let group = text(definition.pointer("/spec/group"));
    if let Some(approval) = approval(group, definition) {
        let (state, reason) = match approval.state {
            Approval::Invalid => ("False", "InvalidAnnotation"),
            Approval::Missing => ("False", "MissingAnnotation"),
            Approval::Given => ("True", "ApprovedAnnotation"),
            Approval::Bypassed => ("False", "UnapprovedAnnotation"),
        };
        let kind = "KubernetesAPIApprovalPolicyConformant";
        set_condition(&mut status, [kind, state, reason, &approval.why], now);
    }
    (status != *before).then_some(status)
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

/// The names a definition gets, and the last conflict.
fn accept(
    requested: &Value,
    accepted: &Value,
    claims: &Claims,
) -> (Value, Option<(&'static str, String)>) {
    let mut names = accepted.as_object().cloned().unwrap_or_default();
    let mut conflict = None;
    let in_use = |name: &str| format!("{name:?} is already in use");
    let mut single = |name: &str, used: &HashSet<String>, reason: &'static str| {
        let wanted = text(requested.get(name));
        if wanted == text(accepted.get(name)) || !used.contains(wanted) {
            names.insert(name.to_owned(), json!(wanted));
        } else {
            conflict = Some((reason, in_use(wanted)));
        }
    };
    single("plural", &claims.resources, "PluralConflict");
    single("singular", &claims.resources, "SingularConflict");
    let own: Vec<&str> = texts(accepted, "shortNames").collect();
    let taken: Vec<String> = texts(requested, "shortNames")
        .filter(|name| !own.contains(name) && claims.resources.contains(*name))
        .map(in_use)
        .collect();
    let short = match taken.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    };
    let mut kinds = None;
    let mut single_kind = |name: &str, reason: &'static str| {
        let wanted = text(requested.get(name));
        if wanted == text(accepted.get(name)) || !claims.kinds.contains(wanted) {
            names.insert(name.to_owned(), json!(wanted));
        } else {
            kinds = Some((reason, in_use(wanted)));
        }
    };
    single_kind("kind", "KindConflict");
    single_kind("listKind", "ListKindConflict");
    let lists = ["shortNames", "categories"];
    for name in lists
        .into_iter()
        .filter(|name| *name == "categories" || short.is_none())
    {
        match requested.get(name) {
            Some(list) if !list.is_null() => drop(names.insert(name.to_owned(), list.clone())),
            _ => drop(names.remove(name)),
        }
    }
    let short = short.map(|why| ("ShortNamesConflict", why));
    (Value::Object(names), kinds.or(short).or(conflict))
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
pub fn is_established(definition: &Value) -> bool {
    let conditions = definition.pointer("/status/conditions");
    let conditions = conditions.and_then(Value::as_array).into_iter().flatten();
    conditions
        .filter(|it| text(it.get("type")) == "Established")
        .any(|it| text(it.get("status")) == "True")
}

/// Marks a definition as deleted, for as long as its objects are being removed.
///
/// `now` is a time of RFC 3339. One that is marked already is left as it is.
pub fn start_deletion(definition: &mut Value, now: &str) {
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
pub enum Ended {
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
pub fn end(definition: &mut Value, ended: Ended, now: &str) {
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
