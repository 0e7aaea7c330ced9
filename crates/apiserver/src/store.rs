//! Where objects are kept: one store for each logical cluster, with one counter of revisions.
//!
//! It knows objects as texts with a little metadata. Kinds, defaults, validation and permissions are
//! other modules' business.
//!
//! # Guarantees
//! Every change gets the next revision, deletions too. A list is the state of one revision; no
//! reader holds up a writer for longer than it takes to find a record. Lists of the past and
//! watches from the past work as long as the [history](History) reaches, and say so when it does
//! not.
//!
//! A change becomes visible once it is [durable](Durability), and is acknowledged after that.

mod draft;
mod error;
mod log;
mod map;
mod query;
mod record;
mod snapshot;
mod state;
mod watch;

pub(crate) use draft::{Draft, MAX_OBJECT_BYTES, MAX_OBJECT_DEPTH};
pub(crate) use error::{CommitError, DraftError, Expired};
pub use log::Sync;
pub(crate) use log::{Lock, OpenError};
pub(crate) use query::{ListQuery, Revision, WatchStart, plan_list, plan_watch, revision_of};
pub(crate) use record::{Key, Record, Resource};
pub(crate) use snapshot::Snapshot;
pub(crate) use state::{Event, EventKind};
pub(crate) use watch::Watcher;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use self::log::Log;
use self::state::{Bells, State};

/// How far back lists and watches reach: whichever is less.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    /// How many changes.
    pub(crate) events: usize,
    /// How many bytes of objects, that memory stays bounded where they are large.
    pub(crate) bytes: usize,
}

impl Default for History {
    /// About what upstream keeps at best for one resource (102,400 events), for all of them.
    fn default() -> Self {
        Self {
            events: 100_000,
            bytes: 64 << 20,
        }
    }
}

/// What becomes of the objects when the process ends.
#[derive(Clone, Debug, Default)]
pub enum Durability {
    /// They are gone.
    #[default]
    Memory,
    /// They are in a folder that this store has for itself.
    Folder {
        /// The folder. It is created where it is not there.
        path: PathBuf,
        /// Whether acknowledged changes also outlive the machine.
        sync: Sync,
        /// After how many bytes of changes all objects are written anew, and the changes dropped.
        snapshot_after: u64,
    },
}

/// What a change presumes of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// That there is none.
    Absent,
    /// That it is at this revision.
    Revision(u64),
}

/// A change to one object.
#[derive(Debug)]
pub(crate) enum Change {
    /// Creates or replaces it.
    Put(Draft),
    /// Deletes it.
    Delete(Key),
}

impl Change {
    fn key(&self) -> &Key {
        match self {
            Self::Put(draft) => draft.key(),
            Self::Delete(key) => key,
        }
    }
}

/// Some objects of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// What the paths begin with, or the path itself.
    prefix: Box<str>,
    single: bool,
}

impl Scope {
    /// All objects.
    pub(crate) fn all() -> Self {
        Self {
            prefix: "".into(),
            single: false,
        }
    }

    /// The objects in a namespace; all of them where it is empty.
    pub(crate) fn namespace(namespace: &str) -> Self {
        if namespace.is_empty() {
            return Self::all();
        }
        Self {
            prefix: format!("{namespace}/").into(),
            single: false,
        }
    }

    /// One object.
    pub(crate) fn object(key: &Key) -> Self {
        Self {
            prefix: key.path().into(),
            single: true,
        }
    }

    fn prefix(&self) -> &str {
        &self.prefix
    }

    fn holds(&self, path: &str) -> bool {
        if self.single {
            *path == *self.prefix
        } else {
            path.starts_with(&*self.prefix)
        }
    }
}

/// One cluster's objects. Clones are the same store; the last one that goes closes it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: Arc<RwLock<State>>,
    history: History,
    log: Option<Log>,
}

// Nothing in the critical sections can stop half-way but for lack of memory, which ends the
// process: a poisoned lock is no reason to refuse service.
fn read(state: &RwLock<State>) -> RwLockReadGuard<'_, State> {
    state.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(state: &RwLock<State>) -> RwLockWriteGuard<'_, State> {
    state.write().unwrap_or_else(PoisonError::into_inner)
}

/// What a change makes of an object, if it may.
fn decide(
    current: Option<&Arc<Record>>,
    expect: Expect,
    change: Change,
    revision: u64,
) -> Result<Event, CommitError> {
    let as_expected = match expect {
        Expect::Absent => current.is_none(),
        Expect::Revision(expected) => current.is_some_and(|record| record.modified() == expected),
    };
    match (change, current) {
        (Change::Put(draft), _) if as_expected => {
            let record = draft.finish(current.map(|record| &**record), revision);
            Ok(Event::put(record, current.cloned()))
        }
        (Change::Delete(_), Some(current)) if as_expected => {
            Ok(Event::delete(Arc::clone(current), revision))
        }
        _ => Err(CommitError::Stale(current.cloned())),
    }
}

impl Store {
    /// A store that lives as long as the process.
    pub(crate) fn in_memory(history: History) -> Self {
        Self {
            inner: Arc::new(Inner {
                state: Arc::new(RwLock::new(State::at(0))),
                history,
                log: None,
            }),
        }
    }

    /// Opens a store. It reads all objects, which takes a while where there are many: not for the
    /// threads of an async runtime.
    ///
    /// # Errors
    /// [`OpenError`] where the folder cannot be used or read.
    pub(crate) fn open(durability: &Durability, history: History) -> Result<Self, OpenError> {
        let Durability::Folder {
            path,
            sync,
            snapshot_after,
        } = durability
        else {
            return Ok(Self::in_memory(history));
        };
        let (log, state) = Log::open(path, *sync, *snapshot_after, history)?;
        let inner = Inner {
            state,
            history,
            log: Some(log),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Makes a change, if the object is as expected, and gives back what it made: for a deletion
    /// the last state, with the deletion's revision.
    ///
    /// # Cancellation
    /// A change whose future is dropped may be made or not.
    ///
    /// # Errors
    /// [`CommitError::Stale`] where the object is not as expected; the record that it carries can
    /// be read by then. Others where the change did not become durable.
    pub(crate) async fn commit(
        &self,
        expect: Expect,
        change: Change,
    ) -> Result<Arc<Record>, CommitError> {
        if let Some(log) = &self.inner.log {
            return log.commit(expect, change).await;
        }
        let mut bells = Bells::default();
        let mut state = write(&self.inner.state);
        let event = decide(state.get(change.key()), expect, change, state.revision + 1)?;
        let record = Arc::clone(&event.record);
        state.apply(event, &mut bells, self.inner.history);
        drop(state);
        bells.ring();
        Ok(record)
    }

    /// The revision of the last change.
    pub(crate) fn revision(&self) -> u64 {
        read(&self.inner.state).revision
    }

    /// Waits until a revision is reached.
    pub(crate) async fn reached(&self, revision: u64) {
        let slot = Arc::clone(&read(&self.inner.state).everything);
        loop {
            let rung = slot.bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            if self.revision() >= revision {
                return;
            }
            rung.await;
        }
    }

    /// An object as it is now.
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Record>> {
        read(&self.inner.state).get(key).cloned()
    }

    /// The objects of a resource as they are now.
    pub(crate) fn snapshot(&self, resource: &Resource) -> Snapshot {
        let state = read(&self.inner.state);
        let table = state.tables.get(resource);
        let map = table.map(|table| table.map.clone()).unwrap_or_default();
        Snapshot::new(state.revision, map)
    }

    /// The objects of a resource as they were at a revision, which must have been reached.
    ///
    /// # Errors
    /// [`Expired`] where the history does not reach back to it.
    pub(crate) fn snapshot_at(
        &self,
        resource: &Resource,
        revision: u64,
    ) -> Result<Snapshot, Expired> {
        let state = read(&self.inner.state);
        let map = state.objects_at(resource, revision)?;
        Ok(Snapshot::new(revision, map))
    }

    /// Watches objects of a resource from a revision on: the first change is the one after it.
    ///
    /// # Errors
    /// [`Expired`] where the history does not reach back to it.
    pub(crate) fn watch(
        &self,
        resource: &Resource,
        scope: Scope,
        from: u64,
    ) -> Result<Watcher, Expired> {
        Watcher::start(&self.inner.state, Some((resource.clone(), scope)), from)
    }

    /// Watches all objects of all resources, for the server's own controllers.
    ///
    /// # Errors
    /// [`Expired`] where the history does not reach back to the revision.
    pub(crate) fn watch_everything(&self, from: u64) -> Result<Watcher, Expired> {
        Watcher::start(&self.inner.state, None, from)
    }

    /// The object with a uid, of whatever resource.
    pub(crate) fn by_uid(&self, uid: &str) -> Option<Arc<Record>> {
        read(&self.inner.state).by_uid(uid).cloned()
    }

    /// The objects of all resources that name an owner, by resource and path.
    pub(crate) fn owned_by(&self, uid: &str) -> Vec<Arc<Record>> {
        read(&self.inner.state).owned_by(uid).cloned().collect()
    }

    /// How many objects of each resource are in a namespace; of all resources where it is empty.
    /// Resources without any are left out.
    pub(crate) fn counts(&self, namespace: &str) -> Vec<(Resource, usize)> {
        let scope = Scope::namespace(namespace);
        let state = read(&self.inner.state);
        let tables: Vec<_> = state
            .tables
            .iter()
            .map(|(resource, table)| (resource.clone(), table.map.clone()))
            .collect();
        drop(state);
        let counts = tables.into_iter().filter_map(|(resource, map)| {
            let count = snapshot::count(&map, &scope);
            (count > 0).then_some((resource, count))
        });
        counts.collect()
    }
}

#[cfg(test)]
mod tests;
