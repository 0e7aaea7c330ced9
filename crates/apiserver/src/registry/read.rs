//! Reads objects: one, a list, or what becomes of them.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::kind::Kind;
use crate::cluster::Cluster;
use crate::request::Query;
use crate::selector::{FieldSelector, LabelSelector};
use crate::status::Status;
use crate::store::{
    Event, EventKind, Expired, Key, ListQuery, Record, Revision, Scope, Snapshot, WatchStart,
    Watcher, plan_list, plan_watch, revision_of,
};
use crate::ways;

/// How long a read waits for a revision that is still to come.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many changes a watcher is handed at a time.
pub(crate) const BATCH: usize = 256;

/// Which objects are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    kind: Arc<Kind>,
    scope: Scope,
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    /// Reads the selectors of a query. `name` is empty for a collection.
    ///
    /// # Errors
    /// 400 for selectors that make no sense.
    pub(crate) fn read(
        kind: &Arc<Kind>,
        namespace: &str,
        name: &str,
        query: &Query,
    ) -> Result<Self, Status> {
        let labels = LabelSelector::parse(query.get("labelSelector").unwrap_or_default())?;
        let fields = query.get("fieldSelector").unwrap_or_default();
        let refuse = |field: &str| {
            let mut selectable = kind.ways.selectable.iter();
            let is_known = selectable.any(|(known, _)| *known == field);
            (!is_known).then(|| ways::unselectable(&kind.resource, field))
        };
        let fields = FieldSelector::parse(fields, refuse)?;
        let pinned = fields.exact("metadata.name").unwrap_or(name).to_owned();
        let scope = if !pinned.is_empty() && (!namespace.is_empty() || !kind.resource.namespaced) {
            match Key::new(&kind.stored, namespace, &pinned) {
                Ok(key) => Scope::object(&key),
                Err(_) => Scope::namespace(namespace),
            }
        } else {
            Scope::namespace(namespace)
        };
        Ok(Self {
            kind: kind.clone(),
            scope,
            labels,
            fields,
        })
    }

    fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    /// Whether an object is asked for.
    pub(crate) fn takes(&self, record: &Record) -> bool {
        if !self.labels.matches(&record.meta().labels) {
            return false;
        }
        if self.fields.is_everything() {
            return true;
        }
        let object = self.fields.needs_object().then(|| self.kind.object(record));
        let key = record.key();
        self.fields.matches(key.namespace(), key.name(), |field| {
            let mut selectable = self.kind.ways.selectable.iter();
            let read = selectable.find(|(known, _)| *known == field);
            match (read, &object) {
                (Some((_, read)), Some(object)) => Cow::Owned(read(object)),
                _ => Cow::Borrowed(""),
            }
        })
    }

    /// The objects that are asked for.
    fn of(&self, snapshot: &Snapshot) -> Vec<Arc<Record>> {
        let all = snapshot.iter(&self.scope);
        all.filter(|record| self.takes(record)).cloned().collect()
    }

    /// What an event is for whoever asks for these objects: an object may come to be among them, or
    /// leave them.
    pub(crate) fn sees(&self, event: &Event) -> Option<EventKind> {
        if self.is_everything() {
            return Some(event.kind);
        }
        let is = event.kind != EventKind::Deleted && self.takes(&event.record);
        let was = event
            .previous
            .as_deref()
            .is_some_and(|previous| self.takes(previous));
        match (was, is) {
            (false, true) => Some(EventKind::Added),
            (true, true) => Some(EventKind::Modified),
            (true, false) => Some(EventKind::Deleted),
            (false, false) => None,
        }
    }
}

/// The parameters of a query that say which revision is asked for.
///
/// # Errors
/// 400 for numbers that are none.
pub(crate) fn list_query(query: &Query) -> Result<ListQuery<'_>, Status> {
    let text = |name: &str| query.get(name).unwrap_or_default();
    // Of a list this says nothing, but it is read.
    query.number("timeoutSeconds")?;
    Ok(ListQuery {
        resource_version: text("resourceVersion"),
        version_match: text("resourceVersionMatch"),
        continues: text("continue"),
        limit: query.number("limit")?.unwrap_or(0),
        send_initial_events: query
            .get("sendInitialEvents")
            .map(|_| query.is_true("sendInitialEvents")),
        bookmarks: query.is_true("allowWatchBookmarks"),
    })
}

/// Waits until the revision is there that a query for one object asks for at least.
///
/// # Errors
/// 504 for a revision that is still to come, 500 for what is none, as the genuine server has it.
pub(crate) async fn at_least(cluster: &Cluster, query: &Query) -> Result<(), Status> {
    let wanted = query.get("resourceVersion").unwrap_or_default();
    until_reached(cluster, revision_of(wanted)?).await
}

/// One object.
///
/// # Errors
/// 404.
pub(crate) fn get(
    cluster: &Cluster,
    kind: &Kind,
    namespace: &str,
    name: &str,
) -> Result<Arc<Record>, Status> {
    let key = Key::new(&kind.stored, namespace, name);
    let found = key.ok().and_then(|key| cluster.store.get(&key));
    found.ok_or_else(|| Status::not_found(kind.about(), name))
}

/// Objects at one revision.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// The objects in the order of their paths.
    pub(crate) items: Vec<Arc<Record>>,
    /// The list's `metadata.resourceVersion`.
    pub(crate) revision: u64,
}

/// A list.
///
/// # Errors
/// 400 and 422 for parameters that make no sense, 410 for a revision that is gone, 504 for one that is
/// still to come.
pub(crate) async fn list(
    cluster: &Cluster,
    kind: &Kind,
    selection: &Selection,
    query: &Query,
) -> Result<List, Status> {
    let snapshot = match plan_list(&list_query(query)?)? {
        Revision::AtLeast(revision) => {
            until_reached(cluster, revision).await?;
            cluster.store.snapshot(&kind.stored)
        }
        Revision::Exactly(revision) => {
            until_reached(cluster, revision).await?;
            let found = cluster.store.snapshot_at(&kind.stored, revision);
            let why = "The resourceVersion for the provided list is too old.";
            found.map_err(|_: Expired| Status::expired(why))?
        }
    };
    Ok(List {
        items: selection.of(&snapshot),
        revision: snapshot.revision(),
    })
}

async fn until_reached(cluster: &Cluster, revision: u64) -> Result<(), Status> {
    if cluster.store.revision() >= revision {
        return Ok(());
    }
    let reached = tokio::time::timeout(PATIENCE, cluster.store.reached(revision)).await;
    reached.map_err(|_| Status::too_large_resource_version(revision, cluster.store.revision()))
}

/// A watch that has begun.
#[derive(Debug)]
pub(crate) struct Watch {
    /// What it begins with: the objects that are there.
    pub(crate) initial: Vec<Arc<Record>>,
    /// The bookmark that ends the beginning, at this revision; none where nobody asked for one.
    pub(crate) end_of_initial: Option<u64>,
    /// What comes after.
    pub(crate) changes: Watcher,
}

/// Begins a watch.
///
/// # Errors
/// 400 and 422 for parameters that make no sense, 410 for a revision that is gone.
pub(crate) async fn watch(
    cluster: &Cluster,
    kind: &Kind,
    selection: &Selection,
    query: &Query,
) -> Result<Result<Watch, Expired>, Status> {
    let plan = plan_watch(&list_query(query)?)?;
    let begin = |from| {
        cluster
            .store
            .watch(&kind.stored, selection.scope.clone(), from)
    };
    let changes = match plan.start {
        WatchStart::After(revision) => begin(revision),
        WatchStart::Now => begin(cluster.store.revision()),
        WatchStart::State(revision) => {
            until_reached(cluster, revision).await?;
            let snapshot = cluster.store.snapshot(&kind.stored);
            let changes = match begin(snapshot.revision()) {
                Ok(changes) => changes,
                Err(expired) => return Ok(Err(expired)),
            };
            return Ok(Ok(Watch {
                initial: selection.of(&snapshot),
                end_of_initial: plan.end_bookmark.then_some(snapshot.revision()),
                changes,
            }));
        }
    };
    Ok(changes.map(|changes| Watch {
        initial: Vec::new(),
        end_of_initial: None,
        changes,
    }))
}

/// An event's type, as a watch writes it.
pub(crate) fn event_type(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Added => "ADDED",
        EventKind::Modified => "MODIFIED",
        EventKind::Deleted => "DELETED",
    }
}

/// The `PartialObjectMetadata` of an object.
pub(crate) fn partial(record: &Record) -> Vec<u8> {
    let mut text =
        br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#.to_vec();
    text.extend_from_slice(&record.metadata_json());
    text.push(b'}');
    text
}

/// The `PartialObjectMetadata` of an object that is not stored.
pub(crate) fn partial_of(object: &Value) -> Value {
    serde_json::json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
    })
}
