//! Carries one stamped object to the API server, as the account of whoever stamped it.
//!
//! An object that is changed in place is applied, as one field manager for each owner, so that what others
//! added stays. One that is made anew for each change is created, and found again by a label with the digest
//! of what was stamped: neither a restart nor an admission that changes it stamps it twice.

use cluster::apply::{Applied, ApplyError, Intent, apply};
use cluster::caller::Want;
use cluster::field_path::leave_undeclared_out;
use cluster::ownership::{covers, own_entry};
use cluster::{ApiError, Caller, Owner, Resource};
use delivery::scope::{Scope, Served};
use kinds::names;
use kube::core::ApiResource;
use manifest::{ObjectId, fingerprint};
use serde::Deserialize;
use serde_json::{Value, json};

use super::marks::{
    contains, is_owned_as, is_shipment, known, meta, note, note_inputs, text, version,
};
use super::seen::Stamper;
use crate::board::Key;
use crate::context::Ctx;

/// How many fields that a kind does not have are left out of an object.
const MOST_LEFT_OUT: usize = 16;
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
    /// Whether it was there before, and nobody's of ours.
    pub(crate) adopted: bool,
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

/// The whole objects with some labels, which say what they are.
pub(crate) async fn list(
    caller: &Caller,
    (api, namespace): (&ApiResource, Option<&str>),
    labels: &str,
) -> Result<Vec<Value>, ApiError> {
    #[derive(Deserialize)]
    struct List {
        items: Option<Vec<Value>>,
    }
    let place = Resource::collection(api, namespace);
    let listed = caller.list(&place, labels, Want::Whole).await?;
    let listed: List = listed.decode()?;
    let mut all = listed.items.unwrap_or_default();
    for object in &mut all {
        // The items of a list do not.
        object["apiVersion"] = json!(api.api_version);
        object["kind"] = json!(api.kind);
    }
    Ok(all)
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

    /// Brings an object that is changed in place into its form, with a note of what went into it, if anything did.
    /// `expected` says whether it was stamped before; then it is looked at first, so that one that is right costs
    /// no write.
    pub(crate) async fn replace(
        &self,
        (api, id): (ApiResource, ObjectId),
        mut wanted: Value,
        inputs: &str,
        expected: bool,
    ) -> Result<Stamped, Refused> {
        note_inputs(&mut wanted, inputs);
        let mark = fingerprint(&wanted.to_string(), DIGITS);
        self.sign(&mut wanted);
        note(&mut wanted, "annotations", names::STAMP, &mark);
        self.ctx.seen.follow(&id, self.stamper);
        let place = Resource::object(&api, id.namespace.as_deref(), &id.name);
        let before = if expected {
            self.look(&place, &id).await?
        } else {
            None
        };
        if let Some(live) = &before {
            self.ctx.seen.read(&id, version(live));
            if self.is_as_wanted(live, &wanted, &id) {
                let live = live.clone();
                return Ok(Stamped {
                    id,
                    api,
                    live,
                    change: None,
                    adopted: false,
                });
            }
        }
        let doing = if before.is_some() { "patch" } else { "create" };
        let known = before.as_ref().is_some_and(|live| self.is_ours(live));
        let mut applied = self.apply(&api, &wanted, known).await;
        // A kind's other writers have what it does not have dropped, and so had Cartographer.
        let mut left_out = Vec::new();
        while let Err(ApplyError::Api(error)) = &applied
            && left_out.len() < MOST_LEFT_OUT
        {
            // It may name one at a time.
            let named = leave_undeclared_out(&mut wanted, &error.to_string());
            if named.is_empty() {
                break;
            }
            left_out.extend(named);
            applied = self.apply(&api, &wanted, known).await;
        }
        if applied.is_ok() && !left_out.is_empty() {
            let (fields, key) = (left_out.join(", "), &self.stamper.key);
            tracing::warn!(owner.key = %key, "`{id}` of `{key}` is applied without {fields}: its kind has no such field");
        }
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
            adopted: applied.adopted,
        })
    }

    async fn apply(
        &self,
        api: &ApiResource,
        object: &Value,
        known: bool,
    ) -> Result<Applied, ApplyError> {
        let intent = Intent {
            object,
            api,
            ignore: &[],
            known,
            want: Want::Whole,
            release_from: None,
        };
        apply(self.caller, self.owner, intent).await
    }

    /// Makes an object unless one was made of the very same, with a note of what went into it, if anything did.
    /// That an input changed of which the object shows nothing makes no other one. `labels` are those that all
    /// objects of its sort carry.
    pub(crate) async fn make(
        &self,
        (api, id): (ApiResource, ObjectId),
        mut wanted: Value,
        inputs: &str,
        labels: &[(String, String)],
    ) -> Result<Run, Refused> {
        let mark = fingerprint(&wanted.to_string(), DIGITS);
        note_inputs(&mut wanted, inputs);
        self.sign(&mut wanted);
        note(&mut wanted, "labels", names::STAMP, &mark);
        let collection = Resource::collection(&api, id.namespace.as_deref());
        let mut selector = vec![format!("{}={}", names::OWNER_LABEL, self.owner.label())];
        selector.extend(labels.iter().map(|(key, value)| format!("{key}={value}")));
        let place = (&api, id.namespace.as_deref());
        let listed = list(self.caller, place, &selector.join(",")).await;
        let mut all = listed.map_err(|why| Refused::new("list", &why))?;
        // What a run makes may carry its labels, and what one of the same name made before is not this one's.
        all.retain(|object| is_owned_as(object, &wanted));
        for object in &all {
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
                adopted: false,
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
            adopted: false,
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

    /// The object as it is. A Shipment is known already: all of them are kept.
    async fn look(&self, place: &Resource, id: &ObjectId) -> Result<Option<Value>, Refused> {
        if is_shipment(id) {
            let kept = self.ctx.shipments.get(&Key::of(id));
            return Ok(kept.map(|kept| serde_json::to_value(&*kept).expect("it is plain data")));
        }
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
    fn is_as_wanted(&self, live: &Value, wanted: &Value, id: &ObjectId) -> bool {
        let same = live["metadata"]["annotations"][names::STAMP]
            == wanted["metadata"]["annotations"][names::STAMP];
        if is_shipment(id) {
            // It is kept without its managers: its values have to do.
            return same && contains(live, wanted);
        }
        let entry = meta(live);
        let entry = entry.as_ref().filter(|meta| self.owner.owns(meta));
        let entry = entry.and_then(|meta| own_entry(meta, &self.owner.manager()));
        same && entry.is_some_and(|entry| covers(entry, wanted))
    }

    fn is_ours(&self, live: &Value) -> bool {
        meta(live).is_some_and(|meta| self.owner.owns(&meta))
    }
}

/// A resource as statuses and events name it: `plural[.group]`.
pub(crate) fn resource_of(api: &ApiResource) -> String {
    if api.group.is_empty() {
        api.plural.clone()
    } else {
        format!("{}.{}", api.plural, api.group)
    }
}
