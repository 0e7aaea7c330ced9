//! The thread that writes: changes become frames, then state, then answers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, RwLock};

use tokio::sync::oneshot;

use super::disk::Segment;
use super::folder::Folder;
use super::snapshot::Snapshots;
use super::{Job, Sync, frame};
use crate::store::record::{Key, Record};
use crate::store::state::{Bells, Event, EventKind, State};
use crate::store::{CommitError, History, decide, read, write};

type Outcome = Result<Arc<Record>, CommitError>;

/// What writes the log.
pub(super) struct Writer {
    folder: Arc<Folder>,
    segment: Segment,
    state: Arc<RwLock<State>>,
    sync: bool,
    snapshots: Snapshots,
    history: History,
    /// Kept for its room.
    frame: Vec<u8>,
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
        folder: Arc<Folder>,
        segment: Segment,
        state: Arc<RwLock<State>>,
        sync: Sync,
        snapshot_after: u64,
        history: History,
    ) -> Self {
        Self {
            folder,
            segment,
            state,
            sync: sync == Sync::Always,
            snapshots: Snapshots::new(snapshot_after),
            history,
            frame: Vec::new(),
        }
    }

    /// Makes some changes, in as many frames as they need.
    pub(super) fn run(&mut self, mut jobs: VecDeque<Job>) {
        while !jobs.is_empty() {
            let batch = self.decide(&mut jobs);
            self.publish(batch);
        }
        if self.snapshots.due(self.segment.length()) {
            self.rotate();
        }
    }

    /// Decides changes until a frame is full, and writes them into it.
    fn decide(&mut self, jobs: &mut VecDeque<Job>) -> Batch {
        let mut batch = Batch::default();
        self.frame.clear();
        // Only this thread writes: what is read here stays true until it publishes.
        let state = read(&self.state);
        let first = state.revision + 1;
        frame::frame(&mut self.frame, |out| {
            let mut revision = first;
            while out.len() < frame::FULL
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
                            frame::delete(out, &record);
                            None
                        }
                        EventKind::Added | EventKind::Modified => {
                            frame::put(out, &record);
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
        });
        batch
    }

    /// Makes a batch durable, then visible, then known to those who wait.
    fn publish(&mut self, mut batch: Batch) {
        let mut bells = Bells::default();
        if !batch.events.is_empty() {
            match self.segment.write(&self.frame, self.sync) {
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
        if self.frame.capacity() > frame::FULL {
            self.frame = Vec::new();
        }
    }

    /// Starts a new file for what follows, and a snapshot of what is, after which the old ones go.
    fn rotate(&mut self) {
        let state = read(&self.state);
        let revision = state.revision;
        let maps: Vec<_> = state
            .tables
            .values()
            .map(|table| table.map.clone())
            .collect();
        drop(state);
        match self.folder.segment(revision + 1) {
            Ok(segment) => {
                self.segment = segment;
                self.snapshots.start(&self.folder, revision, maps);
            }
            Err(error) => {
                self.snapshots.put_off(self.segment.length());
                tracing::warn!("cannot start a new file for the store's log: {error}");
            }
        }
    }
}
