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
        for record in snapshot.iter(&Scope::all()) {
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
    let left: Vec<_> = snapshot.iter(&all).collect();
    assert_eq!(left.len(), OWNED, "nothing of what it owned went");
    assert!(left.iter().all(|record| record.meta().owners.is_empty()));
}

#[tokio::test]
async fn who_wrote_a_reference_that_goes_owns_it_no_more() {
    let (cluster, kind, owner) = orphaning(1).await;
    let key = Key::new(&kind.stored, "shop", "owned-0").expect("the name is right");
    let fields = |cluster: &Cluster| {
        let record = cluster.store.get(&key).expect("it stays");
        record.value()["metadata"]["managedFields"].to_string()
    };
    assert!(fields(&cluster).contains("f:ownerReferences"));
    orphan(&cluster, &owner.meta().uid).await.expect("it may");
    assert_eq!(fields(&cluster), "null");
}

/// A cluster with a namespace, and its ConfigMaps.
async fn shop() -> (Arc<Cluster>, Arc<Kind>) {
    let cluster = cluster();
    let served = cluster.served();
    let namespaces = served.kind("", "v1", "namespaces");
    let namespaces = namespaces.expect("they are served");
    let shop = json!({"metadata": {"name": "shop"}});
    make(&cluster, namespaces, "", shop, NOW)
        .await
        .expect("it can be created");
    let kind = config_maps(&cluster);
    (cluster, kind)
}

fn reference(owner: &Record) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": owner.key().name(), "uid": &*owner.meta().uid,
        "blockOwnerDeletion": true,
    })
}

async fn set_owner(cluster: &Cluster, kind: &Kind, record: &Record, owner: &Record) {
    let mut object = record.value();
    object["metadata"]["ownerReferences"] = json!([reference(owner)]);
    let expect = Expect::Revision(record.modified());
    cluster
        .put(kind, expect, &object)
        .await
        .expect("it can be written");
}

async fn delete_in_foreground(cluster: &Cluster, kind: &Kind, record: &Record) {
    let options = DeleteOptions {
        propagation: Some(Propagation::Foreground),
        ..DeleteOptions::default()
    };
    let now = jiff::Timestamp::now();
    delete(cluster, kind, record.key(), &options, now)
        .await
        .expect("it can be deleted");
}

/// Lets the collector work until something holds, and says whether it came to.
async fn collected(cluster: &Arc<Cluster>, holds: impl Fn(&Cluster) -> bool) -> bool {
    let collector = tokio::spawn(run(cluster.clone()));
    let came = comes(cluster, holds).await;
    assert!(!collector.is_finished(), "it ended");
    collector.abort();
    came
}

/// Waits until something holds, and says whether it came to.
async fn comes(cluster: &Cluster, holds: impl Fn(&Cluster) -> bool) -> bool {
    let started = Instant::now();
    while !holds(cluster) && started.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    holds(cluster)
}

fn names(cluster: &Cluster) -> Vec<String> {
    let snapshot = cluster.store.snapshot(&Resource::new("", "configmaps"));
    let all = Scope::all();
    let names = snapshot
        .iter(&all)
        .map(|record| record.key().name().to_owned());
    names.collect()
}

#[tokio::test]
async fn who_owns_each_other_goes_together() {
    let (cluster, kind) = shop().await;
    let first = create(&cluster, &kind, json!({"metadata": {"name": "first"}})).await;
    let second = json!({"metadata": {"name": "second", "ownerReferences": [reference(&first)]}});
    let second = create(&cluster, &kind, second).await;
    set_owner(&cluster, &kind, &first, &second).await;
    delete_in_foreground(&cluster, &kind, &first).await;
    assert!(collected(&cluster, |cluster| names(cluster).is_empty()).await);
}

#[tokio::test]
async fn who_owns_itself_stays_in_deletion() {
    let (cluster, kind) = shop().await;
    let own = create(&cluster, &kind, json!({"metadata": {"name": "own"}})).await;
    set_owner(&cluster, &kind, &own, &own).await;
    delete_in_foreground(&cluster, &kind, &own).await;
    // What comes after it is collected all the same.
    let dangling = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "gone",
    });
    let late = json!({"metadata": {"name": "late", "ownerReferences": [dangling]}});
    create(&cluster, &kind, late).await;
    assert!(collected(&cluster, |cluster| names(cluster) == ["own"]).await);
    let own = cluster.store.get(own.key()).expect("it is there");
    assert!(waits_for(&own, FOREGROUND));
}

#[tokio::test]
async fn a_long_chain_of_owners_waits_for_its_end() {
    const LENGTH: usize = 1500;
    let (cluster, kind) = shop().await;
    let first = create(&cluster, &kind, json!({"metadata": {"name": "c0"}})).await;
    let mut last = first.clone();
    for index in 1..LENGTH {
        let mut metadata =
            json!({"name": format!("c{index}"), "ownerReferences": [reference(&last)]});
        if index == LENGTH - 1 {
            metadata["finalizers"] = json!(["shop.io/wait"]);
        }
        last = create(&cluster, &kind, json!({"metadata": metadata})).await;
    }
    delete_in_foreground(&cluster, &kind, &first).await;
    let key = last.key().clone();
    let is_marked = |cluster: &Cluster| {
        let last = cluster.store.get(&key).expect("it is there");
        last.meta().deletion_timestamp.is_some()
    };
    assert!(collected(&cluster, is_marked).await);
    assert_eq!(names(&cluster).len(), LENGTH);
    let last = cluster.store.get(&key).expect("it is there");
    let_go(&cluster, &kind, &last, "shop.io/wait")
        .await
        .expect("it can go");
    assert!(collected(&cluster, |cluster| names(cluster).is_empty()).await);
}

/// Creates an object with owners, lets the collector see it, and says whom it names then; none where it went.
async fn left(kind: &str, owners: Value) -> Option<Vec<String>> {
    let (cluster, config_maps) = shop().await;
    let served = cluster.served();
    let owner = create(
        &cluster,
        &config_maps,
        json!({"metadata": {"name": "owner"}}),
    )
    .await;
    let text = owners.to_string().replace("UID", &owner.meta().uid);
    let owners: Value = serde_json::from_str(&text).expect("it is JSON");
    let (kind, space) = if kind == "ConfigMap" {
        (config_maps.clone(), "shop")
    } else {
        let kind = served.kind("rbac.authorization.k8s.io", "v1", "clusterroles");
        (kind.expect("they are served").clone(), "")
    };
    let object = json!({"metadata": {"name": "owned", "ownerReferences": owners}});
    make(&cluster, &kind, space, object, NOW)
        .await
        .expect("it can be created");
    let key = Key::new(&kind.stored, space, "owned").expect("the name is right");
    let mut due = Due::default();
    for record in everything(&cluster) {
        due.add(&record);
    }
    attend_all(&cluster, &mut due).await;
    let left = cluster.store.get(&key)?;
    let owners = left.value()["metadata"]["ownerReferences"].clone();
    let owners = owners.as_array().cloned().unwrap_or_default();
    let names = owners
        .iter()
        .filter_map(|owner| owner["name"].as_str().map(str::to_owned));
    Some(names.collect())
}

#[tokio::test]
async fn an_owner_is_looked_up_by_kind_place_and_name() {
    let owner = |version: &str, kind: &str, name: &str, uid: &str| {
        json!({
            "apiVersion": version, "kind": kind, "name": name, "uid": uid,
        })
    };
    let here = owner("v1", "ConfigMap", "owner", "UID");
    let gone = owner("v1", "ConfigMap", "gone", "gone");
    let stays = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    for (kind, owners, wanted) in [
        ("ConfigMap", json!([here]), stays(&["owner"])),
        ("ConfigMap", json!([gone]), None),
        (
            "ConfigMap",
            json!([owner("v1", "Namespace", "n", "1")]),
            None,
        ),
        // The uid of another object, or the name of one with another uid.
        (
            "ConfigMap",
            json!([owner("v1", "ConfigMap", "owner", "1")]),
            None,
        ),
        (
            "ConfigMap",
            json!([owner("v1", "ConfigMap", "other", "UID")]),
            None,
        ),
        (
            "ConfigMap",
            json!([owner("v1", "Secret", "owner", "UID")]),
            None,
        ),
        // Kinds and versions that nobody serves.
        (
            "ConfigMap",
            json!([owner("v1", "K", "n", "1")]),
            stays(&["n"]),
        ),
        (
            "ConfigMap",
            json!([owner("foo.io/v1", "Foo", "n", "1")]),
            stays(&["n"]),
        ),
        (
            "ConfigMap",
            json!([owner("apps/v9", "Deployment", "n", "1")]),
            stays(&["n"]),
        ),
        (
            "ConfigMap",
            json!([owner("v2", "ConfigMap", "owner", "UID")]),
            stays(&["owner"]),
        ),
        // What is in no namespace cannot be owned by what is in one.
        ("ClusterRole", json!([gone]), stays(&["gone"])),
        // Who is gone is forgotten where another one is there.
        ("ConfigMap", json!([here, gone]), stays(&["owner"])),
    ] {
        assert_eq!(left(kind, owners.clone()).await, wanted, "{kind} {owners}");
    }
}

#[tokio::test]
async fn an_owner_of_a_kind_that_comes_later_is_looked_up_then() {
    let (cluster, kind) = shop().await;
    let owner = json!({"apiVersion": "x.io/v1", "kind": "Thing", "name": "gone", "uid": "gone"});
    let object = json!({"metadata": {"name": "owned", "ownerReferences": [owner]}});
    create(&cluster, &kind, object).await;
    // Comes after it, and goes.
    let gone = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "gone"});
    let object = json!({"metadata": {"name": "passing", "ownerReferences": [gone]}});
    create(&cluster, &kind, object).await;
    let collector = tokio::spawn(run(cluster.clone()));
    assert!(comes(&cluster, |cluster| names(cluster) == ["owned"]).await);
    let served = cluster.served();
    let definitions = served.kind("apiextensions.k8s.io", "v1", "customresourcedefinitions");
    let definition = json!({
        "metadata": {"name": "things.x.io"},
        "spec": {
            "group": "x.io", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }],
        },
    });
    make(
        &cluster,
        definitions.expect("they are served"),
        "",
        definition,
        NOW,
    )
    .await
    .expect("it can be created");
    assert!(comes(&cluster, |cluster| names(cluster).is_empty()).await);
    collector.abort();
}
