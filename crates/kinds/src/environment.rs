//! `Environment`: what is specific to where a Shipment runs.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::shipment::GitReference;

/// Which Shipments of this cluster it covers, what it adds to them and how it protects them.
#[derive(
    CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "shipway.run",
    version = "v1alpha1",
    kind = "Environment",
    shortname = "env",
    status = "EnvironmentStatus",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name":"Overlay","type":"string","jsonPath":".status.overlay"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name":"Message","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].message"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentSpec {
    /// Labels that a Shipment must carry (it carries its Deliverable's); all Shipments when empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
    /// Namespaces whose Shipments are covered; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Configuration that is added to the covered Shipments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<OverlaySource>,
    /// What must not be deleted without somebody's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection: Option<Protection>,
}

/// Where the overlay comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverlaySource {
    /// A Git repository.
    pub git: OverlayGit,
    /// The folder that holds `all/` and `<namespace>/<name>/`; the whole repository when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often it is looked up where no push event comes; 30s when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
}

/// A Git repository and the revision in it, named from a cluster-scoped object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverlayGit {
    /// The repository's http or https URL, without credentials.
    pub url: String,
    /// The revision; the branch `main` when absent.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitReference>,
    /// The Secret with credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<NamespacedSecret>,
}

/// A Secret, named from a cluster-scoped object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamespacedSecret {
    /// The Secret's name.
    pub name: String,
    /// The Secret's namespace.
    pub namespace: String,
}

/// What must not be deleted without somebody's word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Protection {
    /// How many objects one prune may delete: a number, or a share such as `25%`. Half of the
    /// inventory, where that is more than 5, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_budget: Option<String>,
    /// Further kinds that are only pruned when confirmed, as `Kind` or `Kind.group`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirm_kinds: Vec<String>,
}

/// How an Environment stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::list_schema")]
    pub conditions: Vec<Condition>,
    /// The revision of the overlay, such as `sha1:<commit>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<String>,
}
