//! `Deliverable`: Cartographer's kind, field for field.
//!
//! Nothing may be added to it: whoever re-applies Cartographer's own CRD would silently drop
//! what an extra field holds. The source of the fields is `carto.run_deliverables.yaml` of
//! Cartographer v0.8.11.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cartographer::owner::{ObjectReference, OwnerParam, ResourceStatus, Source};
use crate::condition::{Condition, find};

/// A deployment specification that this cluster is to run.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "Deliverable",
    namespaced,
    shortname = "dlv",
    category = "all",
    status = "DeliverableStatus",
    printcolumn = r#"{"name":"Source","type":"string","jsonPath":".spec.source['git.url','image']"}"#,
    printcolumn = r#"{"name":"Delivery","type":"string","jsonPath":".status.deliveryRef.name"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct DeliverableSpec {
    /// Values for the delivery's templates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<OwnerParam>,
    /// The ServiceAccount that submits what is stamped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Where the deployment specification is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// How a Deliverable stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliverableStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `DeliveryReady`, `ResourcesSubmitted`, `ResourcesHealthy`, `Ready`, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::list_schema")]
    pub conditions: Vec<Condition>,
    /// The delivery that was selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_ref: Option<ObjectReference>,
    /// What was stamped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceStatus>,
}

impl DeliverableStatus {
    /// What keeps the Deliverable from its Shipment, if anything does: no delivery selects it, or the
    /// Shipment could not be stamped.
    pub fn refusal(&self) -> Option<&Condition> {
        ["DeliveryReady", "ResourcesSubmitted"]
            .into_iter()
            .filter_map(|kind| find(&self.conditions, kind))
            .find(|condition| condition.status == "False")
    }
}
