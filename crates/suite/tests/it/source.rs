//! Sources that many share: one look, one fetch, and only who is concerned notices.

use std::time::Duration;

use gitserver::Requests;
use serde_json::json;
use suite::{Controller, Scene, SceneOptions};
use testkit::eventually;
use tokio::time::Instant;

use crate::bad_stage::{
    Neighbour, Server, alone, config_map, measured, shipment, until_value, value,
};

const FOLDERS: usize = 30;

/// A counter of the controller.
pub(crate) async fn counter(controller: &Controller, name: &str) -> u64 {
    let (_, text) = controller.get("/metrics").await.expect("it answers");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("shipway_{name}_total ")));
    line.and_then(|number| number.trim().parse().ok())
        .expect("the counter is there")
}

pub(crate) fn lonely() -> SceneOptions {
    SceneOptions {
        controller: false,
        cluster: Some("lonely"),
        ..SceneOptions::default()
    }
}

fn more(after: Requests, before: Requests) -> (usize, usize) {
    (
        after.ls_refs - before.ls_refs,
        after.fetches - before.fetches,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_shipments_of_one_repository_cost_one_look_and_one_fetch() {
    let _turn = alone().await;
    let scene = Scene::with("thirty", lonely()).await;
    let controller = Controller::own(&scene.world, &[]).await;
    let server = Server::start(|_| {}).await;
    for number in 0..FOLDERS {
        server.write(
            &format!("app-{number}/a.yaml"),
            config_map(&format!("app-{number}"), "1"),
        );
    }
    let commit = server.push();
    let before = server.git.requests();
    for number in 0..FOLDERS {
        let name = format!("app-{number}");
        let mut wanted = shipment(&scene, &name, &server.url(), &name);
        wanted["spec"]["interval"] = json!("2s");
        scene.apply(&wanted).await;
    }
    for number in 0..FOLDERS {
        scene
            .until_ready(&format!("app-{number}"), Some(&commit))
            .await;
    }
    let (_, fetches) = more(server.git.requests(), before);
    assert_eq!(fetches, 1, "all of them are in one commit");

    let mut window = scene.world.audit().await;
    let (renders, look_ups) = (
        counter(&controller, "renders").await,
        counter(&controller, "git_look_ups").await,
    );
    let begun = Instant::now();
    let before = server.git.requests();
    for round in 2..5 {
        server.write("app-7/a.yaml", config_map("app-7", &round.to_string()));
        let commit = server.push();
        until_value(&scene, "app-7", &round.to_string()).await;
        scene.until_ready("app-7", Some(&commit)).await;
    }
    let (_, fetches) = more(server.git.requests(), before);
    let (looks, seconds) = (
        counter(&controller, "git_look_ups").await - look_ups,
        begun.elapsed().as_secs(),
    );
    assert_eq!(fetches, 3, "one for each push");
    assert!(
        looks <= seconds + 2,
        "{looks} looks in {seconds} s for {FOLDERS} Shipments"
    );
    assert_eq!(counter(&controller, "renders").await - renders, 3);
    let writes = window
        .requests()
        .await
        .by("shipway")
        .within(scene.ns())
        .writes();
    let told = writes
        .clone()
        .only(|request| request.resource == "shipway.run/shipments/status");
    assert!(told.count() <= 3, "one status for each push:\n{told}");
    let elsewhere = writes
        .clone()
        .only(|request| request.name != "app-7" && !request.name.starts_with("app-7."));
    let elsewhere = elsewhere.only(|request| !request.resource.ends_with("events"));
    assert_eq!(elsewhere.count(), 0, "written elsewhere:\n{elsewhere}");
    measured(&format!(
        "3 pushes, {fetches} fetches, {looks} looks in {seconds} s, writes:\n{writes}"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_commit_is_fetched_once_and_never_looked_up() {
    let scene = Scene::new("pinned").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::start(|_| {}).await;
    server.write("a.yaml", config_map("a", "1"));
    let commit = server.push();
    server.write("a.yaml", config_map("a", "2"));
    server.push();
    let before = server.git.requests();
    let mut wanted = shipment(&scene, "web", &server.url(), "");
    wanted["spec"]["source"]["git"]["ref"] = json!({"commit": commit});
    scene.apply(&wanted).await;
    let status = scene.until_ready("web", Some(&commit)).await;
    assert_eq!(status.revision, Some(format!("sha1:{commit}")));
    assert_eq!(value(&scene, "a").await.as_deref(), Some("1"));
    let fetched = server.git.requests();
    assert_eq!(more(fetched, before).1, 1);
    // The neighbour, who is looked up as often, is served several times meanwhile.
    for _ in 0..3 {
        neighbour.goes_on(&scene).await;
    }
    assert_eq!(server.git.requests(), fetched);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_protocol_2_is_followed() {
    let scene = Scene::new("old").await;
    let server = Server::start(|options| options.protocol_v2 = false).await;
    server.write("a.yaml", config_map("a", "1"));
    let first = server.push();
    scene
        .apply(&shipment(&scene, "web", &server.url(), ""))
        .await;
    scene.until_ready("web", Some(&first)).await;
    server.write("a.yaml", config_map("a", "2"));
    let second = server.push();
    scene.until_ready("web", Some(&second)).await;
    until_value(&scene, "a", "2").await;
    let mut pinned = shipment(&scene, "web", &server.url(), "");
    pinned["spec"]["source"]["git"]["ref"] = json!({"commit": first, "branch": "main"});
    scene.apply(&pinned).await;
    scene.until_ready("web", Some(&first)).await;
    until_value(&scene, "a", "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_followed_where_it_moves() {
    let scene = Scene::new("tag").await;
    scene.write("a.yaml", &config_map("a", "1"));
    let first = scene.push().await;
    tokio::task::block_in_place(|| scene.work.tag("stable")).expect("a tag can be pushed");
    let mut wanted = scene.shipment("web", "");
    wanted["spec"]["source"]["git"]["ref"] = json!({"tag": "stable"});
    scene.apply(&wanted).await;
    let status = scene.until_ready("web", Some(&first)).await;
    assert_eq!(status.revision, Some(format!("stable@sha1:{first}")));
    scene.write("a.yaml", &config_map("a", "2"));
    let second = scene.push().await;
    tokio::task::block_in_place(|| scene.work.annotated_tag("stable"))
        .expect("a tag can be pushed");
    scene.until_ready("web", Some(&second)).await;
    until_value(&scene, "a", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_that_turns_to_another_repository_leaves_the_first() {
    let scene = Scene::new("turn").await;
    let (one, two) = (Server::start(|_| {}).await, Server::start(|_| {}).await);
    one.write("a.yaml", config_map("a", "one"));
    one.push();
    two.write("a.yaml", config_map("a", "two"));
    two.push();
    scene.apply(&shipment(&scene, "web", &one.url(), "")).await;
    until_value(&scene, "a", "one").await;
    scene.apply(&shipment(&scene, "web", &two.url(), "")).await;
    until_value(&scene, "a", "two").await;
    let left = one.git.requests().all;
    // And back at once: it is still known, and looked up anew.
    one.write("a.yaml", config_map("a", "three"));
    one.push();
    scene.apply(&shipment(&scene, "web", &one.url(), "")).await;
    until_value(&scene, "a", "three").await;
    eventually("a look at the first", Duration::from_secs(10), || async {
        if one.git.requests().all > left {
            Ok(())
        } else {
            Err("none yet")
        }
    })
    .await;
}
