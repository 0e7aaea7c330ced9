//! Specs that are wrong in themselves: the field is named, and the edit is enough.

use std::time::Duration;

use kinds::{Inventory, Shipment};
use kube::api::ListParams;
use serde_json::{Value, json};
use suite::Scene;
use testkit::eventually;

use crate::bad_stage::{Neighbour, config_map, deliver, until_says, value};

/// Applies a Shipment that is wrong, compares what is said, and repairs it once a neighbour has not
/// minded.
async fn check(
    (scene, neighbour): &(Scene, Neighbour),
    name: &str,
    change: impl FnOnce(&mut Value),
    words: &[&str],
) {
    scene.write(&format!("{name}/a.yaml"), &config_map(name, "1"));
    scene.push().await;
    let mut wrong = scene.shipment(name, name);
    change(&mut wrong["spec"]);
    scene.apply(&wrong).await;
    let status = until_says(scene, name, "SpecInvalid", words).await;
    let text = serde_json::to_string(&status).expect("a status is plain data");
    assert!(!text.contains("hunter2"), "{text}");
    neighbour.goes_on(scene).await;
    scene.apply(&scene.shipment(name, name)).await;
    scene.until_ready(name, None).await;
}

/// A scene and somebody else in it.
async fn inhabited(name: &str) -> (Scene, Neighbour) {
    let scene = Scene::new(name).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    (scene, neighbour)
}

fn url(text: &'static str) -> impl FnOnce(&mut Value) {
    move |spec| spec["source"]["git"]["url"] = json!(text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_source_is_named() {
    let scene = inhabited("nosource").await;
    let missing = |spec: &mut Value| spec["source"] = json!({});
    check(
        &scene,
        "web",
        missing,
        &["`spec.source.git` is missing", "not supported yet"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_that_are_not_supported_are_refused_without_being_repeated() {
    let scene = inhabited("badurl").await;
    let field = "`spec.source.git.url`";
    check(
        &scene,
        "ssh",
        url("ssh://git@git.example/shop.git"),
        &[field, "ssh is not supported yet"],
    )
    .await;
    check(
        &scene,
        "scp",
        url("git@git.example:shop.git"),
        &[field, "ssh is not supported yet"],
    )
    .await;
    check(
        &scene,
        "login",
        url("https://ada:hunter2@git.example/shop"),
        &[field, "carries credentials", "Secret"],
    )
    .await;
    check(&scene, "file", url("file:///etc/passwd"), &[field, "https"]).await;
    check(
        &scene,
        "query",
        url("https://git.example/shop?token=hunter2"),
        &[field],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_cannot_be_read_are_named() {
    let scene = inhabited("badfield").await;
    let set = |field: &'static str, value: &'static str| {
        move |spec: &mut Value| spec[field] = json!(value)
    };
    check(
        &scene,
        "way-out",
        set("path", "config/../../etc"),
        &["`spec.path`", "leads out"],
    )
    .await;
    check(
        &scene,
        "interval",
        set("interval", "often"),
        &["`spec.interval`", "`often`", "`30s`"],
    )
    .await;
    check(
        &scene,
        "hasty",
        set("interval", "1ms"),
        &["`spec.interval`", "`1s`"],
    )
    .await;
    check(
        &scene,
        "timeout",
        set("timeout", "-5m"),
        &["`spec.timeout`", "`-5m`"],
    )
    .await;
    let commit = |spec: &mut Value| spec["source"]["git"]["ref"] = json!({"commit": "abc"});
    check(
        &scene,
        "short",
        commit,
        &["`spec.source.git.ref.commit`", "40"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_manifests_says_so() {
    let (scene, neighbour) = inhabited("empty").await;
    scene.write("config/README.txt", "nothing to apply here");
    deliver(&scene, "config").await;
    until_says(&scene, "web", "NothingToDeliver", &["`config`"]).await;
    neighbour.goes_on(&scene).await;
    scene.write("config/a.yaml", &config_map("web", "1"));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_of_the_longest_name_is_delivered_and_goes() {
    let scene = Scene::new("longest").await;
    let parts = ["a".repeat(63), "b".repeat(63), "c".repeat(63)].join(".");
    let name = format!("{parts}.{}", "d".repeat(61));
    assert_eq!(name.len(), 253);
    scene.write("c/a.yaml", &config_map("a", "1"));
    scene.push().await;
    scene.apply(&scene.shipment(&name, "c")).await;
    let status = scene.until_ready(&name, None).await;
    assert_eq!(status.objects, Some(1));
    let (code, out, err) = scene.shipway(&["tree", &name, "-o", "name"]);
    assert_eq!((code, out.as_str()), (0, "configmap/a\n"), "{err}");
    scene.delete::<Shipment>(&name).await;
    for what in ["the inventory", "the object"] {
        eventually(what, Duration::from_secs(30), || async {
            let gone = match what {
                "the object" => value(&scene, "a").await.is_none(),
                _ => scene
                    .all::<Inventory>()
                    .list_metadata(&ListParams::default())
                    .await
                    .map_err(|error| error.to_string())?
                    .items
                    .is_empty(),
            };
            if gone {
                Ok(())
            } else {
                Err("it is there".to_owned())
            }
        })
        .await;
    }
}
