//! Accounts, rights and namespaces that are missing.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, DeleteParams};
use serde_json::json;
use suite::{Scene, SceneOptions};
use testkit::eventually;

use crate::bad_stage::{
    Neighbour, config_map, deliver, until_fails, until_says, until_value, value,
};

/// A ConfigMap in a namespace of its own.
fn placed(name: &str, namespace: &str) -> String {
    config_map(name, "1").replace(
        "metadata:\n",
        &format!("metadata:\n  namespace: {namespace}\n"),
    )
}

async fn scene_with_role(name: &str, role: &'static str, everywhere: bool) -> Scene {
    let options = SceneOptions {
        role,
        everywhere,
        ..SceneOptions::default()
    };
    Scene::with(name, options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_does_not_exist_is_waited_for() {
    let scene = scene_with_role("nons", "cluster-admin", true).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let other = format!("{}-other", scene.ns());
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.write("c/there.yaml", &placed("there", &other));
    deliver(&scene, "c").await;
    until_says(
        &scene,
        "web",
        "NamespaceMissing",
        &["there", &format!("the namespace `{other}`")],
    )
    .await;
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
    scene
        .apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}))
        .await;
    scene.until_ready("web", None).await;
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), &other);
    maps.get("there").await.expect("it is there");
    // Gone again while it runs: the object cannot live, the others do.
    let namespaces: Api<Namespace> = Api::all(scene.client.clone());
    let deleted = namespaces.delete(&other, &DeleteParams::default()).await;
    deleted.expect("a namespace can be deleted");
    until_says(&scene, "web", "NamespaceMissing", &["there", &other]).await;
    until_gone(&namespaces, &other).await;
    scene
        .apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}))
        .await;
    scene.until_ready("web", None).await;
    maps.get("there").await.expect("it is there again");
    let _ = namespaces.delete(&other, &DeleteParams::default()).await;
}

async fn until_gone(namespaces: &Api<Namespace>, name: &str) {
    eventually("the namespace is gone", Duration::from_mins(1), || async {
        match namespaces.get_opt(name).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_account_may_not_write_is_named_and_the_rest_goes_on() {
    let scene = scene_with_role("forbidden", "edit", false).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.write("c/elsewhere.yaml", &placed("elsewhere", "default"));
    scene.write(
        "c/role.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}\nrules:\n- {apiGroups: [''], resources: [pods], verbs: [get]}\n",
    );
    deliver(&scene, "c").await;
    let account = format!("`{}/deployer`", scene.ns());
    until_fails(
        &scene,
        "web",
        "Forbidden",
        &["elsewhere", "elsewhere.yaml:1", &account, "may not write"],
    )
    .await;
    until_fails(
        &scene,
        "web",
        "Forbidden",
        &["reader", "role.yaml:1", &account, "may not write"],
    )
    .await;
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
    // With the right it goes on by itself, without a push.
    for (kind, name, namespace) in [("admin", "more", scene.ns()), ("edit", "more", "default")] {
        scene
            .apply(&json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                "metadata": {"name": format!("{name}-{}", scene.ns()), "namespace": namespace},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": kind},
                "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": scene.ns()}],
            }))
            .await;
    }
    // It may grant what it holds itself.
    scene.until_ready("web", None).await;
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), "default");
    let left = maps.delete("elsewhere", &DeleteParams::default()).await;
    left.expect("it is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_and_never_existed_leaves_git_without_a_trace() {
    // The role `edit` may neither write nor read the kind.
    let scene = scene_with_role("never", "edit", false).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.write(
        "c/role.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: never}\nrules:\n- {apiGroups: [''], resources: [pods], verbs: [get]}\n",
    );
    deliver(&scene, "c").await;
    until_fails(&scene, "web", "Forbidden", &["never", "may not write"]).await;
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
    scene.remove("c/role.yaml");
    let without = scene.push().await;
    let status = scene.until_ready("web", Some(&without)).await;
    assert_eq!(status.objects, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_does_not_exist_is_waited_for() {
    let scene = Scene::new("ghost").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.push().await;
    let mut wanted = scene.shipment("web", "c");
    wanted["spec"]["serviceAccountName"] = json!("ghost");
    scene.apply(&wanted).await;
    let account = format!("ServiceAccount `{}/ghost`", scene.ns());
    until_says(
        &scene,
        "web",
        "ServiceAccountMissing",
        &[&account, "does not exist"],
    )
    .await;
    assert_eq!(value(&scene, "fine").await, None);
    neighbour.goes_on(&scene).await;
    scene
        .apply(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "ghost", "namespace": scene.ns()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "ServiceAccount", "name": "ghost", "namespace": scene.ns()}],
        }))
        .await;
    scene
        .apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ghost", "namespace": scene.ns()}}))
        .await;
    scene.until_ready("web", None).await;
    until_value(&scene, "fine", "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_may_be_deleted_while_its_shipment_lives() {
    let scene = Scene::new("ns-going").await;
    let doomed = Scene::new("ns-doomed").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    doomed.write("c/fine.yaml", &config_map("fine", "1"));
    doomed.push().await;
    doomed.apply(&doomed.shipment("web", "c")).await;
    doomed.until_ready("web", None).await;
    let namespaces: Api<Namespace> = Api::all(scene.client.clone());
    let deleted = namespaces
        .delete(doomed.ns(), &DeleteParams::default())
        .await;
    deleted.expect("a namespace can be deleted");
    until_gone(&namespaces, doomed.ns()).await;
    neighbour.goes_on(&scene).await;
}
