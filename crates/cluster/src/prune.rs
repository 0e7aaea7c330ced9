//! Deletes an object, or lets go of it, after a last look at whose it is.

use bytes::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kinds::names;
use kube::core::ApiResource;
use manifest::ObjectId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::apply;
use crate::caller::{Caller, Payload, Resource, Want};
use crate::error::ApiError;
use crate::ownership::{Owner, own_entry};

/// What became of an object that was to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It is deleted, or on its way out.
    Deleted,
    /// It was not there.
    Absent,
    /// It is there but no longer this owner's: another uid, another owner, or label removed.
    NotOurs(String),
    /// It was let go of.
    Orphaned,
}

#[derive(Deserialize)]
struct Partial {
    metadata: ObjectMeta,
}

/// Deletes an object if its live owner label and manager are the owner's and the uid matches.
///
/// # Errors
/// [`ApiError`] when it cannot be read or deleted.
pub async fn delete(
    caller: &Caller,
    owner: &Owner,
    api: &ApiResource,
    id: &ObjectId,
    uid: Option<&str>,
) -> Result<Gone, ApiError> {
    let place = Resource::object(api, id.namespace.as_deref(), &id.name);
    let meta = match live(caller, &place).await? {
        Some(meta) => meta,
        None => return Ok(Gone::Absent),
    };
    if let Some(other) = not_ours(&meta, owner, uid) {
        return Ok(Gone::NotOurs(other));
    }
    let options = json!({
        "propagationPolicy": "Background",
        "preconditions": {"uid": meta.uid, "resourceVersion": meta.resource_version},
    });
    match caller.delete(&place, &options).await {
        Ok(_) => Ok(Gone::Deleted),
        Err(error) if error.is_not_found() => Ok(Gone::Absent),
        Err(error) => Err(error),
    }
}

/// Lets go of an object: the owner label, its annotation and our managedFields entry go, the
/// values stay. Never by an empty intent, which would empty the object.
///
/// # Errors
/// [`ApiError`]; a conflict or 422 means that somebody wrote the object meanwhile.
pub async fn orphan(
    caller: &Caller,
    owner: &Owner,
    api: &ApiResource,
    id: &ObjectId,
    uid: Option<&str>,
) -> Result<Gone, ApiError> {
    let place = Resource::object(api, id.namespace.as_deref(), &id.name);
    let meta = match live(caller, &place).await? {
        Some(meta) => meta,
        None => return Ok(Gone::Absent),
    };
    if let Some(other) = not_ours(&meta, owner, uid) {
        return Ok(Gone::NotOurs(other));
    }
    let manager = owner.manager();
    let entries = meta.managed_fields.clone().unwrap_or_default();
    let kept: Vec<_> = entries
        .into_iter()
        .filter(|entry| entry.manager.as_deref() != Some(manager.as_str()))
        .collect();
    let mut steps = vec![
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": meta.resource_version}),
        json!({"op": "remove", "path": format!("/metadata/labels/{}", pointer(names::OWNER_LABEL))}),
        // An empty list would mean "leave the owners as they are"; one empty entry resets them.
        json!({"op": "replace", "path": "/metadata/managedFields", "value": if kept.is_empty() { json!([{}]) } else { json!(kept) }}),
    ];
    if meta
        .annotations
        .as_ref()
        .is_some_and(|annotations| annotations.contains_key(names::OWNER_ANNOTATION))
    {
        steps.push(json!({"op": "remove", "path": format!("/metadata/annotations/{}", pointer(names::OWNER_ANNOTATION))}));
    }
    let body = Payload::JsonPatch(Bytes::from(Value::Array(steps).to_string()));
    let query = format!("fieldManager={}", names::CONTROLLER_MANAGER);
    match caller.patch(&place, &query, Want::Metadata, &body).await {
        Ok(_) => Ok(Gone::Orphaned),
        Err(error) if error.is_not_found() => Ok(Gone::Absent),
        Err(error) => Err(error),
    }
}

/// Gives up our share of an object that another owner has taken over.
///
/// # Errors
/// [`ApiError`] when the API server cannot be asked.
pub async fn release(
    caller: &Caller,
    owner: &Owner,
    api: &ApiResource,
    id: &ObjectId,
) -> Result<(), ApiError> {
    let place = Resource::object(api, id.namespace.as_deref(), &id.name);
    let Some(meta) = live(caller, &place).await? else {
        return Ok(());
    };
    if own_entry(&meta, &owner.manager()).is_none() {
        return Ok(());
    }
    let mut identity = json!({"name": id.name, "uid": meta.uid});
    if let Some(namespace) = &id.namespace {
        identity["namespace"] = json!(namespace);
    }
    let intent = json!({"apiVersion": api.api_version, "kind": api.kind, "metadata": identity});
    match apply::release(caller, owner, api, &place, intent).await {
        Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
        result => result,
    }
}

/// Reads an object's metadata; nothing where it, its kind or its namespace is not there.
///
/// # Errors
/// [`ApiError`] for everything but 404.
pub async fn live(caller: &Caller, place: &Resource) -> Result<Option<ObjectMeta>, ApiError> {
    match caller.get(place, Want::Metadata).await {
        Ok(answer) => Ok(Some(answer.decode::<Partial>()?.metadata)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Why an object is not the owner's, if it is not.
fn not_ours(meta: &ObjectMeta, owner: &Owner, uid: Option<&str>) -> Option<String> {
    if let Some(uid) = uid.filter(|uid| meta.uid.as_deref() != Some(uid)) {
        return Some(format!(
            "it is another object than the one delivered (uid {uid})"
        ));
    }
    if owner.owns(meta) {
        return None;
    }
    let other = meta
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(names::OWNER_ANNOTATION));
    Some(match other.filter(|other| **other != owner.annotation()) {
        Some(other) => format!("it belongs to `{other}`"),
        None => "its owner label or field manager is gone".to_owned(),
    })
}

fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
