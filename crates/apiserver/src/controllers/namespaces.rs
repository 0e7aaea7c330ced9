//! Ends namespaces: deletes what is in them, and lets them go once they are empty.

mod remaining;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Changes, RETRY, delete_all, now};
use crate::cluster::Cluster;
use crate::registry::draft::Author;
use crate::registry::options::WriteOptions;
use crate::registry::write::Write;
use crate::status::Status;
use crate::store::{Key, Record, Resource, Scope};

/// This controller among the holders of a namespace.
const KUBERNETES: &str = "kubernetes";

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
            .iter(&Scope::all())
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
///
/// A namespace that was let go of before is left alone: somebody else holds it, and whatever is written here
/// is a change that leads here again.
async fn end(cluster: &Cluster, name: &str) -> Result<(), Status> {
    let key = Key::new(&Resource::new("", "namespaces"), "", name)
        .map_err(|error| Status::bad_request(error.to_string()))?;
    let Some(record) = cluster.store.get(&key) else {
        return Ok(());
    };
    if record.meta().deletion_timestamp.is_none() || holders(&record.value()).is_empty() {
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
    tell(cluster, &record, &left).await?;
    // What still waits for somebody wakes this up when it goes.
    if left.is_empty() {
        let_go(cluster, &key).await?;
    }
    Ok(())
}

/// Who holds a namespace as a place, beside those that hold it as an object.
fn holders(namespace: &Value) -> Vec<&str> {
    let holders = namespace["spec"]["finalizers"].as_array();
    holders
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Takes this controller off the holders of a namespace.
async fn let_go(cluster: &Cluster, key: &Key) -> Result<(), Status> {
    let Some(record) = cluster.store.get(key) else {
        return Ok(());
    };
    let mut object = record.value();
    let others: BTreeSet<&str> = holders(&object).into_iter().collect();
    if !others.contains(KUBERNETES) {
        return Ok(());
    }
    let others: Vec<&str> = others
        .into_iter()
        .filter(|name| *name != KUBERNETES)
        .collect();
    object["spec"]["finalizers"] = json!(others);
    replace(cluster, &record, "finalize", object, &now()).await
}

/// Says in the status of a namespace what is left in it.
async fn tell(cluster: &Cluster, record: &Record, left: &[remaining::Left]) -> Result<(), Status> {
    let mut object = record.value();
    let now = now();
    let conditions = remaining::conditions(left, &object["status"]["conditions"], &now);
    if object["status"]["conditions"] == conditions {
        return Ok(());
    }
    object["status"]["conditions"] = conditions;
    replace(cluster, record, "status", object, &now).await
}

/// Writes a namespace as it was read, but for what has been changed in it.
async fn replace(
    cluster: &Cluster,
    record: &Record,
    subresource: &str,
    object: Value,
    now: &str,
) -> Result<(), Status> {
    let served = cluster.served();
    let Some(kind) = served.kind("", "v1", "namespaces") else {
        return Ok(());
    };
    let options = WriteOptions::default();
    let write = Write {
        user: None,
        kind,
        namespace: "",
        name: record.key().name(),
        subresource,
        options: &options,
        author: Author {
            manager: "kube-controller-manager",
            now,
        },
    };
    write.replace(cluster, object.into()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::delete::delete;
    use crate::registry::options::DeleteOptions;
    use crate::start::make;
    use crate::store::{History, Store};

    /// A cluster with a namespace `shop` that is being deleted, with something in it.
    async fn ending(shop: Value) -> (Cluster, Key) {
        let cluster = Cluster::new("main", Store::in_memory(History::default()));
        let served = cluster.served();
        let kind = |plural| served.kind("", "v1", plural).expect("it is served");
        let spaces = kind("namespaces");
        let made = make(&cluster, spaces, "", shop, &now()).await;
        made.expect("it can be created");
        let map = json!({"metadata": {"name": "map"}});
        let made = make(&cluster, kind("configmaps"), "shop", map, &now()).await;
        made.expect("it can be created");
        let key = Key::new(&spaces.stored, "", "shop").expect("the name is right");
        let (options, at) = (DeleteOptions::default(), jiff::Timestamp::now());
        let done = delete(&cluster, spaces, &key, &options, at).await;
        done.expect("it can be deleted");
        (cluster, key)
    }

    /// What stays of `shop` once its contents are gone; nothing is written where nothing changes.
    async fn settled(cluster: &Cluster, key: &Key) -> Option<Value> {
        end(cluster, "shop").await.expect("it goes through");
        let left = cluster.store.get(key)?;
        for _ in 0..3 {
            end(cluster, "shop").await.expect("it goes through");
            let again = cluster.store.get(key).expect("somebody holds it");
            assert_eq!(again.modified(), left.modified());
        }
        assert_eq!(cluster.store.counts("shop").len(), 0);
        Some(left.value())
    }

    #[tokio::test]
    async fn a_namespace_that_others_hold_is_written_once_and_left_alone() {
        let held = json!({"metadata": {"name": "shop", "finalizers": ["a.b/c"]}});
        let (cluster, key) = ending(held).await;
        let left = settled(&cluster, &key).await.expect("somebody holds it");
        assert_eq!(left["spec"], json!({}));
        let conditions = left["status"]["conditions"].as_array();
        let told: Vec<&Value> = conditions
            .into_iter()
            .flatten()
            .map(|told| &told["type"])
            .collect();
        assert_eq!(
            told,
            [
                "NamespaceDeletionDiscoveryFailure",
                "NamespaceDeletionGroupVersionParsingFailure",
                "NamespaceDeletionContentFailure",
                "NamespaceContentRemaining",
                "NamespaceFinalizersRemaining",
            ]
        );
    }

    #[tokio::test]
    async fn holders_of_a_place_let_go_each_for_themselves() {
        let held = json!({
            "metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes", "x.y/z", "b.y/z"]},
        });
        let (cluster, key) = ending(held).await;
        let left = settled(&cluster, &key).await.expect("somebody holds it");
        assert_eq!(left["spec"]["finalizers"], json!(["b.y/z", "x.y/z"]));
        let record = cluster.store.get(&key).expect("somebody holds it");
        let mut free = record.value();
        free["spec"]["finalizers"] = json!([]);
        let done = replace(&cluster, &record, "finalize", free, &now()).await;
        done.expect("they may");
        assert!(cluster.store.get(&key).is_none());
    }

    #[tokio::test]
    async fn a_namespace_that_nobody_else_holds_goes_with_its_contents() {
        let (cluster, key) = ending(json!({"metadata": {"name": "shop"}})).await;
        assert_eq!(settled(&cluster, &key).await, None);
        assert_eq!(cluster.store.counts("shop").len(), 0);
    }
}
