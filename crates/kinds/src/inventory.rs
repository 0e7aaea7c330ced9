//! `Inventory`: what a Shipment has delivered, written by the controller alone.
//!
//! It is a kind of its own because a status has no room for it (12,000 entries exceed what etcd
//! takes) and because whoever may edit a status could nominate objects for deletion.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many entries one Inventory object holds at most.
pub const CHUNK: usize = 1000;

/// A part of what a Shipment has delivered.
#[derive(
    CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "shipway.run",
    version = "v1alpha1",
    kind = "Inventory",
    plural = "inventories",
    namespaced,
    printcolumn = r#"{"name":"Shipment","type":"string","jsonPath":".spec.shipment"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct InventorySpec {
    /// The Shipment in the same namespace.
    pub shipment: String,
    /// What was rendered when everything in it had been applied: the digest of all inputs.
    /// Only the first part of an inventory carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The objects.
    pub entries: Vec<InventoryEntry>,
}

/// One delivered object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryEntry {
    /// The API group; empty for the core group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The version it was last applied as.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; absent for a cluster-scoped object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The object's uid; absent where a crash came between the entry and the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The digest of the manifest that was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<String>,
    /// The hash of our own `fieldsV1` entry after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
}
