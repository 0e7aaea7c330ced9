//! What every namespace has: the ServiceAccount `default` and the certificate of the authority. And
//! roles that are made of others.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Changes, now};
use crate::auth::rbac::aggregated_rules;
use crate::cluster::Cluster;
use crate::registry::draft::Author;
use crate::registry::meta;
use crate::registry::options::WriteOptions;
use crate::registry::write::Write;
use crate::start::make;
use crate::status::Status;
use crate::store::{EventKind, Key, Resource, Scope};

/// The ConfigMap with the authority's certificate.
const ROOT_CA: &str = "kube-root-ca.crt";

/// Works until it is dropped.
pub(super) async fn run(cluster: Arc<Cluster>, ca_pem: String) {
    let namespaces = Resource::new("", "namespaces");
    let accounts = Resource::new("", "serviceaccounts");
    let maps = Resource::new("", "configmaps");
    let roles = Resource::new("rbac.authorization.k8s.io", "clusterroles");
    loop {
        let snapshot = cluster.store.snapshot(&namespaces);
        let Ok(mut changes) = Changes::from(&cluster, snapshot.revision()) else {
            continue;
        };
        for record in snapshot.iter(&Scope::all()) {
            furnish(&cluster, record.key().name(), &ca_pem).await;
        }
        aggregate(&cluster, &roles).await;
        while let Ok(events) = changes.next().await {
            let mut roles_changed = false;
            for event in events {
                let key = event.record.key();
                let gone = event.kind == EventKind::Deleted;
                roles_changed |= *key.resource() == roles;
                if *key.resource() == namespaces && event.kind == EventKind::Added {
                    furnish(&cluster, key.name(), &ca_pem).await;
                }
                let ours = (*key.resource() == accounts && key.name() == "default")
                    || (*key.resource() == maps && key.name() == ROOT_CA);
                if ours && gone {
                    furnish(&cluster, key.namespace(), &ca_pem).await;
                }
            }
            if roles_changed {
                aggregate(&cluster, &roles).await;
            }
        }
    }
}

/// Makes in a namespace what is missing.
async fn furnish(cluster: &Cluster, namespace: &str, ca_pem: &str) {
    let served = cluster.served();
    let account = json!({"metadata": {"name": "default"}});
    let map = json!({
        "metadata": {"name": ROOT_CA, "annotations": {
            "kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
        }},
        "data": {"ca.crt": ca_pem},
    });
    for (resource, object) in [("serviceaccounts", account), ("configmaps", map)] {
        let Some(kind) = served.kind("", "v1", resource) else {
            continue;
        };
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let there = Key::new(&kind.stored, namespace, name)
            .ok()
            .and_then(|key| cluster.store.get(&key));
        if there.is_some() {
            continue;
        }
        // The namespace may be on its way out.
        if let Err(status) = make(cluster, kind, namespace, object, &now()).await {
            tracing::debug!(
                "could not furnish the namespace `{namespace}`: {}",
                status.message
            );
        }
    }
}

async fn aggregate(cluster: &Cluster, roles: &Resource) {
    let snapshot = cluster.store.snapshot(roles);
    let all: Vec<(Key, Value)> = snapshot
        .iter(&Scope::all())
        .map(|record| (record.key().clone(), record.value()))
        .collect();
    for (key, role) in &all {
        let others = all.iter().map(|(_, other)| other);
        let Some(made) = aggregated_rules(role, others) else {
            continue;
        };
        let combined: Vec<Value> = made
            .iter()
            .map(crate::auth::rbac::PolicyRule::to_json)
            .collect();
        if let Err(status) = apply_rules(cluster, role, combined).await {
            tracing::debug!(
                "could not aggregate the role `{}`: {}",
                key.name(),
                status.message
            );
        }
    }
}

/// As upstream's controller does: by a forced apply in its own name. A role that has gone stays gone, since
/// the apply names the uid.
async fn apply_rules(cluster: &Cluster, role: &Value, rules: Vec<Value>) -> Result<(), Status> {
    let served = cluster.served();
    let Some(kind) = served.kind("rbac.authorization.k8s.io", "v1", "clusterroles") else {
        return Ok(());
    };
    let options = WriteOptions {
        force: Some(true),
        ..WriteOptions::default()
    };
    let write = Write {
        user: None,
        kind,
        namespace: "",
        name: meta::text(role, "name"),
        subresource: "",
        options: &options,
        author: Author {
            manager: "clusterrole-aggregation-controller",
            now: &now(),
        },
    };
    let mut config = json!({
        "apiVersion": kind.api_version, "kind": *kind.resource.kind,
        "metadata": {"name": meta::text(role, "name"), "uid": meta::text(role, "uid")},
    });
    // Upstream's client leaves out a list that is empty, and so gives up the field.
    if !rules.is_empty() {
        config["rules"] = rules.into();
    }
    write.apply(cluster, &config).await.map(drop)
}
