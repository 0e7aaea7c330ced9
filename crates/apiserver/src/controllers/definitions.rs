//! Ends definitions: deletes the objects of their kinds, and lets them go once there are none.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Changes, RETRY, delete_all, now};
use crate::cluster::Cluster;
use crate::crd::{self, CLEANUP_FINALIZER, Ended};
use crate::registry::delete::may_go;
use crate::start::failure;
use crate::status::Status;
use crate::store::{Expect, Key, Record, Resource, Scope};

/// Works until it is dropped.
pub(super) async fn run(cluster: Arc<Cluster>) {
    let definitions = Resource::new("apiextensions.k8s.io", "customresourcedefinitions");
    loop {
        let snapshot = cluster.store.snapshot(&definitions);
        let Ok(mut changes) = Changes::from(&cluster, snapshot.revision()) else {
            continue;
        };
        let mut due: BTreeSet<Key> = snapshot
            .iter(&Scope::all())
            .filter(|record| is_ending(record))
            .map(|record| record.key().clone())
            .collect();
        loop {
            let mut rest = BTreeSet::new();
            for key in due {
                match end(&cluster, &key).await {
                    Ok(true) => {}
                    Ok(false) => drop(rest.insert(key)),
                    Err(status) => {
                        tracing::debug!(
                            "the definition `{}` does not end yet: {}",
                            key.name(),
                            status.message
                        );
                        rest.insert(key);
                    }
                }
            }
            due = rest;
            let events = tokio::select! {
                events = changes.next() => events,
                // What is left waits for finalizers of others, which come as changes, or was overtaken.
                () = tokio::time::sleep(RETRY), if !due.is_empty() => continue,
            };
            let Ok(events) = events else { break };
            for event in events {
                let record = &event.record;
                if *record.key().resource() == definitions && is_ending(record) {
                    due.insert(record.key().clone());
                }
            }
        }
    }
}

fn is_ending(record: &Record) -> bool {
    let meta = record.meta();
    meta.deletion_timestamp.is_some()
        && meta
            .finalizers
            .iter()
            .any(|known| **known == *CLEANUP_FINALIZER)
}

/// Deletes the objects of a definition; whether it is through with it.
async fn end(cluster: &Cluster, key: &Key) -> Result<bool, Status> {
    let Some(record) = cluster.store.get(key).filter(|record| is_ending(record)) else {
        return Ok(true);
    };
    let mut object = record.value();
    let text = |path: &str| {
        object
            .pointer(path)
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    };
    let stored = Resource::new(text("/spec/group"), text("/spec/names/plural"));
    let served = cluster.served();
    let kind = served.stored(&stored);
    let snapshot = cluster.store.snapshot(&stored);
    let mut ended = Ended::Completed;
    if let Some(kind) = kind {
        delete_all(cluster, kind, &Scope::all()).await?;
        if !cluster.store.snapshot(&stored).is_empty() {
            return begun(cluster, &record).await.map(|()| false);
        }
    } else if snapshot.is_empty() {
        ended = Ended::NeverEstablished;
    }
    let Some(kind) = served.kind("apiextensions.k8s.io", "v1", "customresourcedefinitions") else {
        return Ok(true);
    };
    crd::end(&mut object, ended, &now());
    let expect = Expect::Revision(record.modified());
    if may_go(kind, &object) {
        cluster
            .remove(kind, expect, key.clone())
            .await
            .map_err(failure)?;
    } else {
        cluster.put(kind, expect, &object).await.map_err(failure)?;
    }
    Ok(true)
}

/// Says in the status of a definition that its objects are on their way out.
async fn begun(cluster: &Cluster, record: &Record) -> Result<(), Status> {
    let served = cluster.served();
    let Some(kind) = served.kind("apiextensions.k8s.io", "v1", "customresourcedefinitions") else {
        return Ok(());
    };
    let before = record.value();
    let mut object = before.clone();
    crd::end(&mut object, Ended::Started, &now());
    if object == before {
        return Ok(());
    }
    let expect = Expect::Revision(record.modified());
    cluster
        .put(kind, expect, &object)
        .await
        .map(drop)
        .map_err(failure)
}
