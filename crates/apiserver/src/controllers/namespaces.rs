//! Ends namespaces: deletes what is in them, and lets them go once they are empty.

mod remaining;

use std::sync::Arc;

use serde_json::json;

use super::{Changes, RETRY, delete_all, now};
use crate::cluster::Cluster;
use crate::registry::delete::may_go;
use crate::registry::draft::Author;
use crate::registry::meta;
use crate::registry::options::WriteOptions;
use crate::registry::write::Write;
use crate::start::failure;
use crate::status::Status;
use crate::store::{Expect, Key, Record, Resource, Scope};

/// Works until it is dropped.
pub(super) async fn run(cluster: Arc<Cluster>) {
    let namespaces = Resource::new("", "namespaces");
    loop {
        // First all of them, then those that something happens in.
        let snapshot = cluster.store.snapshot(&namespaces);
        let Ok(mut changes) = Changes::from(&cluster, snapshot.revision()) else {
            continue;
        };
        let mut due: Vec<String> = snapshot
            .iter(&Scope::all(), "")
            .filter(|record| record.meta().deletion_timestamp.is_some())
            .map(|record| record.key().name().to_owned())
            .collect();
        loop {
            due.sort_unstable();
            due.dedup();
            let mut again = Vec::new();
            for name in due.drain(..) {
                if let Err(status) = end(&cluster, &name).await {
                    tracing::debug!(
                        "the namespace `{name}` does not end yet: {}",
                        status.message
                    );
                    again.push(name);
                }
            }
            due = again;
            let events = tokio::select! {
                events = changes.next() => events,
                // What failed was overtaken by another change, most likely.
                () = tokio::time::sleep(RETRY), if !due.is_empty() => continue,
            };
            let Ok(events) = events else {
                break; // too much has happened to be followed: all of them again
            };
            for event in events {
                let key = event.record.key();
                if *key.resource() == namespaces {
                    if event.record.meta().deletion_timestamp.is_some() {
                        due.push(key.name().to_owned());
                    }
                } else if !key.namespace().is_empty() && is_ending(&cluster, key.namespace()) {
                    due.push(key.namespace().to_owned());
                }
            }
        }
    }
}

fn is_ending(cluster: &Cluster, name: &str) -> bool {
    let key = Key::new(&Resource::new("", "namespaces"), "", name);
    let found = key.ok().and_then(|key| cluster.store.get(&key));
    found.is_some_and(|record| record.meta().deletion_timestamp.is_some())
}

/// Deletes what is in a namespace; lets it go if that is nothing.
async fn end(cluster: &Cluster, name: &str) -> Result<(), Status> {
    let key = Key::new(&Resource::new("", "namespaces"), "", name)
        .map_err(|error| Status::bad_request(error.to_string()))?;
    let Some(record) = cluster.store.get(&key) else {
        return Ok(());
    };
    if record.meta().deletion_timestamp.is_none() {
        return Ok(());
    }
    let served = cluster.served();
    let inside = cluster.store.counts(name);
    let scope = Scope::namespace(name);
    for (resource, _) in &inside {
        let kind = served.stored(resource);
        let Some(kind) = kind else { continue };
        delete_all(cluster, kind, &scope).await?;
    }
    let left = remaining::of(cluster, name);
    if !left.is_empty() {
        // What still waits for somebody wakes this up when it goes.
        return tell(cluster, &record, &left).await;
    }
    let Some(kind) = served.kind("", "v1", "namespaces") else {
        return Ok(());
    };
    let mut object = record.value();
    object["spec"]["finalizers"] = json!([]);
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.remove("finalizers");
    }
    let expect = Expect::Revision(record.modified());
    let done = if may_go(kind, &object) {
        cluster.remove(kind, expect, key).await.map(drop)
    } else {
        if let Some(metadata) = meta::metadata_mut(&mut object) {
            metadata.remove("resourceVersion");
        }
        cluster.put(kind, expect, &object).await.map(drop)
    };
    done.map_err(failure)
}

/// Says in the status of a namespace what is left in it.
async fn tell(cluster: &Cluster, record: &Record, left: &[remaining::Left]) -> Result<(), Status> {
    let served = cluster.served();
    let Some(kind) = served.kind("", "v1", "namespaces") else {
        return Ok(());
    };
    let mut object = record.value();
    let now = now();
    let conditions = remaining::conditions(left, &object["status"]["conditions"], &now);
    if object["status"]["conditions"] == conditions {
        return Ok(());
    }
    object["status"]["conditions"] = conditions;
    let options = WriteOptions::default();
    let write = Write {
        user: None,
        kind,
        namespace: "",
        name: record.key().name(),
        subresource: "status",
        options: &options,
        author: Author {
            manager: "kube-controller-manager",
            now: &now,
        },
    };
    write.replace(cluster, object.into()).await.map(drop)
}
