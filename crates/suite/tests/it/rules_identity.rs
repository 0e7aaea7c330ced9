//! Rule 10: everything is written as the Shipment's account, which has to exist.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use suite::Scene;

use crate::deliverable::deliverable;
use crate::rules_stage::{assert_quiet, config_map};

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_written_as_the_account_and_everything_else_as_the_controller() {
    let scene = Scene::new("identity").await;
    scene.write("config/a.yaml", &config_map("a", &[("a", "1")]));
    scene.write("config/b.yaml", &config_map("b", &[("a", "1")]));
    scene.push().await;
    let mut window = scene.world.audit().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    scene.remove("config/b.yaml");
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    let written = window
        .requests()
        .await
        .by("shipway")
        .within(scene.ns())
        .writes();
    let account = format!("system:serviceaccount:{}:deployer", scene.ns());
    let controller = "system:serviceaccount:shipway-system:shipway";
    let mut objects = 0;
    for request in &written.0 {
        if request.resource == "configmaps" {
            objects += 1;
            let who = (request.user.as_str(), request.impersonated_by.as_deref());
            assert_eq!(who, (account.as_str(), Some(controller)), "{request:?}");
        } else {
            assert_eq!(
                (request.user.as_str(), request.impersonated_by.as_deref()),
                (controller, None),
                "{request:?}"
            );
        }
    }
    assert_eq!(objects, 3, "two are created, one is deleted:\n{written}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deliverables_shipment_is_written_as_its_account() {
    let scene = Scene::new("stamps").await;
    scene.write("config/a.yaml", &config_map("a", &[("a", "1")]));
    scene.push().await;
    let mut window = scene.world.audit().await;
    scene.apply(&deliverable(&scene, "web", "config")).await;
    let is_there = |found: Option<&ConfigMap>| found.is_some();
    scene.until_object("a", "is delivered", is_there).await;
    let requests = window.requests().await.by("shipway").within(scene.ns());
    let stamped = requests
        .writes()
        .only(|request| request.resource == "shipway.run/shipments" && request.code == 201);
    let account = format!("system:serviceaccount:{}:deployer", scene.ns());
    let controller = "system:serviceaccount:shipway-system:shipway";
    assert_eq!(stamped.count(), 1, "{stamped}");
    let by = &stamped.0[0];
    let who = (by.user.as_str(), by.impersonated_by.as_deref());
    assert_eq!(who, (account.as_str(), Some(controller)), "{stamped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ghost_account_writes_nothing_though_its_group_may() {
    let scene = Scene::new("ghost").await;
    scene
        .apply(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "group", "namespace": scene.ns()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": format!("system:serviceaccounts:{}", scene.ns())}],
        }))
        .await;
    scene.write("config/a.yaml", &config_map("a", &[("a", "1")]));
    scene.push().await;
    let mut shipment = scene.shipment("web", "config");
    shipment["spec"]["serviceAccountName"] = json!("ghost");
    scene.apply(&shipment).await;
    let why = scene.until_reason("web", "ServiceAccountMissing").await;
    assert!(why.contains(&format!("{}/ghost", scene.ns())), "{why}");
    assert_quiet(&scene).await;
    assert!(scene.find::<ConfigMap>("a").await.is_none());
    // As soon as it exists it goes on by itself.
    scene.apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ghost", "namespace": scene.ns()}})).await;
    scene.until_ready("web", None).await;
}
