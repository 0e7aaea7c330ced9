//! What the passes of an owner hand on: what was last stamped and read, so that one without a change reads
//! nothing. All of it can be lost: then it is read again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use choreography::walk::Submitted;
use manifest::ObjectId;

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
    pub(super) failures: u32,
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

    /// Drops what is known of one that is gone.
    pub(crate) fn forget(&self, stamper: &Stamper) {
        self.lock().remove(stamper);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Stamper, Memory>> {
        self.0.lock().expect("nothing panics while holding it")
    }
}
