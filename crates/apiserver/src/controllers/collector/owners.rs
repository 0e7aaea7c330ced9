//! Whom an object names as its owners, and whether they are there: by kind, place and name, and then by uid.
//!
//! Follows `classifyReferences` of k8s.io/kubernetes, pkg/controller/garbagecollector.

use std::sync::Arc;

use serde::Deserialize;

use super::waits_for;
use crate::cluster::{Cluster, Served};
use crate::registry::delete::FOREGROUND;
use crate::store::{Key, Record};

/// How the owners of an object stand.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// Whether one is there, and does not wait for the object to go.
    pub(super) solid: bool,
    /// Whether one waits for it to go.
    pub(super) waiting: bool,
    /// The uids of those that are not there or wait.
    pub(super) idle: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    owner_references: Vec<Reference>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Reference {
    api_version: String,
    kind: String,
    name: String,
    uid: String,
}

/// Whom a reference leads to.
enum Found {
    /// The owner.
    Live(Arc<Record>),
    /// Nobody.
    Gone,
    /// That cannot be told: a kind is not served, or is in namespaces where the object is in none.
    Unclear,
}

/// Looks up the owners of an object; none where that cannot be told of one of them, so that the object has to
/// stay.
pub(super) fn look_up(cluster: &Cluster, served: &Served, record: &Record) -> Option<Owners> {
    let metadata: Metadata = serde_json::from_slice(&record.metadata_json()).ok()?;
    let mut owners = Owners::default();
    for reference in metadata.owner_references {
        match find(cluster, served, record, &reference) {
            Found::Unclear => return None,
            Found::Live(owner) if !waits_for(&owner, FOREGROUND) => owners.solid = true,
            Found::Live(_) => {
                owners.waiting = true;
                owners.idle.push(reference.uid);
            }
            Found::Gone => owners.idle.push(reference.uid),
        }
    }
    Some(owners)
}

fn find(cluster: &Cluster, served: &Served, record: &Record, reference: &Reference) -> Found {
    let version = &*reference.api_version;
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let resource = served.catalogue.kind(group, version, &reference.kind);
    let kind = resource.and_then(|resource| served.kind(group, version, &resource.plural));
    let Some(kind) = kind else {
        return Found::Unclear;
    };
    let namespace = match (kind.resource.namespaced, record.key().namespace()) {
        (true, "") => return Found::Unclear,
        (true, namespace) => namespace,
        (false, _) => "",
    };
    let key = Key::new(&kind.stored, namespace, &reference.name).ok();
    match key.and_then(|key| cluster.store.get(&key)) {
        Some(owner) if *owner.meta().uid == *reference.uid => Found::Live(owner),
        _ => Found::Gone,
    }
}
