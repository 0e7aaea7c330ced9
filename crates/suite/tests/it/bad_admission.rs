//! Objects that the API server refuses: by a policy, by a field, by a dead webhook, or because
//! somebody else has them.

use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use suite::{Scene, SceneOptions};
use testkit::{Need, World, eventually};

use crate::bad_stage::{
    Neighbour, config_map, deliver, until_fails, until_says, until_value, value,
};

/// The policy, with its binding, or the webhook of this name, gone with the scenario.
struct Cleanup<'a>(&'a Scene, String);

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        let Self(scene, name) = self;
        scene.clear_away::<ValidatingAdmissionPolicyBinding>(name);
        scene.clear_away::<ValidatingAdmissionPolicy>(name);
        scene.clear_away::<ValidatingWebhookConfiguration>(name);
    }
}

fn labelled(name: &str, value: &str, label: &str) -> String {
    config_map(name, value).replace(
        "metadata:\n",
        &format!("metadata:\n  labels: {{{label}}}\n"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_refuses_an_object_is_quoted() {
    if World::shared().lacks(Need::Admission) {
        return;
    }
    let scene = Scene::new("policy").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let name = format!("{}-calm", scene.ns());
    let _cleanup = Cleanup(&scene, name.clone());
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.write("c/loud.yaml", &config_map("loud", "1"));
    scene.push().await;
    scene
        .apply(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}]},
                "validations": [{"expression": "object.metadata.name != 'loud'", "message": "be quiet please"}],
            },
        }))
        .await;
    scene
        .apply(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.ns()}}}},
        }))
        .await;
    until_denied(&scene, "loud", &[]).await;
    scene.apply(&scene.shipment("web", "c")).await;
    until_says(
        &scene,
        "web",
        "AdmissionRefused",
        &["loud", "be quiet please", "loud.yaml:1"],
    )
    .await;
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
    scene.clear_away::<ValidatingAdmissionPolicyBinding>(&name);
    scene.until_ready("web", None).await;
    until_value(&scene, "loud", "1").await;
}

/// Waits until a ConfigMap of this name and these labels is refused: what refuses it works only
/// some time after it was written.
async fn until_denied(scene: &Scene, name: &str, labels: &[(&str, &str)]) {
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let mut map = ConfigMap::default();
    map.metadata.name = Some(name.to_owned());
    map.metadata.labels = Some(labels.iter().map(owned).collect());
    eventually("it is refused", Duration::from_secs(30), || async {
        match maps.create(&dry, &map).await {
            Ok(_) => Err("it is let through"),
            Err(_) => Ok(()),
        }
    })
    .await;
}

fn deployment(app: &str) -> String {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"},
        "spec": {
            "replicas": 0, "selector": {"matchLabels": {"app": app}},
            "template": {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "shop", "image": "shop:1"}]}},
        },
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_cannot_change_is_named() {
    let scene = Scene::new("immutable").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.write("c/shop.json", &deployment("old"));
    let service = |ip: &str| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"},
            "spec": {"clusterIP": ip, "ports": [{"port": 80}], "selector": {"app": "old"}},
        })
        .to_string()
    };
    scene.write("c/service.json", &service("None"));
    deliver(&scene, "c").await;
    scene.until_ready("web", None).await;
    scene.write("c/fine.yaml", &config_map("fine", "2"));
    scene.write("c/shop.json", &deployment("new"));
    let services: Api<Service> = Api::namespaced(scene.client.clone(), "default");
    let given = services.get("kubernetes").await.expect("it is there");
    let given = given.spec.and_then(|spec| spec.cluster_ip);
    let given = given.expect("it has an address");
    scene.write("c/service.json", &service(&given));
    scene.push().await;
    until_fails(
        &scene,
        "web",
        "Invalid",
        &["Deployment", "spec.selector", "immutable", "shop.json:1"],
    )
    .await;
    until_fails(
        &scene,
        "web",
        "Invalid",
        &["Service", "spec.clusterIP", "service.json:1"],
    )
    .await;
    until_value(&scene, "fine", "2").await;
    neighbour.goes_on(&scene).await;
    scene.write("c/shop.json", &deployment("old"));
    scene.write("c/service.json", &service("None"));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_another_shipment_is_left_alone_and_both_are_named() {
    let scene = Scene::new("claims").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("first/shared.yaml", &config_map("shared", "first"));
    scene.write("second/shared.yaml", &config_map("shared", "second"));
    scene.write("second/own.yaml", &config_map("own", "1"));
    scene.push().await;
    scene.apply(&scene.shipment("first", "first")).await;
    scene.until_ready("first", None).await;
    scene.apply(&scene.shipment("second", "second")).await;
    let winner = format!("`{}/first`", scene.ns());
    until_says(
        &scene,
        "second",
        "OwnedByOther",
        &["shared", &winner, "shared.yaml:1"],
    )
    .await;
    until_value(&scene, "own", "1").await;
    assert_eq!(value(&scene, "shared").await.as_deref(), Some("first"));
    neighbour.goes_on(&scene).await;
    scene.until_ready("first", None).await;
    scene.remove("first");
    scene.write("first/other.yaml", &config_map("other", "1"));
    let commit = scene.push().await;
    // The second one's folder has not changed, so it stays at its revision.
    until_value(&scene, "shared", "second").await;
    scene.until_ready("second", None).await;
    scene.until_ready("first", Some(&commit)).await;
}

fn webhook(name: &str, port: u16) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [{
            "name": "dead.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "failurePolicy": "Fail", "timeoutSeconds": 2,
            "clientConfig": {"url": format!("https://127.0.0.1:{port}/dead")},
            "objectSelector": {"matchLabels": {"watched-by": name}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}],
        }],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_webhook_fails_only_what_it_watches() {
    if World::shared().lacks(Need::Admission) {
        return;
    }
    let options = SceneOptions {
        everywhere: true,
        ..SceneOptions::default()
    };
    let scene = Scene::with("webhook", options).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let name = format!("{}-dead", scene.ns());
    let _cleanup = Cleanup(&scene, name.clone());
    // A port that was free a moment ago: nobody listens on it.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let port = closed.expect("a port is free").port();
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    scene.write(
        "c/loud.yaml",
        &labelled("loud", "1", &format!("watched-by: {name}")),
    );
    scene.push().await;
    scene.apply(&webhook(&name, port)).await;
    until_denied(&scene, "probe", &[("watched-by", &name)]).await;
    scene.apply(&scene.shipment("web", "c")).await;
    until_says(
        &scene,
        "web",
        "AdmissionRefused",
        &["loud", "dead.example.com", "loud.yaml:1"],
    )
    .await;
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
    scene.clear_away::<ValidatingWebhookConfiguration>(&name);
    scene.until_ready("web", None).await;
    until_value(&scene, "loud", "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_mean_nothing_are_the_authors_to_mend() {
    let scene = Scene::new("values").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    let odd = deployment("shop").replace(
        "\"image\":\"shop:1\"",
        "\"image\":\"shop:1\",\"resources\":{\"limits\":{\"memory\":\"lots\"}}",
    );
    scene.write("c/shop.json", &odd);
    scene.write(
        "c/typo.yaml",
        &config_map("typo", "1").replace("\ndata:", "\ndataa:"),
    );
    deliver(&scene, "c").await;
    until_fails(
        &scene,
        "web",
        "Invalid",
        &["Deployment", "quantities", "shop.json:1"],
    )
    .await;
    until_fails(&scene, "web", "Invalid", &["typo", ".dataa", "typo.yaml:1"]).await;
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
    scene.write("c/shop.json", &deployment("shop"));
    scene.remove("c/typo.yaml");
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
}
