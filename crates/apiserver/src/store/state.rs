//! The store's state: the objects of all resources, the history of changes, and who waits for
//! more. Every change is applied here, one after another, in the order of their revisions.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use super::map::Map;
use super::record::{Key, Record, Resource};
use super::{Expired, History};

/// What an event costs beside the text of its object.
const EVENT_OVERHEAD: usize = 512;

/// One change.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// What happened.
    pub(crate) kind: EventKind,
    /// The object after the change; of a deleted one its last state, whose resource version is
    /// that of the deletion.
    pub(crate) record: Arc<Record>,
    /// The object before the change. Selectors that it fitted and `record` does not make a deletion
    /// out of a change, and the other way round.
    pub(crate) previous: Option<Arc<Record>>,
}

impl Event {
    /// The revision that the change made.
    pub(crate) fn revision(&self) -> u64 {
        self.record.modified()
    }

    pub(super) fn put(record: Record, previous: Option<Arc<Record>>) -> Self {
        let kind = match previous {
            Some(_) => EventKind::Modified,
            None => EventKind::Added,
        };
        let record = Arc::new(record);
        Self {
            kind,
            record,
            previous,
        }
    }

    pub(super) fn delete(current: Arc<Record>, revision: u64) -> Self {
        Self {
            kind: EventKind::Deleted,
            record: Arc::new(current.deleted(revision)),
            previous: Some(current),
        }
    }

    fn weight(&self) -> usize {
        self.record.json().len() + EVENT_OVERHEAD
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// It came to be.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// Those who watch the same objects.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// The newest change of these objects that has left the history.
    pub(super) evicted: AtomicU64,
    /// Rung at each change of them.
    pub(super) bell: Notify,
}

/// The bells that a change rings, once nothing is locked any more.
#[derive(Default)]
pub(super) struct Bells(Vec<Arc<Slot>>);

impl Bells {
    pub(super) fn ring(self) {
        for slot in self.0 {
            slot.bell.notify_waiters();
        }
    }
}

/// One resource.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) map: Map,
    /// The revisions of its changes that are in the history.
    pub(super) revisions: VecDeque<u64>,
    /// The newest change of it that is not.
    pub(super) evicted: u64,
    /// Who watches, by the start of the path: all (empty), a namespace (`ns/`), an object
    /// (`ns/name`).
    pub(super) slots: HashMap<Box<str>, Arc<Slot>>,
}

impl Table {
    /// The slots of those who watch an object.
    fn watching(&self, key: &Key) -> impl Iterator<Item = &Arc<Slot>> {
        let path = key.path();
        let space = path.find('/').map(|slash| path.split_at(slash + 1).0);
        let scopes = [Some(""), space, Some(path)];
        // Most resources are watched by nobody most of the time.
        let scopes = scopes.into_iter().filter(|_| !self.slots.is_empty());
        scopes.flatten().filter_map(|scope| self.slots.get(scope))
    }
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) revision: u64,
    pub(super) tables: HashMap<Resource, Table>,
    /// Changes without gaps: the last one is that of `revision`.
    pub(super) events: VecDeque<Arc<Event>>,
    bytes: usize,
    /// For resources without a table: what may be unknown of them.
    pub(super) forgotten: u64,
    /// Who watches everything.
    pub(super) everything: Arc<Slot>,
    uids: HashMap<Box<str>, Arc<Key>>,
    owned: HashMap<Box<str>, BTreeSet<Arc<Key>>>,
}

impl State {
    /// A state to start from, of which no history is known.
    pub(super) fn at(revision: u64) -> Self {
        let state = Self {
            revision,
            forgotten: revision,
            ..Self::default()
        };
        state.everything.evicted.store(revision, Ordering::Relaxed);
        state
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Arc<Record>> {
        self.tables.get(key.resource())?.map.get(key.path())
    }

    pub(super) fn table(&mut self, resource: &Resource) -> &mut Table {
        if !self.tables.contains_key(resource) {
            let table = Table {
                evicted: self.forgotten,
                ..Table::default()
            };
            self.tables.insert(resource.clone(), table);
        }
        self.tables.entry(resource.clone()).or_default()
    }

    /// Puts a record in place without history: how a snapshot is read.
    pub(super) fn load(&mut self, record: Arc<Record>) {
        self.index(None, Some(&record));
        self.table(record.key().resource()).map.insert(record);
    }

    /// Applies a change, whose revision must be the next one.
    pub(super) fn apply(&mut self, event: Event, bells: &mut Bells, history: History) {
        let record = &event.record;
        let revision = record.modified();
        let gone = event.kind == EventKind::Deleted;
        self.revision = revision;
        self.index(event.previous.as_deref(), (!gone).then_some(record));
        let everything = Arc::clone(&self.everything);
        let table = self.table(record.key().resource());
        if gone {
            table.map.remove(record.key().path());
        } else {
            table.map.insert(Arc::clone(record));
        }
        table.revisions.push_back(revision);
        bells.0.push(everything);
        bells.0.extend(table.watching(record.key()).cloned());
        self.bytes += event.weight();
        self.events.push_back(Arc::new(event));
        while self.events.len() > history.events || self.bytes > history.bytes {
            self.evict();
        }
    }

    /// Forgets the oldest change.
    fn evict(&mut self) {
        let Some(event) = self.events.pop_front() else {
            return;
        };
        let revision = event.revision();
        self.bytes = self.bytes.saturating_sub(event.weight());
        self.everything.evicted.store(revision, Ordering::Relaxed);
        let key = event.record.key();
        let Some(table) = self.tables.get_mut(key.resource()) else {
            return;
        };
        table.revisions.pop_front();
        table.evicted = revision;
        for slot in table.watching(key) {
            slot.evicted.store(revision, Ordering::Relaxed);
        }
        self.sweep(&event.record.key().resource().clone());
    }

    /// Drops the table of a resource of which nothing is left, so that definitions that come and go
    /// leave nothing behind.
    pub(super) fn sweep(&mut self, resource: &Resource) {
        let Some(table) = self.tables.get(resource) else {
            return;
        };
        if table.map.len() == 0 && table.revisions.is_empty() && table.slots.is_empty() {
            self.forgotten = self.forgotten.max(table.evicted);
            self.tables.remove(resource);
        }
    }

    /// The objects of a resource as they were at a revision, by undoing what happened since.
    pub(super) fn objects_at(&self, resource: &Resource, revision: u64) -> Result<Map, Expired> {
        let Some(table) = self.tables.get(resource) else {
            return Expired::check(revision, self.forgotten).map(|()| Map::default());
        };
        Expired::check(revision, table.evicted)?;
        let mut map = table.map.clone();
        let since = table.revisions.partition_point(|at| *at <= revision);
        for at in table.revisions.iter().skip(since).rev() {
            let Some(event) = self.event(*at) else {
                continue;
            };
            match &event.previous {
                Some(previous) => map.insert(Arc::clone(previous)),
                None => map.remove(event.record.key().path()),
            };
        }
        Ok(map)
    }

    /// The change that made a revision, where the history still has it.
    pub(super) fn event(&self, revision: u64) -> Option<&Arc<Event>> {
        let oldest = self.events.front()?.revision();
        let index = usize::try_from(revision.checked_sub(oldest)?).ok()?;
        self.events.get(index)
    }

    /// The object that has a uid.
    pub(super) fn by_uid(&self, uid: &str) -> Option<&Arc<Record>> {
        self.get(self.uids.get(uid)?)
    }

    /// The objects that name an owner.
    pub(super) fn owned_by(&self, uid: &str) -> impl Iterator<Item = &Arc<Record>> {
        let keys = self.owned.get(uid);
        keys.into_iter().flatten().filter_map(|key| self.get(key))
    }

    /// Brings the look-ups by uid and by owner up to a change.
    fn index(&mut self, before: Option<&Record>, after: Option<&Arc<Record>>) {
        let uid = |record: &Record| !record.meta().uid.is_empty();
        let same_uid = match (before, after) {
            (Some(before), Some(after)) => before.meta().uid == after.meta().uid,
            _ => false,
        };
        if !same_uid {
            if let Some(before) = before.filter(|record| uid(record)) {
                self.uids.remove(&before.meta().uid);
            }
            if let Some(after) = after.filter(|record| uid(record)) {
                let key = Arc::clone(after.shared_key());
                self.uids.insert(after.meta().uid.clone(), key);
            }
        }
        let old = before.map(|record| &*record.meta().owners);
        let new = after.map(|record| &*record.meta().owners);
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        // Nearly all changes leave the owners as they are.
        if old == new {
            return;
        }
        if let Some(before) = before {
            for owner in old {
                if let Some(keys) = self.owned.get_mut(&owner.uid) {
                    keys.remove(before.key());
                    if keys.is_empty() {
                        self.owned.remove(&owner.uid);
                    }
                }
            }
        }
        if let Some(after) = after {
            for owner in new {
                let keys = self.owned.entry(owner.uid.clone()).or_default();
                keys.insert(Arc::clone(after.shared_key()));
            }
        }
    }
}
