//! The five kinds of templates that owners are stamped from.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{EnumIter, EnumString, IntoStaticStr};

pub use super::health_rule::{
    ConditionRequirement, HealthFieldRequirement, HealthRule, MatchRule, MultiMatch,
};

/// What every template has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateSpec {
    /// The object to stamp, with `$(path)$` where values go. Instead of `ytt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::any_object")]
    pub template: Option<Value>,
    /// A ytt template of the object to stamp. Instead of `template`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ytt: Option<String>,
    /// The values that it takes, and what they are where nobody gives them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<TemplateParam>,
    /// What tells whether the stamped object is healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_rule: Option<HealthRule>,
    /// Whether a changed object replaces the one of before or stands beside it.
    #[serde(default)]
    #[schemars(schema_with = "lifecycle")]
    pub lifecycle: Lifecycle,
    /// How many objects of before are kept where they are not replaced; ten of each when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_policy: Option<RetentionPolicy>,
}

/// A named value that a template takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateParam {
    /// The parameter's name.
    pub name: String,
    /// The value where neither blueprint nor owner has one.
    #[schemars(schema_with = "super::any_value")]
    pub default: Value,
}

/// What becomes of a stamped object when it is to look different.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Lifecycle {
    /// It is changed in place.
    #[default]
    Mutable,
    /// A new one is created beside it.
    Immutable,
    /// A new one is created beside it, and healthy is what has `Succeeded`.
    Tekton,
}

impl Lifecycle {
    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How many finished objects are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetentionPolicy {
    /// How many of those that failed.
    #[schemars(range(min = 1))]
    pub max_failed_runs: i64,
    /// How many of those that succeeded.
    #[schemars(range(min = 1))]
    pub max_successful_runs: i64,
}

/// What holds where nothing is said.
impl Default for RetentionPolicy {
    fn default() -> Self {
        Self {
            max_failed_runs: 10,
            max_successful_runs: 10,
        }
    }
}

/// A template whose stamped object provides source code.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "ClusterSourceTemplate",
    shortname = "cst"
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSourceTemplateSpec {
    /// What every template has.
    #[serde(flatten)]
    pub template: TemplateSpec,
    /// The path to the source's URL in the stamped object.
    pub url_path: String,
    /// The path to the source's revision in the stamped object.
    pub revision_path: String,
}

/// A template whose stamped object provides an image.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "ClusterImageTemplate",
    shortname = "cit"
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterImageTemplateSpec {
    /// What every template has.
    #[serde(flatten)]
    pub template: TemplateSpec,
    /// The path to the image in the stamped object.
    pub image_path: String,
}

/// A template whose stamped object provides configuration.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "ClusterConfigTemplate",
    shortname = "cct"
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterConfigTemplateSpec {
    /// What every template has.
    #[serde(flatten)]
    pub template: TemplateSpec,
    /// The path to the configuration in the stamped object.
    pub config_path: String,
}

/// A template whose stamped object provides nothing to others.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "ClusterTemplate",
    shortname = "ct"
)]
#[serde(transparent)]
pub struct ClusterTemplateSpec {
    /// What every template has.
    pub template: TemplateSpec,
}

/// A template whose stamped object deploys a source, and provides it to others once it has.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "ClusterDeploymentTemplate",
    shortname = "cdt"
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDeploymentTemplateSpec {
    /// What every template has.
    #[serde(flatten)]
    pub template: TemplateSpec,
    /// Pairs of fields that are equal once it has. Instead of `observedCompletion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_matches: Option<Vec<ObservedMatch>>,
    /// What its status says once it has. Instead of `observedMatches`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_completion: Option<ObservedCompletion>,
}

/// Two fields of the stamped object that have to be equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedMatch {
    /// The path to what is wanted.
    pub input: String,
    /// The path to what is there.
    pub output: String,
}

/// What the stamped object says once it has observed its generation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedCompletion {
    /// What it says once it has deployed.
    pub succeeded: ObservedValue,
    /// What it says once it has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<ObservedValue>,
}

/// A field of the stamped object and the value to look for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedValue {
    /// The path to the field.
    pub key: String,
    /// The value.
    pub value: String,
}

/// The kinds of templates that owners are stamped from.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumIter,
    EnumString,
)]
pub enum TemplateKind {
    /// Provides source code.
    ClusterSourceTemplate,
    /// Provides an image.
    ClusterImageTemplate,
    /// Provides configuration.
    ClusterConfigTemplate,
    /// Provides nothing.
    #[default]
    ClusterTemplate,
    /// Deploys a source.
    ClusterDeploymentTemplate,
}

impl TemplateKind {
    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A template of any kind.
#[derive(Clone, Debug)]
pub enum Template {
    /// Provides source code.
    Source(ClusterSourceTemplate),
    /// Provides an image.
    Image(ClusterImageTemplate),
    /// Provides configuration.
    Config(ClusterConfigTemplate),
    /// Provides nothing.
    Plain(ClusterTemplate),
    /// Deploys a source.
    Deployment(ClusterDeploymentTemplate),
}

/// What a template says about the outputs of its stamped object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs<'a> {
    /// A source's URL and revision are read from these paths.
    Source {
        /// The path to the URL.
        url: &'a str,
        /// The path to the revision.
        revision: &'a str,
    },
    /// An image is read from this path.
    Image(&'a str),
    /// Configuration is read from this path.
    Config(&'a str),
    /// There is none.
    None,
    /// The deployed source is passed on once it is.
    Deployment(Deployed<'a>),
}

/// When a source counts as deployed. Admission lets exactly one of the two through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployed<'a> {
    /// Fields that have to be equal.
    pub matches: Option<&'a [ObservedMatch]>,
    /// What the status has to say.
    pub completion: Option<&'a ObservedCompletion>,
}

impl Template {
    /// The template's kind.
    pub fn kind(&self) -> TemplateKind {
        match self {
            Self::Source(_) => TemplateKind::ClusterSourceTemplate,
            Self::Image(_) => TemplateKind::ClusterImageTemplate,
            Self::Config(_) => TemplateKind::ClusterConfigTemplate,
            Self::Plain(_) => TemplateKind::ClusterTemplate,
            Self::Deployment(_) => TemplateKind::ClusterDeploymentTemplate,
        }
    }

    /// The object's metadata.
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::Source(template) => &template.metadata,
            Self::Image(template) => &template.metadata,
            Self::Config(template) => &template.metadata,
            Self::Plain(template) => &template.metadata,
            Self::Deployment(template) => &template.metadata,
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    /// What every template has.
    pub fn spec(&self) -> &TemplateSpec {
        match self {
            Self::Source(template) => &template.spec.template,
            Self::Image(template) => &template.spec.template,
            Self::Config(template) => &template.spec.template,
            Self::Plain(template) => &template.spec.template,
            Self::Deployment(template) => &template.spec.template,
        }
    }

    /// What it says about outputs.
    pub fn outputs(&self) -> Outputs<'_> {
        match self {
            Self::Source(template) => Outputs::Source {
                url: &template.spec.url_path,
                revision: &template.spec.revision_path,
            },
            Self::Image(template) => Outputs::Image(&template.spec.image_path),
            Self::Config(template) => Outputs::Config(&template.spec.config_path),
            Self::Plain(_) => Outputs::None,
            Self::Deployment(template) => Outputs::Deployment(Deployed {
                matches: template.spec.observed_matches.as_deref(),
                completion: template.spec.observed_completion.as_ref(),
            }),
        }
    }
}

impl From<ClusterSourceTemplate> for Template {
    fn from(template: ClusterSourceTemplate) -> Self {
        Self::Source(template)
    }
}

impl From<ClusterImageTemplate> for Template {
    fn from(template: ClusterImageTemplate) -> Self {
        Self::Image(template)
    }
}

impl From<ClusterConfigTemplate> for Template {
    fn from(template: ClusterConfigTemplate) -> Self {
        Self::Config(template)
    }
}

impl From<ClusterTemplate> for Template {
    fn from(template: ClusterTemplate) -> Self {
        Self::Plain(template)
    }
}

impl From<ClusterDeploymentTemplate> for Template {
    fn from(template: ClusterDeploymentTemplate) -> Self {
        Self::Deployment(template)
    }
}

fn lifecycle(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "enum": ["mutable", "immutable", "tekton"],
        "default": "mutable"
    })
}

/// The kinds that a blueprint may name; each kind of blueprint takes one of them out.
pub(super) fn kind_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "enum": [
            "ClusterSourceTemplate", "ClusterImageTemplate", "ClusterDeploymentTemplate",
            "ClusterTemplate", "ClusterConfigTemplate"
        ]
    })
}
