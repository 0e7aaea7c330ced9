//! What is secret is never shown: not in a status, not in an event, not in the log.

use k8s_openapi::api::events::v1::Event;
use kinds::{Inventory, Shipment};
use kube::api::ListParams;
use kube::core::ApiResource;
use serde_json::{Value, json};
use suite::{Controller, Namespaced, Scene};

use crate::bad_stage::{
    Neighbour, Server, alone, config_map, shipment, until_fails, until_says, until_value,
    with_secret,
};
use crate::source::lonely;

const CANARY: &str = "canary-4711-sings";

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_ever_shown() {
    let _turn = alone().await;
    let scene = Scene::with("canary", lonely()).await;
    let controller = Controller::own(&scene.world, &["--log", "debug"]).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    rejected_manifests(&scene).await;
    broken_files(&scene).await;
    refused_credentials(&scene).await;
    in_the_url(&scene).await;
    neighbour.goes_on(&scene).await;
    // What its author wrote into the spec of a Shipment stands there.
    let shipments = listed::<Shipment>(&scene).await;
    let mut texts: Vec<_> = shipments
        .iter()
        .map(|one| one["status"].to_string())
        .collect();
    let inventories = listed::<Inventory>(&scene).await;
    texts.extend(inventories.iter().map(Value::to_string));
    for text in texts {
        assert!(!text.contains(CANARY), "{text}");
        assert!(!text.contains(&encoded()), "{text}");
    }
    let events = listed::<Event>(&scene).await;
    let events: Vec<_> = events.iter().map(Value::to_string).collect();
    let events = events.join("\n");
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

/// All objects of a kind, as they stand.
async fn listed<K: Namespaced>(scene: &Scene) -> Vec<Value> {
    let api = scene.dynamic(&ApiResource::erase::<K>(&()));
    let found = api.list(&ListParams::default()).await;
    let found = found.expect("they can be listed").items;
    found.into_iter().map(|object| json!(object)).collect()
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
