//! Lists: snapshots of one revision, in pages.

use std::sync::Arc;

use super::Scope;
use super::map::Map;
use super::query::token;
use super::record::Record;

/// The objects of one resource at one revision. It stays as it is while it is held, and costs
/// nothing beside what changed since.
#[derive(Clone, Debug)]
pub struct Snapshot {
    revision: u64,
    map: Map,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// The objects in the order of their paths.
    pub items: Vec<Arc<Record>>,
    /// The list's `metadata.resourceVersion`.
    pub revision: u64,
    /// `metadata.continue`; none on the last page.
    pub resume: Option<String>,
    /// `metadata.remainingItemCount`; none on the last page and where a filter makes it unknown.
    pub remaining: Option<usize>,
}

/// The path that follows directly on another.
fn after(path: &str) -> String {
    format!("{path}\0")
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
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.len() == 0
    }

    /// One object.
    pub fn get(&self, path: &str) -> Option<&Arc<Record>> {
        self.map.get(path)
    }

    /// The objects of a scope, from a path within it on, in the order of their paths.
    pub fn iter<'a>(
        &'a self,
        scope: &'a Scope,
        start: &str,
    ) -> impl Iterator<Item = &'a Arc<Record>> + use<'a> {
        // A single object's path is the prefix as a whole, and nothing follows on it.
        let start = if scope.single { "" } else { start };
        let start = format!("{}{start}", scope.prefix());
        self.map
            .from(&start)
            .take_while(|record| scope.holds(record.key().path()))
    }

    /// A page: the objects of a scope from `start` on that pass the filter, at most `limit` of
    /// them (0 for all).
    ///
    /// As upstream does, a page that is full says that there are more where any object follows,
    /// whether it passes or not.
    pub fn page(
        &self,
        scope: &Scope,
        start: &str,
        limit: usize,
        filter: Option<&dyn Fn(&Record) -> bool>,
    ) -> Page {
        let mut items = Vec::new();
        let mut rest = self.iter(scope, start);
        for record in rest.by_ref() {
            if filter.is_none_or(|passes| passes(record)) {
                items.push(Arc::clone(record));
            }
            if limit > 0 && items.len() == limit {
                break;
            }
        }
        let mut page = Page {
            items,
            revision: self.revision,
            resume: None,
            remaining: None,
        };
        let full = limit > 0 && page.items.len() == limit;
        if let (true, Some(last), Some(_)) = (full, page.items.last(), rest.next()) {
            let path = last.key().path();
            let within = path.strip_prefix(scope.prefix()).unwrap_or(path);
            let revision = i64::try_from(self.revision).unwrap_or(i64::MAX);
            page.resume = Some(token(revision, &format!("/{}", after(within))));
            if filter.is_none() {
                page.remaining = Some(self.map.count(&after(path), end(scope).as_deref()));
            }
        }
        page
    }
}
