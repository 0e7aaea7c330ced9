//! Deletes an object, or lets go of it, after a last look at whose it is.

use bytes::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kinds::names;
use kube::core::ApiResource;
use manifest::ObjectId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::apply;
use crate::caller::{Caller, Payload, Want};
use crate::error::ApiError;
use crate::ownership::{Owner, own_entry};
use crate::resource::Resource;

/// What became of an object that was to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It is deleted, or on its way out.
    Deleted,
    /// It was not there.
    Absent,
    /// Another Shipway owner has taken it over: its name, where it is recorded.
    TakenOver(String),
    /// It is there but no longer this owner's: another uid, or the owner label is gone.
    NotOurs(String),
    /// It belongs to Shipway's own installation, which is never deleted.
    Untouchable,
    /// It was let go of.
    Orphaned,
}

/// How often a deletion is tried while others write the object.
const TRIES: usize = 5;

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
    part(Way::Delete, caller, owner, (api, id), uid).await
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
    part(Way::LetGo, caller, owner, (api, id), uid).await
}

/// How we part with an object.
#[derive(Clone, Copy)]
enum Way {
    Delete,
    LetGo,
}

impl Way {
    /// Whether somebody wrote the object since we looked. A failed test of a JSON patch is 422.
    fn is_overtaken(self, error: &ApiError) -> bool {
        match self {
            Self::Delete => error.is_conflict(),
            Self::LetGo => error.is_conflict() || error.is_invalid(),
        }
    }
}

/// Parts with an object as it stands, anew where somebody was faster.
async fn part(
    way: Way,
    caller: &Caller,
    owner: &Owner,
    (api, id): (&ApiResource, &ObjectId),
    uid: Option<&str>,
) -> Result<Gone, ApiError> {
    // The API server answers such a name with 400, which would be asked again for ever.
    if !manifest::is_path_segment(&id.name) {
        return Ok(Gone::Absent);
    }
    let place = &Resource::object(api, id.namespace.as_deref(), &id.name);
    let mut tries = 0;
    loop {
        tries += 1;
        let Some(meta) = live(caller, place).await? else {
            return Ok(Gone::Absent);
        };
        let done = match way {
            Way::Delete => delete_this(caller, owner, place, &meta, uid).await,
            Way::LetGo => let_go_of_this(caller, owner, place, &meta, uid).await,
        };
        match done {
            Err(error) if error.is_not_found() => return Ok(Gone::Absent),
            Err(error) if way.is_overtaken(&error) && tries < TRIES => {}
            done => return done,
        }
    }
}

async fn delete_this(
    caller: &Caller,
    owner: &Owner,
    place: &Resource,
    meta: &ObjectMeta,
    uid: Option<&str>,
) -> Result<Gone, ApiError> {
    if let Some(gone) = not_ours(meta, owner, uid) {
        return Ok(gone);
    }
    let labels = meta.labels.as_ref();
    if labels.is_some_and(|labels| labels.contains_key(names::INSTALLATION_LABEL)) {
        return Ok(Gone::Untouchable);
    }
    // With the resourceVersion, so that nobody takes it over between the look and the deletion.
    let options = json!({
        "propagationPolicy": "Background",
        "preconditions": {"uid": meta.uid, "resourceVersion": meta.resource_version},
    });
    caller.delete(place, &options).await?;
    Ok(Gone::Deleted)
}

async fn let_go_of_this(
    caller: &Caller,
    owner: &Owner,
    place: &Resource,
    meta: &ObjectMeta,
    uid: Option<&str>,
) -> Result<Gone, ApiError> {
    let share_left = is_same(meta, uid) && own_entry(meta, &owner.manager()).is_some();
    match not_ours(meta, owner, uid) {
        None => {}
        // Only the label is gone: our share of it goes all the same.
        Some(Gone::NotOurs(_)) if share_left => {}
        Some(gone) => return Ok(gone),
    }
    let steps = Bytes::from(without_marks(meta, owner).to_string());
    let query = format!("fieldManager={}", names::CONTROLLER_MANAGER);
    let body = Payload::JsonPatch(steps);
    caller.patch(place, &query, Want::Metadata, &body).await?;
    Ok(Gone::Orphaned)
}

/// The JSON patch that takes owner label, annotation and our managedFields entry away.
fn without_marks(meta: &ObjectMeta, owner: &Owner) -> Value {
    let manager = owner.manager();
    let kept: Vec<_> = meta
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| entry.manager.as_deref() != Some(manager.as_str()))
        .collect();
    // An empty list would mean "leave the owners as they are"; one empty entry resets them.
    let kept = if kept.is_empty() {
        json!([{}])
    } else {
        json!(kept)
    };
    let mut steps = vec![
        json!({"op": "test", "path": "/metadata/resourceVersion", "value": meta.resource_version}),
        json!({"op": "replace", "path": "/metadata/managedFields", "value": kept}),
    ];
    let is_there =
        |map: &Option<std::collections::BTreeMap<String, String>>, key: &str, value: &str| {
            map.as_ref()
                .and_then(|map| map.get(key))
                .is_some_and(|found| found == value)
        };
    if is_there(&meta.labels, names::OWNER_LABEL, &owner.label()) {
        steps.push(json!({"op": "remove", "path": format!("/metadata/labels/{}", pointer(names::OWNER_LABEL))}));
    }
    if is_there(
        &meta.annotations,
        names::OWNER_ANNOTATION,
        &owner.annotation(),
    ) {
        steps.push(json!({"op": "remove", "path": format!("/metadata/annotations/{}", pointer(names::OWNER_ANNOTATION))}));
    }
    Value::Array(steps)
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

fn is_same(meta: &ObjectMeta, uid: Option<&str>) -> bool {
    uid.is_none_or(|uid| meta.uid.as_deref() == Some(uid))
}

/// Why an object is not the owner's, if it is not.
fn not_ours(meta: &ObjectMeta, owner: &Owner, uid: Option<&str>) -> Option<Gone> {
    if !is_same(meta, uid) {
        let uid = uid.unwrap_or_default();
        return Some(Gone::NotOurs(format!(
            "it is another object than the one delivered (uid {uid})"
        )));
    }
    if owner.owns(meta) {
        return None;
    }
    Some(match taker(meta, owner) {
        Some(other) => Gone::TakenOver(other),
        None => Gone::NotOurs("its owner label or field manager is gone".to_owned()),
    })
}

/// The other Shipway owner that has taken an object over: its label is there, and an Apply entry
/// of its manager. The label alone may have been copied.
fn taker(meta: &ObjectMeta, owner: &Owner) -> Option<String> {
    let label = meta.labels.as_ref()?.get(names::OWNER_LABEL)?;
    let own = owner.manager();
    let applied = meta.managed_fields.iter().flatten().any(|entry| {
        entry.operation.as_deref() == Some("Apply")
            && entry
                .manager
                .as_deref()
                .is_some_and(|manager| manager.starts_with("shipway:") && manager != own)
    });
    let name = meta
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(names::OWNER_ANNOTATION));
    (applied && *label != owner.label()).then(|| name.cloned().unwrap_or_default())
}

fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
