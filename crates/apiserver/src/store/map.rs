//! The objects of one resource in the order of their paths, as a map that can be kept as it is:
//! a clone costs one count, and writers then copy the chunk they touch.
//!
//! Nothing older than the clone is kept alive by the map itself, and while nobody holds a clone,
//! writes happen in place.

use std::sync::Arc;

use super::record::Record;

/// A chunk is split when it grows beyond this.
const CHUNK: usize = 128;

type Chunk = Vec<Arc<Record>>;

/// Records, sorted by path. No chunk is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    chunks: Arc<Vec<Arc<Chunk>>>,
    len: usize,
}

/// A place between records.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    chunk: usize,
    at: usize,
}

fn path(record: &Arc<Record>) -> &str {
    record.key().path()
}

impl Map {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The record at a path.
    pub(super) fn get(&self, wanted: &str) -> Option<&Arc<Record>> {
        let (place, found) = self.find(wanted);
        found.then(|| self.chunks.get(place.chunk)?.get(place.at))?
    }

    /// Where a path is or would be.
    fn find(&self, wanted: &str) -> (Place, bool) {
        let starts_before = |chunk: &Arc<Chunk>| chunk.first().is_some_and(|r| path(r) <= wanted);
        let chunk = self.chunks.partition_point(starts_before);
        let chunk = chunk.saturating_sub(1);
        let found = match self.chunks.get(chunk) {
            Some(records) => records.binary_search_by(|record| path(record).cmp(wanted)),
            None => Err(0),
        };
        let (Ok(at) | Err(at)) = found;
        (Place { chunk, at }, found.is_ok())
    }

    /// Puts a record at its path and gives back the one that was there.
    pub(super) fn insert(&mut self, record: Arc<Record>) -> Option<Arc<Record>> {
        let (place, found) = self.find(path(&record));
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some(chunk) = chunks.get_mut(place.chunk) else {
            chunks.push(Arc::new(vec![record]));
            self.len = 1;
            return None;
        };
        let records = Arc::make_mut(chunk);
        if found {
            let slot = records.get_mut(place.at)?;
            return Some(std::mem::replace(slot, record));
        }
        records.insert(place.at, record);
        self.len += 1;
        if records.len() > CHUNK {
            // Names that are counted up arrive at the end: full chunks stay behind them then.
            let at_end = place.at + 1 == records.len();
            let split = if at_end { CHUNK } else { CHUNK / 2 };
            let mut tail = Chunk::with_capacity(CHUNK + 1);
            tail.extend(records.drain(split..));
            chunks.insert(place.chunk + 1, Arc::new(tail));
        }
        None
    }

    /// Takes the record at a path away.
    pub(super) fn remove(&mut self, wanted: &str) -> Option<Arc<Record>> {
        let (place, found) = self.find(wanted);
        if !found {
            return None;
        }
        let chunks = Arc::make_mut(&mut self.chunks);
        let records = Arc::make_mut(chunks.get_mut(place.chunk)?);
        let removed = records.remove(place.at);
        let left = records.len();
        self.len -= 1;
        if left == 0 {
            chunks.remove(place.chunk);
        } else if left < CHUNK / 4 {
            merge(chunks, place.chunk);
        }
        Some(removed)
    }

    /// The records from a path on.
    pub(super) fn from<'a>(
        &'a self,
        start: &str,
    ) -> impl Iterator<Item = &'a Arc<Record>> + use<'a> {
        let (place, _) = self.find(start);
        let chunks = self.chunks.get(place.chunk..).unwrap_or_default();
        chunks.iter().flat_map(|chunk| chunk.iter()).skip(place.at)
    }

    /// How many records are at paths from `start` on and before `end`; to the last without an end.
    pub(super) fn count(&self, start: &str, end: Option<&str>) -> usize {
        let from = self.before(start);
        let to = end.map_or(self.len, |end| self.before(end));
        to.saturating_sub(from)
    }

    fn before(&self, wanted: &str) -> usize {
        let (place, _) = self.find(wanted);
        let full = self.chunks.get(..place.chunk).unwrap_or_default();
        full.iter().map(|chunk| chunk.len()).sum::<usize>() + place.at
    }
}

/// Joins a small chunk with a neighbour where both fit into one, so that a map that shrank does
/// not consist of crumbs.
fn merge(chunks: &mut Vec<Arc<Chunk>>, small: usize) {
    let fits = |a: usize, b: usize| {
        let (a, b) = (chunks.get(a)?, chunks.get(b)?);
        (a.len() + b.len() <= CHUNK * 3 / 4).then_some(())
    };
    let first = if fits(small, small + 1).is_some() {
        small
    } else if small > 0 && fits(small - 1, small).is_some() {
        small - 1
    } else {
        return;
    };
    let second = chunks.remove(first + 1);
    if let Some(first) = chunks.get_mut(first) {
        Arc::make_mut(first).extend(second.iter().cloned());
    }
}
