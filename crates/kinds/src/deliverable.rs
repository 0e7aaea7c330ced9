//! `Deliverable`: Cartographer's kind, field for field.
//!
//! Nothing may be added to it: whoever re-applies Cartographer's own CRD would silently drop
//! what an extra field holds. The source of the fields is `carto.run_deliverables.yaml` of
//! Cartographer v0.8.11.

use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::condition::{Condition, find};
use crate::shipment::GitReference;

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
    pub source: Option<DeliverableSource>,
}

/// A named value of any shape.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnerParam {
    /// The parameter's name.
    pub name: String,
    /// The parameter's value.
    #[schemars(schema_with = "any_value")]
    pub value: serde_json::Value,
}

/// Where a Deliverable's deployment specification is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliverableSource {
    /// A Git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<DeliverableGit>,
    /// An image that holds the specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The folder in the source; its root when empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_path: Option<String>,
}

/// A Git repository as a Deliverable names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliverableGit {
    /// The repository's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The revision.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitReference>,
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

/// Cartographer's own reference to a blueprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectReference {
    /// The kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The apiVersion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
}

/// A resource of the delivery and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceStatus {
    /// The resource's name in the delivery.
    pub name: String,
    /// The object that was stamped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "stamped_reference")]
    pub stamped_ref: Option<CoreReference>,
    /// The template that it was stamped from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "core_reference")]
    pub template_ref: Option<CoreReference>,
    /// The resources whose outputs went in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Input>,
    /// What came out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
    /// `ResourceSubmitted`, `Healthy`, `Ready`, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::list_schema")]
    pub conditions: Vec<Condition>,
}

/// `corev1.ObjectReference`, and Cartographer's `resource` beside it for a stamped object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CoreReference {
    /// The apiVersion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `plural.group`, only on a stamped object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// A resource whose output went in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// The producing resource's name.
    pub name: String,
}

/// An output of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The output's name.
    pub name: String,
    /// The first 1024 bytes of its YAML.
    pub preview: String,
    /// `sha256:<hex>` of its whole YAML.
    pub digest: String,
    /// When the digest last changed.
    #[schemars(schema_with = "date_time")]
    pub last_transition_time: String,
}

fn any_value(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"x-kubernetes-preserve-unknown-fields": true})
}

fn date_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

fn core_reference(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "properties": {
            "apiVersion": {"type": "string"}, "fieldPath": {"type": "string"},
            "kind": {"type": "string"}, "name": {"type": "string"},
            "namespace": {"type": "string"}, "resourceVersion": {"type": "string"},
            "uid": {"type": "string"}
        }
    })
}

fn stamped_reference(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = core_reference(generator);
    if let Some(properties) = schema.get_mut("properties") {
        properties["resource"] = serde_json::json!({"type": "string"});
    }
    schema
}
