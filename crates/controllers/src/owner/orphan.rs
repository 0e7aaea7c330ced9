//! Objects that were stamped and that nothing stamps any more: they are deleted, as the account, and their
//! entries stay in the status until they are gone.

use std::collections::HashSet;

use choreography::orphans::{self, Fate, Live, Looked};
use choreography::verdict::Status;
use cluster::caller::Want;
use cluster::{ApiError, Caller, Resource};
use kinds::cartographer::label;
use kinds::cartographer::owner::{CoreReference, ResourceStatus};
use kinds::cartographer::template::Lifecycle;
use kube::ResourceExt as _;
use kube::core::DynamicObject;
use manifest::ObjectId;
use serde_json::json;

use super::walk::Walked;
use super::{Kind, Pass, tell};
use crate::stamping;

impl<K: Kind> Pass<'_, K> {
    pub(super) async fn clean_up(
        &mut self,
        caller: &Caller,
        before: &[ResourceStatus],
        walked: &mut Walked,
    ) {
        for suspect in orphans::suspects(before, &walked.report.resources) {
            match self.part(caller, suspect, &walked.report.resources).await {
                Ok(false) => {}
                Ok(true) => {
                    let object = suspect.stamped_ref.as_ref();
                    walked.removed.extend(object.and_then(tell::named));
                }
                Err(error) => {
                    let object = suspect.stamped_ref.as_ref().and_then(tell::named);
                    self.tell_kept(object.as_deref().unwrap_or(&suspect.name), &error);
                    self.uses.refused |= error.is_forbidden();
                    walked.report.retries |= !error.is_forbidden();
                    walked.orphans.push(suspect.clone());
                }
            }
        }
    }

    /// Deletes what was stamped in place, is not wanted any more, and that no status told of: a pass may have been cut
    /// short before it wrote one. Not where this one has not reached everything: who knows what is wanted then.
    pub(super) async fn clear_up(
        &mut self,
        caller: &Caller,
        before: &[ResourceStatus],
        mut wanted: HashSet<ObjectId>,
        walked: &mut Walked,
    ) {
        if walked.report.submitted.verdict.status != Status::True {
            return;
        }
        let told = before.iter().filter_map(|entry| entry.stamped_ref.as_ref());
        wanted.extend(told.map(|stamped| identity(stamped).0));
        for id in self.ctx.seen.surplus(&self.stamper, &wanted) {
            match self.clear(caller, &id).await {
                Ok(removed) => {
                    self.ctx.seen.forget(&id);
                    walked.removed.extend(removed);
                }
                Err(error) => {
                    self.tell_kept(&id.to_string(), &error);
                    self.uses.refused |= error.is_forbidden();
                    walked.report.retries |= !error.is_forbidden();
                }
            }
        }
    }

    /// Deletes an object that this owner has stamped in place; tells its name for events.
    async fn clear(&self, caller: &Caller, id: &ObjectId) -> Result<Option<String>, ApiError> {
        let Some((api, _)) = self.ctx.catalog.preferred_api(&id.group, &id.kind) else {
            return Ok(None); // the kind is gone, and so are its objects
        };
        let place = Resource::object(&api, id.namespace.as_deref(), &id.name);
        let live = self.live(caller, &place).await?;
        let is_in_place = |live: &DynamicObject| {
            let lifecycle = live.labels().get(label::TEMPLATE_LIFECYCLE);
            lifecycle.is_some_and(|lifecycle| lifecycle == "mutable")
        };
        let Some(live) = live.filter(is_in_place) else {
            return Ok(None);
        };
        let named = format!("{}/{}", stamping::resource_of(&api), id.name);
        Ok(delete(caller, &place, &live).await?.then_some(named))
    }

    /// Deletes the object of an entry unless it is to stay. Tells whether it did.
    async fn part(
        &self,
        caller: &Caller,
        suspect: &ResourceStatus,
        current: &[ResourceStatus],
    ) -> Result<bool, ApiError> {
        let stamped = suspect.stamped_ref.clone().unwrap_or_default();
        let (id, number) = identity(&stamped);
        let Some(api) = self.ctx.catalog.api(&id.group, &number, &id.kind) else {
            return Ok(false); // the kind is gone, and so are its objects
        };
        let place = Resource::object(&api, id.namespace.as_deref(), &id.name);
        let live = self.live(caller, &place).await?;
        let lifecycle = live
            .as_ref()
            .and_then(|live| live.labels().get(label::TEMPLATE_LIFECYCLE));
        let looked = Looked {
            template: self.lifecycle(suspect),
            object: match &live {
                Some(_) => Live::There(lifecycle.map(String::as_str)),
                None => Live::Gone,
            },
        };
        let (Fate::Delete, Some(live)) = (orphans::fate(suspect, current, looked), &live) else {
            return Ok(false);
        };
        delete(caller, &place, live).await
    }

    /// The object, unless it is gone, on its way out, or no longer this owner's.
    async fn live(
        &self,
        caller: &Caller,
        place: &Resource,
    ) -> Result<Option<DynamicObject>, ApiError> {
        let live: DynamicObject = match caller.get(place, Want::Metadata).await {
            Ok(answer) => answer.decode()?,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let ours = self.object.meta().uid.as_deref();
        let owners = live.owner_references();
        let is_ours = owners.iter().any(|owner| Some(owner.uid.as_str()) == ours);
        let is_going = live.metadata.deletion_timestamp.is_some();
        Ok(Some(live).filter(|_| is_ours && !is_going))
    }

    fn lifecycle(&self, entry: &ResourceStatus) -> Option<Lifecycle> {
        let template = entry.template_ref.as_ref()?;
        let kind = template.kind.as_deref()?.parse().ok()?;
        let template = self.ctx.library.template(kind, template.name.as_deref()?)?;
        Some(template.spec().lifecycle)
    }
}

/// Deletes an object as it was looked at. Tells whether it was there.
async fn delete(caller: &Caller, place: &Resource, live: &DynamicObject) -> Result<bool, ApiError> {
    let options = json!({
        "propagationPolicy": "Background",
        "preconditions": {"uid": live.metadata.uid, "resourceVersion": live.metadata.resource_version},
    });
    match caller.delete(place, &options).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// The object that an entry names, and the version of its kind.
fn identity(stamped: &CoreReference) -> (ObjectId, String) {
    let version = stamped.api_version.as_deref().unwrap_or_default();
    let (group, number) = version.split_once('/').unwrap_or(("", version));
    let id = ObjectId {
        group: group.to_owned(),
        kind: stamped.kind.clone().unwrap_or_default(),
        namespace: stamped.namespace.clone(),
        name: stamped.name.clone().unwrap_or_default(),
    };
    (id, number.to_owned())
}
