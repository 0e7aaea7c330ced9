//! The thread that writes: changes become lines, then state, then answers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, RwLock};

use tokio::sync::oneshot;

use super::disk::Segment;
use super::folder::Folder;
use super::{Job, Sync, line};
use crate::store::record::{Key, Record};
use crate::store::state::{Bells, Event, EventKind, State};
use crate::store::{CommitError, History, decide, read, write};

/// So many bytes are written at once, and one change more.
const FULL: usize = 4 << 20;

type Outcome = Result<Arc<Record>, CommitError>;

/// What writes the log.
pub(super) struct Writer {
    folder: Folder,
    segment: Segment,
    state: Arc<RwLock<State>>,
    sync: bool,
    /// By how many bytes the log grows until it is begun anew.
    growth: u64,
    /// How long it may become.
    due: u64,
    history: History,
    /// Kept for its room.
    out: Vec<u8>,
}

/// Changes that were decided upon but are not visible yet.
#[derive(Default)]
struct Batch {
    /// How objects are after it; none for those that are gone.
    overlay: HashMap<Arc<Key>, Option<Arc<Record>>>,
    events: Vec<Event>,
    answers: Vec<(oneshot::Sender<Outcome>, Outcome)>,
}

impl Writer {
    pub(super) fn new(
        folder: Folder,
        segment: Segment,
        state: Arc<RwLock<State>>,
        sync: Sync,
        snapshot_after: u64,
        history: History,
    ) -> Self {
        Self {
            folder,
            due: segment.length().saturating_add(snapshot_after),
            segment,
            state,
            sync: sync == Sync::Always,
            growth: snapshot_after,
            history,
            out: Vec::new(),
        }
    }

    /// Makes some changes, in as many writes as they need.
    pub(super) fn run(&mut self, mut jobs: VecDeque<Job>) {
        while !jobs.is_empty() {
            let batch = self.decide(&mut jobs);
            self.publish(batch);
        }
        if self.segment.length() >= self.due {
            self.begin_anew();
        }
    }

    /// Decides changes until there is enough to be written.
    fn decide(&mut self, jobs: &mut VecDeque<Job>) -> Batch {
        let mut batch = Batch::default();
        self.out.clear();
        // Only this thread writes: what is read here stays true until it publishes.
        let state = read(&self.state);
        let out = &mut self.out;
        let mut revision = state.revision + 1;
        while out.len() < FULL
            && let Some(job) = jobs.pop_front()
        {
            let key = job.change.key();
            let current = match batch.overlay.get(key) {
                Some(pending) => pending.as_ref(),
                None => state.get(key),
            };
            let outcome = decide(current, job.expect, job.change, revision).map(|event| {
                revision += 1;
                let record = Arc::clone(&event.record);
                let after = match event.kind {
                    EventKind::Deleted => {
                        line::delete(out, &record);
                        None
                    }
                    EventKind::Added | EventKind::Modified => {
                        line::put(out, &record);
                        Some(Arc::clone(&record))
                    }
                };
                let key = Arc::clone(record.shared_key());
                batch.overlay.insert(key, after);
                batch.events.push(event);
                record
            });
            batch.answers.push((job.done, outcome));
        }
        batch
    }

    /// Makes a batch durable, then visible, then known to those who wait.
    fn publish(&mut self, mut batch: Batch) {
        let mut bells = Bells::default();
        if !batch.events.is_empty() {
            match self.segment.write(&self.out, self.sync) {
                Ok(()) => {
                    let mut state = write(&self.state);
                    for event in batch.events {
                        state.apply(event, &mut bells, self.history);
                    }
                }
                // Also those that a change of this batch made stale: there was no such change.
                Err(why) => {
                    let why: Arc<str> = why.into();
                    for (_, outcome) in &mut batch.answers {
                        *outcome = Err(CommitError::Disk(Arc::clone(&why)));
                    }
                }
            }
        }
        bells.ring();
        for (done, outcome) in batch.answers {
            // Whoever does not wait any more does not want to know.
            drop(done.send(outcome));
        }
        if self.out.capacity() > FULL {
            self.out = Vec::new();
        }
    }

    /// Begins the log anew with the state of now, which shortens it.
    fn begin_anew(&mut self) {
        let state = read(&self.state);
        let revision = state.revision;
        let tables = state.tables.values();
        let maps: Vec<_> = tables.map(|table| table.map.clone()).collect();
        drop(state);
        match self.folder.begin(revision, &maps) {
            Ok(segment) => self.segment = segment,
            // The log has it all, only longer.
            Err(error) => tracing::warn!("cannot begin the store's log anew: {error}"),
        }
        self.due = self.segment.length().saturating_add(self.growth);
    }
}
