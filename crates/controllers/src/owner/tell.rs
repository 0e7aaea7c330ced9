//! The events of an owner, in Cartographer's words.

use kinds::cartographer::condition_type::HEALTHY;
use kinds::cartographer::owner::{CoreReference, ResourceStatus};
use kinds::cartographer::reason::Reason;
use kinds::condition::find;

use super::walk::Walked;
use super::{Kind, Pass};
use crate::event;
use crate::stamping::Change;

/// A stamped object as events call it: `plural.group/name`.
pub(super) fn named(stamped: &CoreReference) -> Option<String> {
    Some(format!(
        "{}/{}",
        stamped.resource.as_ref()?,
        stamped.name.as_ref()?
    ))
}

impl<K: Kind> Pass<'_, K> {
    /// Tells what a pass did and found.
    pub(super) fn tell(&self, walked: &Walked) {
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
        for object in &walked.removed {
            self.event(
                Reason::StampedObjectRemoved,
                &format!("Deleted object [{object}]"),
            );
        }
        let before = self.object.standing().resources;
        for now in &walked.report.resources {
            let before = before.iter().find(|entry| entry.name == now.name);
            self.tell_news(now, before);
        }
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
