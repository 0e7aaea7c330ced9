//! What makes changes outlive the process: an append-only log, which is begun anew where it is long.
//!
//! One thread writes. It takes all changes that wait, decides them one after another, writes them
//! with one sync, and only then shows them to readers and to whoever waits. So nobody
//! sees what a crash could take back, and many writers share one sync.
//!
//! # Guarantees
//! What was acknowledged is found again after the process was killed at any moment, and with
//! [`Sync::Always`] also after the machine went down, as far as its disk keeps its word. A change
//! that cannot be written is an error to its writer and to nobody else.

mod batch;
mod disk;
mod folder;
mod line;

pub(crate) use folder::Lock;
pub(crate) use folder::OpenError;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use self::batch::Writer;
use super::record::Record;
use super::state::State;
use super::{Change, CommitError, Expect, History};

/// Whether acknowledged changes outlive the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Changes are on disk before they are acknowledged.
    Always,
    /// Changes are with the operating system before they are acknowledged. It writes them when it
    /// likes; what a power cut takes are the last ones.
    Never,
}

/// A change that waits for its turn.
#[derive(Debug)]
struct Job {
    expect: Expect,
    change: Change,
    done: oneshot::Sender<Result<Arc<Record>, CommitError>>,
}

/// The changes that wait. There are no more of them than callers.
#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), CommitError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(CommitError::Closed);
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// Waits for changes and takes them all; none once the store is closed.
    fn take(&self) -> Option<VecDeque<Job>> {
        let mut waiting = self.lock();
        loop {
            if !waiting.jobs.is_empty() {
                return Some(std::mem::take(&mut waiting.jobs));
            }
            if waiting.closed {
                return None;
            }
            waiting = self
                .arrived
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Closes the queue however its thread ends, so that nobody waits for one that is gone.
struct Closing(Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
        let left = std::mem::take(&mut self.0.lock().jobs);
        drop(left);
    }
}

/// The log of one store.
#[derive(Debug)]
pub(super) struct Log {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Opens a folder, reads what is in it and starts to write.
    pub(super) fn open(
        path: &Path,
        sync: Sync,
        snapshot_after: u64,
        history: History,
    ) -> Result<(Self, Arc<RwLock<State>>), OpenError> {
        let opened = folder::open(path, history)?;
        let state = Arc::new(RwLock::new(opened.state));
        let writer = Writer::new(
            opened.folder,
            opened.segment,
            Arc::clone(&state),
            sync,
            snapshot_after,
            history,
        );
        let log = Self::start(writer).map_err(|source| OpenError::Io {
            path: path.to_owned(),
            source,
        })?;
        Ok((log, state))
    }

    fn start(mut writer: Writer) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let closing = Closing(Arc::clone(&queue));
        let thread = std::thread::Builder::new()
            .name("store-log".to_owned())
            .spawn(move || {
                while let Some(jobs) = closing.0.take() {
                    writer.run(jobs);
                }
            })?;
        Ok(Self {
            queue,
            thread: Some(thread),
        })
    }

    /// Hands a change over and waits until it is durable and visible.
    pub(super) async fn commit(
        &self,
        expect: Expect,
        change: Change,
    ) -> Result<Arc<Record>, CommitError> {
        let (done, outcome) = oneshot::channel();
        self.queue.push(Job {
            expect,
            change,
            done,
        })?;
        outcome.await.unwrap_or(Err(CommitError::Closed))
    }
}

impl Drop for Log {
    /// Writes what waits, and lets go of the folder.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the store's log had panicked");
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
