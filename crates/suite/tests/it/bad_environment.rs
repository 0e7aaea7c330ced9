//! Environments that are not there as they should be: nothing is delivered without them.

use kinds::Shipment;
use serde_json::json;
use suite::Scene;

use crate::bad_stage::{
    Neighbour, Server, config_map, deliver, until_fails, until_says, until_value, value,
};
use crate::environment::{Env, overlay, two_shipments};

/// Somebody whom the scenario's Environments do not cover.
async fn next_door() -> (Scene, Neighbour) {
    let scene = Scene::new("nextdoor").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    (scene, neighbour)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_that_is_not_there_is_waited_for_and_nothing_is_delivered_without_it() {
    let scene = Scene::new("nooverlay").await;
    let (next_door, neighbour) = next_door().await;
    let server = Server::start(|_| {}).await;
    server.write("README.md", "nothing yet\n");
    server.push();
    let mut spec = overlay(&server);
    spec["overlay"]["path"] = json!("qa");
    let env = Env::new(&scene, "qa", spec).await;
    env.until("SourceMissing", &["no path `qa`"]).await;
    two_shipments(&scene).await;
    until_says(
        &scene,
        "web",
        "OverlayUnavailable",
        &["overlay of Environment", &env.name, "no path `qa`"],
    )
    .await;
    assert_eq!(value(&scene, "web").await, None);
    neighbour.goes_on(&next_door).await;
    server.write("qa/all/patches/web.yaml", config_map("web", "patched"));
    server.push();
    scene.until_ready("web", None).await;
    assert_eq!(value(&scene, "web").await.as_deref(), Some("patched"));
    // Gone again: the last one is kept, also for what is pushed meanwhile.
    server.work.remove("qa").expect("it can be removed");
    server.push();
    env.until("SourceMissing", &["no path `qa`"]).await;
    scene.write("web/b.yaml", &config_map("b", "1"));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    assert_eq!(value(&scene, "web").await.as_deref(), Some("patched"));
    // A patch that cannot be read holds everything up rather than being left out, and is what is listed
    // then, not what failed before.
    scene.write("web/bad.yaml", "kind: [\n");
    scene.push().await;
    until_fails(&scene, "web", "ManifestInvalid", &["bad.yaml:1"]).await;
    server.write("qa/all/patches/web.yaml", "kind: [\n");
    server.push();
    until_says(
        &scene,
        "web",
        "TreeRefused",
        &["overlay:all/patches/web.yaml:1", "nothing is applied"],
    )
    .await;
    let status = scene.get_shipment("web").await.status.unwrap_or_default();
    let places: Vec<_> = status.failures.iter().map(|failed| &failed.at).collect();
    assert_eq!(places, [&Some("overlay:all/patches/web.yaml:1".to_owned())]);
    assert_eq!(status.failed, Some(1));
    scene.remove("web/bad.yaml");
    scene.push().await;
    assert_eq!(value(&scene, "web").await.as_deref(), Some("patched"));
    neighbour.goes_on(&next_door).await;
    server.write("qa/all/patches/web.yaml", config_map("web", "mended"));
    server.push();
    scene.until_ready("web", None).await;
    until_value(&scene, "web", "mended").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_an_overlay_that_are_mended_are_noticed() {
    let scene = Scene::new("envlogin").await;
    let (next_door, neighbour) = next_door().await;
    let server = Server::locked("right").await;
    server.write("all/added.yaml", config_map("added", "1"));
    server.push();
    let ca = server.ca();
    let secret = |password: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "door", "namespace": scene.ns()},
            "stringData": {"username": "ada", "password": password, "caFile": ca},
        })
    };
    let mut spec = overlay(&server);
    spec["overlay"]["git"]["secretRef"] = json!({"name": "door", "namespace": scene.ns()});
    let env = Env::new(&scene, "qa", spec).await;
    env.until(
        "SourceUnauthorized",
        &[&format!("no Secret `{}/door`", scene.ns())],
    )
    .await;
    scene.apply(&secret("wrong")).await;
    env.until("SourceUnauthorized", &["does not accept the credentials"])
        .await;
    scene.write("web/a.yaml", &config_map("web", "1"));
    deliver(&scene, "web").await;
    until_says(
        &scene,
        "web",
        "OverlayUnavailable",
        &[&env.name, "does not accept the credentials"],
    )
    .await;
    neighbour.goes_on(&next_door).await;
    scene.apply(&secret("right")).await;
    env.until("Ready", &[]).await;
    scene.until_ready("web", None).await;
    assert_eq!(value(&scene, "added").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_in_words_that_nobody_understands_is_named() {
    let scene = Scene::new("envwords").await;
    let (next_door, neighbour) = next_door().await;
    let env = Env::new(
        &scene,
        "qa",
        json!({"overlay": {"git": {"url": "git@git.example:ops.git"}}}),
    )
    .await;
    env.until(
        "SpecInvalid",
        &["`spec.overlay.git.url`", "ssh is not supported yet"],
    )
    .await;
    env.set(json!({"overlay": {"git": {"url": "https://git.example/ops"}, "path": "../x"}}))
        .await;
    env.until("SpecInvalid", &["`spec.overlay.path`", "leads out"])
        .await;
    neighbour.goes_on(&next_door).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_environments_that_cover_it_equally_well_are_both_named() {
    let scene = Scene::new("ambiguous").await;
    let (next_door, neighbour) = next_door().await;
    two_shipments(&scene).await;
    scene.until_ready("web", None).await;
    let one = Env::new(&scene, "one", json!({})).await;
    scene
        .until("web", "has an environment", |status| {
            status.environment.as_ref() == Some(&one.name)
        })
        .await;
    let two = Env::new(&scene, "two", json!({})).await;
    until_says(
        &scene,
        "web",
        "EnvironmentAmbiguous",
        &[&one.name, &two.name],
    )
    .await;
    assert_eq!(value(&scene, "web").await.as_deref(), Some("plain"));
    neighbour.goes_on(&next_door).await;
    // A label more on one side decides, for those that carry it.
    two.set(json!({"selector": {"tier": "front"}})).await;
    scene.until_ready("web", None).await;
    scene.label::<Shipment>("web", "tier", Some("front")).await;
    scene
        .until("web", "is covered by the second", |status| {
            status.environment.as_ref() == Some(&two.name)
        })
        .await;
    scene
        .until("api", "is covered by the first", |status| {
            status.environment.as_ref() == Some(&one.name)
        })
        .await;
    scene.until_ready("api", None).await;
}
