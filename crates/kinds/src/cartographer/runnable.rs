//! `Runnable` and `ClusterRunTemplate`: objects that run to an end, such as a test or a build,
//! and are created anew for every change.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::template::RetentionPolicy;
use crate::condition::Condition;

/// Something to run once for each of its versions.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "Runnable",
    namespaced,
    shortname = "run",
    status = "RunnableStatus",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
pub struct RunnableSpec {
    /// The template that it is stamped from.
    pub run_template_ref: RunTemplateReference,
    /// An object whose values the template may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<ResourceSelector>,
    /// Values for the template.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::any_values")]
    pub inputs: BTreeMap<String, Value>,
    /// The ServiceAccount that submits what is stamped; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// How many finished runs are kept.
    #[serde(default)]
    pub retention_policy: RetentionPolicy,
}

/// The template of a Runnable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunTemplateReference {
    /// The template's kind; it is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The template's name.
    #[schemars(length(min = 1))]
    pub name: String,
}

/// An object that is found by its labels; there has to be exactly one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceSelector {
    /// What kind of object it is.
    pub resource: ResourceType,
    /// The labels that it has to carry.
    pub matching_labels: BTreeMap<String, String>,
}

/// A kind of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceType {
    /// The apiVersion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// The kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// How a Runnable stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunnableStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `RunTemplateReady`, `StampedObjectCondition`, `Ready`, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::list_schema")]
    pub conditions: Vec<Condition>,
    /// What the newest run that succeeded came to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "super::any_values")]
    pub outputs: BTreeMap<String, Value>,
}

/// A template that Runnables are stamped from.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "ClusterRunTemplate",
    shortname = "crt"
)]
pub struct ClusterRunTemplateSpec {
    /// The object to stamp, with `$(path)$` where values go.
    #[schemars(schema_with = "super::any_object")]
    pub template: Value,
    /// The outputs' names, and the path to each in an object that succeeded.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
}
