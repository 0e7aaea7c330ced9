//! Snapshots: all objects of one revision in a file, after which the log before it can go.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::folder::Folder;
use super::frame;
use crate::store::map::Map;

/// How much of a snapshot is written at once.
const CHUNK: usize = 256 << 10;

/// When snapshots are written, and the one that is.
#[derive(Debug)]
pub(super) struct Snapshots {
    after: u64,
    /// At which length of the log the next one is due.
    due: u64,
    running: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Snapshots {
    pub(super) fn new(after: u64) -> Self {
        let after = after.max(1);
        Self {
            after,
            due: after,
            running: None,
            stop: Arc::default(),
        }
    }

    /// Whether a log of a length is long enough. One snapshot is written at a time.
    pub(super) fn due(&self, length: u64) -> bool {
        let idle = self.running.as_ref().is_none_or(JoinHandle::is_finished);
        length >= self.due && idle
    }

    /// Leaves a log that cannot be changed for another one as it is for a while.
    pub(super) fn put_off(&mut self, length: u64) {
        self.due = length.saturating_add(self.after);
    }

    /// Writes a snapshot beside all else.
    pub(super) fn start(&mut self, folder: &Arc<Folder>, revision: u64, maps: Vec<Map>) {
        self.due = self.after;
        self.wait();
        let folder = Arc::clone(folder);
        let stop = Arc::clone(&self.stop);
        let work = move || match write(&folder, revision, &maps, &stop) {
            Ok(true) => folder.prune(revision),
            Ok(false) => {}
            // The log has it all, only longer.
            Err(error) => tracing::warn!("cannot write a snapshot of the store: {error}"),
        };
        let thread = std::thread::Builder::new().name("store-snapshot".to_owned());
        match thread.spawn(work) {
            Ok(running) => self.running = Some(running),
            Err(error) => tracing::warn!("cannot write a snapshot of the store: {error}"),
        }
    }

    fn wait(&mut self) {
        if let Some(running) = self.running.take()
            && running.join().is_err()
        {
            tracing::error!("the thread that writes the store's snapshot had panicked");
        }
    }
}

impl Drop for Snapshots {
    /// Gives one up that is not ready yet.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wait();
    }
}

/// Writes a snapshot. False if it was given up.
fn write(folder: &Folder, revision: u64, maps: &[Map], stop: &AtomicBool) -> io::Result<bool> {
    let (path, file) = folder.draft("snapshot.draft")?;
    let mut file = BufWriter::with_capacity(CHUNK, file);
    let mut out = Vec::with_capacity(CHUNK * 2);
    frame::frame(&mut out, |out| frame::head(out, revision));
    let mut records = maps.iter().flat_map(|map| map.from("")).peekable();
    let mut count = 0;
    while records.peek().is_some() {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        frame::frame(&mut out, |out| {
            while out.len() < CHUNK
                && let Some(record) = records.next()
            {
                frame::put(out, record);
                count += 1;
            }
        });
        file.write_all(&out)?;
        out.clear();
    }
    frame::frame(&mut out, |out| frame::end(out, count));
    file.write_all(&out)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    folder.finish_snapshot(&path, revision)?;
    Ok(true)
}
