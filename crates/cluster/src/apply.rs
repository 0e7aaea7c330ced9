//! Carries one object to the API server by server-side apply, and settles conflicts by their cause.
//!
//! The first attempt never forces, so that the API server's conflict on the owner label is the
//! lock between owners. What follows depends on who owns the field: another Shipment keeps it,
//! an autoscaler or an ignored field keeps that field, everybody else is overruled and named.

mod adopt;
mod conflict;
mod dry;

use bytes::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::ApiResource;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::caller::{Answer, Caller, Payload, Want};
use crate::error::ApiError;
use crate::ownership::{Change, Owner, Trace, fields_hash, own_entry, second};
use crate::prune::live;
use crate::resource::{Resource, encode};
use adopt::adopt;
use conflict::{changes, conflicts, leave_out};
pub use dry::{Foreseen, dry_run};

/// How many conflicts one apply settles before it gives up until the next pass.
const ROUNDS: usize = 12;

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
    /// When we last changed it, by the API server's clock.
    pub written: Option<i64>,
    /// What changes of others leave on it.
    pub trace: Trace,
    /// Whether it was created.
    pub created: bool,
    /// Whether it is on its way out all the same, and something holds it.
    pub deleting: bool,
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
    /// An object that was there before is ours by now, but what others left behind on it could not
    /// be moved.
    #[error(transparent)]
    Half(ApiError),
}

#[derive(Deserialize)]
struct Partial {
    metadata: ObjectMeta,
}

/// Applies one object as one owner.
///
/// # Errors
/// [`ApplyError::OwnedBy`] when another owner has it, [`ApplyError::Half`] when it could not be adopted
/// to the end, [`ApplyError::Api`] for everything else.
pub async fn apply(
    caller: &Caller,
    owner: &Owner,
    intent: Intent<'_>,
) -> Result<Applied, ApplyError> {
    let manager = owner.manager();
    let place = place(intent.object, intent.api);
    let mut round = Round {
        body: intent.object.clone(),
        pinned: false,
        force: false,
    };
    let mut left_out = Vec::new();
    let mut overruled = Vec::new();
    for _ in 0..ROUNDS {
        let sent = patch(
            caller,
            &place,
            &round.body,
            &manager,
            round.force,
            intent.want,
        );
        let refusal = match sent.await {
            Ok(answer) => {
                let mut applied = read(&answer, &manager, intent.want)?;
                if !applied.created && !intent.known {
                    round.unpin();
                    applied = adopt(caller, &place, &round.body, &manager, intent.want, applied)
                        .await
                        .map_err(ApplyError::Half)?;
                    applied.adopted = true;
                }
                applied.left_out = left_out;
                applied.overruled = overruled;
                return Ok(applied);
            }
            Err(ApiError::Refused(refusal)) if refusal.code == 409 => refusal,
            // What was to be overruled is gone: begin anew, as if nothing had been there.
            Err(error) if error.is_not_found() && round.pinned => {
                round.unpin();
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let conflicts = conflicts(&refusal);
        if conflicts.is_empty() {
            round.unpin(); // the resourceVersion moved on: look at it anew
            continue;
        }
        let other = conflicts
            .iter()
            .find(|conflict| conflict.is_with_owner(&manager));
        if let Some(other) = other.filter(|other| intent.release_from != Some(&other.manager)) {
            let owner = owner_of(caller, &place, &other.manager).await;
            let manager = other.manager.clone();
            return Err(ApplyError::OwnedBy { manager, owner });
        }
        let kept = leave_out(
            &mut round.body,
            &conflicts,
            intent.ignore,
            intent.release_from,
        );
        if !kept.is_empty() {
            left_out.extend(kept);
            round.unpin();
            continue;
        }
        if round.pinned {
            // These are all the conflicts of exactly this resourceVersion, none of them somebody's
            // who keeps what they own: now they are overruled.
            round.force = true;
            continue;
        }
        if let Some(live) = live(caller, &place).await? {
            overruled = changes(&conflicts, &live);
            round.pin(&live);
        }
    }
    Err(ApiError::Unreachable(format!(
        "{ROUNDS} conflicts in a row: others write it all the time"
    ))
    .into())
}

/// One attempt of an apply.
struct Round {
    body: Value,
    /// Whether it holds for one resourceVersion alone.
    pinned: bool,
    force: bool,
}

impl Round {
    fn pin(&mut self, live: &ObjectMeta) {
        if let (Some(meta), Some(version)) = (
            self.body["metadata"].as_object_mut(),
            &live.resource_version,
        ) {
            meta.insert("resourceVersion".to_owned(), json!(version));
            self.pinned = true;
        }
    }

    fn unpin(&mut self) {
        if let Some(meta) = self.body["metadata"].as_object_mut() {
            meta.remove("resourceVersion");
        }
        self.pinned = false;
        self.force = false;
    }
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
        written: own_entry(&meta, manager).and_then(second),
        version: version(&meta),
        trace: Trace::of(&meta),
        deleting: meta.deletion_timestamp.is_some(),
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

/// A resourceVersion as a number, which a later version of the same kind exceeds: since Kubernetes 1.35 the API promises
/// that it is one. 0 where there is none.
pub fn version(meta: &ObjectMeta) -> u64 {
    meta.resource_version
        .as_deref()
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
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
