//! Waiting: for health, for other Shipments, for somebody to wake it up again.

use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use serde_json::json;
use suite::{Scene, SceneOptions};
use testkit::{Need, World, eventually};
use tokio::time::Instant;

use crate::bad_stage::until_fails;
use crate::rules_stage::{assert_quiet, config_map, deployment, is_at, patch_spec, until_values};

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_get_healthy_in_time_is_said_and_may_still_get_healthy() {
    let scene = Scene::new("timeout").await;
    scene.write("config/web.yaml", &deployment("web", "nginx", 1));
    scene.push().await;
    let mut shipment = scene.shipment("web", "config");
    shipment["spec"]["timeout"] = json!("3s");
    scene.apply(&shipment).await;
    scene.until_reason("web", "Progressing").await;
    let why = scene.until_reason("web", "HealthTimeout").await;
    assert!(why.contains("Deployment") && why.contains("0/1"), "{why}");
    assert_quiet(&scene).await;
    let _settling = scene.settle().await;
    scene.until_ready("web", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_revision_ends_a_hopeless_wait_at_once() {
    let scene = Scene::new("hopeless").await;
    let _settling = scene.settle().await;
    scene.write(
        "config/web.yaml",
        &deployment("web", "registry/broken:1", 1),
    );
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_reason("web", "Progressing").await;
    scene.write("config/web.yaml", &deployment("web", "nginx", 1));
    let commit = scene.push().await;
    let begin = Instant::now();
    scene.until_ready("web", Some(&commit)).await;
    assert!(
        begin.elapsed() < Duration::from_secs(15),
        "it took {:?}",
        begin.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_is_waited_for_and_followed_at_once() {
    let scene = Scene::new("depends").await;
    scene.write("db/db.yaml", &deployment("db", "postgres", 1));
    scene.write("web/a.yaml", &config_map("a", &[("a", "1")]));
    scene.push().await;
    let mut web = scene.shipment("web", "web");
    web["spec"]["dependsOn"] = json!([{"name": "db"}]);
    scene.apply(&web).await;
    let why = scene.until_reason("web", "DependencyNotReady").await;
    assert!(why.contains("does not exist"), "{why}");
    scene.apply(&scene.shipment("db", "db")).await;
    scene.until_reason("db", "Progressing").await;
    scene
        .until("web", "says what it waits for", |status| {
            status.conditions[0].message.contains("is not ready")
        })
        .await;
    assert!(scene.find::<ConfigMap>("a").await.is_none());
    let _settling = scene.settle().await;
    scene.until_ready("db", None).await;
    let begin = Instant::now();
    eventually("what waited", Duration::from_secs(5), || async {
        scene.find::<ConfigMap>("a").await.ok_or("it is not there")
    })
    .await;
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(1), "it took {took:?}");
    scene.until_ready("web", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shipments_that_wait_for_each_other_say_so_until_one_of_them_is_edited() {
    let scene = Scene::new("circle").await;
    for (name, needed) in [("db", "web"), ("web", "db"), ("self", "self")] {
        scene.write(&format!("{name}/a.yaml"), &config_map(name, &[("a", "1")]));
        scene.push().await;
        let mut shipment = scene.shipment(name, name);
        shipment["spec"]["dependsOn"] = json!([{"name": needed}]);
        scene.apply(&shipment).await;
    }
    let ns = scene.ns();
    for (name, way) in [
        ("db", format!("`{ns}/db` → `{ns}/web` → `{ns}/db`")),
        ("web", format!("`{ns}/web` → `{ns}/db` → `{ns}/web`")),
        ("self", format!("`{ns}/self` → `{ns}/self`")),
    ] {
        let why = scene.until_reason(name, "DependencyCycle").await;
        assert!(why.contains(&way), "{why}");
        let status = scene.get_shipment(name).await.status.unwrap_or_default();
        assert!(status.conditions.iter().any(|c| c.kind == "Stalled"));
    }
    for name in ["db", "self"] {
        patch_spec(&scene, name, json!({"dependsOn": []})).await;
    }
    for name in ["db", "self", "web"] {
        scene.until_ready(name, None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_shipment_fetches_applies_repairs_and_prunes_nothing() {
    let scene = Scene::new("suspend").await;
    for name in ["a", "b"] {
        scene.write(
            &format!("config/{name}.yaml"),
            &config_map(name, &[("a", "1")]),
        );
    }
    let first = scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", Some(&first)).await;
    patch_spec(&scene, "web", json!({"suspend": true})).await;
    let status = scene
        .until("web", "sleeps", |status| {
            status.conditions.iter().any(|c| c.kind == "Suspended")
        })
        .await;
    assert!(is_at(&status, &first));
    let before = scene.git.requests();
    scene.write("config/a.yaml", &config_map("a", &[("a", "2")]));
    scene.remove("config/b.yaml");
    let second = scene.push().await;
    let pushed = scene.git.requests();
    let change = json!({"data": {"a": "9"}});
    scene.patch::<ConfigMap>("b", change).await;
    assert_quiet(&scene).await;
    let asked = scene.git.requests();
    assert_eq!(
        (asked.ls_refs, asked.fetches),
        (pushed.ls_refs, pushed.fetches),
        "it was {before:?} before the push"
    );
    until_values(&scene, "a", "a=1").await;
    until_values(&scene, "b", "a=9").await;
    patch_spec(&scene, "web", json!({"suspend": false})).await;
    scene.until_ready("web", Some(&second)).await;
    until_values(&scene, "a", "a=2").await;
    assert!(scene.find::<ConfigMap>("b").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_object_holds_up_no_other_and_is_delivered_once_it_is_right() {
    let scene = Scene::new("refused").await;
    scene.write("config/a.yaml", &config_map("a", &[("not a key!", "1")]));
    scene.write("config/b.yaml", &config_map("b", &[("a", "1")]));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    let why = scene.until_reason("web", "Invalid").await;
    assert!(
        why.contains("a.yaml:1") && why.contains("not a key!"),
        "{why}"
    );
    assert!(scene.find::<ConfigMap>("b").await.is_some());
    scene.write("config/a.yaml", &config_map("a", &[("a-key", "1")]));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    until_values(&scene, "a", "a-key=1").await;
    assert_quiet(&scene).await;
}

/// A webhook configuration of a specification, gone with the scenario.
struct Webhook<'a>(&'a Scene, String);

impl<'a> Webhook<'a> {
    fn of(scene: &'a Scene) -> Self {
        Self(scene, format!("{}-hook", scene.ns()))
    }

    /// It asks a Service of the scene about objects that nobody makes.
    fn manifest(&self) -> String {
        let Self(scene, name) = self;
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [{
                "name": "hook.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "failurePolicy": "Ignore", "timeoutSeconds": 1,
                "clientConfig": {"service": {"namespace": scene.ns(), "name": "hook"}},
                "objectSelector": {"matchLabels": {"watched-by": name}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
            }],
        })
        .to_string()
    }

    async fn find(&self) -> Option<ValidatingWebhookConfiguration> {
        let Self(scene, name) = self;
        let all: Api<ValidatingWebhookConfiguration> = Api::all(scene.client.clone());
        all.get_opt(name).await.expect("the cluster answers")
    }
}

impl Drop for Webhook<'_> {
    fn drop(&mut self) {
        self.0.clear_away::<ValidatingWebhookConfiguration>(&self.1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_a_specification_waits_until_its_backend_is_ready_and_nothing_else_does() {
    if World::shared().lacks(Need::Admission) {
        return;
    }
    let options = SceneOptions {
        everywhere: true,
        ..SceneOptions::default()
    };
    let scene = Scene::with("backend", options).await;
    let webhook = Webhook::of(&scene);
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "hook"},
        "spec": {"selector": {"app": "hook"}, "ports": [{"port": 443}]},
    });
    scene.write("config/a-webhook.json", &webhook.manifest());
    scene.write("config/hook.json", &deployment("hook", "nginx", 1));
    // Of the same specification, but nobody's backend: it is not waited for.
    scene.write(
        "config/other.json",
        &deployment("other", "registry/broken:1", 1),
    );
    scene.write("config/service.json", &service.to_string());
    scene.write("config/z.yaml", &config_map("z", &[("a", "1")]));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    let backend = format!("waits for its backend `Deployment/{}/hook`", scene.ns());
    let words = [&*webhook.1, "a-webhook.json:1", &backend];
    until_fails(&scene, "web", "DependencyNotReady", &words).await;
    until_values(&scene, "z", "a=1").await;
    assert_quiet(&scene).await;
    assert!(
        webhook.find().await.is_none(),
        "it is there before its backend"
    );
    let _settling = scene.settle().await;
    eventually("the webhook", Duration::from_secs(30), || async {
        webhook.find().await.ok_or("it is not there")
    })
    .await;
    let hook = scene.find::<Deployment>("hook").await;
    let ready = hook.and_then(|hook| hook.status?.ready_replicas);
    assert_eq!(ready, Some(1), "it came before its backend was ready");
    scene.until_reason("web", "Progressing").await; // by `other` alone
    scene.write("config/other.json", &deployment("other", "nginx", 1));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
}
