//! Watches as they are on the wire: lines of JSON, on the genuine server and on an embedded one of the test's own.

use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use suite::{Embedded, Scene};
use testkit::{Need, World};

/// So many writes of a megabyte are more than an embedded server remembers.
const FORGOTTEN: usize = 80;

async fn answer(client: &Client, method: Method, path: &str, body: Option<&Value>) -> String {
    let text = body.map(Value::to_string).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(text.into_bytes()))
        .expect("the request is right");
    let response = client.send(request).await.expect("it is answered");
    let code = response.status();
    let read = response.into_body().collect().await;
    let read = read.expect("it is read").to_bytes();
    let read = String::from_utf8_lossy(&read).into_owned();
    assert!(code.is_success(), "{path}: {code} {read}");
    read
}

/// What a watch tells until it ends. Something happens once it has told something.
async fn watch(client: &Client, path: &str, happens: impl Future<Output = ()>) -> Vec<Value> {
    let request = Request::builder().uri(path).body(Body::empty());
    let request = request.expect("the request is right");
    let response = client.send(request).await.expect("it is answered");
    let mut body = response.into_body();
    let frame = body.frame().await.expect("it tells something");
    let first = frame.expect("it is read").into_data();
    let mut told = first.expect("it is data").to_vec();
    happens.await;
    let rest = body.collect().await.expect("it is read");
    told.extend_from_slice(&rest.to_bytes());
    let told = String::from_utf8_lossy(&told);
    let lines = told.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("it is JSON")).collect()
}

/// Creates an object; tells its revision.
async fn create(client: &Client, namespace: &str, object: &Value) -> u64 {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let told = answer(client, Method::POST, &path, Some(object)).await;
    revision(&serde_json::from_str(&told).expect("it is JSON"))
}

fn revision(object: &Value) -> u64 {
    let text = object["metadata"]["resourceVersion"].as_str();
    text.and_then(|text| text.parse().ok())
        .expect("it is a number")
}

/// What is told and of what.
fn told(lines: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let of = |line: &Value| {
        let name = text(&line["object"]["metadata"]["name"]);
        format!("{} {name}", text(&line["type"]))
    };
    lines.iter().map(of).collect()
}

async fn a_gone_revision(client: &Client, list: &str) {
    let path = format!("{list}?watch=1&resourceVersion=1&timeoutSeconds=5");
    let lines = watch(client, &path, async {}).await;
    assert_eq!(lines.len(), 1, "{:?}", told(&lines));
    let status = &lines[0]["object"];
    assert_eq!(lines[0]["type"], "ERROR");
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["code"], 410);
    assert_eq!(status["reason"], "Expired");
    let message = status["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with("too old resource version: 1 ("),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_from_a_revision_that_is_gone_is_told_so_by_the_genuine_server() {
    let world = World::shared();
    if world.lacks(Need::Judge) {
        return;
    }
    let scene = Scene::new("watch").await;
    // Of these it remembers nothing before their definition came.
    let list = "/apis/shipway.run/v1alpha1/shipments";
    a_gone_revision(&scene.world.client().await, list).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_from_a_revision_that_is_gone_is_told_so_by_the_embedded_server() {
    let server = Embedded::start(None).await;
    let client = server.client().await;
    let text = "x".repeat(1_000_000);
    for index in 0..FORGOTTEN {
        let object = json!({"metadata": {"name": format!("big-{index}")}, "data": {"a": text}});
        create(&client, "default", &object).await;
    }
    a_gone_revision(&client, "/api/v1/configmaps").await;
    server.stop().await;
}

/// A watch that ends soon, of one label, while something happens that has another one.
async fn a_short_watch(client: &Client, namespace: &str) {
    let object =
        |name: &str, label: &str| json!({"metadata": {"name": name, "labels": {"is": label}}});
    let from = create(client, namespace, &object("known", "seen")).await;
    create(client, namespace, &object("new", "seen")).await;
    let path = format!(
        "/api/v1/namespaces/{namespace}/configmaps?watch=1&labelSelector=is%3Dseen&resourceVersion={from}&timeoutSeconds=5"
    );
    let with = format!("{path}&allowWatchBookmarks=true");
    let mut last = 0;
    let happens = async { last = create(client, namespace, &object("other", "unseen")).await };
    let (with, without) = tokio::join!(
        watch(client, &with, happens),
        watch(client, &path, async {})
    );
    assert_eq!(told(&without), ["ADDED new"]);
    // The genuine server may send one more.
    let (all, end) = (told(&with), "BOOKMARK -");
    assert_eq!(all[..2], ["ADDED new", end]);
    assert!(all[2..].iter().all(|more| more == end), "{all:?}");
    let bookmark = &with[with.len() - 1]["object"];
    assert_eq!(bookmark["kind"], "ConfigMap");
    assert_eq!(bookmark["apiVersion"], "v1");
    assert!(revision(bookmark) >= last, "{bookmark}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_ends_tells_before_where_to_go_on() {
    let world = World::shared();
    if !world.lacks(Need::Judge) {
        let namespace = world.temp_namespace("watch").await;
        a_short_watch(&world.client().await, namespace.name()).await;
    }
    let server = Embedded::start(None).await;
    a_short_watch(&server.client().await, "default").await;
    server.stop().await;
}
