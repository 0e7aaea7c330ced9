//! The status of workloads that nothing runs: it says that it is simulated, and ends as it is told.

use std::time::Duration;

use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use suite::Embedded;
use testkit::eventually;

const PATIENCE: Duration = Duration::from_secs(20);

async fn ask(client: &Client, method: Method, path: &str, body: &Value) -> Value {
    let media = match method {
        Method::PATCH => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", media)
        .body(Body::from(body.to_string().into_bytes()))
        .expect("the request is right");
    let response = client.send(request).await.expect("it is answered");
    let read = response.into_body().collect().await.expect("it is read");
    serde_json::from_slice(&read.to_bytes()).expect("it is JSON")
}

/// Creates a workload that is told how to end.
async fn create(client: &Client, namespace: &str, object: &Value) -> String {
    let api = object["apiVersion"].as_str().unwrap_or_default();
    let plural = object["kind"].as_str().unwrap_or_default().to_lowercase() + "s";
    let path = format!("/apis/{api}/namespaces/{namespace}/{plural}");
    let made = ask(client, Method::POST, &path, object).await;
    let name = made["metadata"]["name"].as_str();
    format!("{path}/{}", name.expect("it is made"))
}

fn workload(api: &str, kind: &str, name: &str, outcome: Option<&str>) -> Value {
    let annotations = match outcome {
        Some(outcome) => json!({"apiserver.shipway.run/simulate": outcome}),
        None => json!({}),
    };
    let mut object = json!({
        "apiVersion": api, "kind": kind, "metadata": {"name": name},
        "spec": {"template": {
            "metadata": {"labels": {"app": name}, "annotations": annotations},
            "spec": {"containers": [{"name": "main", "image": "main:1"}]},
        }},
    });
    if kind == "Job" {
        object["spec"]["template"]["spec"]["restartPolicy"] = json!("Never");
    } else {
        object["spec"]["selector"] = json!({"matchLabels": {"app": name}});
    }
    object
}

/// Waits until a workload has the conditions, and looks whether it says that they are simulated.
async fn ends(client: &Client, path: &str, wanted: &[&str]) {
    let object = eventually("its status", PATIENCE, || async {
        let object = ask(client, Method::GET, path, &Value::Null).await;
        let conditions = object["status"]["conditions"].as_array();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let told: Vec<String> = conditions
            .into_iter()
            .flatten()
            .map(|of| {
                let parts = [&of["type"], &of["status"], &of["reason"]];
                parts.map(text).join(" ")
            })
            .collect();
        if told == wanted {
            Ok(object)
        } else {
            Err(object.to_string())
        }
    })
    .await;
    let mark = &object["metadata"]["annotations"]["apiserver.shipway.run/simulated"];
    assert_eq!(mark, "true", "{object}");
    assert_eq!(object["metadata"]["generation"], 1, "{object}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_status_says_so_and_is_as_its_template_wants() {
    let server = Embedded::start(Some(Duration::from_millis(20))).await;
    let client = server.client().await;
    let well = create(
        &client,
        "default",
        &workload("apps/v1", "Deployment", "well", None),
    )
    .await;
    ends(
        &client,
        &well,
        &[
            "Available True MinimumReplicasAvailable",
            "Progressing True NewReplicaSetAvailable",
        ],
    )
    .await;
    let failing = workload("apps/v1", "Deployment", "failing", Some("fail"));
    let failing = create(&client, "default", &failing).await;
    ends(
        &client,
        &failing,
        &[
            "Available False MinimumReplicasUnavailable",
            "Progressing False ProgressDeadlineExceeded",
        ],
    )
    .await;
    let hanging = workload("apps/v1", "Deployment", "hanging", Some("hang"));
    let hanging = create(&client, "default", &hanging).await;
    ends(
        &client,
        &hanging,
        &[
            "Available False MinimumReplicasUnavailable",
            "Progressing True ReplicaSetUpdated",
        ],
    )
    .await;
    let job = workload("batch/v1", "Job", "failing", Some("fail"));
    let job = create(&client, "default", &job).await;
    ends(
        &client,
        &job,
        &[
            "FailureTarget True BackoffLimitExceeded",
            "Failed True BackoffLimitExceeded",
        ],
    )
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_lets_all_hang_lets_go_again() {
    let server = Embedded::start(Some(Duration::from_millis(20))).await;
    let client = server.client().await;
    let annotations = |outcome: Option<&str>| json!({"metadata": {"name": "quiet", "annotations": {"apiserver.shipway.run/simulate": outcome}}});
    ask(
        &client,
        Method::POST,
        "/api/v1/namespaces",
        &annotations(Some("hang")),
    )
    .await;
    let web = create(
        &client,
        "quiet",
        &workload("apps/v1", "Deployment", "web", None),
    )
    .await;
    ends(
        &client,
        &web,
        &[
            "Available False MinimumReplicasUnavailable",
            "Progressing True ReplicaSetUpdated",
        ],
    )
    .await;
    ask(
        &client,
        Method::PATCH,
        "/api/v1/namespaces/quiet",
        &annotations(None),
    )
    .await;
    ends(
        &client,
        &web,
        &[
            "Available True MinimumReplicasAvailable",
            "Progressing True NewReplicaSetAvailable",
        ],
    )
    .await;
    server.stop().await;
}
