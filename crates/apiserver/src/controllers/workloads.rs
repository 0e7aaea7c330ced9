//! Writes the simulated status of workloads, some time after they changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{Changes, now};
use crate::cluster::Cluster;
use crate::registry::draft::Author;
use crate::registry::meta;
use crate::registry::options::WriteOptions;
use crate::registry::write::{Answer, Write};
use crate::simulate::{self, SIMULATED};
use crate::status::Status;
use crate::store::{EventKind, Key, Resource, Scope};

/// Works until it is dropped.
pub(super) async fn run(cluster: Arc<Cluster>, delay: Duration) {
    let kinds: Vec<Resource> = simulate::workloads()
        .map(|(group, resource)| Resource::new(group, resource))
        .collect();
    let namespaces = Resource::new("", "namespaces");
    loop {
        let revision = cluster.store.revision();
        let Ok(mut changes) = Changes::from(&cluster, revision) else {
            continue;
        };
        let mut due: BTreeMap<Key, Instant> = workloads_in(&cluster, &kinds, &Scope::all())
            .into_iter()
            .map(|key| (key, Instant::now()))
            .collect();
        loop {
            let next = due.values().min().copied();
            let wait = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {
                    let now = Instant::now();
                    let ready: Vec<Key> = due.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
                    for key in ready {
                        due.remove(&key);
                        if let Err(status) = write(&cluster, &key).await {
                            tracing::debug!("could not simulate `{}`: {}", key.path(), status.message);
                        }
                    }
                }
                events = changes.next() => {
                    let Ok(events) = events else { break };
                    for event in events {
                        if event.kind == EventKind::Deleted {
                            continue;
                        }
                        let key = event.record.key();
                        if kinds.contains(key.resource()) {
                            due.entry(key.clone()).or_insert_with(|| Instant::now() + delay);
                        } else if *key.resource() == namespaces {
                            // What it says holds for everything in it.
                            for key in workloads_in(&cluster, &kinds, &Scope::namespace(key.name())) {
                                due.entry(key).or_insert_with(|| Instant::now() + delay);
                            }
                        }
                    }
                }
            }
        }
    }
}

fn workloads_in(cluster: &Cluster, kinds: &[Resource], scope: &Scope) -> Vec<Key> {
    let mut found = Vec::new();
    for resource in kinds {
        let snapshot = cluster.store.snapshot(resource);
        found.extend(snapshot.iter(scope).map(|record| record.key().clone()));
    }
    found
}

async fn write(cluster: &Cluster, key: &Key) -> Result<(), Status> {
    let Some(record) = cluster.store.get(key) else {
        return Ok(());
    };
    let object = record.value();
    if meta::is_deleting(&object) {
        return Ok(());
    }
    let resource = key.resource();
    let now = now();
    let namespace = Key::new(&Resource::new("", "namespaces"), "", key.namespace()).ok();
    let namespace = namespace.and_then(|key| cluster.store.get(&key));
    let namespace = namespace.map(|record| record.value()).unwrap_or_default();
    let outcome = simulate::outcome(&object, &namespace);
    let status = simulate::status(resource.group(), resource.name(), &object, outcome, &now);
    let Some(status) = status else {
        return Ok(());
    };
    let served = cluster.served();
    let kind = served.stored(resource);
    let Some(kind) = kind else {
        return Ok(());
    };
    let options = WriteOptions::default();
    let writer = |subresource| Write {
        user: None,
        kind,
        namespace: key.namespace(),
        name: key.name(),
        subresource,
        options: &options,
        author: Author {
            manager: "simulator",
            now: &now,
        },
    };
    // Most kinds take the mark with their status, which leaves their generation alone.
    let mut marked = object["metadata"]["annotations"][SIMULATED] == "true";
    if object["status"] != status || !marked {
        let mut changed = object.clone();
        changed["status"] = status;
        if !changed["metadata"]["annotations"].is_object() {
            changed["metadata"]["annotations"] = json!({});
        }
        changed["metadata"]["annotations"][SIMULATED] = json!("true");
        let written = writer("status").replace(cluster, changed.into()).await?;
        marked = match written.object {
            Answer::Stored(record) => {
                record.value()["metadata"]["annotations"][SIMULATED] == "true"
            }
            Answer::Shown(_) => true,
        };
    }
    if !marked {
        let patch = json!({"metadata": {"annotations": {SIMULATED: "true"}}});
        let how = crate::media::PatchType::Merge;
        writer("").patch(cluster, how, &patch).await?;
    }
    Ok(())
}
