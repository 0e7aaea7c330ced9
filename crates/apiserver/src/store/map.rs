//! The objects of one resource in the order of their paths, as a map that can be kept as it is: a clone
//! costs one count, and the next write copies what it shares with one, records apart.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::record::Record;

/// Records by their paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Map(Arc<BTreeMap<Box<str>, Arc<Record>>>);

impl Map {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, path: &str) -> Option<&Arc<Record>> {
        self.0.get(path)
    }

    /// Puts a record in; returns the one that was there.
    pub(super) fn insert(&mut self, record: Arc<Record>) -> Option<Arc<Record>> {
        let path = record.key().path().into();
        Arc::make_mut(&mut self.0).insert(path, record)
    }

    pub(super) fn remove(&mut self, path: &str) -> Option<Arc<Record>> {
        if !self.0.contains_key(path) {
            return None;
        }
        Arc::make_mut(&mut self.0).remove(path)
    }

    /// The records from a path on.
    pub(super) fn from<'a>(
        &'a self,
        start: &str,
    ) -> impl Iterator<Item = &'a Arc<Record>> + use<'a> {
        let from = (Bound::Included(start), Bound::Unbounded);
        self.0.range::<str, _>(from).map(|(_, record)| record)
    }

    /// How many records there are from a path on and before another one.
    pub(super) fn count(&self, start: &str, end: Option<&str>) -> usize {
        if end.is_some_and(|end| end < start) {
            return 0;
        }
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        self.0
            .range::<str, _>((Bound::Included(start), end))
            .count()
    }
}
