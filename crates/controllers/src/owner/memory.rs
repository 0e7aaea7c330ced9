//! What the passes of an owner hand on: what was last stamped and read, so that one without a change reads
//! nothing. All of it can be lost: then it is read again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use choreography::walk::Submitted;
use manifest::ObjectId;
use tokio::time::Instant;

use crate::stamping::Stamper;

/// One resource, as it was last submitted and read back.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The digest of what was stamped.
    pub(super) mark: String,
    /// All objects that were read.
    pub(super) objects: Vec<ObjectId>,
    /// What was read.
    pub(super) submitted: Submitted,
}

/// One owner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// By the resources' names.
    pub(super) resources: BTreeMap<String, Known>,
    /// How many passes in a row have failed in a way that may pass.
    pub(crate) failures: u32,
    /// The generation that was looked at last, and since when it is to get ready.
    pub(super) generation: Option<i64>,
    pub(super) awaited: Option<Instant>,
    /// Since when an output is held back that is of an object's earlier generation.
    pub(super) behind: Option<Instant>,
    /// The resourceVersion of the status that was written last, and when that was.
    pub(crate) written: Option<(u64, Instant)>,
}

/// How long a watch may take to bring a status that was written, before a pass goes by what is there.
const SOON: Duration = Duration::from_secs(5);

/// How long a status is held back that says only that the controller of an object has not looked at it yet.
const PASSES: Duration = Duration::from_secs(1);

impl Memory {
    /// How long a status is held back yet. `is_behind` says whether an output is.
    pub(super) fn hold_back(&mut self, is_behind: bool, now: Instant) -> Option<Duration> {
        if !is_behind {
            self.behind = None;
            return None;
        }
        let since = *self.behind.get_or_insert(now);
        let left = PASSES.saturating_sub(now.duration_since(since));
        (!left.is_zero()).then_some(left)
    }
}

/// All owners.
#[derive(Debug, Default)]
pub struct Memories(Mutex<HashMap<Stamper, Memory>>);

impl Memories {
    /// Takes what is known of an owner out; one pass at a time has it.
    pub(crate) fn take(&self, stamper: &Stamper) -> Memory {
        self.lock().remove(stamper).unwrap_or_default()
    }

    /// Puts it back.
    pub(crate) fn put(&self, stamper: &Stamper, memory: Memory) {
        self.lock().insert(stamper.clone(), memory);
    }

    /// Whether a version of an object is from before the status that was written last, which its watch is about to bring.
    pub(crate) fn is_ahead_of(&self, stamper: &Stamper, version: u64) -> bool {
        let all = self.lock();
        let written = all.get(stamper).and_then(|memory| memory.written);
        written.is_some_and(|(written, at)| version < written && at.elapsed() < SOON)
    }

    /// Drops what is known of one that is gone.
    pub(crate) fn forget(&self, stamper: &Stamper) {
        self.lock().remove(stamper);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Stamper, Memory>> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_likely_passes_is_held_back_for_a_second() {
        let (mut memory, start) = (Memory::default(), Instant::now());
        let mut left = |is_behind, after| {
            let left = memory.hold_back(is_behind, start + Duration::from_millis(after));
            left.map(|left| left.as_millis())
        };
        assert_eq!(left(false, 0), None);
        assert_eq!(left(true, 100), Some(1000));
        assert_eq!(left(true, 700), Some(400));
        assert_eq!(left(true, 1100), None);
        assert_eq!(left(true, 5000), None);
        // The next one is held back anew.
        assert_eq!(left(false, 6000), None);
        assert_eq!(left(true, 7000), Some(1000));
    }
}
