//! Ends namespaces: deletes what is in them, and lets them go once they are empty.

use std::sync::Arc;

use serde_json::json;

use super::{Changes, RETRY, delete_all};
use crate::cluster::Cluster;
use crate::registry::delete::may_go;
use crate::registry::meta;
use crate::start::failure;
use crate::status::Status;
use crate::store::{Expect, Key, Resource, Scope};

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
    if !cluster.store.counts(name).is_empty() {
        return Ok(()); // what still waits for somebody wakes this up when it goes
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
