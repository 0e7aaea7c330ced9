//! Collects garbage: what a deleted object owned goes too, unless it was to stay.

mod owners;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use self::owners::Owners;
use super::{Changes, RETRY, now};
use crate::cluster::Cluster;
use crate::fields::{self, Writer};
use crate::registry::delete::{FOREGROUND, ORPHAN, delete, may_go};
use crate::registry::kind::Kind;
use crate::registry::meta;
use crate::registry::options::{DeleteOptions, Propagation};
use crate::start::failure;
use crate::status::Status;
use crate::store::{Event, EventKind, Expect, Key, Record};

/// The resource of definitions.
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Works until it is dropped.
pub(super) async fn run(cluster: Arc<Cluster>) {
    loop {
        let revision = cluster.store.revision();
        let Ok(mut changes) = Changes::from(&cluster, revision) else {
            continue;
        };
        // What was left over by a process that ended.
        let mut due = Due::default();
        for record in everything(&cluster) {
            due.add(&record);
        }
        loop {
            attend_all(&cluster, &mut due).await;
            let events = tokio::select! {
                events = changes.next() => events,
                // What failed was overtaken by another change, most likely.
                () = tokio::time::sleep(RETRY), if !due.queue.is_empty() => continue,
            };
            let Ok(events) = events else {
                break; // too much has happened to be followed: all of it again
            };
            for event in events {
                concerned(&cluster, &event, &mut due);
            }
        }
    }
}

/// Whom something is to be done for. One that waits is not taken in again: owners may go round in a circle, and
/// what one of them owns may be owned by all the others.
#[derive(Default)]
struct Due {
    queue: VecDeque<Key>,
    waiting: HashSet<Key>,
    /// Those whose owners cannot be told, until a definition changes.
    puzzling: HashSet<Key>,
}

impl Due {
    /// Takes an object in, if this state of it asks for anything.
    fn add(&mut self, record: &Record) {
        let waits = waits_for(record, ORPHAN) || waits_for(record, FOREGROUND);
        if waits || !record.meta().owners.is_empty() {
            self.add_key(record.key().clone());
        }
    }

    fn add_key(&mut self, key: Key) {
        if self.waiting.insert(key.clone()) {
            self.queue.push_back(key);
        }
    }

    fn next(&mut self) -> Option<Key> {
        let key = self.queue.pop_front()?;
        self.waiting.remove(&key);
        Some(key)
    }
}

/// Does what is due, and what comes of that. What fails stays due.
async fn attend_all(cluster: &Cluster, due: &mut Due) {
    let mut again = Vec::new();
    while let Some(key) = due.next() {
        if let Err(status) = attend(cluster, &key, due).await {
            tracing::debug!(
                "could not collect `{}` of {}: {}",
                key.path(),
                key.resource().as_str(),
                status.message
            );
            again.push(key);
        }
    }
    for key in again {
        due.add_key(key);
    }
}

fn everything(cluster: &Cluster) -> Vec<Arc<Record>> {
    let mut all = Vec::new();
    for (resource, _) in cluster.store.counts("") {
        let snapshot = cluster.store.snapshot(&resource);
        all.extend(snapshot.iter(&crate::store::Scope::all()).cloned());
    }
    all
}

/// Notes whom a change concerns.
fn concerned(cluster: &Cluster, event: &Event, due: &mut Due) {
    let meta = event.record.meta();
    let was = event.previous.as_ref().map(|record| record.meta());
    if event.kind == EventKind::Deleted {
        due.puzzling.remove(event.record.key());
        for owned in cluster.store.owned_by(&meta.uid) {
            due.add(&owned);
        }
    } else {
        due.add(&event.record);
    }
    // An owner that waits for it may wait no longer.
    if let Some(was) =
        was.filter(|was| event.kind == EventKind::Deleted || was.owners != meta.owners)
    {
        for owner in &was.owners {
            if let Some(owner) = cluster.store.by_uid(&owner.uid) {
                due.add(&owner);
            }
        }
    }
    if event.record.key().resource().as_str() == DEFINITIONS {
        for key in std::mem::take(&mut due.puzzling) {
            due.add_key(key);
        }
    }
}

fn waits_for(record: &Record, finalizer: &str) -> bool {
    let meta = record.meta();
    let mut finalizers = meta.finalizers.iter();
    meta.deletion_timestamp.is_some() && finalizers.any(|known| **known == *finalizer)
}

/// Does for an object what is to be done now, and notes for whom something is to be done then.
async fn attend(cluster: &Cluster, key: &Key, due: &mut Due) -> Result<(), Status> {
    let Some(record) = cluster.store.get(key) else {
        return Ok(());
    };
    let served = cluster.served();
    let Some(kind) = served.stored(key.resource()).cloned() else {
        return Ok(());
    };
    if waits_for(&record, ORPHAN) {
        orphan(cluster, &record.meta().uid).await?;
        return let_go(cluster, &kind, &record, ORPHAN).await;
    }
    if waits_for(&record, FOREGROUND) {
        return foreground(cluster, &kind, &record, due).await;
    }
    if record.meta().deletion_timestamp.is_some() || record.meta().owners.is_empty() {
        return Ok(());
    }
    let owners = owners::look_up(cluster, &served, &record);
    let Some(owners) = owners else {
        due.puzzling.insert(key.clone());
        return Ok(());
    };
    collect(cluster, &kind, record, &owners).await
}

/// Deletes an object that no owner holds. Where one does, those that do not are taken out of it.
async fn collect(
    cluster: &Cluster,
    kind: &Kind,
    mut record: Arc<Record>,
    owners: &Owners,
) -> Result<(), Status> {
    let uid = &record.meta().uid.to_string();
    if owners.solid {
        let idle = |owner: &Value| {
            let uid = owner["uid"].as_str().unwrap_or_default();
            owners.idle.iter().any(|idle| *idle == *uid)
        };
        if !owners.idle.is_empty() {
            change_owners(cluster, kind, &record, |all| {
                all.retain(|owner| !idle(owner));
            })
            .await?;
        }
        return Ok(());
    }
    let owned = cluster.store.owned_by(uid);
    let propagation = if owners.waiting && !owned.is_empty() {
        // Whoever owns each other in a circle would wait for each other.
        if owned.iter().any(|owned| waits_for(owned, FOREGROUND)) {
            record = change_owners(cluster, kind, &record, |owners| unblock(owners)).await?;
        }
        Propagation::Foreground
    } else {
        let has = |name: &str| {
            record
                .meta()
                .finalizers
                .iter()
                .any(|known| **known == *name)
        };
        if has(ORPHAN) {
            Propagation::Orphan
        } else if has(FOREGROUND) {
            Propagation::Foreground
        } else {
            Propagation::Background
        }
    };
    let options = DeleteOptions {
        propagation: Some(propagation),
        uid: Some(uid.clone()),
        resource_version: Some(record.modified().to_string()),
        ..DeleteOptions::default()
    };
    let now = jiff::Timestamp::now();
    match delete(cluster, kind, record.key(), &options, now).await {
        // It is gone, is another one or another state by now, which a change tells, or nobody may delete it.
        Err(status) if matches!(status.code, 403 | 404) || status.reason == "Conflict" => Ok(()),
        done => done.map(drop),
    }
}

fn unblock(owners: &mut [Value]) {
    for owner in owners.iter_mut().filter_map(Value::as_object_mut) {
        if owner.contains_key("blockOwnerDeletion") {
            owner.insert("blockOwnerDeletion".to_owned(), json!(false));
        }
    }
}

/// Changes whom an object names as its owners.
async fn change_owners(
    cluster: &Cluster,
    kind: &Kind,
    record: &Record,
    change: impl FnOnce(&mut Vec<Value>),
) -> Result<Arc<Record>, Status> {
    let before = record.value();
    let mut object = before.clone();
    if let Some(metadata) = meta::metadata_mut(&mut object) {
        let owners = metadata.get("ownerReferences").and_then(Value::as_array);
        let mut owners = owners.cloned().unwrap_or_default();
        change(&mut owners);
        if owners.is_empty() {
            metadata.remove("ownerReferences");
        } else {
            metadata.insert("ownerReferences".to_owned(), json!(owners));
        }
    }
    // Whoever wrote a reference that goes owns it no more.
    let writer = Writer {
        manager: "kube-controller-manager",
        now: &now(),
    };
    object = fields::update(&kind.target(""), Some(&before), object, writer);
    let expect = Expect::Revision(record.modified());
    cluster.put(kind, expect, &object).await.map_err(failure)
}

/// Takes an owner out of what it owns.
async fn orphan(cluster: &Cluster, uid: &str) -> Result<(), Status> {
    for owned in cluster.store.owned_by(uid) {
        let served = cluster.served();
        let kind = served.stored(owned.key().resource());
        let Some(kind) = kind else { continue };
        change_owners(cluster, kind, &owned, |owners| {
            owners.retain(|owner| owner["uid"] != uid);
        })
        .await?;
    }
    Ok(())
}

/// Has what an object owns deleted, and lets the object go once nothing blocks it. What is on its way, which
/// it is itself where it owns itself, is not asked again: when it goes, this is due again.
async fn foreground(
    cluster: &Cluster,
    kind: &Kind,
    record: &Record,
    due: &mut Due,
) -> Result<(), Status> {
    let uid = &record.meta().uid;
    let mut blocked = false;
    for owned in cluster.store.owned_by(uid) {
        let mut owners = owned.meta().owners.iter();
        blocked |= owners.any(|owner| owner.uid == *uid && owner.block_owner_deletion);
        if !waits_for(&owned, FOREGROUND) {
            due.add(&owned);
        }
    }
    if blocked {
        return Ok(());
    }
    let_go(cluster, kind, record, FOREGROUND).await
}

/// Takes a finalizer away, and the object with the last one.
async fn let_go(
    cluster: &Cluster,
    kind: &Kind,
    record: &Record,
    finalizer: &str,
) -> Result<(), Status> {
    let mut object = record.value();
    let rest: Vec<String> = meta::finalizers(&object)
        .filter(|known| *known != finalizer)
        .map(str::to_owned)
        .collect();
    if let Some(metadata) = meta::metadata_mut(&mut object) {
        if rest.is_empty() {
            metadata.remove("finalizers");
        } else {
            metadata.insert("finalizers".to_owned(), json!(rest));
        }
    }
    let expect = Expect::Revision(record.modified());
    if may_go(kind, &object) {
        let removed = cluster.remove(kind, expect, record.key().clone()).await;
        removed.map_err(failure)?;
        kind.released(cluster, &object);
        return Ok(());
    }
    cluster
        .put(kind, expect, &object)
        .await
        .map(drop)
        .map_err(failure)
}

#[cfg(test)]
mod tests;
