//! What an Environment adds to the Shipments that it covers, and what it protects.

use kinds::Environment;
use kinds::condition::{self, kind};
use kube::api::{Api, DeleteParams};
use serde_json::{Value, json};
use std::time::Duration;
use suite::Scene;
use testkit::eventually;

use crate::bad_stage::{Server, config_map, measured, until_says, until_value, value};
use crate::rules_prune::confirm;

/// An Environment of a scenario, gone with it.
pub(crate) struct Env<'a> {
    scene: &'a Scene,
    pub(crate) name: String,
}

impl<'a> Env<'a> {
    /// Covers the scene's namespace; `spec` adds to that.
    pub(crate) async fn new(scene: &'a Scene, name: &str, spec: Value) -> Self {
        let env = Self {
            scene,
            name: format!("{}-{name}", scene.ns()),
        };
        env.set(spec).await;
        env
    }

    pub(crate) async fn set(&self, mut spec: Value) {
        if spec["namespaces"].is_null() {
            spec["namespaces"] = json!([self.scene.ns()]);
        }
        self.scene
            .apply(&json!({
                "apiVersion": "shipway.run/v1alpha1", "kind": "Environment",
                "metadata": {"name": self.name}, "spec": spec,
            }))
            .await;
    }

    fn api(&self) -> Api<Environment> {
        Api::all(self.scene.client.clone())
    }

    async fn delete(&self) {
        self.api()
            .delete(&self.name, &DeleteParams::default())
            .await
            .expect("it can be deleted");
    }

    /// Waits until its `Ready` has this reason and these words.
    pub(crate) async fn until(&self, reason: &str, words: &[&str]) {
        eventually(
            "the Environment's status",
            Duration::from_secs(30),
            || async {
                let status = self
                    .api()
                    .get(&self.name)
                    .await
                    .map_err(|e| e.to_string())?
                    .status
                    .unwrap_or_default();
                let ready = condition::find(&status.conditions, kind::READY).cloned();
                match ready {
                    Some(ready)
                        if ready.reason == reason
                            && words.iter().all(|word| ready.message.contains(word)) =>
                    {
                        Ok(())
                    }
                    other => Err(format!("{other:?}")),
                }
            },
        )
        .await;
    }
}

impl Drop for Env<'_> {
    fn drop(&mut self) {
        self.scene.clear_away::<Environment>(&self.name);
    }
}

pub(crate) fn overlay(server: &Server) -> Value {
    json!({"overlay": {"git": {"url": server.url()}, "interval": "1s"}})
}

/// Two Shipments, `web` and `api`, of one ConfigMap each, called after them.
pub(crate) async fn two_shipments(scene: &Scene) {
    for name in ["web", "api"] {
        scene.write(&format!("{name}/a.yaml"), &config_map(name, "plain"));
    }
    scene.push().await;
    for name in ["web", "api"] {
        scene.apply(&scene.shipment(name, name)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_adds_and_patches_and_the_specific_wins() {
    let scene = Scene::new("overlay").await;
    let server = Server::start(|_| {}).await;
    let own = format!("{}/web", scene.ns());
    server.write(
        "all/patches/values.yaml",
        format!(
            "{}---\n{}",
            config_map("web", "all"),
            config_map("api", "all")
        ),
    );
    server.write(
        &format!("{own}/patches/value.yaml"),
        config_map("web", "own"),
    );
    server.write(&format!("{own}/added.yaml"), config_map("added", "1"));
    server.write("elsewhere/web/added.yaml", config_map("strange", "1"));
    let commit = server.push();
    let env = Env::new(&scene, "qa", overlay(&server)).await;
    env.until("Ready", &[]).await;
    two_shipments(&scene).await;
    let status = scene.until_ready("web", None).await;
    assert_eq!(status.environment.as_ref(), Some(&env.name));
    assert_eq!(status.overlay, Some(format!("sha1:{commit}")));
    scene.until_ready("api", None).await;
    assert_eq!(value(&scene, "web").await.as_deref(), Some("own"));
    assert_eq!(value(&scene, "api").await.as_deref(), Some("all"));
    assert_eq!(value(&scene, "added").await.as_deref(), Some("1"));
    assert_eq!(value(&scene, "strange").await, None);
    // Without the Environment they are as their source says.
    env.delete().await;
    until_value(&scene, "web", "plain").await;
    until_value(&scene, "api", "plain").await;
    scene
        .until("web", "has no environment", |status| {
            status.environment.is_none()
        })
        .await;
    eventually("`added` is pruned", Duration::from_secs(10), || async {
        value(&scene, "added")
            .await
            .map_or(Ok(()), |_| Err("it is there"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_overlay_concerns_only_whom_it_touches() {
    let scene = Scene::new("touches").await;
    let server = Server::start(|_| {}).await;
    let own = format!("{}/web/added.yaml", scene.ns());
    server.write(&own, config_map("added", "1"));
    server.push();
    let env = Env::new(&scene, "qa", overlay(&server)).await;
    env.until("Ready", &[]).await;
    two_shipments(&scene).await;
    scene.until_ready("web", None).await;
    scene.until_ready("api", None).await;
    let mut window = scene.world.audit().await;
    for round in 2..5 {
        server.write(&own, config_map("added", &round.to_string()));
        server.push();
        until_value(&scene, "added", &round.to_string()).await;
    }
    scene.until_ready("web", None).await;
    let writes = window
        .requests()
        .await
        .by("shipway")
        .within(scene.ns())
        .writes();
    let others = writes
        .clone()
        .only(|request| request.name == "api" || request.name.starts_with("api."));
    assert_eq!(others.count(), 0, "written for `api`:\n{others}");
    measured(&format!("3 overlay changes:\n{writes}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deletion_budget_of_an_environment_holds_a_prune() {
    let scene = Scene::new("budget").await;
    for name in ["a", "b", "c"] {
        scene.write(&format!("web/{name}.yaml"), &config_map(name, "1"));
    }
    scene.push().await;
    let env = Env::new(&scene, "qa", json!({"protection": {"deletionBudget": "1"}})).await;
    env.until("Ready", &[]).await;
    scene.apply(&scene.shipment("web", "web")).await;
    scene.until_ready("web", None).await;
    scene.remove("web/a.yaml");
    scene.remove("web/b.yaml");
    scene.push().await;
    let status = until_says(
        &scene,
        "web",
        "DeletionBudget",
        &["2 objects", "`shipway confirm web -n "],
    )
    .await;
    assert_eq!(status.held.map(|held| held.count), Some(2));
    assert_eq!(value(&scene, "a").await.as_deref(), Some("1"));
    env.set(json!({"protection": {"deletionBudget": "some"}}))
        .await;
    env.until("SpecInvalid", &["`some`", "deletionBudget"])
        .await;
    until_says(&scene, "web", "SpecInvalid", &["`some`", "deletionBudget"]).await;
    env.set(json!({"protection": {"deletionBudget": "2"}}))
        .await;
    scene.until_ready("web", None).await;
    assert_eq!(value(&scene, "a").await, None);
    assert_eq!(value(&scene, "c").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_an_environment_names_need_confirmation() {
    let scene = Scene::new("confirm").await;
    for name in ["a", "b", "c"] {
        scene.write(&format!("web/{name}.yaml"), &config_map(name, "1"));
    }
    scene.push().await;
    let env = Env::new(
        &scene,
        "qa",
        json!({"protection": {"confirmKinds": ["ConfigMap"]}}),
    )
    .await;
    env.until("Ready", &[]).await;
    scene.apply(&scene.shipment("web", "web")).await;
    scene.until_ready("web", None).await;
    scene.remove("web/a.yaml");
    scene.push().await;
    let status = until_says(
        &scene,
        "web",
        "ConfirmationNeeded",
        &["`shipway confirm web -n "],
    )
    .await;
    let held = status.held.expect("it is held");
    assert_eq!(value(&scene, "a").await.as_deref(), Some("1"));
    confirm(&scene, "web", &held.digest).await;
    scene.until_ready("web", None).await;
    assert_eq!(value(&scene, "a").await, None);
}
