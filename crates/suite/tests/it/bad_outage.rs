//! The API server goes away and comes back: the same controller goes on, nothing twice.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams};
use suite::{Controller, Scene};
use testkit::eventually;
use tokio::time::Instant;

use crate::bad_stage::{Neighbour, Server, alone, config_map, measured, shipment, until_value};
use crate::source::{counter, lonely};

/// Waits until the controller has looked up its sources so many times more: seconds, measured by
/// what it does.
async fn until_looked(controller: &Controller, times: u64) {
    let wanted = counter(controller, "git_look_ups").await + times;
    eventually("more looks", Duration::from_secs(90), || async {
        let now = counter(controller, "git_look_ups").await;
        if now >= wanted {
            Ok(())
        } else {
            Err(format!("{now} of {wanted}"))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_api_server_is_outlived() {
    let _turn = alone().await;
    let scene = Scene::with("outage", lonely()).await;
    let controller = Controller::own(&scene.world, &[]).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::start(|_| {}).await;
    for name in ["a", "b", "leaving"] {
        server.write(&format!("{name}.yaml"), config_map(name, "1"));
    }
    server.push();
    scene
        .apply(&shipment(&scene, "web", &server.url(), ""))
        .await;
    scene.until_ready("web", None).await;
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let uid = maps.get("a").await.expect("it is there").metadata.uid;

    // Something goes missing in the last moment before the outage.
    maps.delete("b", &DeleteParams::default())
        .await
        .expect("it can be deleted");
    let outage = scene.world.outage("lonely").await;
    let since = Instant::now();
    server.write("a.yaml", config_map("a", "2"));
    server.write("new.yaml", config_map("new", "1"));
    server
        .work
        .remove("leaving.yaml")
        .expect("it can be removed");
    let commit = server.push();
    while since.elapsed() < Duration::from_mins(1) {
        until_looked(&controller, 1).await; // it goes on as well as it can
    }
    let (code, body) = controller.get("/readyz").await.expect("it answers");
    assert_eq!(code, 503, "{body}");
    assert!(
        body.starts_with("out of touch with the API server for ") && body.contains("refused"),
        "{body}"
    );
    outage.end().await;
    let mut window = scene.world.audit().await;
    scene.until_ready("web", Some(&commit)).await;
    until_value(&scene, "a", "2").await;
    until_value(&scene, "b", "1").await;
    until_value(&scene, "new", "1").await;
    assert_eq!(maps.get("a").await.expect("it is there").metadata.uid, uid);
    assert!(maps.get_opt("leaving").await.expect("it answers").is_none());
    let written = window
        .requests()
        .await
        .by("shipway")
        .within(scene.ns())
        .writes();
    neighbour.goes_on(&scene).await;
    let twice = written
        .clone()
        .only(|request| request.resource == "configmaps" && request.name == "new");
    assert!(twice.count() <= 1, "written more than once:\n{twice}");
    controller
        .wait_ready(Duration::from_secs(30))
        .await
        .expect("the same controller is ready");
    let log = controller.log();
    let lines = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!(lines("out of touch with the API server"), 1, "{log}");
    assert_eq!(lines("in touch with the API server again"), 1, "{log}");
    measured(&format!("after a minute without an API server:\n{written}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_hangs_is_outlived() {
    let _turn = alone().await;
    let scene = Scene::with("frozen", lonely()).await;
    let controller = Controller::own(&scene.world, &[]).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::start(|_| {}).await;
    server.write("a.yaml", config_map("a", "1"));
    server.push();
    scene
        .apply(&shipment(&scene, "web", &server.url(), ""))
        .await;
    scene.until_ready("web", None).await;
    let frozen = scene.world.freeze("lonely").await;
    server.write("a.yaml", config_map("a", "2"));
    let commit = server.push();
    until_looked(&controller, 8).await;
    frozen.end().await;
    scene.until_ready("web", Some(&commit)).await;
    until_value(&scene, "a", "2").await;
    neighbour.goes_on(&scene).await;
}
