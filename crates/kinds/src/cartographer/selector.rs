//! What an owner is matched against: its labels, and values of its fields.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Which owners a blueprint serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnerSelector {
    /// Labels that an owner must carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
    /// Requirements on an owner's labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selector_match_expressions: Vec<LabelRequirement>,
    /// Requirements on an owner's fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selector_match_fields: Vec<FieldRequirement>,
}

/// Which owners an option of a resource is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct OptionSelector {
    /// Labels that the owner must carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Requirements on the owner's labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<LabelRequirement>,
    /// Requirements on the owner's fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_fields: Vec<FieldRequirement>,
}

/// The three forms of a selector, whoever holds it.
#[derive(Clone, Copy, Debug)]
pub struct Matches<'a> {
    /// Labels that the owner must carry.
    pub labels: &'a BTreeMap<String, String>,
    /// Requirements on the owner's labels.
    pub expressions: &'a [LabelRequirement],
    /// Requirements on the owner's fields.
    pub fields: &'a [FieldRequirement],
}

impl OwnerSelector {
    /// The three forms.
    pub fn matches(&self) -> Matches<'_> {
        Matches {
            labels: &self.selector,
            expressions: &self.selector_match_expressions,
            fields: &self.selector_match_fields,
        }
    }
}

impl OptionSelector {
    /// The three forms.
    pub fn matches(&self) -> Matches<'_> {
        Matches {
            labels: &self.match_labels,
            expressions: &self.match_expressions,
            fields: &self.match_fields,
        }
    }
}

impl Matches<'_> {
    /// How many requirements there are: the more, the better a match.
    pub fn len(&self) -> usize {
        self.labels.len() + self.expressions.len() + self.fields.len()
    }

    /// Whether there is no requirement at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A requirement on a label. The definition takes any operator; admission does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelRequirement {
    /// The label's key.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// The values that `In` and `NotIn` speak of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// A requirement on a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldRequirement {
    /// The path to the field, as a Kubernetes JSONPath without braces.
    #[schemars(length(min = 1))]
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[schemars(schema_with = "field_operator")]
    pub operator: String,
    /// The values that `In` and `NotIn` speak of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

fn field_operator(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": ["In", "NotIn", "Exists", "DoesNotExist"]})
}
