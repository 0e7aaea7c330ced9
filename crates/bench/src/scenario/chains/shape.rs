//! Workloads and their supply chains, and the same objects written by a bare loop.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Outcome;
use crate::connection::{Connection, Protocol};
use crate::floor::{self, Way};
use crate::stage::Stage;

/// How Workloads are created, and how the floor writes: what is best for the floor of an installation.
pub(super) const WAY: Way = Way {
    protocol: Protocol::One,
    connections: 8,
};
/// The label that a supply chain selects by.
pub(super) const CHAIN: &str = "bench.shipway.run/chain";
/// Where Workloads are.
pub(super) const NAMESPACE: &str = "bench-chains";

/// Workloads on one supply chain.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// What they are called, and their supply chains.
    pub(super) name: &'static str,
    /// Of how many resources it is.
    pub(super) resources: usize,
    /// How many Workloads there are.
    pub(super) count: usize,
}

/// The two halves of the Workloads have supply chains and templates of their own.
pub(super) fn half(index: usize) -> &'static str {
    if index.is_multiple_of(2) {
        "even"
    } else {
        "odd"
    }
}

pub(super) fn carto(collection: &str) -> String {
    format!("/apis/carto.run/v1alpha1/{collection}")
}

pub(super) fn template(name: &str, value: &str, object: &str) -> Value {
    json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterConfigTemplate", "metadata": {"name": name},
        "spec": {"configPath": ".data.value", "template": {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": object}, "data": {"value": value},
        }},
    })
}

pub(super) fn supply_chain(name: &str, templates: &[String]) -> Value {
    let resources: Vec<Value> = templates
        .iter()
        .enumerate()
        .map(|(index, template)| {
            let mut resource = json!({
                "name": format!("step-{index}"),
                "templateRef": {"kind": "ClusterConfigTemplate", "name": template},
            });
            if index > 0 {
                let from = format!("step-{}", index - 1);
                resource["configs"] = json!([{"name": "before", "resource": from}]);
            }
            resource
        })
        .collect();
    json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain", "metadata": {"name": name},
        "spec": {
            "selector": {CHAIN: name}, "resources": resources,
            "serviceAccountRef": {"name": "deployer"},
        },
    })
}

/// Supply chains and templates for both halves; `word` is in what their first resource stamps.
pub(super) async fn define(stage: &Stage, shape: Shape, word: &str) -> Outcome {
    for half in [half(0), half(1)] {
        let name = format!("bench-{}-{half}", shape.name);
        let templates: Vec<String> = (0..shape.resources)
            .map(|index| format!("{name}-{index}"))
            .collect();
        for (index, template_name) in templates.iter().enumerate() {
            let value = if index == 0 {
                format!("{word} $(workload.metadata.name)$")
            } else {
                "$(config)$".to_owned()
            };
            let object = format!("$(workload.metadata.name)$-{index}");
            let template = template(template_name, &value, &object);
            stage
                .apply(&carto("clusterconfigtemplates"), &template)
                .await?;
        }
        let chain = supply_chain(&name, &templates);
        stage.apply(&carto("clustersupplychains"), &chain).await?;
    }
    Ok(())
}

fn name_of(shape: Shape, index: usize) -> String {
    format!("{}-{index:05}", shape.name)
}

fn workload(shape: Shape, index: usize, is_served: bool) -> Value {
    let chain = if is_served {
        format!("bench-{}-{}", shape.name, half(index))
    } else {
        "none".to_owned()
    };
    json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "Workload",
        "metadata": {"name": name_of(shape, index), "namespace": NAMESPACE, "labels": {CHAIN: chain}},
        "spec": {"source": {"git": {"url": "https://git.example.org/app.git", "ref": {"branch": "main"}}}},
    })
}

pub(super) async fn create(stage: &Stage, shape: Shape, is_served: bool) -> Outcome {
    let all: Vec<Value> = (0..shape.count)
        .map(|index| workload(shape, index, is_served))
        .collect();
    let all = Arc::new(all);
    let collection = carto(&format!("namespaces/{NAMESPACE}/workloads"));
    floor::spread(stage, WAY, shape.count, move |connection, index| {
        let (all, collection) = (all.clone(), collection.clone());
        async move { connection.create(&collection, &all[index]).await }
    })
    .await
}

/// Seconds of the same applies and one status for each Workload, by a bare loop.
pub(super) async fn floor(stage: &Stage, shape: Shape) -> Outcome<f64> {
    create(stage, shape, false).await?;
    stage.rest().await?;
    let began = Instant::now();
    floor::spread(
        stage,
        WAY,
        shape.count,
        move |connection, index| async move { write_one(&connection, shape, index).await },
    )
    .await?;
    Ok(began.elapsed().as_secs_f64())
}

async fn write_one(connection: &Connection, shape: Shape, index: usize) -> Outcome {
    let name = name_of(shape, index);
    let deployer = connection.as_deployer(NAMESPACE)?;
    let digest = "0123456789abcdef0123456789abcdef";
    for step in 0..shape.resources {
        let object = format!("{name}-{step}");
        // As Shipway sends it: with Cartographer's labels, an owner and the digest of the stamp.
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": object, "namespace": NAMESPACE,
                "labels": {
                    "carto.run/workload-name": name, "carto.run/workload-namespace": NAMESPACE,
                    "carto.run/supply-chain-name": "bench-floor", "carto.run/resource-name": object,
                    "carto.run/template-kind": "ClusterConfigTemplate",
                    "carto.run/cluster-template-name": "bench-floor", "carto.run/template-lifecycle": "mutable",
                },
                "annotations": {"bench.shipway.run/stamp": digest},
                "ownerReferences": [{
                    "apiVersion": "carto.run/v1alpha1", "kind": "Workload", "name": name, "controller": true,
                    "uid": "00000000-0000-0000-0000-000000000000",
                }],
            },
            "data": {"value": format!("first {name}")},
        });
        let path = format!("/api/v1/namespaces/{NAMESPACE}/configmaps/{object}");
        deployer
            .apply(&path, &format!("bench:{name}"), &map)
            .await?;
    }
    let path = carto(&format!("namespaces/{NAMESPACE}/workloads/{name}/status"));
    let status = json!({"status": status(shape, &name)});
    connection.merge(&path, "bench", &status).await
}

/// As large as Cartographer's status of a Workload.
fn status(shape: Shape, name: &str) -> Value {
    let condition = |kind: &str, reason: &str| {
        json!({
            "type": kind, "status": "True", "reason": reason, "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let resources: Vec<Value> = (0..shape.resources)
        .map(|step| {
            json!({
                "name": format!("step-{step}"),
                "stampedRef": {
                    "apiVersion": "v1", "kind": "ConfigMap", "name": format!("{name}-{step}"), "namespace": NAMESPACE,
                    "resource": "configmaps",
                },
                "templateRef": {
                    "apiVersion": "carto.run/v1alpha1", "kind": "ClusterConfigTemplate", "name": "bench-floor",
                },
                "outputs": [{
                    "name": "config", "preview": format!("first {name}\n"), "lastTransitionTime": "2026-01-01T00:00:00Z",
                    "digest": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                }],
                "conditions": [
                    condition("ResourceSubmitted", "ResourceSubmissionComplete"),
                    condition("Healthy", "OutputsAvailable"), condition("Ready", "Ready"),
                ],
            })
        })
        .collect();
    json!({
        "observedGeneration": 1,
        "supplyChainRef": {"kind": "ClusterSupplyChain", "name": "bench-floor"},
        "resources": resources,
        "conditions": [
            condition("SupplyChainReady", "Ready"), condition("ResourcesSubmitted", "ResourceSubmissionComplete"),
            condition("ResourcesHealthy", "HealthyConditionRule"), condition("Ready", "Ready"),
        ],
    })
}
