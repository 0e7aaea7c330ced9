//! Rule 2: conflicts are settled by their cause.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::ResourceExt as _;
use serde_json::json;
use suite::Scene;
use testkit::{Need, World};

use crate::rules_stage::{
    assert_quiet, config_map, deployment, image, managers, patch_spec, replicas, until_values,
};

/// A Deployment `web` of two replicas, ready.
async fn web(scene: &Scene, spec: serde_json::Value) -> Deployment {
    scene.write("config/web.yaml", &deployment("web", "nginx:1", 2));
    scene.push().await;
    let mut shipment = scene.shipment("web", "config");
    for (key, value) in spec.as_object().cloned().unwrap_or_default() {
        shipment["spec"][key] = value;
    }
    scene.apply(&shipment).await;
    scene.until_ready("web", None).await;
    scene.find("web").await.expect("it is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kubectl_scaled_is_put_right() {
    let scene = Scene::new("scale").await;
    let _settling = scene.settle().await;
    web(&scene, json!({})).await;
    scene.scale("kubectl", "web", 5).await;
    scene
        .until_event("web", &["DriftRepaired", "`kubectl`", ".spec.replicas"])
        .await;
    let web = scene.find::<Deployment>("web").await.expect("it is there");
    assert_eq!(replicas(&web), Some(2));
    scene.until_ready("web", None).await;
    assert_quiet(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn to_ignore_a_field_of_a_running_shipment_changes_nothing() {
    let scene = Scene::new("ignore").await;
    let _settling = scene.settle().await;
    let before = web(&scene, json!({})).await;
    patch_spec(
        &scene,
        "web",
        json!({"ignore": [{"kind": "Deployment", "paths": ["/spec/replicas"]}]}),
    )
    .await;
    scene.until_ready("web", None).await;
    assert_quiet(&scene).await;
    let after = scene.find::<Deployment>("web").await.expect("it is there");
    assert_eq!(after.resource_version(), before.resource_version());

    // From now on a field that somebody edits stays as it is, also over a new revision.
    let four = json!({"spec": {"replicas": 4}});
    scene
        .patch_as::<Deployment>("kubectl-edit", "web", four)
        .await;
    scene
        .until_event("web", &["FieldLeftOut", "`kubectl-edit`"])
        .await;
    scene.write("config/web.yaml", &deployment("web", "nginx:2", 2));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    let edited = scene.find::<Deployment>("web").await.expect("it is there");
    assert_eq!(
        (image(&edited).as_str(), replicas(&edited)),
        ("nginx:2", Some(4))
    );

    // Until it is not ignored any more.
    patch_spec(&scene, "web", json!({"ignore": []})).await;
    scene
        .until_object::<Deployment>("web", "is as in Git", |web| {
            web.and_then(replicas) == Some(2)
        })
        .await;
    scene.until_ready("web", None).await;
    assert_quiet(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_writer_is_overruled_and_the_event_says_who_and_when() {
    let scene = Scene::new("force").await;
    scene.write("config/a.yaml", &config_map("a", &[("colour", "blue")]));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    let red = json!({"data": {"colour": "red"}});
    scene.patch_as::<ConfigMap>("somebody", "a", red).await;
    let event = scene
        .until_event(
            "web",
            &["DriftRepaired", "ConfigMap", "`somebody`", ".data.colour"],
        )
        .await;
    let year = |text: &str| text.contains(" at 20") && text.contains('T') && text.contains('Z');
    assert!(year(&event), "it does not say when: {event}");
    until_values(&scene, "a", "colour=blue").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kubectl_applied_is_taken_over_with_the_fields_that_left_the_source() {
    if World::shared().lacks(Need::Kubectl) {
        return;
    }
    let scene = Scene::new("adopt").await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("a.yaml");
    std::fs::write(&file, config_map("a", &[("colour", "red"), ("old", "1")]))
        .expect("it can be written");
    scene.kubectl(&["apply", "-f", file.to_str().expect("it is text")]);
    scene.kubectl(&["create", "service", "clusterip", "created", "--tcp=80:80"]);
    let address = |service: Option<Service>| service.and_then(|service| service.spec?.cluster_ip);
    let before = address(scene.find("created").await);
    // And one without any record of who set what.
    let bare = json!({"metadata": {"name": "bare"}, "data": {"colour": "red", "more": "1"}});
    scene.create::<ConfigMap>(bare).await;
    let nobody = json!({"metadata": {"managedFields": [{}]}});
    scene.patch::<ConfigMap>("bare", nobody).await;

    scene.write("config/a.yaml", &config_map("a", &[("colour", "blue")]));
    scene.write(
        "config/bare.yaml",
        &config_map("bare", &[("colour", "blue")]),
    );
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "created"},
        "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    });
    scene.write("config/service.yaml", &service.to_string());
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    until_values(&scene, "a", "colour=blue").await;
    until_values(&scene, "bare", "colour=blue more=1").await;
    assert!(before.is_some());
    assert_eq!(address(scene.find("created").await), before);
    for name in ["a", "bare"] {
        let map = scene.find::<ConfigMap>(name).await.expect("it is there");
        let left: Vec<_> = map
            .managed_fields()
            .iter()
            .filter_map(|entry| entry.manager.clone())
            .collect();
        assert_eq!(left, managers(&map), "{name} has more owners than us");
        scene
            .until_event("web", &["Adopted", &format!("/{name}`")])
            .await;
    }
    let annotations = scene
        .find::<ConfigMap>("a")
        .await
        .map(|map| map.annotations().clone())
        .unwrap_or_default();
    assert!(
        !annotations.contains_key("kubectl.kubernetes.io/last-applied-configuration"),
        "{annotations:?}"
    );
    assert_quiet(&scene).await;
}
