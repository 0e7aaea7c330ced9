//! The events of an owner, in Cartographer's words.

use choreography::jsonpath::Hint;
use cluster::ApiError;
use kinds::Condition;
use kinds::cartographer::condition_type::{self, HEALTHY};
use kinds::cartographer::owner::{CoreReference, ResourceStatus};
use kinds::cartographer::reason::Reason;
use kinds::condition::find;

use super::walk::Walked;
use super::{Kind, Pass};
use crate::event;
use crate::stamping::{self, Change};

/// Shipway's own word: Cartographer says nothing of it.
const ADOPTED: &str = "Adopted";

/// A stamped object as events call it: `plural.group/name`.
pub(super) fn named(stamped: &CoreReference) -> Option<String> {
    Some(format!(
        "{}/{}",
        stamped.resource.as_ref()?,
        stamped.name.as_ref()?
    ))
}

impl<K: Kind> Pass<'_, K> {
    /// Tells what a pass did.
    pub(super) fn tell_doings(&self, walked: &Walked) {
        for (change, object) in &walked.changes {
            let verb = match change {
                Change::Created => "Created",
                Change::Patched => "Patched",
            };
            self.event(
                Reason::StampedObjectApplied,
                &format!("{verb} object [{object}]"),
            );
        }
        for object in &walked.adopted {
            let kind = K::kind(&());
            let note = format!(
                "Adopted object [{object}], which was there before: it goes with the {kind}"
            );
            let events = &self.ctx.events;
            event::warn_word(events, self.object, ADOPTED, "Stamp", &note);
        }
        for object in &walked.removed {
            self.event(
                Reason::StampedObjectRemoved,
                &format!("Deleted object [{object}]"),
            );
        }
    }

    /// Tells what a pass found that the status did not say before.
    pub(super) fn tell_findings(&self, resources: &[ResourceStatus]) {
        let before = self.object.standing().resources;
        for now in resources {
            let before = before.iter().find(|entry| entry.name == now.name);
            self.tell_news(now, before);
        }
    }

    /// Tells that an object stays which is not wanted any more: the owner may not delete it, or not now.
    pub(super) fn tell_kept(&self, object: &str, error: &ApiError) {
        stamping::tell_kept(self.ctx, self.object, &self.stamper, (object, error));
    }

    /// Tells what keeps an owner from what it is to get, once for each change of it, and what else is known of that:
    /// Cartographer leaves that to whoever reads statuses.
    pub(super) fn narrate(&self, before: &[Condition], now: &[Condition], hint: Option<&Hint>) {
        let kinds = [K::NOUNS.served, condition_type::RESOURCES_SUBMITTED];
        let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        let about = (self.object, &self.stamper.key);
        stamping::narrate(self.ctx, about, kinds, (before, now), &hint);
    }

    fn tell_news(&self, now: &ResourceStatus, before: Option<&ResourceStatus>) {
        let name = &now.name;
        let object = now.stamped_ref.as_ref().and_then(named);
        if before.map_or(&[][..], |before| &before.outputs) != now.outputs {
            let note = match &object {
                Some(object) => format!("[{name}] found a new output in [{object}]"),
                None => format!("[{name}] passed through a new output"),
            };
            self.event(Reason::ResourceOutputChanged, &note);
        }
        let health = |entry: &ResourceStatus| {
            find(&entry.conditions, HEALTHY).map(|healthy| healthy.status.clone())
        };
        let unknown = || "Unknown".to_owned();
        let was = before.and_then(health).unwrap_or_else(unknown);
        if let Some(is) = health(now).filter(|is| *is != was) {
            let object = object.as_deref().unwrap_or("<nil>");
            let note = format!("[{name}] found healthy status in [{object}] changed to [{is}]");
            self.event(Reason::ResourceHealthyStatusChanged, &note);
        }
    }

    fn event(&self, reason: Reason, note: &str) {
        event::tell_word(
            &self.ctx.events,
            self.object,
            reason.as_str(),
            "Stamp",
            note,
        );
    }
}
