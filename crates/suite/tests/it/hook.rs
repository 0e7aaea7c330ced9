//! Push events: signed ones make a delivery immediate, others are turned away.

use std::fmt::Write as _;

use serde_json::json;
use suite::{Controller, Scene};
use tokio::time::Instant;

use crate::bad_stage::{Server, alone, config_map, measured, shipment, until_value};
use crate::source::lonely;

fn signature(key: &[u8], body: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
    let tag = ring::hmac::sign(&key, body.as_bytes());
    let mut text = "sha256=".to_owned();
    for byte in tag.as_ref() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_push_event_makes_a_delivery_immediate() {
    let _turn = alone().await;
    let scene = Scene::with("hook", lonely()).await;
    scene
        .apply(&json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hook", "namespace": scene.ns()},
            "stringData": {"key": "a-long-key"},
        }))
        .await;
    let secret = format!("{}/hook", scene.ns());
    let controller = Controller::own(&scene.world, &["--hook-secret", &secret]).await;
    let server = Server::start(|_| {}).await;
    server.write("a.yaml", config_map("a", "0"));
    server.push();
    let mut wanted = shipment(&scene, "web", &server.url(), "");
    wanted["spec"]["interval"] = json!("1h");
    scene.apply(&wanted).await;
    scene.until_ready("web", None).await;

    let body = json!({"url": server.url(), "ref": "refs/heads/main"}).to_string();
    for headers in [
        vec![],
        vec![("X-Signature", signature(b"another key", &body))],
    ] {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = controller
            .request("POST", "/hooks/git", &headers, &body)
            .await;
        assert_eq!(answer.expect("it answers").0, 401);
    }
    let mut took = Vec::new();
    for round in 1..=10 {
        server.write("a.yaml", config_map("a", &round.to_string()));
        server.push();
        let pushed = Instant::now();
        let signed = signature(b"a-long-key", &body);
        let answer = controller
            .request("POST", "/hooks/git", &[("X-Signature", &signed)], &body)
            .await;
        let (code, text) = answer.expect("it answers");
        assert_eq!((code, text.as_str()), (202, "1 sources are looked up\n"));
        until_value(&scene, "a", &round.to_string()).await;
        took.push(pushed.elapsed());
    }
    took.sort();
    measured(&format!(
        "push event to applied p50 {:?}, longest {:?}",
        took[5], took[9]
    ));
    assert!(took[9].as_secs_f32() < 1.0, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn push_events_are_refused_where_they_are_not_switched_on() {
    let scene = Scene::new("nohook").await;
    let controller = Controller::shared(&scene.world).await;
    let answer = controller.request("POST", "/hooks/git", &[], "{}").await;
    let (code, text) = answer.expect("it answers");
    assert_eq!(code, 404);
    assert!(text.contains("--hook-secret"), "{text}");
}
