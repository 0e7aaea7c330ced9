//! Reads a folder: the newest snapshot, and the changes after it.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use super::folder::{Files, OpenError, at};
use super::frame::{self, Entries, Entry, MAX_PAYLOAD};
use crate::store::History;
use crate::store::record::Record;
use crate::store::state::{Bells, Event, State};

/// The state that a folder's files tell. A torn end of the last log is cut off.
///
/// # Errors
/// [`OpenError::Damaged`] for anything else that is not as it was written.
pub(super) fn replay(files: &Files, history: History) -> Result<State, OpenError> {
    let mut state = match files.snapshots.last() {
        Some((revision, path)) => load(path, *revision)?,
        None => State::at(0),
    };
    for (index, (first, path)) in files.logs.iter().enumerate() {
        let next = files.logs.get(index + 1);
        // What the snapshot has is not read again.
        if next.is_some_and(|(next, _)| *next <= state.revision + 1) {
            continue;
        }
        if *first > state.revision + 1 {
            let missing = state.revision + 1;
            let what = format!("revision {missing} is missing before {first}");
            return Err(damaged(path, 0, what));
        }
        let last = next.is_none();
        Reader { path, last }.read(*first, &mut state, history)?;
    }
    Ok(state)
}

fn damaged(file: &Path, offset: usize, what: impl Into<String>) -> OpenError {
    OpenError::Damaged {
        file: file.to_owned(),
        offset: u64::try_from(offset).unwrap_or(u64::MAX),
        what: what.into(),
    }
}

/// Reads a snapshot. It was whole before it got its name.
fn load(path: &Path, revision: u64) -> Result<State, OpenError> {
    let mut state = State::at(revision);
    let file = File::open(path).map_err(at(path))?;
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut bytes = Vec::new();
    let mut offset = 0;
    let mut count = 0;
    let mut started = false;
    loop {
        bytes.resize(12, 0);
        file.read_exact(&mut bytes)
            .map_err(|_| damaged(path, offset, "it ends too early"))?;
        let size = bytes.get(4..8).and_then(|size| size.try_into().ok());
        let size = u32::from_le_bytes(size.unwrap_or_default());
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(MAX_PAYLOAD);
        bytes.resize(12 + size, 0);
        let rest = bytes.get_mut(12..).unwrap_or_default();
        file.read_exact(rest)
            .map_err(|_| damaged(path, offset, "it ends too early"))?;
        let Some((payload, _)) = frame::first(&bytes) else {
            return Err(damaged(path, offset, "a checksum is wrong"));
        };
        for entry in Entries(payload) {
            match entry {
                Ok(Entry::Head(head)) if head == revision && !started => started = true,
                Ok(Entry::Put {
                    resource,
                    path: at,
                    parts,
                }) if started => {
                    let key = Arc::new(frame::key_of(resource, at));
                    let record = Record::of_parts(key, parts)
                        .ok_or_else(|| damaged(path, offset, "an object makes no sense"))?;
                    state.load(Arc::new(record));
                    count += 1;
                }
                Ok(Entry::End(end)) if started && end == count => return Ok(state),
                _ => return Err(damaged(path, offset, "an entry makes no sense")),
            }
        }
        offset += bytes.len();
    }
}

/// Reads one log.
struct Reader<'a> {
    path: &'a Path,
    /// Whether this is the last one, which a crash may have torn.
    last: bool,
}

impl Reader<'_> {
    fn read(&self, first: u64, state: &mut State, history: History) -> Result<(), OpenError> {
        let bytes = fs::read(self.path).map_err(at(self.path))?;
        let mut rest = bytes.as_slice();
        let mut started = false;
        while !rest.is_empty() {
            let offset = bytes.len() - rest.len();
            let Some((payload, behind)) = frame::first(rest) else {
                return self.torn(rest, offset, started);
            };
            for entry in Entries(payload) {
                match entry {
                    Ok(Entry::Head(head)) if head == first && !started => started = true,
                    Ok(entry) if started => self.apply(entry, offset, state, history)?,
                    _ => return Err(damaged(self.path, offset, "an entry makes no sense")),
                }
            }
            rest = behind;
        }
        if started {
            Ok(())
        } else {
            Err(damaged(self.path, 0, "it has no start"))
        }
    }

    /// Cuts the end off, if it is the end: a crash leaves nothing right behind what it tore.
    fn torn(&self, rest: &[u8], offset: usize, started: bool) -> Result<(), OpenError> {
        // The start of a file is on disk before the file has its name.
        if !self.last || !started || frame::any(rest.get(1..).unwrap_or_default()) {
            return Err(damaged(self.path, offset, "a checksum is wrong"));
        }
        tracing::warn!(
            "`{}` has a torn end of {} bytes, which were never acknowledged: it is cut off",
            self.path.display(),
            rest.len()
        );
        let length = u64::try_from(offset).unwrap_or(u64::MAX);
        let cut = || {
            let file = OpenOptions::new().write(true).open(self.path)?;
            file.set_len(length)?;
            file.sync_all()
        };
        cut().map_err(at(self.path))
    }

    fn apply(
        &self,
        entry: Entry<'_>,
        offset: usize,
        state: &mut State,
        history: History,
    ) -> Result<(), OpenError> {
        let wrong = |what: &str| damaged(self.path, offset, what);
        let (key, revision) = match &entry {
            Entry::Put {
                resource,
                path,
                parts,
            } => (frame::key_of(resource, path), parts.modified),
            Entry::Delete {
                resource,
                path,
                revision,
            } => (frame::key_of(resource, path), *revision),
            Entry::Head(_) | Entry::End(_) => return Err(wrong("an entry makes no sense")),
        };
        // The log may begin before the snapshot.
        if revision <= state.revision {
            return Ok(());
        }
        if revision != state.revision + 1 {
            let missing = state.revision + 1;
            return Err(wrong(&format!(
                "revision {missing} is missing before {revision}"
            )));
        }
        let current = state.get(&key).cloned();
        let event = if let Entry::Put { parts, .. } = entry {
            let key = match &current {
                Some(current) => Arc::clone(current.shared_key()),
                None => Arc::new(key),
            };
            let record = Record::of_parts(key, parts);
            let record = record.ok_or_else(|| wrong("an object makes no sense"))?;
            Event::put(record, current)
        } else {
            let current = current.ok_or_else(|| wrong("what is deleted is not there"))?;
            Event::delete(current, revision)
        };
        state.apply(event, &mut Bells::default(), history);
        Ok(())
    }
}
