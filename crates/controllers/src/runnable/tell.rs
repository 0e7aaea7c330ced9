//! The events of a Runnable, in Cartographer's words.

use kinds::Condition;
use kinds::cartographer::condition_type;
use kinds::cartographer::reason::Reason;

use super::Pass;
use super::run::Story;
use crate::event;
use crate::stamping;

impl Pass<'_> {
    /// Tells what a pass did and found.
    pub(super) fn tell(&self, story: &Story) {
        let Story {
            created,
            deleted,
            new_outputs,
        } = story;
        if let Some(object) = created {
            self.event(
                Reason::StampedObjectApplied,
                &format!("Created object [{object}]"),
            );
        }
        for object in deleted {
            self.event(
                Reason::StampedObjectRemoved,
                &format!("Deleted object [{object}]"),
            );
        }
        if let Some(object) = new_outputs {
            let name = &self.stamper.key.name;
            self.event(
                Reason::ResourceOutputChanged,
                &format!("Runnable [{name}] found a new output in [{object}]"),
            );
        }
    }

    /// Tells what keeps a Runnable from its run, and that a run failed.
    pub(super) fn narrate(&self, before: &[Condition], now: &[Condition]) {
        let kinds = [
            condition_type::RUN_TEMPLATE_READY,
            condition_type::STAMPED_OBJECT_CONDITION,
        ];
        let about = (self.object, &self.stamper.key);
        stamping::narrate(self.ctx, about, kinds, (before, now), "");
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
