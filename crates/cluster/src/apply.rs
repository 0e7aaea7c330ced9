//! Carries one object to the API server by server-side apply, and settles conflicts by their cause.
//!
//! The first attempt never forces, so that the API server's conflict on the owner label is the
//! lock between owners. What follows depends on who owns the field: another Shipment keeps it,
//! an autoscaler or an ignored field keeps that field, everybody else is overruled and named.

use bytes::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::ApiResource;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::caller::{Answer, Caller, Payload, Resource, Want};
use crate::error::{ApiError, Refusal};
use crate::field_path::{Step, is_under, remove, resolve};
use crate::ownership::{Change, Owner, fields_hash, written_at};

/// How many conflicts one apply settles before it gives up until the next pass.
const ROUNDS: usize = 8;
/// What kubectl's client-side apply leaves behind.
const CLIENT_SIDE_APPLY: &str = "kubectl-client-side-apply";
/// What the API server records when an object without recorded owners is first applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// What is to be applied, and how.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// The object, with its namespace, owner label and annotation.
    pub object: &'a Value,
    /// Where its kind is served.
    pub api: &'a ApiResource,
    /// JSON pointers of fields that other writers may own.
    pub ignore: &'a [String],
    /// Whether this owner has applied it before; if not, an existing object is adopted.
    pub known: bool,
    /// How much of the object the answer should hold.
    pub want: Want,
    /// Another Shipment's manager that has let go of the object and is overruled (hand-over).
    pub release_from: Option<&'a str>,
}

/// What became of an object that was applied.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion after the apply.
    pub version: u64,
    /// The hash of our own field set.
    pub fields: String,
    /// Whether it was created.
    pub created: bool,
    /// Fields that were left to their writers: the field and the manager.
    pub left_out: Vec<(String, String)>,
    /// Changes of others that were overruled.
    pub overruled: Vec<Change>,
    /// Whether an object that existed before is now ours.
    pub adopted: bool,
    /// The whole object, where it was wanted.
    pub live: Option<Value>,
}

/// Why an object could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Another Shipway owner has it: its manager, and its name where it is recorded.
    #[error("owned by {owner}")]
    OwnedBy {
        /// The other owner's field manager.
        manager: String,
        /// The other owner as `namespace/name`.
        owner: String,
    },
    /// The API server said no, or nothing.
    #[error(transparent)]
    Api(#[from] ApiError),
}

#[derive(Deserialize)]
struct Partial {
    metadata: ObjectMeta,
}

/// Applies one object as one owner.
///
/// # Errors
/// [`ApplyError::OwnedBy`] when another owner has it, [`ApplyError::Api`] for everything else.
pub async fn apply(
    caller: &Caller,
    owner: &Owner,
    intent: Intent<'_>,
) -> Result<Applied, ApplyError> {
    let manager = owner.manager();
    let mut body = intent.object.clone();
    let mut left_out = Vec::new();
    let mut overruled = Vec::new();
    let place = place(&body, intent.api);
    let mut force = false;
    for _ in 0..ROUNDS {
        let refusal = match patch(caller, &place, &body, &manager, force, intent.want).await {
            Ok(answer) => {
                let mut applied = read(&answer, &manager, intent.want)?;
                if !applied.created && !intent.known {
                    applied = adopt(caller, &place, &body, &manager, intent.want, applied).await?;
                }
                applied.left_out = left_out;
                applied.overruled = overruled;
                return Ok(applied);
            }
            Err(ApiError::Refused(refusal)) if refusal.code == 409 => refusal,
            Err(error) => return Err(error.into()),
        };
        let conflicts = conflicts(&refusal);
        // A resourceVersion that moved on, not a field: read again and try again.
        set_version(&mut body, None);
        force = false;
        if conflicts.is_empty() {
            continue;
        }
        if let Some(other) = conflicts.iter().find(|c| is_other_owner(c, &manager)) {
            if intent.release_from != Some(other.manager.as_str()) {
                let owner = owner_of(caller, &place, &other.manager).await;
                return Err(ApplyError::OwnedBy {
                    manager: other.manager.clone(),
                    owner,
                });
            }
        }
        let kept = leave_out(&mut body, &conflicts, intent.ignore);
        if !kept.is_empty() {
            left_out.extend(kept);
            continue;
        }
        let live: Partial = caller.get(&place, Want::Metadata).await?.decode()?;
        overruled.extend(changes(&conflicts, &live.metadata));
        set_version(&mut body, live.metadata.resource_version.as_deref());
        force = true;
    }
    Err(ApiError::Unreachable(format!(
        "{ROUNDS} conflicts in a row: others write it all the time"
    ))
    .into())
}

/// Asks the API server what an apply would make of an object, without doing it.
///
/// # Errors
/// [`ApiError`] as for an apply.
pub async fn dry_run(
    caller: &Caller,
    owner: &Owner,
    object: &Value,
    api: &ApiResource,
) -> Result<Value, ApiError> {
    let query = format!(
        "fieldManager={}&force=true&dryRun=All",
        encode(&owner.manager())
    );
    let payload = Payload::Apply(Bytes::from(object.to_string()));
    caller
        .patch(&place(object, api), &query, Want::Whole, &payload)
        .await?
        .decode()
}

/// Lets go of an object: an apply of nothing but its identity, with the uid, so that it can
/// neither empty another object of that name nor create one.
///
/// # Errors
/// [`ApiError`]; a 404 or 409 means that there is nothing to let go of.
pub async fn release(
    caller: &Caller,
    owner: &Owner,
    api: &ApiResource,
    place: &Resource,
    object: Value,
) -> Result<(), ApiError> {
    debug_assert_eq!(object["kind"], api.kind);
    let query = format!("fieldManager={}&force=false", encode(&owner.manager()));
    caller
        .patch(
            place,
            &query,
            Want::Metadata,
            &Payload::Apply(Bytes::from(object.to_string())),
        )
        .await?;
    Ok(())
}

fn place(object: &Value, api: &ApiResource) -> Resource {
    let meta = &object["metadata"];
    Resource::object(
        api,
        meta["namespace"].as_str(),
        meta["name"].as_str().unwrap_or_default(),
    )
}

async fn patch(
    caller: &Caller,
    place: &Resource,
    body: &Value,
    manager: &str,
    force: bool,
    want: Want,
) -> Result<Answer, ApiError> {
    let query = format!("fieldManager={}&force={force}", encode(manager));
    caller
        .patch(
            place,
            &query,
            want,
            &Payload::Apply(Bytes::from(body.to_string())),
        )
        .await
}

fn read(answer: &Answer, manager: &str, want: Want) -> Result<Applied, ApiError> {
    let partial: Partial = answer.decode()?;
    let meta = partial.metadata;
    Ok(Applied {
        fields: fields_hash(&meta, manager).unwrap_or_default(),
        version: version(&meta),
        uid: meta.uid.unwrap_or_default(),
        created: answer.code == 201,
        left_out: Vec::new(),
        overruled: Vec::new(),
        adopted: false,
        live: if want == Want::Whole {
            Some(answer.decode()?)
        } else {
            None
        },
    })
}

/// A resourceVersion as a number: since Kubernetes 1.35 the API promises that it is one.
pub(crate) fn version(meta: &ObjectMeta) -> u64 {
    meta.resource_version
        .as_deref()
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

/// Takes over an object that was there before: fields that kubectl's client-side apply owned
/// become ours, so that what has left the source goes away with the second apply; what was
/// recorded before the first apply is let go of and keeps its value.
async fn adopt(
    caller: &Caller,
    place: &Resource,
    body: &Value,
    manager: &str,
    want: Want,
    applied: Applied,
) -> Result<Applied, ApiError> {
    let live: Partial = caller.get(place, Want::Metadata).await?.decode()?;
    let entries = live.metadata.managed_fields.clone().unwrap_or_default();
    let migrate = |name: &str| name == CLIENT_SIDE_APPLY || name == BEFORE_FIRST_APPLY;
    if !entries
        .iter()
        .any(|entry| entry.manager.as_deref().is_some_and(migrate))
    {
        return Ok(Applied {
            adopted: true,
            ..applied
        });
    }
    let mut kept = Vec::new();
    let mut inherited = json!({});
    for entry in entries {
        match entry.manager.as_deref() {
            Some(CLIENT_SIDE_APPLY) => {
                if let Some(fields) = &entry.fields_v1 {
                    merge_fields(&mut inherited, &fields.0);
                }
            }
            Some(BEFORE_FIRST_APPLY) => {}
            _ => kept.push(entry),
        }
    }
    for entry in &mut kept {
        if entry.manager.as_deref() == Some(manager) && entry.operation.as_deref() == Some("Apply")
        {
            if let Some(fields) = &mut entry.fields_v1 {
                merge_fields(&mut fields.0, &inherited);
            }
        }
    }
    let steps = json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": live.metadata.resource_version},
        {"op": "replace", "path": "/metadata/managedFields", "value": kept},
    ]);
    let query = format!("fieldManager={}", kinds::names::CONTROLLER_MANAGER);
    caller
        .patch(
            place,
            &query,
            Want::Metadata,
            &Payload::JsonPatch(Bytes::from(steps.to_string())),
        )
        .await?;
    let answer = patch(caller, place, body, manager, false, want).await?;
    Ok(Applied {
        adopted: true,
        ..read(&answer, manager, want)?
    })
}

fn merge_fields(into: &mut Value, from: &Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        for (key, value) in from {
            merge_fields(into.entry(key.clone()).or_insert_with(|| json!({})), value);
        }
    }
}

/// A field that somebody else owns with another value.
struct Conflict {
    manager: String,
    scale: bool,
    field: String,
}

/// Reads the causes; the manager stands in the message alone, as
/// `conflict with "x" with subresource "scale" using apps/v1 at …`.
fn conflicts(refusal: &Refusal) -> Vec<Conflict> {
    let causes = refusal
        .details
        .causes
        .iter()
        .filter(|cause| cause.reason == "FieldManagerConflict");
    causes
        .map(|cause| {
            let quoted: Vec<&str> = cause.message.split('"').collect();
            Conflict {
                manager: quoted.get(1).copied().unwrap_or_default().to_owned(),
                scale: cause.message.contains("with subresource \"scale\""),
                field: cause.field.clone(),
            }
        })
        .collect()
}

fn is_other_owner(conflict: &Conflict, manager: &str) -> bool {
    conflict.manager.starts_with("shipway:") && conflict.manager != manager
}

/// Takes the fields out that belong to an autoscaler or are ignored; tells which.
fn leave_out(body: &mut Value, conflicts: &[Conflict], ignore: &[String]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut places: Vec<Vec<Step>> = Vec::new();
    for conflict in conflicts {
        let Some(steps) = resolve(body, &conflict.field) else {
            continue;
        };
        let autoscaler = conflict.scale && !conflict.manager.starts_with("kubectl");
        if autoscaler || ignore.iter().any(|pointer| is_under(&steps, pointer)) {
            out.push((conflict.field.clone(), conflict.manager.clone()));
            places.push(steps);
        }
    }
    // From the end, so that an index is still right when an earlier item goes.
    for steps in places.iter().rev() {
        remove(body, steps);
    }
    out
}

fn changes(conflicts: &[Conflict], live: &ObjectMeta) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for conflict in conflicts {
        match changes
            .iter_mut()
            .find(|change| change.manager == conflict.manager)
        {
            Some(change) => change.fields.push(conflict.field.clone()),
            None => changes.push(Change {
                manager: conflict.manager.clone(),
                fields: vec![conflict.field.clone()],
                at: written_at(live, &conflict.manager),
            }),
        }
    }
    changes
}

async fn owner_of(caller: &Caller, place: &Resource, manager: &str) -> String {
    // The manager names its owner unless that was too long and is hashed.
    if let Some((_, owner)) = manager
        .rsplit_once(':')
        .filter(|(_, owner)| owner.contains('/'))
    {
        return owner.to_owned();
    }
    let live = caller
        .get(place, Want::Metadata)
        .await
        .and_then(|answer| answer.decode::<Partial>());
    live.ok()
        .and_then(|partial| {
            partial
                .metadata
                .annotations?
                .get(kinds::names::OWNER_ANNOTATION)
                .cloned()
        })
        .unwrap_or_else(|| manager.to_owned())
}

fn set_version(body: &mut Value, version: Option<&str>) {
    let Some(meta) = body["metadata"].as_object_mut() else {
        return;
    };
    match version {
        Some(version) => meta.insert("resourceVersion".to_owned(), json!(version)),
        None => meta.remove("resourceVersion"),
    };
}

/// Encodes a query value.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
