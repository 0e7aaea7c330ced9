//! What is secret is never shown: not in a status, not in an event, not in the log.

use serde_json::{Value, json};
use suite::{Controller, Scene};

use crate::bad_stage::{
    Server, alone, config_map, shipment, until_fails, until_says, until_value, with_secret,
};
use crate::source::lonely;

const CANARY: &str = "canary-4711-sings";

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_ever_shown() {
    let _turn = alone().await;
    let scene = Scene::with("canary", lonely()).await;
    let controller = Controller::own(&scene.world, &["--log", "debug"]).await;
    rejected_manifests(&scene).await;
    broken_files(&scene).await;
    refused_credentials(&scene).await;
    in_the_url(&scene).await;
    let statuses = scene.kubectl(&["get", "shipments,inventories", "-o", "json"]);
    let statuses: Value = serde_json::from_str(&statuses).expect("kubectl prints JSON");
    for object in statuses["items"].as_array().expect("a list") {
        // What its author wrote into the spec of a Shipment stands there.
        let spec = if object["kind"] == "Inventory" {
            &object["spec"]
        } else {
            &Value::Null
        };
        let text = format!("{}{spec}", object["status"]);
        assert!(!text.contains(CANARY), "{text}");
        assert!(!text.contains(&encoded()), "{text}");
    }
    let events = scene.kubectl(&["get", "events.events.k8s.io", "-o", "json"]);
    assert!(events.contains("\"note\""), "there are events: {events}");
    let log = controller.log();
    assert!(log.len() > 1000, "there is a log: {log}");
    for text in [events, log] {
        let line = text
            .lines()
            .find(|line| line.contains(CANARY) || line.contains(&encoded()));
        assert_eq!(line, None);
    }
}

fn encoded() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("ada:{CANARY}"))
}

async fn rejected_manifests(scene: &Scene) {
    let secret = |name: &str, rest: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\n{rest}\n")
    };
    scene.write("bad/fine.yaml", &config_map("fine", "1"));
    scene.write(
        "bad/list.yaml",
        &secret("list", &format!("stringData: {{password: [{CANARY}]}}")),
    );
    scene.write(
        "bad/base64.yaml",
        &secret("base64", &format!("data: {{password: '{CANARY}!'}}")),
    );
    scene.write("bad/field.yaml", &secret("field", &format!("{CANARY}: 1")));
    scene.write("bad/type.yaml", &secret("type", &format!("type: kubernetes.io/dockerconfigjson\nstringData: {{.dockerconfigjson: '{{{CANARY}'}}")));
    scene.write(
        "bad/key.yaml",
        &secret("key", &format!("stringData: {{'with blanks': {CANARY}}}")),
    );
    scene.push().await;
    scene.apply(&scene.shipment("bad", "bad")).await;
    for name in ["list", "base64", "field", "type", "key"] {
        until_fails(
            scene,
            "bad",
            "Invalid",
            &[&format!("{name}.yaml:1"), "the API server refused it"],
        )
        .await;
    }
    until_value(scene, "fine", "1").await;
}

async fn broken_files(scene: &Scene) {
    scene.write(
        "broken/quote.yaml",
        &format!("apiVersion: v1\nkind: Secret\nstringData:\n  password: \"{CANARY}\n"),
    );
    scene.write(
        "broken/twice.yaml",
        &format!(
            "apiVersion: v1\nkind: Secret\nstringData: {{password: {CANARY}, password: {CANARY}}}\n"
        ),
    );
    scene.write(
        "broken/tab.yaml",
        &format!("apiVersion: v1\nkind: Secret\nstringData:\n\tpassword: {CANARY}\n"),
    );
    scene.write(
        "broken/anchor.yaml",
        &format!("apiVersion: v1\nkind: Secret\nstringData: *{CANARY}\n"),
    );
    scene.write("broken/bare.yaml", &format!("{CANARY}\n"));
    scene.write(
        "broken/tag.yaml",
        &format!("apiVersion: v1\nkind: Secret\nstringData: !!int {CANARY}\n"),
    );
    scene.write(
        "broken/cut.json",
        &format!("{{\"kind\": \"Secret\", \"password\": \"{CANARY}\n"),
    );
    scene.write("broken/word.json", &format!("{{\"kind\": {CANARY}}}"));
    scene.write(
        "broken/nokind.yaml",
        &format!("apiVersion: v1\nstringData: {{password: {CANARY}}}\n"),
    );
    scene.push().await;
    scene.apply(&scene.shipment("broken", "broken")).await;
    scene
        .until("broken", "names nine files", |status| {
            status.failed == Some(9)
        })
        .await;
}

async fn refused_credentials(scene: &Scene) {
    let server = Server::locked("something else").await;
    let ca = server.ca();
    for (name, data, words) in [
        (
            "refused",
            json!({"username": "ada", "password": CANARY, "caFile": ca}),
            "does not accept",
        ),
        (
            "lines",
            json!({"username": "ada", "password": format!("{CANARY}\n{CANARY}"), "caFile": ca}),
            "`password`",
        ),
        (
            "odd",
            json!({"username": "ada", "passwd": CANARY}),
            "`passwd`",
        ),
        ("pem", json!({"caFile": CANARY}), "PEM"),
        (
            "ssh",
            json!({"identity": CANARY}),
            "ssh is not supported yet",
        ),
    ] {
        scene
            .apply(&json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": scene.ns()},
                "stringData": data,
            }))
            .await;
        let wanted = shipment(scene, name, &server.url(), "");
        scene.apply(&with_secret(wanted, name)).await;
        until_says(scene, name, "SourceUnauthorized", &[words]).await;
    }
}

async fn in_the_url(scene: &Scene) {
    for (name, url) in [
        ("user", format!("https://ada:{CANARY}@git.example/shop")),
        ("token", format!("https://{CANARY}@git.example/shop")),
        ("query", format!("https://git.example/shop?token={CANARY}")),
    ] {
        scene.apply(&shipment(scene, name, &url, "")).await;
        until_says(scene, name, "SpecInvalid", &["`spec.source.git.url`"]).await;
    }
}
