//! The events of an owner, in Cartographer's words.

use kinds::cartographer::owner::CoreReference;
use kinds::cartographer::reason::Reason;

use super::walk::Walked;
use super::{Kind, Pass};
use crate::event;
use crate::stamping::Change;

/// A stamped object as events call it: `plural.group/name`.
pub(super) fn named(stamped: &CoreReference) -> Option<String> {
    Some(format!("{}/{}", stamped.resource.as_ref()?, stamped.name.as_ref()?))
}

impl<K: Kind> Pass<'_, K> {
    /// Tells what a pass did and found.
    pub(super) fn tell(&self, walked: Option<&Walked>) {
        let Some(walked) = walked else { return };
        for (change, object) in &walked.changes {
            let verb = match change {
                Change::Created => "Created",
                Change::Patched => "Patched",
            };
            self.event(Reason::StampedObjectApplied, &format!("{verb} object [{object}]"));
        }
        for object in &walked.removed {
            self.event(Reason::StampedObjectRemoved, &format!("Deleted object [{object}]"));
        }
        for (standing, object) in walked.standings.iter().zip(&walked.named) {
            let name = &standing.status.name;
            let object = object.as_deref().unwrap_or("<nil>");
            if standing.has_new_output {
                let note = if standing.status.stamped_ref.is_none() {
                    format!("[{name}] passed through a new output")
                } else {
                    format!("[{name}] found a new output in [{object}]")
                };
                self.event(Reason::ResourceOutputChanged, &note);
            }
            if let Some(health) = &standing.new_health {
                let note = format!(
                    "[{name}] found healthy status in [{object}] changed to [{health}]"
                );
                self.event(Reason::ResourceHealthyStatusChanged, &note);
            }
        }
    }

    fn event(&self, reason: Reason, note: &str) {
        event::tell_word(&self.ctx.events, self.object, reason.as_str(), "Stamp", note);
    }
}
