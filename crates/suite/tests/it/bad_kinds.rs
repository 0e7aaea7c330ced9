//! Kinds that the cluster does not know, no longer knows, or knows in other versions.

use std::time::Duration;

use k8s_openapi::api::rbac::v1::ClusterRole;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kinds::{ShipmentStatus, condition};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams,
};
use serde_json::{Value, json};
use suite::{Scene, SceneOptions};
use testkit::{Need, World, eventually};
use tokio::time::Instant;

use crate::bad_stage::{
    Neighbour, config_map, deliver, measured, until_fails, until_says, until_value,
};

/// A definition of a kind of the scenario's own, with these versions.
fn definition(group: &str, served: &[(&str, bool)]) -> Value {
    let versions: Vec<Value> = served
        .iter()
        .enumerate()
        .map(|(number, (name, served))| {
            json!({
                "name": name, "served": served, "storage": number == 0,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            })
        })
        .collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "versions": versions,
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        },
    })
}

fn widget(group: &str, version: &str) -> String {
    format!(
        "apiVersion: {group}/{version}\nkind: Widget\nmetadata:\n  name: wheel\nspec:\n  size: 1\n"
    )
}

/// The definitions of a scenario, gone with it.
struct Definitions {
    api: Api<CustomResourceDefinition>,
    group: String,
}

impl Definitions {
    fn of(scene: &Scene) -> Self {
        Self {
            api: Api::all(scene.client.clone()),
            group: format!("{}.example", scene.ns()),
        }
    }

    fn name(&self) -> String {
        format!("widgets.{}", self.group)
    }

    async fn until_established(&self) -> Instant {
        eventually(
            "the definition is established",
            Duration::from_secs(30),
            || async {
                let crd = self
                    .api
                    .get(&self.name())
                    .await
                    .map_err(|e| e.to_string())?;
                let conditions = crd
                    .status
                    .and_then(|status| status.conditions)
                    .unwrap_or_default();
                let established = conditions
                    .iter()
                    .any(|c| c.type_ == "Established" && c.status == "True");
                if established {
                    Ok(Instant::now())
                } else {
                    Err("not yet".to_owned())
                }
            },
        )
        .await
    }

    async fn delete(&self) {
        let deleted = self
            .api
            .delete(&self.name(), &DeleteParams::default())
            .await;
        deleted.expect("the definition can be deleted");
        eventually(
            "the definition is gone",
            Duration::from_secs(30),
            || async {
                match self.api.get_opt(&self.name()).await {
                    Ok(None) => Ok(()),
                    other => Err(format!(
                        "{:?}",
                        other.map(|crd| crd.map(|crd| crd.metadata))
                    )),
                }
            },
        )
        .await;
    }

    /// The one widget that scenarios deliver.
    async fn wheel(&self, scene: &Scene) -> DynamicObject {
        let found = self.widgets(scene).get("wheel").await;
        found.expect("it is there")
    }

    fn widgets(&self, scene: &Scene) -> Api<DynamicObject> {
        scene.dynamic(&ApiResource::from_gvk(&GroupVersionKind::gvk(
            &self.group,
            "v1",
            "Widget",
        )))
    }
}

impl Drop for Definitions {
    fn drop(&mut self) {
        let (api, name) = (self.api.clone(), self.name());
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                // A definition that stays hurts nobody: its group is never used again.
                let _ = api.delete(&name, &DeleteParams::default()).await;
            });
        });
    }
}

async fn everywhere(name: &str) -> Scene {
    let options = SceneOptions {
        everywhere: true,
        ..SceneOptions::default()
    };
    Scene::with(name, options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_nobody_knows_waits_for_its_definition() {
    let scene = everywhere("unknown").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let definitions = Definitions::of(&scene);
    scene.write("c/wheel.yaml", &widget(&definitions.group, "v1"));
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    deliver(&scene, "c").await;
    let api = format!("{}/v1", definitions.group);
    until_says(
        &scene,
        "web",
        "KindUnknown",
        &["`Widget`", &api, "wheel.yaml:1"],
    )
    .await;
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
    scene
        .apply(&definition(&definitions.group, &[("v1", true)]))
        .await;
    let established = definitions.until_established().await;
    scene.until_ready("web", None).await;
    let took = established.elapsed();
    measured(&format!("established to ready in {took:?}"));
    assert!(took < Duration::from_secs(2), "{took:?}");
    definitions.wheel(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_and_its_objects_go_together() {
    let scene = everywhere("together").await;
    let definitions = Definitions::of(&scene);
    scene.write("c/a-wheel.yaml", &widget(&definitions.group, "v1"));
    scene.write(
        "c/z-crd.json",
        &definition(&definitions.group, &[("v1", true)]).to_string(),
    );
    scene.push().await;
    let begun = Instant::now();
    scene.apply(&scene.shipment("web", "c")).await;
    scene.until_ready("web", None).await;
    measured(&format!("definition and object in {:?}", begun.elapsed()));
    definitions.wheel(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_may_come_from_another_shipment() {
    let scene = everywhere("another").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let definitions = Definitions::of(&scene);
    scene.write("c/wheel.yaml", &widget(&definitions.group, "v1"));
    scene.write(
        "crds/crd.json",
        &definition(&definitions.group, &[("v1", true)]).to_string(),
    );
    deliver(&scene, "c").await;
    until_says(&scene, "web", "KindUnknown", &["`Widget`"]).await;
    neighbour.goes_on(&scene).await;
    scene.apply(&scene.shipment("crds", "crds")).await;
    let established = definitions.until_established().await;
    scene.until_ready("web", None).await;
    measured(&format!(
        "established by another Shipment to ready in {:?}",
        established.elapsed()
    ));
    scene.until_ready("crds", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_no_longer_served_is_named_with_those_that_are() {
    if World::shared().lacks(Need::Versions) {
        return;
    }
    let scene = everywhere("version").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let definitions = Definitions::of(&scene);
    scene
        .apply(&definition(
            &definitions.group,
            &[("v1", true), ("v1beta1", false)],
        ))
        .await;
    definitions.until_established().await;
    scene.write("c/wheel.yaml", &widget(&definitions.group, "v1beta1"));
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    deliver(&scene, "c").await;
    let api = format!("{}/v1beta1", definitions.group);
    let status = until_says(
        &scene,
        "web",
        "VersionNotServed",
        &["`Widget`", &api, "but in v1", "wheel.yaml:1"],
    )
    .await;
    let stalled = condition::find(&status.conditions, condition::kind::STALLED);
    assert!(
        stalled.is_some_and(|stalled| stalled.status == "True"),
        "{status:?}"
    );
    until_value(&scene, "fine", "1").await;
    neighbour.goes_on(&scene).await;
    // Served after all: it goes on by itself.
    scene
        .apply(&definition(
            &definitions.group,
            &[("v1", true), ("v1beta1", true)],
        ))
        .await;
    scene.until_ready("web", None).await;
    definitions.wheel(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_come_back_with_their_definition() {
    let scene = everywhere("crd-gone").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let definitions = Definitions::of(&scene);
    scene
        .apply(&definition(&definitions.group, &[("v1", true)]))
        .await;
    definitions.until_established().await;
    scene.write("c/wheel.yaml", &widget(&definitions.group, "v1"));
    scene.write("c/fine.yaml", &config_map("fine", "1"));
    deliver(&scene, "c").await;
    scene.until_ready("web", None).await;
    let before = definitions.wheel(&scene).await;
    definitions.delete().await;
    until_fails(&scene, "web", "KindUnknown", &["Widget", "wheel.yaml:1"]).await;
    neighbour.goes_on(&scene).await;
    scene
        .apply(&definition(&definitions.group, &[("v1", true)]))
        .await;
    let established = definitions.until_established().await;
    scene.until_ready("web", None).await;
    measured(&format!("back after {:?}", established.elapsed()));
    let after = definitions.wheel(&scene).await;
    assert_ne!(before.metadata.uid, after.metadata.uid);
    until_value(&scene, "fine", "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_may_be_watched_at_last_is_watched_by_then() {
    let scene = everywhere("granted").await;
    let definitions = Definitions::of(&scene);
    scene
        .apply(&definition(&definitions.group, &[("v1", true)]))
        .await;
    definitions.until_established().await;
    scene.write("c/wheel.yaml", &widget(&definitions.group, "v1"));
    deliver(&scene, "c").await;
    let is_looked_at = |status: &ShipmentStatus| {
        let ready = condition::find(&status.conditions, condition::kind::READY);
        ready.map(|ready| ready.message.contains("may not be watched"))
    };
    scene
        .until("web", "is looked at", |status| {
            is_looked_at(status) == Some(true)
        })
        .await;
    let role = format!("watches-{}", scene.ns());
    let watched = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": role, "labels": {"shipway.run/aggregate-to-controller": "true"}},
        "rules": [{"apiGroups": [definitions.group], "resources": ["widgets"], "verbs": ["get", "list", "watch"]}],
    });
    scene.apply(&watched).await;
    scene
        .until("web", "is watched", |status| {
            is_looked_at(status) == Some(false)
        })
        .await;
    let widgets = definitions.widgets(&scene);
    let bigger = Patch::Merge(json!({"spec": {"size": 2}}));
    let params = PatchParams::default();
    let patched = widgets.patch("wheel", &params, &bigger).await;
    patched.expect("it can be changed");
    eventually("it is as in Git", Duration::from_secs(30), || async {
        let wheel = definitions.wheel(&scene).await;
        if wheel.data["spec"]["size"] == json!(1) {
            Ok(())
        } else {
            Err(wheel.data.to_string())
        }
    })
    .await;
    let roles: Api<ClusterRole> = Api::all(scene.client.clone());
    let deleted = roles.delete(&role, &DeleteParams::default()).await;
    deleted.expect("it is there");
}
