//! Objects that owners have stamped: whose each is, and whether it changed since it was last read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use cluster::watch::Report;
use manifest::ObjectId;

use crate::board::Key;

/// A kind of object that stamps others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum StamperKind {
    /// A Workload.
    Workload,
    /// A Deliverable.
    Deliverable,
    /// A Runnable.
    Runnable,
}

/// An object that stamps others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Stamper {
    pub(crate) kind: StamperKind,
    pub(crate) key: Key,
}

#[derive(Debug)]
struct Entry {
    stamper: Stamper,
    /// The resourceVersion that was last read or written.
    read: u64,
    /// The newest one that a watch reported.
    seen: u64,
    /// Whether it was reported gone since it was last read.
    gone: bool,
}

/// All stamped objects.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<ObjectId, Entry>>);

impl Seen {
    /// Follows an object from now on, such as right before it is written.
    pub(crate) fn follow(&self, id: &ObjectId, stamper: &Stamper) {
        let mut all = self.lock();
        let entry = all.entry(id.clone()).or_insert_with(|| Entry {
            stamper: stamper.clone(),
            read: 0,
            seen: 0,
            gone: false,
        });
        entry.stamper = stamper.clone();
    }

    /// Notes that an object is known as of a resourceVersion.
    pub(crate) fn read(&self, id: &ObjectId, version: u64) {
        if let Some(entry) = self.lock().get_mut(id) {
            entry.read = entry.read.max(version);
            entry.gone = false;
        }
    }

    /// Whether what was last read of an object is all that is known of it.
    pub(crate) fn is_fresh(&self, id: &ObjectId) -> bool {
        let all = self.lock();
        all.get(id)
            .is_some_and(|entry| entry.read > 0 && !entry.gone && entry.seen <= entry.read)
    }

    /// Follows an object no more.
    pub(crate) fn forget(&self, id: &ObjectId) {
        self.lock().remove(id);
    }

    /// Follows nothing of a stamper any more.
    pub(crate) fn forget_all(&self, stamper: &Stamper) {
        self.lock().retain(|_, entry| entry.stamper != *stamper);
    }

    /// Takes a report in; tells whose pass is due by it.
    pub(crate) fn take(&self, report: &Report) -> Vec<Stamper> {
        let mut all = self.lock();
        match report {
            Report::Seen(sighting) => {
                let Some(entry) = all.get_mut(&sighting.id) else {
                    return Vec::new();
                };
                let is_news = sighting.version > entry.read && sighting.version > entry.seen;
                entry.seen = entry.seen.max(sighting.version);
                is_news.then(|| entry.stamper.clone()).into_iter().collect()
            }
            Report::Gone(id, version) => {
                let Some(entry) = all.get_mut(id).filter(|entry| *version >= entry.read) else {
                    return Vec::new();
                };
                entry.gone = true;
                vec![entry.stamper.clone()]
            }
            Report::Listed(kind, ids) => {
                let of_kind = all
                    .iter_mut()
                    .filter(|(id, _)| id.group == kind.group && id.kind == kind.kind);
                let missing = of_kind.filter(|(id, entry)| entry.read > 0 && !ids.contains(*id));
                missing
                    .map(|(_, entry)| {
                        entry.gone = true;
                        entry.stamper.clone()
                    })
                    .collect()
            }
            Report::Unwatchable(..) => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectId, Entry>> {
        self.0.lock().expect("nothing panics while holding it")
    }
}
