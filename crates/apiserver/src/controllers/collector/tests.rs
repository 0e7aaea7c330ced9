//! What the collector does while others write.

use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::start::make;
use crate::store::{History, Key, Resource, Scope, Store};

const NOW: &str = "2026-01-02T03:04:05Z";

fn cluster() -> Arc<Cluster> {
    Arc::new(Cluster::new("main", Store::in_memory(History::default())))
}

fn config_maps(cluster: &Cluster) -> Arc<Kind> {
    let served = cluster.served();
    served
        .kind("", "v1", "configmaps")
        .expect("they are served")
        .clone()
}

async fn create(cluster: &Cluster, kind: &Kind, object: Value) -> Arc<Record> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let key = Key::new(&kind.stored, "shop", name).expect("the name is right");
    make(cluster, kind, "shop", object, NOW)
        .await
        .expect("it can be created");
    cluster.store.get(&key).expect("it is there")
}

/// A cluster with an owner that goes and lets what it owns stay.
async fn orphaning(count: usize) -> (Arc<Cluster>, Arc<Kind>, Arc<Record>) {
    let cluster = cluster();
    let namespaces = cluster.served();
    let namespaces = namespaces
        .kind("", "v1", "namespaces")
        .expect("they are served");
    let shop = json!({"metadata": {"name": "shop"}});
    make(&cluster, namespaces, "", shop, NOW)
        .await
        .expect("it can be created");
    let kind = config_maps(&cluster);
    let owner = create(&cluster, &kind, json!({"metadata": {"name": "owner"}})).await;
    for index in 0..count {
        let references = json!([{
            "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": &*owner.meta().uid,
        }]);
        let metadata = json!({"name": format!("owned-{index}"), "ownerReferences": references});
        create(&cluster, &kind, json!({"metadata": metadata})).await;
    }
    let options = DeleteOptions {
        propagation: Some(Propagation::Orphan),
        ..DeleteOptions::default()
    };
    let now = jiff::Timestamp::now();
    delete(&cluster, &kind, owner.key(), &options, now)
        .await
        .expect("it can be deleted");
    (cluster, kind, owner)
}

/// Writes to all objects but one, again and again, until that one is gone.
async fn bustle(cluster: Arc<Cluster>, kind: Arc<Kind>, until: Key) {
    let started = Instant::now();
    while cluster.store.get(&until).is_some() {
        assert!(started.elapsed() < Duration::from_secs(20), "it stays");
        let snapshot = cluster.store.snapshot(&Resource::new("", "configmaps"));
        for record in snapshot.iter(&Scope::all(), "") {
            if *record.key() == until {
                continue;
            }
            let mut object = record.value();
            object["data"] = json!({"at": record.modified().to_string()});
            let expect = Expect::Revision(record.modified());
            // The collector may have been faster.
            drop(cluster.put(&kind, expect, &object).await);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_owner_that_lets_go_goes_also_while_others_write() {
    const OWNED: usize = 40;
    let (cluster, kind, owner) = orphaning(OWNED).await;
    let collector = tokio::spawn(run(cluster.clone()));
    bustle(cluster.clone(), kind, owner.key().clone()).await;
    collector.abort();
    let snapshot = cluster.store.snapshot(&Resource::new("", "configmaps"));
    let all = Scope::all();
    let left: Vec<_> = snapshot.iter(&all, "").collect();
    assert_eq!(left.len(), OWNED, "nothing of what it owned went");
    assert!(left.iter().all(|record| record.meta().owners.is_empty()));
}
