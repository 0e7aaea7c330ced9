//! Rule 5: what is pruned, what is held back, and what is only let go of.

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim};
use kinds::{Inventory, Shipment, ShipmentStatus, names};
use kube::ResourceExt as _;
use serde_json::{Value, json};
use suite::Scene;

use crate::deliverable::deliverable;
use crate::rules_stage::{
    assert_quiet, config_map, is_at, is_owned, managers, patch_spec, ready_because, until_values,
    values,
};

/// A Shipment `web` that has delivered so many ConfigMaps `map-0`, `map-1`, …
async fn stage(name: &str, maps: usize, spec: Value) -> Scene {
    let scene = Scene::new(name).await;
    for number in 0..maps {
        write(&scene, number);
    }
    scene.push().await;
    let mut shipment = scene.shipment("web", "config");
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        shipment["spec"][key] = value;
    }
    scene.apply(&shipment).await;
    scene.until_ready("web", None).await;
    scene
}

fn write(scene: &Scene, number: usize) {
    let name = format!("map-{number}");
    scene.write(
        &format!("config/{name}.yaml"),
        &config_map(&name, &[("a", "1")]),
    );
}

fn drop_maps(scene: &Scene, numbers: std::ops::Range<usize>) {
    for number in numbers {
        scene.remove(&format!("config/map-{number}.yaml"));
    }
}

async fn count(scene: &Scene) -> usize {
    let mut found = 0;
    for number in 0..20 {
        found += usize::from(
            scene
                .find::<ConfigMap>(&format!("map-{number}"))
                .await
                .is_some(),
        );
    }
    found
}

/// Agrees to a deletion that is held.
pub(crate) async fn confirm(scene: &Scene, shipment: &str, digest: &str) {
    scene
        .annotate::<Shipment>(shipment, names::CONFIRM_ANNOTATION, Some(digest))
        .await;
}

async fn until_gone(scene: &Scene, shipment: &str) {
    scene
        .until_object::<Shipment>(shipment, "is gone", |found| found.is_none())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_pruned_after_an_empty_render_whatever_is_confirmed() {
    let scene = stage("empty", 3, json!({})).await;
    drop_maps(&scene, 0..3);
    scene.write("config/readme.txt", "nothing to deliver");
    let commit = scene.push().await;
    let status = scene
        .until("web", "is held", |status| {
            status.held.is_some() && is_at(status, &commit)
        })
        .await;
    assert!(
        ready_because(&status, "RenderIncomplete"),
        "{:?}",
        status.conditions
    );
    let held = status.held.expect("it was just seen");
    confirm(&scene, "web", &held.digest).await;
    assert_quiet(&scene).await;
    assert_eq!(count(&scene).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_pruned_after_a_render_that_failed_in_part() {
    let scene = stage("partial", 3, json!({})).await;
    drop_maps(&scene, 0..1);
    scene.write("config/broken.yaml", "kind: [");
    scene.push().await;
    scene.until_reason("web", "ManifestInvalid").await;
    assert_quiet(&scene).await;
    assert_eq!(count(&scene).await, 3);
    scene.remove("config/broken.yaml");
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    assert_eq!(count(&scene).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prune_beyond_the_budget_waits_for_the_digest_of_exactly_its_list() {
    let scene = stage("budget", 8, json!({})).await;
    drop_maps(&scene, 0..6);
    scene.push().await;
    let status = scene
        .until("web", "is held", |status| status.held.is_some())
        .await;
    assert!(
        ready_because(&status, "DeletionBudget"),
        "{:?}",
        status.conditions
    );
    let held = status.held.expect("it was just seen");
    assert_eq!((held.count, held.objects.len()), (6, 6));
    assert_eq!(count(&scene).await, 8);
    // One more leaves the source: what was confirmed is another list.
    drop_maps(&scene, 6..7);
    let commit = scene.push().await;
    let grown = scene.until("web", "is held", |status| {
        is_at(status, &commit) && status.held.as_ref().is_some_and(|held| held.count == 7)
    });
    let grown = grown.await.held.expect("it was just seen");
    assert_ne!(grown.digest, held.digest);
    confirm(&scene, "web", &held.digest).await;
    assert_quiet(&scene).await;
    assert_eq!(count(&scene).await, 8);
    confirm(&scene, "web", &grown.digest).await;
    scene.until_ready("web", Some(&commit)).await;
    assert_eq!(count(&scene).await, 1);
    // It holds for those objects alone: others of the same names wait again.
    for number in 0..7 {
        write(&scene, number);
    }
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    drop_maps(&scene, 0..7);
    let commit = scene.push().await;
    scene
        .until("web", "is held", |status| {
            is_at(status, &commit) && status.held.is_some()
        })
        .await;
    assert_eq!(count(&scene).await, 8);
}

/// A root that delivers two maps and one object `web`, which in turn delivers eight maps.
async fn chain(name: &str, web: impl FnOnce(&Scene) -> Value) -> Scene {
    let scene = Scene::new(name).await;
    for number in 0..8 {
        write(&scene, number);
    }
    scene.write("root/web.yaml", &web(&scene).to_string());
    for own in ["stays", "leaves"] {
        scene.write(&format!("root/{own}.yaml"), &config_map(own, &[("a", "1")]));
    }
    scene.push().await;
    scene.apply(&scene.shipment("root", "root")).await;
    scene.until_ready("web", None).await;
    scene.until_ready("root", None).await;
    scene
}

/// One object leaves the root, and with it everything that it had delivered.
async fn the_budget_holds_what_web_takes_along(scene: &Scene, object: &str) {
    // One of the root's own is well within the budget, which is five.
    scene.remove("root/leaves.yaml");
    let commit = scene.push().await;
    scene.until_ready("root", Some(&commit)).await;
    assert!(scene.find::<ConfigMap>("leaves").await.is_none());
    scene.remove("root/web.yaml");
    scene.push().await;
    let status = scene
        .until("root", "is held", |status| status.held.is_some())
        .await;
    let held = status.held.expect("it was just seen");
    // As a kind that needs confirmation it would be held for that alone.
    assert_eq!(held.reason, "DeletionBudget");
    assert_eq!(held.objects, [format!("{object}/{}/web", scene.ns())]);
    assert_quiet(scene).await;
    assert_eq!(count(scene).await, 8);
    confirm(scene, "root", &held.digest).await;
    until_gone(scene, "web").await;
    scene.until_ready("root", None).await;
    assert_eq!(count(scene).await, 0);
    until_values(scene, "stays", "a=1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_counts_what_a_shipment_that_leaves_its_root_takes_along() {
    let scene = chain("chain", |scene| scene.shipment("web", "config")).await;
    the_budget_holds_what_web_takes_along(&scene, "Shipment.shipway.run").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_counts_what_a_deliverable_that_leaves_its_root_takes_along() {
    let scene = chain("chain", |scene| deliverable(scene, "web", "config")).await;
    the_budget_holds_what_web_takes_along(&scene, "Deliverable.carto.run").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_need_confirmation_wait_while_the_rest_is_pruned() {
    let scene = stage("volume", 3, json!({})).await;
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}},
    });
    scene.write("config/data.yaml", &claim.to_string());
    scene.push().await;
    scene
        .until_object::<PersistentVolumeClaim>("data", "is there", |claim| claim.is_some())
        .await;
    scene.remove("config/data.yaml");
    drop_maps(&scene, 0..1);
    scene.push().await;
    let status = scene
        .until("web", "is held", |status| status.held.is_some())
        .await;
    let held = status.held.clone().expect("it was just seen");
    assert_eq!(held.reason, "ConfirmationNeeded");
    assert_eq!(
        held.objects,
        [format!("PersistentVolumeClaim/{}/data", scene.ns())]
    );
    scene
        .until_object::<ConfigMap>("map-0", "is gone", |map| map.is_none())
        .await;
    let there = |claim: Option<&PersistentVolumeClaim>| {
        claim.is_some_and(|claim| claim.metadata.deletion_timestamp.is_none())
    };
    assert!(there(scene.find("data").await.as_ref()));
    confirm(&scene, "web", &held.digest).await;
    scene
        .until_object::<PersistentVolumeClaim>("data", "is deleted", |claim| !there(claim))
        .await;
    scene
        .until_object::<PersistentVolumeClaim>("data", "is gone", |claim| claim.is_none())
        .await;

    // Another one of that name was not what was agreed to.
    scene.write("config/data.yaml", &claim.to_string());
    let commit = scene.push().await;
    scene
        .until_object::<PersistentVolumeClaim>("data", "is there", there)
        .await;
    // Else the status may never be at this revision, and stays at the one before, whose content is
    // that of the next.
    let settled = |status: &ShipmentStatus| is_at(status, &commit) && status.held.is_none();
    scene.until("web", "holds nothing", settled).await;
    scene.remove("config/data.yaml");
    let commit = scene.push().await;
    let again = scene.until("web", "is held", |status| {
        is_at(status, &commit) && status.held.is_some()
    });
    assert_ne!(
        again.await.held.expect("it was just seen").digest,
        held.digest
    );
    assert!(there(scene.find("data").await.as_ref()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leaves_the_source_stays_where_prune_is_off() {
    let scene = stage("keep", 2, json!({"prune": false})).await;
    drop_maps(&scene, 0..1);
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    assert_quiet(&scene).await;
    assert_eq!(count(&scene).await, 2);
    patch_spec(&scene, "web", json!({"prune": true})).await;
    scene
        .until_object::<ConfigMap>("map-0", "is gone", |map| map.is_none())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_delete_a_shipment_deletes_what_it_delivered_but_names_what_needs_confirmation() {
    let scene = stage("delete", 3, json!({})).await;
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}},
    });
    scene.write("config/data.yaml", &claim.to_string());
    scene.push().await;
    scene
        .until_object::<PersistentVolumeClaim>("data", "is there", |claim| claim.is_some())
        .await;
    scene.delete::<Shipment>("web").await;
    until_gone(&scene, "web").await;
    assert_eq!(count(&scene).await, 0);
    let data = scene
        .find::<PersistentVolumeClaim>("data")
        .await
        .expect("it stays");
    assert!(
        !is_owned(&data)
            && managers(&data).is_empty()
            && data.metadata.deletion_timestamp.is_none()
    );
    scene
        .until_event("web", &["Orphaned", "PersistentVolumeClaim"])
        .await;
    let left = scene.names::<Inventory>().await;
    assert_eq!(left, [""; 0], "inventories stay behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_the_installation_is_never_deleted() {
    let scene = stage("install", 2, json!({})).await;
    let own = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
        "metadata": {"name": "map-9", "labels": {(names::INSTALLATION_LABEL): "true"}},
    });
    scene.write("config/map-9.yaml", &own.to_string());
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    scene.remove("config/map-9.yaml");
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    until_values(&scene, "map-9", "a=1").await;
    scene
        .until_event("web", &["Orphaned", "map-9", "installation"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_that_leaves_its_own_folder_is_not_deleted_by_itself() {
    let scene = Scene::new("rootless").await;
    let root = deliverable(&scene, "root", "qa");
    scene.write("qa/deliverable-root.yaml", &root.to_string());
    scene.write("qa/map.yaml", &config_map("map", &[("a", "1")]));
    let commit = scene.push().await;
    scene.apply(&root).await;
    scene
        .until_object::<kinds::Shipment>("root", "is stamped", |found| found.is_some())
        .await;
    scene.until_ready("root", Some(&commit)).await;
    scene.remove("qa/deliverable-root.yaml");
    scene.write("qa/map.yaml", &config_map("map", &[("a", "2")]));
    let commit = scene.push().await;
    let there = |status: &_| is_at(status, &commit) && ready_because(status, "Ready");
    let status = scene.until("root", "has gone on", there).await;
    assert_eq!(status.held, None, "no confirmation could delete it either");
    until_values(&scene, "map", "a=2").await;
    let kept = scene.find::<kinds::Deliverable>("root").await;
    let kept = kept.expect("the root stays").metadata;
    assert_eq!(kept.deletion_timestamp, None);
}

async fn is_let_go(scene: &Scene) {
    for number in 0..3 {
        let map = scene
            .find::<ConfigMap>(&format!("map-{number}"))
            .await
            .expect("it stays");
        assert_eq!(values(Some(&map)), "a=1");
        assert!(
            !is_owned(&map) && managers(&map).is_empty(),
            "it still carries our marks: {:?}",
            map.metadata
        );
        assert!(!map.annotations().contains_key(names::OWNER_ANNOTATION));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_that_does_not_prune_lets_go_of_everything_when_it_is_deleted() {
    let scene = stage("orphan", 3, json!({"prune": false})).await;
    scene.delete::<Shipment>("web").await;
    until_gone(&scene, "web").await;
    is_let_go(&scene).await;
    scene
        .until_event("web", &["Orphaned", "map-0", "map-1", "map-2"])
        .await;
    // Whoever comes next simply takes them.
    scene.apply(&scene.shipment("next", "config")).await;
    scene.until_ready("next", None).await;
    scene.until_event("next", &["Adopted", "map-0"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_shipment_lets_go_of_everything_when_it_is_deleted() {
    let scene = stage("asleep", 3, json!({})).await;
    patch_spec(&scene, "web", json!({"suspend": true})).await;
    scene.delete::<Shipment>("web").await;
    until_gone(&scene, "web").await;
    is_let_go(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_owner_label_is_gone_is_neither_deleted_nor_emptied() {
    let scene = stage("mine", 3, json!({"suspend": false})).await;
    // While it sleeps, somebody takes one object for themselves and replaces another.
    patch_spec(&scene, "web", json!({"suspend": true})).await;
    scene
        .until("web", "sleeps", |status| {
            status.conditions.iter().any(|c| c.kind == "Suspended")
        })
        .await;
    scene
        .label::<ConfigMap>("map-0", names::OWNER_LABEL, None)
        .await;
    scene.delete::<ConfigMap>("map-1").await;
    let other = json!({"metadata": {"name": "map-1"}, "data": {"a": "9"}});
    scene.create::<ConfigMap>(other).await;
    drop_maps(&scene, 0..2);
    let commit = scene.push().await;
    patch_spec(&scene, "web", json!({"suspend": false})).await;
    scene.until_ready("web", Some(&commit)).await;
    until_values(&scene, "map-0", "a=1").await;
    until_values(&scene, "map-1", "a=9").await;
    let map = scene.find::<ConfigMap>("map-0").await.expect("it is there");
    assert!(managers(&map).is_empty(), "our share of it is still there");
    assert_quiet(&scene).await;
}
