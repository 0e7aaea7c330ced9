//! Played kubelets are enough for genuine controllers.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, PostParams};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testkit::{Need, World, eventually, kubelet};

const PATIENCE: Duration = Duration::from_mins(1);

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the manifest fits its type")
}

async fn create_deployment(client: &Client, namespace: &str, image: &str) -> Api<Deployment> {
    let deployments = Api::namespaced(client.clone(), namespace);
    let manifest = object(json!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": image }] },
            },
        },
    }));
    deployments
        .create(&PostParams::default(), &manifest)
        .await
        .expect("a deployment can be created");
    deployments
}

fn available(deployment: &Deployment) -> Result<(), String> {
    let status = deployment.status.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let holds = conditions
        .iter()
        .any(|condition| condition.type_ == "Available" && condition.status == "True");
    match (holds, status.available_replicas) {
        (true, Some(2)) => Ok(()),
        (_, replicas) => Err(format!(
            "{replicas:?} replicas are available, conditions {conditions:?}"
        )),
    }
}

#[tokio::test]
async fn a_deployment_becomes_available() {
    let world = World::shared();
    if world.lacks(Need::Pods) {
        return;
    }
    let (client, namespace) = (world.client().await, world.temp_namespace("kubelet").await);
    let _kubelet = kubelet::play(&client, namespace.name());
    let deployments = create_deployment(&client, namespace.name(), "registry.example/web:1").await;
    eventually("the deployment to be available", PATIENCE, || async {
        available(
            &deployments
                .get("web")
                .await
                .map_err(|err| err.to_string())?,
        )
    })
    .await;
}

#[tokio::test]
async fn a_broken_image_never_becomes_ready() {
    let world = World::shared();
    if world.lacks(Need::Pods) {
        return;
    }
    let (client, namespace) = (world.client().await, world.temp_namespace("kubelet").await);
    let _kubelet = kubelet::play(&client, namespace.name());
    let deployments =
        create_deployment(&client, namespace.name(), "registry.example/broken:1").await;
    let pods = Api::<Pod>::namespaced(client.clone(), namespace.name());
    eventually("both pods to back off", PATIENCE, || async {
        let listed = pods
            .list(&ListParams::default())
            .await
            .map_err(|err| err.to_string())?;
        let text = serde_json::to_string(&listed.items).expect("pods are JSON");
        let waiting = text.matches(r#""reason":"ImagePullBackOff""#).count();
        if waiting == 2 {
            Ok(())
        } else {
            Err(format!("{waiting} pods back off"))
        }
    })
    .await;
    let deployment = deployments.get("web").await.expect("it is there");
    assert_eq!(
        deployment
            .status
            .and_then(|status| status.available_replicas),
        None
    );
}

#[tokio::test]
async fn a_job_completes() {
    let world = World::shared();
    if world.lacks(Need::Pods) {
        return;
    }
    let (client, namespace) = (world.client().await, world.temp_namespace("kubelet").await);
    let _kubelet = kubelet::play(&client, namespace.name());
    let jobs = Api::<Job>::namespaced(client.clone(), namespace.name());
    let manifest = object(json!({
        "metadata": { "name": "migrate" },
        "spec": { "template": { "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "migrate", "image": "registry.example/migrate:1" }],
        } } },
    }));
    jobs.create(&PostParams::default(), &manifest)
        .await
        .expect("a job can be created");
    eventually("the job to succeed", PATIENCE, || async {
        let status = jobs
            .get("migrate")
            .await
            .map_err(|err| err.to_string())?
            .status;
        match status
            .as_ref()
            .and_then(|status| status.completion_time.as_ref())
        {
            Some(_) => Ok(()),
            None => Err(format!("{status:?}")),
        }
    })
    .await;
}
