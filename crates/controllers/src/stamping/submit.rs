//! Carries one stamped object to the API server, as the account of whoever stamped it.
//!
//! An object that is changed in place is applied, as one field manager for each owner, so that what others
//! added stays. One that is made anew for each change is created, and found again by a label with the digest
//! of what was stamped: neither a restart nor an admission that changes it stamps it twice.

use cluster::apply::{ApplyError, Intent, apply};
use cluster::caller::Want;
use cluster::ownership::{covers, own_entry};
use cluster::{ApiError, Caller, Owner, Resource};
use delivery::scope::{Scope, Served};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kinds::names;
use kube::core::ApiResource;
use manifest::{ObjectId, fingerprint};
use serde::Deserialize;
use serde_json::{Value, json};

use super::seen::Stamper;
use crate::context::Ctx;

/// How many digits of a digest mark an object.
const DIGITS: usize = 32;

/// Who stamps, and as whom it is carried out.
#[derive(Clone, Copy)]
pub(crate) struct Submission<'a> {
    pub(crate) ctx: &'a Ctx,
    /// Acts as the account.
    pub(crate) caller: &'a Caller,
    pub(crate) owner: &'a Owner,
    pub(crate) stamper: &'a Stamper,
}

/// What was done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Created,
    Patched,
}

/// An object as it is after it was submitted.
#[derive(Clone, Debug)]
pub(crate) struct Stamped {
    pub(crate) id: ObjectId,
    pub(crate) api: ApiResource,
    /// The whole object.
    pub(crate) live: Value,
    pub(crate) change: Option<Change>,
}

/// All objects that were made for one thing, each for another version of it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The one that is as it is to be now.
    pub(crate) current: Stamped,
    /// All of them, whole, the current one among them.
    pub(crate) all: Vec<Value>,
}

/// Why an object could not be submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What was tried: `list`, `create` or `patch`.
    pub(crate) doing: &'static str,
    pub(crate) why: String,
    /// Whether the account may not do it. Then a change of its rights tells when to try again.
    pub(crate) forbidden: bool,
}

impl Refused {
    fn new(doing: &'static str, why: &ApiError) -> Self {
        Self {
            doing,
            why: why.to_string(),
            forbidden: why.is_forbidden(),
        }
    }
}

#[derive(Deserialize)]
struct List {
    items: Option<Vec<Value>>,
}

impl Submission<'_> {
    /// Where objects of a stamped one's kind are, and its identity there.
    ///
    /// # Errors
    /// A sentence where the cluster does not serve the kind.
    pub(crate) fn place(&self, object: &mut Value) -> Result<(ApiResource, ObjectId), String> {
        let text = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
        let (version, kind) = (text("apiVersion"), text("kind"));
        let (group, number) = version.split_once('/').unwrap_or(("", &version));
        let served = self.ctx.catalog.served(group, number, &kind);
        let (Served::Yes(scope), Some(api)) = (served, self.ctx.catalog.api(group, number, &kind))
        else {
            return Err(format!(
                "no matches for kind {kind:?} in version {version:?}"
            ));
        };
        if scope == Scope::Cluster
            && let Some(metadata) = object["metadata"].as_object_mut()
        {
            metadata.remove("namespace");
        }
        let metadata = &object["metadata"];
        let id = ObjectId {
            group: group.to_owned(),
            kind,
            namespace: metadata["namespace"].as_str().map(str::to_owned),
            name: metadata["name"].as_str().unwrap_or_default().to_owned(),
        };
        Ok((api, id))
    }

    /// Brings an object that is changed in place into its form. `expected` says whether it was stamped
    /// before; then it is looked at first, so that one that is right costs no write.
    pub(crate) async fn replace(
        &self,
        (api, id): (ApiResource, ObjectId),
        mut wanted: Value,
        expected: bool,
    ) -> Result<Stamped, Refused> {
        let mark = fingerprint(&wanted.to_string(), DIGITS);
        self.sign(&mut wanted);
        note(&mut wanted, "annotations", names::STAMP, &mark);
        self.ctx.seen.follow(&id, self.stamper);
        let place = Resource::object(&api, id.namespace.as_deref(), &id.name);
        let before = if expected {
            self.look(&place).await?
        } else {
            None
        };
        if let Some(live) = &before {
            self.ctx.seen.read(&id, version(live));
            if self.is_as_wanted(live, &wanted) {
                let live = live.clone();
                return Ok(Stamped {
                    id,
                    api,
                    live,
                    change: None,
                });
            }
        }
        let doing = if before.is_some() { "patch" } else { "create" };
        let intent = Intent {
            object: &wanted,
            api: &api,
            ignore: &[],
            known: before.as_ref().is_some_and(|live| self.is_ours(live)),
            want: Want::Whole,
            release_from: None,
        };
        let applied = apply(self.caller, self.owner, intent).await;
        let applied = applied.map_err(|error| match error {
            ApplyError::OwnedBy { owner, .. } => Refused {
                doing,
                why: format!("it belongs to `{owner}`"),
                forbidden: false,
            },
            ApplyError::Api(error) | ApplyError::Half(error) => Refused::new(doing, &error),
        })?;
        let live = applied.live.unwrap_or_default();
        self.ctx.seen.read(&id, applied.version);
        let change = if applied.created {
            Some(Change::Created)
        } else {
            let same = before.is_some_and(|before| version(&before) == applied.version);
            (!same).then_some(Change::Patched)
        };
        Ok(Stamped {
            id,
            api,
            live,
            change,
        })
    }

    /// Makes an object unless one was made of the very same. `labels` are those that all objects of its
    /// sort carry.
    pub(crate) async fn make(
        &self,
        (api, id): (ApiResource, ObjectId),
        mut wanted: Value,
        labels: &[(String, String)],
    ) -> Result<Run, Refused> {
        let mark = fingerprint(&wanted.to_string(), DIGITS);
        self.sign(&mut wanted);
        note(&mut wanted, "labels", names::STAMP, &mark);
        let collection = Resource::collection(&api, id.namespace.as_deref());
        let mut selector = vec![format!("{}={}", names::OWNER_LABEL, self.owner.label())];
        selector.extend(labels.iter().map(|(key, value)| format!("{key}={value}")));
        let listed = self
            .caller
            .list(&collection, &selector.join(","), Want::Whole)
            .await;
        let listed: Result<List, ApiError> = listed.and_then(|answer| answer.decode());
        let listed = listed.map_err(|why| Refused::new("list", &why))?;
        let mut all = listed.items.unwrap_or_default();
        for object in &mut all {
            // The items of a list do not say what they are.
            object["apiVersion"] = wanted["apiVersion"].clone();
            object["kind"] = wanted["kind"].clone();
            let id = known(&id, object);
            self.ctx.seen.follow(&id, self.stamper);
            self.ctx.seen.read(&id, version(object));
        }
        let is_current =
            |object: &&Value| object["metadata"]["labels"][names::STAMP] == json!(mark);
        let mut found: Vec<&Value> = all.iter().filter(is_current).collect();
        found.sort_by_key(|object| text(&object["metadata"]["creationTimestamp"]).to_owned());
        if let Some(live) = found.last().map(|live| (*live).clone()) {
            let id = known(&id, &live);
            let current = Stamped {
                id,
                api,
                live,
                change: None,
            };
            return Ok(Run { current, all });
        }
        let made = self.caller.create(&collection, &wanted).await;
        let live: Result<Value, ApiError> = made.and_then(|answer| answer.decode());
        let live = live.map_err(|why| Refused::new("create", &why))?;
        let id = known(&id, &live);
        self.ctx.seen.follow(&id, self.stamper);
        self.ctx.seen.read(&id, version(&live));
        all.push(live.clone());
        let change = Some(Change::Created);
        let current = Stamped {
            id,
            api,
            live,
            change,
        };
        Ok(Run { current, all })
    }

    /// Deletes an object that was made, as it was last seen. One that is gone is no error.
    pub(crate) async fn unmake(&self, api: &ApiResource, object: &Value) -> Result<bool, ApiError> {
        let meta = &object["metadata"];
        let place = Resource::object(api, meta["namespace"].as_str(), text(&meta["name"]));
        let options = json!({
            "propagationPolicy": "Background",
            "preconditions": {"uid": meta["uid"]},
        });
        match self.caller.delete(&place, &options).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Says on an object whose it is.
    fn sign(&self, wanted: &mut Value) {
        let owner = self.owner;
        note(
            wanted,
            "annotations",
            names::OWNER_ANNOTATION,
            &owner.annotation(),
        );
        note(wanted, "labels", names::OWNER_LABEL, &owner.label());
    }

    async fn look(&self, place: &Resource) -> Result<Option<Value>, Refused> {
        match self.caller.get(place, Want::Whole).await {
            Ok(answer) => {
                let live = answer.decode().map_err(|why| Refused::new("get", &why))?;
                Ok(Some(live))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(Refused::new("get", &error)),
        }
    }

    /// Whether an object was stamped from the very same, and every field of it is still ours.
    fn is_as_wanted(&self, live: &Value, wanted: &Value) -> bool {
        let same = live["metadata"]["annotations"][names::STAMP]
            == wanted["metadata"]["annotations"][names::STAMP];
        let entry = meta(live);
        let entry = entry.as_ref().filter(|meta| self.owner.owns(meta));
        let entry = entry.and_then(|meta| own_entry(meta, &self.owner.manager()));
        same && entry.is_some_and(|entry| covers(entry, wanted))
    }

    fn is_ours(&self, live: &Value) -> bool {
        meta(live).is_some_and(|meta| self.owner.owns(&meta))
    }
}

/// The identity of an object of the same kind and place as another.
fn known(like: &ObjectId, object: &Value) -> ObjectId {
    ObjectId {
        name: text(&object["metadata"]["name"]).to_owned(),
        ..like.clone()
    }
}

/// Sets a label or an annotation. Where the template has no map there the API server says so.
fn note(object: &mut Value, map: &str, key: &str, value: &str) {
    let map = &mut object["metadata"][map];
    if map.is_null() || map.is_object() {
        map[key] = json!(value);
    }
}

fn meta(object: &Value) -> Option<ObjectMeta> {
    ObjectMeta::deserialize(&object["metadata"]).ok()
}

fn version(object: &Value) -> u64 {
    let version = object["metadata"]["resourceVersion"].as_str();
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
