//! The floor: the same writes by a bare loop. Nothing that delivers can be faster than this.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::names;
use kube::Api;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Outcome;
use crate::connection::{Connection, Protocol};
use crate::effort::{Clock, Effort};
use crate::latency::Latency;
use crate::sight::{self, Sight};
use crate::specification::{self, Object};
use crate::stage::Stage;

/// A way to send many writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The HTTP that is spoken.
    pub(crate) protocol: Protocol,
    /// How many connections there are, each with one request at a time.
    pub(crate) connections: usize,
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} over {}", self.connections, self.protocol.name())
    }
}

/// What the floor of an installation took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Install {
    /// Seconds to create the Shipments, which is not part of the floor.
    pub(crate) creating: f64,
    /// Seconds of four applies and two writes for each Shipment.
    pub(crate) writing: f64,
    /// Seconds from the first of these until Kubernetes' own controllers had seen every Deployment.
    pub(crate) observed: f64,
    /// What the writing cost, which also tells whether the machine was ours.
    pub(crate) effort: Effort,
}

/// The objects of many Shipments, written by nobody but a loop.
///
/// Assumptions: no Shipway controller runs.
pub(crate) async fn install(
    stage: &Stage,
    namespace: &str,
    count: usize,
    way: Way,
) -> Outcome<Install> {
    stage.namespace(namespace).await?;
    let began = Instant::now();
    let ns = namespace.to_owned();
    spread(stage, way, count, move |connection, index| {
        let ns = ns.clone();
        async move { create_shipment(&connection, &ns, &specification::name(index)).await }
    })
    .await?;
    let creating = began.elapsed().as_secs_f64();
    stage.rest().await?;

    let clock = Clock::start(stage, None)?;
    let began = Instant::now();
    let ns = namespace.to_owned();
    spread(stage, way, count, move |connection, index| {
        let ns = ns.clone();
        async move { write_one(&connection, &ns, &specification::name(index)).await }
    })
    .await?;
    let writing = began.elapsed().as_secs_f64();
    let effort = clock.read()?;
    let deployments: Api<Deployment> = Api::namespaced(stage.client.clone(), namespace);
    let observed = sight::until_all(deployments, count, Duration::from_mins(10), |deployment| {
        let status = deployment.status.as_ref();
        status.and_then(|status| status.observed_generation) == deployment.metadata.generation
    });
    let observed = (observed.await?.all - began).as_secs_f64();
    stage.remove_namespace(namespace).await?;
    stage.rest().await?;
    Ok(Install {
        creating,
        writing,
        observed,
        effort,
    })
}

/// Does something for each index, over several connections with one request at a time.
pub(crate) async fn spread<F, W>(stage: &Stage, way: Way, count: usize, work: W) -> Outcome
where
    F: Future<Output = Outcome> + Send + 'static,
    W: Fn(Connection, usize) -> F + Clone + Send + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers: JoinSet<Outcome> = JoinSet::new();
    for _ in 0..way.connections {
        let connection = Connection::open(&stage.config, way.protocol)?;
        let (next, work) = (next.clone(), work.clone());
        workers.spawn(async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return Ok(());
                }
                work(connection.clone(), index).await?;
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.map_err(|error| error.to_string())??;
    }
    Ok(())
}

async fn create_shipment(connection: &Connection, namespace: &str, name: &str) -> Outcome {
    let git = json!({"url": "https://git.example.org/apps.git", "secretRef": {"name": "git"}});
    let shipment = json!({
        "apiVersion": "shipway.run/v1alpha1", "kind": "Shipment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"source": {"git": git}, "path": format!("apps/{name}"), "serviceAccountName": "deployer"},
    });
    connection
        .create(&ours(namespace, "shipments"), &shipment)
        .await
}

/// What Shipway's own objects are called by the API server.
fn ours(namespace: &str, plural: &str) -> String {
    format!("/apis/shipway.run/v1alpha1/namespaces/{namespace}/{plural}")
}

async fn write_one(connection: &Connection, namespace: &str, name: &str) -> Outcome {
    let objects = specification::application(namespace, name);
    let manager = format!("bench:{namespace}/{name}");
    let deployer = connection.as_deployer(namespace)?;
    for object in &objects {
        let path = format!("{}/{name}", object.collection);
        deployer
            .apply(&path, &manager, &marked(object, namespace, name))
            .await?;
    }
    connection
        .create(
            &ours(namespace, "inventories"),
            &inventory(&objects, namespace, name),
        )
        .await?;
    let path = format!("{}/{name}/status", ours(namespace, "shipments"));
    connection
        .merge(&path, "bench", &json!({"status": status()}))
        .await
}

/// As Shipway sends an object: with namespace, owner label and annotation, as long as the real ones.
fn marked(object: &Object, namespace: &str, name: &str) -> Value {
    let mut manifest = object.manifest.clone();
    let metadata = &mut manifest["metadata"];
    metadata["namespace"] = json!(namespace);
    metadata["labels"]["bench.shipway.run/owner"] =
        json!(names::owner_label("shipment", namespace, name));
    metadata["annotations"]["bench.shipway.run/owner"] = json!(format!("{namespace}/{name}"));
    manifest
}

/// As large as the Inventory of a Shipment.
fn inventory(objects: &[Object; 4], namespace: &str, name: &str) -> Value {
    let digest = "0123456789abcdef0123456789abcdef";
    let entries: Vec<Value> = objects
        .iter()
        .map(|object| {
            let api = object.manifest["apiVersion"].as_str().unwrap_or_default();
            let (group, version) = api.split_once('/').unwrap_or(("", api));
            json!({
                "group": group, "version": version, "kind": object.manifest["kind"], "namespace": namespace,
                "name": name, "uid": "00000000-0000-0000-0000-000000000000", "applied": digest, "fields": digest,
            })
        })
        .collect();
    json!({
        "apiVersion": "shipway.run/v1alpha1", "kind": "Inventory",
        "metadata": {"name": format!("{name}.0"), "namespace": namespace},
        "spec": {"shipment": name, "key": digest, "entries": entries},
    })
}

fn status() -> Value {
    let condition = |kind: &str, reason: &str| {
        json!({
            "type": kind, "status": "True", "reason": reason, "observedGeneration": 1,
            "message": "4 objects are applied and healthy", "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    json!({
        "observedGeneration": 1, "objects": 4, "failed": 0,
        "revision": "main@sha1:0123456789abcdef0123456789abcdef01234567",
        "specification": "0123456789abcdef0123456789abcdef01234567",
        "conditions": [condition("Ready", "Ready"), condition("Reconciling", "Ready")],
    })
}

/// From the sending of a bare apply of a ConfigMap until a watch shows it.
pub(crate) async fn latency(stage: &Stage, namespace: &str, count: usize) -> Outcome<Latency> {
    let name = "floor";
    let collection = format!("/api/v1/namespaces/{namespace}/configmaps");
    let path = format!("{collection}/{name}");
    let deployer = stage.admin.as_deployer(namespace)?;
    let api: Api<ConfigMap> = Api::namespaced(stage.client.clone(), namespace);
    let mut sight = Sight::follow(api, name, value_of);
    let mut samples = Vec::with_capacity(count);
    // The first one creates the object and is not counted.
    for round in 0..=count {
        let wanted = round.to_string();
        let began = Instant::now();
        let manifest = specification::config_map(name, &wanted);
        deployer.apply(&path, "bench", &manifest).await?;
        let seen = sight.until(&wanted, Duration::from_secs(30)).await?;
        if round > 0 {
            samples.push(seen - began);
        }
    }
    Ok(Latency::of(samples))
}

/// The value that scenarios change.
pub(crate) fn value_of(map: &ConfigMap) -> String {
    let data = map.data.as_ref();
    data.and_then(|data| data.get("value"))
        .cloned()
        .unwrap_or_default()
}
