//! Rule 3: drift is repaired, and what is not ours is left alone.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::names;
use kube::ResourceExt as _;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use suite::Scene;
use testkit::poll;

use crate::rules_stage::{assert_quiet, deployment, image, replicas, until_values, values};

pub(crate) fn settings() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "labels": {"tier": "front"}, "annotations": {"note": "kept"}},
        "data": {"colour": "blue", "size": "9"},
    })
}

async fn stage(name: &str) -> Scene {
    let scene = Scene::new(name).await;
    scene.write("config/settings.yaml", &settings().to_string());
    scene.write("config/web.yaml", &deployment("web", "nginx:1", 2));
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene
}

fn marks(map: &ConfigMap) -> (Option<&String>, Option<&String>) {
    (map.labels().get("tier"), map.annotations().get("note"))
}

async fn until_as_in_git(scene: &Scene, what: &str) -> ConfigMap {
    let ours = kinds::names::owner_label("shipment", scene.ns(), "web");
    let found = scene.until_object::<ConfigMap>("settings", what, |map| {
        map.is_some_and(|map| {
            let (tier, note) = marks(map);
            values(Some(map)) == "colour=blue size=9"
                && tier.is_some_and(|tier| tier == "front")
                && note.is_some_and(|note| note == "kept")
                && map.labels().get(kinds::names::OWNER_LABEL) == Some(&ours)
        })
    });
    found.await.expect("it was just seen")
}

/// As a controller does that was paused, and goes on after another one took over.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_in_our_own_name_is_put_right() {
    let scene = stage("name").await;
    let map = until_as_in_git(&scene, "as in Git").await;
    let mut old = settings();
    let [owner, annotation] = [kinds::names::OWNER_LABEL, kinds::names::OWNER_ANNOTATION];
    old["metadata"]["labels"][owner] = json!(map.labels()[owner]);
    old["metadata"]["annotations"][annotation] = json!(map.annotations()[annotation]);
    old["data"]["colour"] = json!("red");
    // The API server records whole seconds.
    let _ = poll(std::time::Duration::from_secs(2), || {
        std::future::ready(Err::<(), _>("time has to pass"))
    })
    .await;
    let manager = format!("shipway:shipment:{}/web", scene.ns());
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let written = maps
        .patch(
            "settings",
            &PatchParams::apply(&manager),
            &Patch::Apply(&old),
        )
        .await
        .expect("it can be applied");
    assert_eq!(values(Some(&written)), "colour=red size=9");
    until_as_in_git(&scene, "as in Git").await;
    scene
        .until_event("web", &["DriftRepaired", "settings", "in this one's name"])
        .await;
    assert_quiet(&scene).await;
}

fn labels(key: &str, value: Option<&str>) -> Value {
    json!({"metadata": {"labels": {key: value}}})
}

/// Deletes the map and creates another one, as `kubectl replace --force` does: where the deletion is
/// repaired before, there is nothing to create.
async fn replace_by_force(scene: &Scene) {
    scene.delete::<ConfigMap>("settings").await;
    let other = json!({"metadata": {"name": "settings"}, "data": {"colour": "red"}});
    let other = serde_json::from_value(other).expect("it is a ConfigMap");
    let maps = scene.all::<ConfigMap>();
    if let Err(error) = maps.create(&PostParams::default(), &other).await {
        assert!(error.to_string().contains("AlreadyExists"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_of_what_we_own_is_put_right() {
    let scene = stage("drift").await;
    let _settling = scene.settle().await;
    scene.until_ready("web", None).await;
    let uid = until_as_in_git(&scene, "as in Git").await.uid();
    for (what, change) in [
        ("patched", json!({"data": {"colour": "red"}})),
        ("key removed", json!({"data": {"size": null}})),
        ("owner label lost", labels(names::OWNER_LABEL, None)),
        (
            "owner label changed",
            labels(names::OWNER_LABEL, Some("mine")),
        ),
        ("label changed", labels("tier", Some("back"))),
        (
            "annotation removed",
            json!({"metadata": {"annotations": {"note": null}}}),
        ),
    ] {
        scene.patch::<ConfigMap>("settings", change).await;
        until_as_in_git(&scene, what).await;
    }
    scene.delete::<ConfigMap>("settings").await;
    let created = until_as_in_git(&scene, "deleted").await;
    assert_ne!(created.uid(), uid);

    replace_by_force(&scene).await;
    assert_ne!(
        until_as_in_git(&scene, "replaced").await.uid(),
        created.uid()
    );

    scene.scale("kubectl", "web", 5).await;
    scene
        .until_object::<Deployment>("web", "scaled", |web| web.and_then(replicas) == Some(2))
        .await;
    let other = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx:other"}]}}}});
    scene
        .patch_as::<Deployment>("kubectl-set", "web", other)
        .await;
    scene
        .until_object::<Deployment>("web", "image set", |web| {
            web.map(image).as_deref() == Some("nginx:1")
        })
        .await;
    scene
        .until_event("web", &["DriftRepaired", "`kubectl-set`", "image"])
        .await;
    scene
        .until_event("web", &["DriftRepaired", "`kubectl-patch`", ".data.colour"])
        .await;
    scene
        .until_event(
            "web",
            &["DriftRepaired", "had been deleted and is created again"],
        )
        .await;
    scene.until_ready("web", None).await;
    assert_quiet(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_something_holds_on_its_way_out_is_awaited_and_created_again() {
    let scene = Scene::new("held").await;
    scene.write("config/settings.yaml", &settings().to_string());
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    let hold = json!({"metadata": {"finalizers": ["example.com/held"]}});
    scene.patch::<ConfigMap>("settings", hold).await;
    let uid = until_as_in_git(&scene, "held").await.uid();
    scene.delete::<ConfigMap>("settings").await;
    let message = scene.until_reason("web", "Progressing").await;
    assert!(message.contains("is being deleted"), "{message}");
    let let_go = json!({"metadata": {"finalizers": null}});
    scene.patch::<ConfigMap>("settings", let_go).await;
    scene.until_ready("web", None).await;
    assert_ne!(until_as_in_git(&scene, "created again").await.uid(), uid);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_add_is_left_alone() {
    let scene = stage("add").await;
    let _settling = scene.settle().await;
    scene.until_ready("web", None).await;
    let extra = json!({"data": {"extra": "1"}});
    scene.patch::<ConfigMap>("settings", extra).await;
    scene
        .annotate::<Deployment>("web", "somebody", Some("else"))
        .await;
    scene
        .label::<ConfigMap>("settings", "more", Some("1"))
        .await;
    let before = scene
        .find::<ConfigMap>("settings")
        .await
        .expect("it is there");
    assert_quiet(&scene).await;
    let after = until_values(&scene, "settings", "colour=blue extra=1 size=9").await;
    assert_eq!(after.resource_version(), before.resource_version());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_changed_while_it_is_delivered_ends_as_in_git() {
    let scene = Scene::new("race").await;
    let names: Vec<String> = (0..20).map(|number| format!("raced-{number}")).collect();
    for name in &names {
        scene.write(
            &format!("config/{name}.yaml"),
            &crate::rules_stage::config_map(name, &[("a", "1")]),
        );
    }
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    // As soon as one is there it is changed, most likely before the controller knows of its own write.
    for name in &names {
        scene
            .until_object::<ConfigMap>(name, "is there", |map| map.is_some())
            .await;
        let change = json!({"data": {"a": "2"}});
        scene.patch::<ConfigMap>(name, change).await;
    }
    for name in &names {
        until_values(&scene, name, "a=1").await;
    }
    assert_quiet(&scene).await;
}
