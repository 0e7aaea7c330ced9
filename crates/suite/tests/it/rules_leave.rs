//! Rule 6: finalizers let go when nobody can delete any more.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{ClusterRole, RoleBinding};
use kinds::{Inventory, Shipment};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;
use suite::{Scene, SceneOptions};
use testkit::eventually;

use crate::rules_stage::{config_map, patch_spec};

/// The longest that a Shipment may hold up whoever wants to be rid of it.
const LETS_GO: Duration = Duration::from_secs(30);

async fn until_gone(scene: &Scene, name: &str) {
    let api: Api<Shipment> = Api::namespaced(scene.client.clone(), scene.ns());
    eventually("the Shipment to be gone", LETS_GO, || async {
        match api.get_opt(name).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

async fn stage(name: &str) -> Scene {
    let scene = Scene::new(name).await;
    scene.write("config/a.yaml", &config_map("a", &[("a", "1")]));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_can_be_deleted_with_everything_inside() {
    let everywhere = SceneOptions {
        everywhere: true,
        ..SceneOptions::default()
    };
    let scene = Scene::with("doomed", everywhere).await;
    let other = scene.world.temp_namespace("beside").await;
    let role = format!("role-of-{}", scene.ns());
    scene.write("config/a.yaml", &config_map("a", &[("a", "1")]));
    let beside = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "beside", "namespace": other.name()}, "data": {"a": "1"}});
    scene.write("config/beside.yaml", &beside.to_string());
    let cluster_role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": role}, "rules": []});
    scene.write("config/role.yaml", &cluster_role.to_string());
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "inside"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": scene.ns()}],
    });
    scene.write("config/binding.yaml", &binding.to_string());
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    let namespaces: Api<Namespace> = Api::all(scene.client.clone());
    namespaces
        .delete(scene.ns(), &DeleteParams::default())
        .await
        .expect("it can be deleted");
    eventually("the namespace to be gone", LETS_GO, || async {
        match namespaces.get_opt(scene.ns()).await {
            Ok(None) => Ok(()),
            other => Err(format!(
                "{:?}",
                other.map(|found| found.map(|ns| ns.status))
            )),
        }
    })
    .await;
    // What lies elsewhere stays, and somebody is told.
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), other.name());
    assert!(maps.get_opt("beside").await.expect("it answers").is_some());
    let roles: Api<ClusterRole> = Api::all(scene.client.clone());
    assert!(roles.get_opt(&role).await.expect("it answers").is_some());
    let events: Api<Event> = Api::namespaced(scene.client.clone(), "default");
    let about = ListParams::default().fields(&format!("involvedObject.name={}", scene.ns()));
    let events = events.list(&about).await.expect("it answers");
    let messages = events.into_iter().filter_map(|event| event.message);
    let events = messages.collect::<Vec<_>>().join(" ");
    for name in [&role, &format!("{}/beside", other.name())] {
        assert!(events.contains(name), "`{name}` is not named: {events}");
    }
    roles
        .delete(&role, &DeleteParams::default())
        .await
        .expect("it can be deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finalizer_that_somebody_takes_off_by_hand_leaves_no_inventory_behind() {
    let scene = stage("torn").await;
    patch_spec(&scene, "web", json!({"suspend": true})).await;
    let shipments = scene.all::<Shipment>();
    let deleted = shipments.delete("web", &DeleteParams::orphan()).await;
    deleted.expect("it can be deleted");
    let bare = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let stripped = shipments.patch("web", &PatchParams::default(), &bare).await;
    // The controller may have been faster and have dropped it itself.
    if let Err(error) = stripped {
        assert!(
            matches!(&error, kube::Error::Api(status) if status.code == 404),
            "{error}"
        );
    }
    until_gone(&scene, "web").await;
    eventually("the inventory to be gone", LETS_GO, || async {
        let left = scene.names::<Inventory>().await;
        if left.is_empty() {
            Ok(())
        } else {
            Err(left.join(" "))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_whose_account_is_gone_can_be_deleted() {
    let scene = stage("ghost").await;
    scene.delete::<ServiceAccount>("deployer").await;
    scene.until_reason("web", "ServiceAccountMissing").await;
    scene.delete::<Shipment>("web").await;
    until_gone(&scene, "web").await;
    assert!(scene.find::<ConfigMap>("a").await.is_some());
    scene
        .until_event("web", &["Orphaned", "ConfigMap", "/a"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_whose_account_has_lost_its_rights_can_be_deleted() {
    let scene = stage("rights").await;
    scene
        .delete::<RoleBinding>(&format!("deployer-{}", scene.ns()))
        .await;
    scene.delete::<Shipment>("web").await;
    until_gone(&scene, "web").await;
    assert!(scene.find::<ConfigMap>("a").await.is_some());
    scene
        .until_event("web", &["Orphaned", "ConfigMap", "/a"])
        .await;
}
