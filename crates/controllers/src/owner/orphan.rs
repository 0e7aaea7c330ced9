//! Objects that were stamped and that nothing stamps any more: they are deleted, as the account, and their
//! entries stay in the status until they are gone.

use choreography::orphans::{self, Fate, Live, Looked};
use cluster::caller::Want;
use cluster::{ApiError, Caller, Resource};
use kinds::cartographer::label;
use kinds::cartographer::owner::ResourceStatus;
use kinds::cartographer::template::Lifecycle;
use kube::ResourceExt as _;
use kube::core::DynamicObject;
use serde_json::json;

use super::walk::Walked;
use super::{Kind, Pass, tell};

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
                    let (owner, name) = (&self.stamper.key, &suspect.name);
                    tracing::warn!(error = %error, "could not delete the object of resource `{name}`, which `{owner}` stamps no more");
                    self.uses.refused |= error.is_forbidden();
                    walked.report.retries |= !error.is_forbidden();
                    walked.orphans.push(suspect.clone());
                }
            }
        }
    }

    /// Deletes the object of an entry unless it is to stay. Tells whether it did.
    async fn part(
        &self,
        caller: &Caller,
        suspect: &ResourceStatus,
        current: &[ResourceStatus],
    ) -> Result<bool, ApiError> {
        let stamped = suspect.stamped_ref.clone().unwrap_or_default();
        let version = stamped.api_version.unwrap_or_default();
        let (group, number) = version.split_once('/').unwrap_or(("", &version));
        let kind = stamped.kind.unwrap_or_default();
        let Some(api) = self.ctx.catalog.api(group, number, &kind) else {
            return Ok(false); // the kind is gone, and so are its objects
        };
        let name = stamped.name.unwrap_or_default();
        let place = Resource::object(&api, stamped.namespace.as_deref(), &name);
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
        let options = json!({
            "propagationPolicy": "Background",
            "preconditions": {"uid": live.metadata.uid, "resourceVersion": live.metadata.resource_version},
        });
        match caller.delete(&place, &options).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
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
