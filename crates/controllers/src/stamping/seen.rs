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
        });
        entry.stamper = stamper.clone();
    }

    /// Notes that an object is known as of a resourceVersion.
    pub(crate) fn read(&self, id: &ObjectId, version: u64) {
        if let Some(entry) = self.lock().get_mut(id) {
            entry.read = entry.read.max(version);
        }
    }

    /// Whether what was last read of an object is all that is known of it.
    pub(crate) fn is_fresh(&self, id: &ObjectId) -> bool {
        let all = self.lock();
        all.get(id)
            .is_some_and(|entry| entry.read > 0 && entry.seen <= entry.read)
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
            // What is gone is not followed: whoever stamps it follows it anew.
            Report::Gone(id, version) => {
                let is_news = all.get(id).is_some_and(|entry| *version >= entry.read);
                let gone = if is_news { all.remove(id) } else { None };
                gone.map(|entry| entry.stamper).into_iter().collect()
            }
            Report::Listed(kind, ids) => {
                let is_gone = |id: &ObjectId, entry: &mut Entry| {
                    let of_kind = id.group == kind.group && id.kind == kind.kind;
                    of_kind && entry.read > 0 && !ids.contains(id)
                };
                let gone = all.extract_if(is_gone);
                gone.map(|(_, entry)| entry.stamper).collect()
            }
            Report::Unwatchable(..) => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectId, Entry>> {
        self.0.lock().expect("nothing panics while holding it")
    }
}
