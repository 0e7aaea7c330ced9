//! The documents of legacy discovery are those of the genuine server, but for what the embedded one does not serve.

use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use suite::Embedded;
use testkit::{Need, World};

/// What is below objects of which the genuine server tells alone: `docs/embedded-limits.md`.
const UNSERVED: [&str; 6] = [
    "/approval",
    "/binding",
    "/ephemeralcontainers",
    "/eviction",
    "/proxy",
    "/resize",
];
/// Resources of which the genuine server tells alone: `docs/embedded-limits.md`.
const MISSING: [&str; 8] = [
    "bindings",
    "componentstatuses",
    "localsubjectaccessreviews",
    "subjectaccessreviews",
    "tokenreviews",
    "volumeattributesclasses",
    "volumeattributesclasses/status",
    "volumeattachments/status",
];

async fn get(client: &Client, path: &str) -> Value {
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        // As a client that knows no aggregated discovery.
        .header("accept", "application/json")
        .body(Body::empty())
        .expect("the request is right");
    let response = client.send(request).await.expect("it is answered");
    let code = response.status();
    let read = response.into_body().collect().await.expect("it is read");
    assert!(code.is_success(), "{path}: {code}");
    serde_json::from_slice(&read.to_bytes()).expect("it is JSON")
}

/// Keeps of the genuine server's list what the embedded one has as well; tells what it left out.
fn keep(genuine: &mut Value, embedded: &Value, list: &str) -> Vec<String> {
    let name = |item: &Value| item["name"].as_str().unwrap_or_default().to_owned();
    let known: Vec<String> = embedded[list]
        .as_array()
        .into_iter()
        .flatten()
        .map(name)
        .collect();
    let mut left = Vec::new();
    if let Some(items) = genuine[list].as_array_mut() {
        items.retain(|item| {
            let name = name(item);
            let is_known = known.contains(&name);
            if !is_known {
                left.push(name);
            }
            is_known
        });
    }
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_of_legacy_discovery_are_those_of_the_genuine_server() {
    let world = World::shared();
    if world.lacks(Need::Judge) {
        return;
    }
    let genuine = world.client().await;
    let server = Embedded::start(None).await;
    let embedded = server.client().await;

    let mut versions = [get(&genuine, "/api").await, get(&embedded, "/api").await];
    for document in &mut versions {
        if let Some(document) = document.as_object_mut() {
            document.remove("serverAddressByClientCIDRs");
        }
    }
    assert_eq!(versions[1], versions[0]);

    let mut groups = get(&genuine, "/apis").await;
    let known = get(&embedded, "/apis").await;
    drop(keep(&mut groups, &known, "groups"));
    // Other versions than the stable ones are not served.
    let others = known["groups"].as_array().into_iter().flatten();
    let all = groups["groups"].as_array_mut().into_iter().flatten();
    for (group, other) in all.zip(others) {
        if let (Some(versions), Some(other)) = (
            group["versions"].as_array_mut(),
            other["versions"].as_array(),
        ) {
            versions.retain(|version| other.contains(version));
        }
    }
    assert_eq!(known, groups);

    let mut paths = vec!["/api/v1".to_owned()];
    for group in known["groups"].as_array().into_iter().flatten() {
        let name = group["name"].as_str().unwrap_or_default();
        let mut own = get(&embedded, &format!("/apis/{name}")).await;
        // Alone it says what it is.
        if let Some(own) = own.as_object_mut() {
            own.remove("kind");
            own.remove("apiVersion");
        }
        assert_eq!(&own, group);
        for version in group["versions"].as_array().into_iter().flatten() {
            let version = version["groupVersion"].as_str().unwrap_or_default();
            paths.push(format!("/apis/{version}"));
        }
    }
    for path in paths {
        let mut wanted = get(&genuine, &path).await;
        let told = get(&embedded, &path).await;
        let left = keep(&mut wanted, &told, "resources");
        let unknown: Vec<String> = left
            .into_iter()
            .filter(|name| {
                !UNSERVED.iter().any(|part| name.ends_with(part))
                    && !MISSING.contains(&name.as_str())
            })
            .collect();
        assert!(
            unknown.is_empty(),
            "{path}: {unknown:?} is neither served nor named"
        );
        assert_eq!(told, wanted, "{path}");
    }
    server.stop().await;
}
