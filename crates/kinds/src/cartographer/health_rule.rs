//! What tells whether a stamped object is healthy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::selector::FieldRequirement;

/// What tells whether a stamped object is healthy. Exactly one member is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthRule {
    /// It always is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::any_object")]
    pub always_healthy: Option<Value>,
    /// It is as its condition of this type says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_condition_type: Option<String>,
    /// Its conditions and fields are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_match: Option<MultiMatch>,
}

/// Conditions and fields that tell health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MultiMatch {
    /// What must hold altogether for it to be healthy.
    pub healthy: MatchRule,
    /// Of what any makes it unhealthy.
    pub unhealthy: MatchRule,
}

/// One side of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MatchRule {
    /// Conditions and the status that each has to have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_conditions: Vec<ConditionRequirement>,
    /// Requirements on fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_fields: Vec<HealthFieldRequirement>,
}

/// A requirement on a condition of the stamped object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConditionRequirement {
    /// The condition's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status that it has to have.
    pub status: String,
}

/// A requirement on a field of the stamped object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthFieldRequirement {
    /// The requirement.
    #[serde(flatten)]
    pub requirement: FieldRequirement,
    /// The path to a message for people, where this requirement decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_path: Option<String>,
}
