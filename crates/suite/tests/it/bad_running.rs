//! What breaks while it runs: credentials, references, the whole source. What runs stays, is looked
//! after, and is caught up with once all is well, by the same controller.

use std::time::Duration;

use gitserver::Fault;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kinds::{Shipment, names};
use kube::ResourceExt as _;
use serde_json::json;
use suite::Scene;
use testkit::eventually;
use tokio::sync::Mutex;

use crate::bad_stage::{
    Neighbour, Server, config_map, deliver, login, shipment, until_says, until_value, with_ref,
    with_secret,
};

/// How long a look at a Secret may take that was read a moment ago.
const PATIENCE: Duration = Duration::from_secs(30);
/// What is delivered before something breaks.
const RUNNING: [&str; 3] = ["a", "b", "c"];

fn write_running(scene: &Scene, value: &str) {
    for name in RUNNING {
        scene.write(&format!("{name}.yaml"), &config_map(name, value));
    }
}

/// Everything is there with a value, as the same objects.
async fn assert_runs(scene: &Scene, value: &str, uids: &[Option<String>]) {
    for name in RUNNING {
        until_value(scene, name, value).await;
    }
    assert_eq!(uids_of(scene).await, uids);
}

async fn uids_of(scene: &Scene) -> Vec<Option<String>> {
    let mut uids = Vec::new();
    for name in RUNNING {
        let found = scene.find::<ConfigMap>(name).await;
        uids.push(found.and_then(|map| map.uid()));
    }
    uids
}

/// What somebody changes and deletes by hand is put right.
async fn assert_looked_after(scene: &Scene, value: &str) {
    let edit = json!({"data": {"value": "edited"}});
    scene.patch::<ConfigMap>("a", edit).await;
    until_value(scene, "a", value).await;
    scene.delete::<ConfigMap>("b").await;
    until_value(scene, "b", value).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_gets_wrong_while_it_runs_is_said_until_it_is_right_again() {
    let scene = Scene::new("rotate").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::locked("right-horse").await;
    for name in RUNNING {
        server.write(&format!("{name}.yaml"), config_map(name, "1"));
    }
    let commit = server.push();
    let ca = server.ca();
    scene
        .apply(&login(&scene, "door", &ca, "right-horse"))
        .await;
    let wanted = with_secret(shipment(&scene, "web", &server.url(), ""), "door");
    scene.apply(&wanted).await;
    scene.until_ready("web", Some(&commit)).await;
    let uids = uids_of(&scene).await;

    // A Secret is read again when its password is turned away, which is done here once without need.
    scene
        .apply(&login(&scene, "door", &ca, "wrong-horse"))
        .await;
    let window = Mutex::new(scene.world.audit().await);
    server.git.set_fault(Fault::Status(401));
    let said = [&*server.url(), "does not accept the credentials"];
    until_says(&scene, "web", "SourceUnauthorized", &said).await;
    eventually("a look at the Secret", PATIENCE, || async {
        let asked = window
            .lock()
            .await
            .requests()
            .await
            .by("shipway")
            .within(scene.ns());
        let read = asked.only(|request| request.resource == "secrets" && request.name == "door");
        if read.count() > 0 {
            Ok(())
        } else {
            Err("none yet")
        }
    })
    .await;
    server.git.set_fault(Fault::None);
    server.write("a.yaml", config_map("a", "2"));
    let commit = server.push();
    neighbour.goes_on(&scene).await;
    neighbour.goes_on(&scene).await;
    let said = [said[0], said[1], "what runs stays"];
    let status = until_says(&scene, "web", "SourceUnauthorized", &said).await;
    let text = serde_json::to_string(&status).expect("a status is plain data");
    assert!(!text.contains("horse"), "{text}");
    assert_runs(&scene, "1", &uids).await;
    assert_looked_after(&scene, "1").await;
    let uids = uids_of(&scene).await;

    // Right again: the same controller notices it by itself.
    scene
        .apply(&login(&scene, "door", &ca, "right-horse"))
        .await;
    scene.until_ready("web", Some(&commit)).await;
    until_value(&scene, "a", "2").await;
    assert_eq!(uids_of(&scene).await, uids);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_spoilt_while_it_runs_is_named_and_its_source_left_alone_until_it_is_right()
 {
    let scene = Scene::new("spoilt").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::locked("right-horse").await;
    for name in RUNNING {
        server.write(&format!("{name}.yaml"), config_map(name, "1"));
    }
    let commit = server.push();
    let ca = server.ca();
    let right = login(&scene, "door", &ca, "right-horse");
    scene.apply(&right).await;
    let wanted = with_secret(shipment(&scene, "web", &server.url(), ""), "door");
    scene.apply(&wanted).await;
    scene.until_ready("web", Some(&commit)).await;
    let place = format!("{}/door", scene.ns());
    let mut spoilt = login(&scene, "door", &ca, "right-horse");
    spoilt["stringData"] = json!({"user": "ada", "pass": "right-horse"});
    spoilt["type"] = json!("Opaque");
    for (number, wrong) in [Some(spoilt), None].into_iter().enumerate() {
        scene.delete::<Secret>("door").await;
        if let Some(wrong) = &wrong {
            scene.apply(wrong).await;
        }
        let asked = number.to_string();
        scene
            .annotate::<Shipment>("web", names::SYNC_ANNOTATION, Some(&asked))
            .await;
        let said = [&*place, "what runs stays", &commit];
        until_says(&scene, "web", "SourceUnauthorized", &said).await;
        assert_looked_after(&scene, "1").await;
        if wrong.is_none() {
            // The old credentials would still do, but nobody vouches for them any more.
            server.write("a.yaml", config_map("a", "2"));
        }
        let pushed = server.push();
        neighbour.goes_on(&scene).await;
        neighbour.goes_on(&scene).await;
        until_says(&scene, "web", "SourceUnauthorized", &said).await;
        until_value(&scene, "a", "1").await;
        if wrong.is_some() {
            scene.delete::<Secret>("door").await;
        }
        scene.apply(&right).await;
        scene
            .until_ready("web", wrong.is_none().then_some(&*pushed))
            .await;
    }
    until_value(&scene, "a", "2").await;
}

/// Runs `git` on the server's own repository.
fn on_server(scene: &Scene, arguments: &[&str]) {
    let place = format!("--git-dir={}", scene.git.path("app.git").display());
    let arguments = [&[&*place], arguments].concat();
    tokio::task::block_in_place(|| scene.work.git(&arguments)).expect("git does it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_is_deleted_while_it_is_followed_is_named_and_what_runs_stays() {
    let scene = Scene::new("untag").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    write_running(&scene, "1");
    let commit = scene.push().await;
    tokio::task::block_in_place(|| scene.work.tag("v1")).expect("a tag can be pushed");
    let wanted = with_ref(scene.shipment("web", ""), json!({"tag": "v1"}));
    scene.apply(&wanted).await;
    scene.until_ready("web", Some(&commit)).await;
    let uids = uids_of(&scene).await;
    on_server(&scene, &["tag", "--delete", "v1"]);
    let said = ["has no tag `v1`", "what runs stays", &commit];
    until_says(&scene, "web", "SourceMissing", &said).await;
    neighbour.goes_on(&scene).await;
    assert_runs(&scene, "1", &uids).await;
    assert_looked_after(&scene, "1").await;
    // It comes back somewhere else.
    write_running(&scene, "2");
    let commit = scene.push().await;
    tokio::task::block_in_place(|| scene.work.tag("v1")).expect("a tag can be pushed");
    scene.until_ready("web", Some(&commit)).await;
    until_value(&scene, "c", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_commit_that_the_server_lost_runs_on_and_is_named_where_it_is_needed() {
    let scene = Scene::new("unpin").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    write_running(&scene, "0");
    let base = scene.push().await;
    write_running(&scene, "1");
    let pinned = scene.push().await;
    write_running(&scene, "2");
    let other = scene.push().await;
    let pin = |commit: &str| with_ref(scene.shipment("web", ""), json!({"commit": commit}));
    scene.apply(&pin(&pinned)).await;
    scene.until_ready("web", Some(&pinned)).await;
    let uids = uids_of(&scene).await;
    // Somebody takes both commits back, and the server throws them away.
    let back = format!("{base}:refs/heads/main");
    tokio::task::block_in_place(|| {
        scene
            .work
            .git(&["push", "--quiet", "--force", "origin", &back])
    })
    .expect("the branch can be taken back");
    on_server(&scene, &["reflog", "expire", "--expire=now", "--all"]);
    on_server(&scene, &["gc", "--quiet", "--prune=now"]);
    let gone = ["cat-file", "-e", &pinned];
    let place = format!("--git-dir={}", scene.git.path("app.git").display());
    let there = tokio::task::block_in_place(|| scene.work.git(&[&[&*place], &gone[..]].concat()));
    assert!(there.is_err(), "the server still has it");
    neighbour.goes_on(&scene).await;
    scene.until_ready("web", Some(&pinned)).await;
    assert_runs(&scene, "1", &uids).await;
    assert_looked_after(&scene, "1").await;
    let uids = uids_of(&scene).await;
    // Whoever has never fetched it is told which one is missing, and keeps what runs.
    scene.apply(&pin(&other)).await;
    until_says(&scene, "web", "SourceMissing", &[&other]).await;
    neighbour.goes_on(&scene).await;
    assert_runs(&scene, "1", &uids).await;
    scene.apply(&pin(&pinned)).await;
    scene.until_ready("web", Some(&pinned)).await;
    assert_runs(&scene, "1", &uids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_repaired_while_the_source_is_broken() {
    let scene = Scene::new("stale").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    write_running(&scene, "1");
    let commit = deliver(&scene, "").await;
    scene.until_ready("web", Some(&commit)).await;
    for (fault, reason) in [
        (Fault::Status(503), "SourceUnreachable"),
        (Fault::Garbage, "SourceUnreachable"),
        (Fault::Status(401), "SourceUnauthorized"),
    ] {
        scene.git.set_fault(fault);
        let said = ["what runs stays", &*commit];
        until_says(&scene, "web", reason, &said).await;
        assert_looked_after(&scene, "1").await;
        // To repair something is no reason to forget what is wrong.
        until_says(&scene, "web", reason, &said).await;
        neighbour.goes_on(&scene).await;
        scene.git.set_fault(Fault::None);
        scene.until_ready("web", Some(&commit)).await;
    }
}
