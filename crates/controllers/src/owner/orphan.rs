//! Objects that were stamped and that nothing stamps any more: they are deleted, as the account, and their
//! entries stay in the status until they are gone.

use cluster::caller::Want;
use cluster::{Caller, Resource};
use kinds::cartographer::label;
use kinds::cartographer::owner::{CoreReference, ResourceStatus};
use kinds::cartographer::template::Lifecycle;
use kube::ResourceExt as _;
use kube::core::{ApiResource, DynamicObject};
use serde_json::json;

use super::walk::Walked;
use super::{Kind, Pass, tell};

/// What became of an object that is to go.
enum Gone {
    /// It was deleted.
    Deleted,
    /// It is not there, not this owner's, or to stay.
    Absent,
    /// It is still there.
    Not,
}

impl<K: Kind> Pass<'_, K> {
    pub(super) async fn clean_up(
        &mut self,
        caller: &Caller,
        before: &[ResourceStatus],
        walked: &mut Walked,
    ) {
        for entry in before {
            let Some(stamped) = &entry.stamped_ref else {
                continue;
            };
            let now = || walked.standings.iter().map(|standing| &standing.status);
            if now().any(|now| has(now, stamped)) {
                continue;
            }
            // One of several, each for another version: retention says how long it stays.
            let may_stay = now().any(|now| {
                now.name == entry.name
                    && now.template_ref == entry.template_ref
                    && self.is_made_anew(now)
            });
            match self.delete(caller, stamped, may_stay).await {
                Gone::Deleted => walked.removed.extend(tell::named(stamped)),
                Gone::Absent => {}
                Gone::Not => {
                    walked.may_pass = true;
                    walked.orphans.push(entry.clone());
                }
            }
        }
    }

    /// Whether a resource makes an object for each of its versions.
    fn is_made_anew(&self, resource: &ResourceStatus) -> bool {
        let template = resource.template_ref.as_ref().and_then(|template| {
            let kind = template.kind.as_deref()?.parse().ok()?;
            self.ctx.library.template(kind, template.name.as_deref()?)
        });
        template.is_some_and(|template| template.spec().lifecycle != Lifecycle::Mutable)
    }

    async fn delete(&self, caller: &Caller, stamped: &CoreReference, may_stay: bool) -> Gone {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let version = text(&stamped.api_version);
        let (group, number) = version.split_once('/').unwrap_or(("", &version));
        let kind = text(&stamped.kind);
        let Some(api) = self.ctx.catalog.api(group, number, &kind) else {
            return Gone::Absent; // the kind is gone, and so are its objects
        };
        match self.try_delete(caller, &api, stamped, may_stay).await {
            Ok(gone) => gone,
            Err(error) if error.is_not_found() => Gone::Absent,
            Err(error) => {
                let (owner, name) = (&self.stamper.key, text(&stamped.name));
                tracing::warn!(error = %error, "could not delete {kind} `{name}`, which `{owner}` stamps no more");
                Gone::Not
            }
        }
    }

    async fn try_delete(
        &self,
        caller: &Caller,
        api: &ApiResource,
        stamped: &CoreReference,
        may_stay: bool,
    ) -> Result<Gone, cluster::ApiError> {
        let name = stamped.name.as_deref().unwrap_or_default();
        let place = Resource::object(api, stamped.namespace.as_deref(), name);
        let live: DynamicObject = caller.get(&place, Want::Metadata).await?.decode()?;
        // Whoever took it over by hand took this away.
        let ours = self.object.meta().uid.as_deref();
        let mut owners = live.owner_references().iter();
        if !owners.any(|owner| Some(owner.uid.as_str()) == ours) {
            return Ok(Gone::Absent);
        }
        let lifecycle = live.labels().get(label::TEMPLATE_LIFECYCLE);
        let was_made = lifecycle.is_some_and(|lifecycle| lifecycle != Lifecycle::Mutable.as_str());
        if may_stay && was_made {
            return Ok(Gone::Absent);
        }
        if live.metadata.deletion_timestamp.is_some() {
            return Ok(Gone::Absent); // on its way out
        }
        let options = json!({
            "propagationPolicy": "Background",
            "preconditions": {"uid": live.metadata.uid, "resourceVersion": live.metadata.resource_version},
        });
        caller.delete(&place, &options).await?;
        Ok(Gone::Deleted)
    }
}

/// Whether a resource still has an object of before.
fn has(now: &ResourceStatus, stamped: &CoreReference) -> bool {
    let place = |reference: &CoreReference| {
        let version = reference.api_version.as_deref().unwrap_or_default();
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let CoreReference { kind, namespace, name, .. } = reference;
        (group.to_owned(), kind.clone(), namespace.clone(), name.clone())
    };
    let current = now.stamped_ref.as_ref();
    current.is_some_and(|current| place(current) == place(stamped))
}
