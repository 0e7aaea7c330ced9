//! Lists: snapshots of one revision.

use std::sync::Arc;

use super::Scope;
use super::map::Map;
use super::record::Record;

/// The objects of one resource at one revision. It stays as it is while it is held, and costs
/// nothing beside what changed since.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    revision: u64,
    map: Map,
}

/// Where the paths of a scope end: `shop0` follows on all that begins with `shop/`.
fn end(scope: &Scope) -> Option<String> {
    let space = scope.prefix().strip_suffix('/')?;
    Some(format!("{space}0"))
}

pub(super) fn count(map: &Map, scope: &Scope) -> usize {
    map.count(scope.prefix(), end(scope).as_deref())
}

impl Snapshot {
    pub(super) fn new(revision: u64, map: Map) -> Self {
        Self { revision, map }
    }

    /// The revision.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether there are no objects.
    pub(crate) fn is_empty(&self) -> bool {
        self.map.len() == 0
    }

    /// The objects of a scope, in the order of their paths.
    pub(crate) fn iter<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> impl Iterator<Item = &'a Arc<Record>> + use<'a> {
        self.map
            .from(scope.prefix())
            .take_while(|record| scope.holds(record.key().path()))
    }
}
