//! Collects garbage: what a deleted object owned goes too, unless it was to stay.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Changes, RETRY};
use crate::cluster::Cluster;
use crate::registry::delete::{FOREGROUND, ORPHAN, delete, may_go};
use crate::registry::kind::Kind;
use crate::registry::meta;
use crate::registry::options::{DeleteOptions, Propagation};
use crate::start::failure;
use crate::status::Status;
use crate::store::{Event, EventKind, Expect, Record};

/// Works until it is dropped.
pub(super) async fn run(cluster: Arc<Cluster>) {
    loop {
        let revision = cluster.store.revision();
        let Ok(mut changes) = Changes::from(&cluster, revision) else {
            continue;
        };
        // What was left over by a process that ended.
        let mut due = everything(&cluster);
        loop {
            let mut again = Vec::new();
            for record in due {
                if let Err(status) = attend(&cluster, &record).await {
                    let key = record.key();
                    tracing::debug!(
                        "could not collect `{}` of {}: {}",
                        key.path(),
                        key.resource().as_str(),
                        status.message
                    );
                    again.push(record);
                }
            }
            due = again;
            let events = tokio::select! {
                events = changes.next() => events,
                // What failed was overtaken by another change, most likely.
                () = tokio::time::sleep(RETRY), if !due.is_empty() => continue,
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

fn everything(cluster: &Cluster) -> Vec<Arc<Record>> {
    let mut all = Vec::new();
    for (resource, _) in cluster.store.counts("") {
        let snapshot = cluster.store.snapshot(&resource);
        all.extend(snapshot.iter(&crate::store::Scope::all(), "").cloned());
    }
    all
}

/// Notes whom a change concerns.
fn concerned(cluster: &Cluster, event: &Event, due: &mut Vec<Arc<Record>>) {
    if event.kind != EventKind::Deleted {
        due.push(event.record.clone());
        return;
    }
    let meta = event.record.meta();
    due.extend(cluster.store.owned_by(&meta.uid));
    let owners = meta.owners.iter();
    due.extend(owners.filter_map(|owner| cluster.store.by_uid(&owner.uid)));
}

/// Does for an object what is to be done now.
async fn attend(cluster: &Cluster, record: &Record) -> Result<(), Status> {
    let meta = record.meta();
    let marked = meta.deletion_timestamp.is_some();
    let waits = |name: &str| marked && meta.finalizers.iter().any(|known| **known == *name);
    if meta.owners.is_empty() && !waits(ORPHAN) && !waits(FOREGROUND) {
        return Ok(());
    }
    match cluster.store.get(record.key()) {
        Some(current) => attend_to(cluster, &current).await,
        None => Ok(()),
    }
}

async fn attend_to(cluster: &Cluster, record: &Record) -> Result<(), Status> {
    let served = cluster.served();
    let kind = served.stored(record.key().resource());
    let Some(kind) = kind.cloned() else {
        return Ok(());
    };
    let meta = record.meta();
    let has = |name: &str| meta.finalizers.iter().any(|known| **known == *name);
    if meta.deletion_timestamp.is_some() {
        if has(ORPHAN) {
            orphan(cluster, &meta.uid).await?;
            return let_go(cluster, &kind, record, ORPHAN).await;
        }
        if has(FOREGROUND) {
            return foreground(cluster, &kind, record).await;
        }
        return Ok(());
    }
    if meta.owners.is_empty() {
        return Ok(());
    }
    let mut solid = false;
    let mut waiting = false;
    for owner in &meta.owners {
        if let Some(live) = cluster.store.by_uid(&owner.uid) {
            let live = live.meta();
            let mut finalizers = live.finalizers.iter();
            let is_waiting =
                live.deletion_timestamp.is_some() && finalizers.any(|known| **known == *FOREGROUND);
            solid |= !is_waiting;
            waiting |= is_waiting;
        }
    }
    if solid {
        return Ok(());
    }
    let options = DeleteOptions {
        propagation: Some(if waiting && cluster.store.owned_count(&meta.uid) > 0 {
            Propagation::Foreground
        } else {
            Propagation::Background
        }),
        uid: Some(meta.uid.to_string()),
        ..DeleteOptions::default()
    };
    match delete(
        cluster,
        &kind,
        record.key(),
        &options,
        jiff::Timestamp::now(),
    )
    .await
    {
        // It is gone, is another one by now, or nobody may delete it.
        Err(status) if matches!(status.code, 403 | 404) || status.reason == "Conflict" => Ok(()),
        done => done.map(drop),
    }
}

/// Takes an owner out of what it owns.
async fn orphan(cluster: &Cluster, uid: &str) -> Result<(), Status> {
    for owned in cluster.store.owned_by(uid) {
        let served = cluster.served();
        let kind = served.stored(owned.key().resource());
        let Some(kind) = kind else { continue };
        let mut object = owned.value();
        if let Some(metadata) = meta::metadata_mut(&mut object) {
            let owners = metadata.get("ownerReferences").and_then(Value::as_array);
            let rest: Vec<Value> = owners
                .into_iter()
                .flatten()
                .filter(|owner| owner["uid"] != uid)
                .cloned()
                .collect();
            if rest.is_empty() {
                metadata.remove("ownerReferences");
            } else {
                metadata.insert("ownerReferences".to_owned(), json!(rest));
            }
        }
        let expect = Expect::Revision(owned.modified());
        cluster.put(kind, expect, &object).await.map_err(failure)?;
    }
    Ok(())
}

/// Deletes what an object owns, and lets it go once nothing blocks it.
async fn foreground(cluster: &Cluster, kind: &Kind, record: &Record) -> Result<(), Status> {
    let uid = &record.meta().uid;
    let mut blocked = false;
    let mut attended = Ok(());
    for owned in cluster.store.owned_by(uid) {
        let owners = &owned.meta().owners;
        blocked |= owners
            .iter()
            .any(|owner| owner.uid == *uid && owner.block_owner_deletion);
        attended = attended.and(Box::pin(attend(cluster, &owned)).await);
    }
    attended?;
    let still = cluster.store.owned_by(uid).iter().any(|owned| {
        let owners = &owned.meta().owners;
        owners
            .iter()
            .any(|owner| owner.uid == *uid && owner.block_owner_deletion)
    });
    if blocked && still {
        return Ok(()); // the last one that goes wakes this up
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
