//! `ClusterSupplyChain` and `ClusterDelivery`: the resources that an owner gets, and what goes
//! from one into the next.

use kube::{CustomResource, Resource as _};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::selector::{OptionSelector, OwnerSelector};
use super::template::TemplateKind;
use crate::condition::Condition;

/// What serves Workloads: the way from source to a deployment specification.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "ClusterSupplyChain",
    shortname = "csc",
    status = "BlueprintStatus",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(transparent)]
#[schemars(transform = supply_chain_only)]
pub struct ClusterSupplyChainSpec {
    /// What every blueprint has.
    pub blueprint: BlueprintSpec,
}

/// What serves Deliverables: the way from a deployment specification to running objects.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "carto.run",
    version = "v1alpha1",
    kind = "ClusterDelivery",
    plural = "clusterdeliveries",
    shortname = "cd",
    status = "BlueprintStatus",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type=='Ready')].reason"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(transparent)]
#[schemars(transform = delivery_only)]
pub struct ClusterDeliverySpec {
    /// What every blueprint has.
    pub blueprint: BlueprintSpec,
}

/// A blueprint of either kind.
pub trait Blueprint {
    /// The blueprint's kind.
    const KIND: &'static str;
    /// The kind of the owners that it serves.
    const OWNER_KIND: &'static str;

    /// The name.
    fn name(&self) -> &str;
    /// What it says.
    fn blueprint(&self) -> &BlueprintSpec;
    /// How it stands, once somebody has looked.
    fn standing(&self) -> Option<&BlueprintStatus>;
}

impl Blueprint for ClusterSupplyChain {
    const KIND: &'static str = "ClusterSupplyChain";
    const OWNER_KIND: &'static str = "Workload";

    fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    fn blueprint(&self) -> &BlueprintSpec {
        &self.spec.blueprint
    }

    fn standing(&self) -> Option<&BlueprintStatus> {
        self.status.as_ref()
    }
}

impl Blueprint for ClusterDelivery {
    const KIND: &'static str = "ClusterDelivery";
    const OWNER_KIND: &'static str = "Deliverable";

    fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    fn blueprint(&self) -> &BlueprintSpec {
        &self.spec.blueprint
    }

    fn standing(&self) -> Option<&BlueprintStatus> {
        self.status.as_ref()
    }
}

/// What a blueprint says. Where the kinds differ, the definition of each has only its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlueprintSpec {
    /// Which owners it serves.
    #[serde(flatten)]
    pub selector: OwnerSelector,
    /// What an owner gets, in the order in which it is told of.
    pub resources: Vec<Resource>,
    /// Values for the templates of all resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<BlueprintParam>,
    /// The ServiceAccount that submits what is stamped, where the owner names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_ref: Option<ServiceAccountReference>,
}

/// One thing that an owner gets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    /// The name that other resources and the owner's status know it by.
    pub name: String,
    /// The template that it is stamped from.
    pub template_ref: TemplateReference,
    /// Values for its template.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<BlueprintParam>,
    /// The resources whose sources go in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<ResourceReference>,
    /// The resources whose images go in. In a supply chain only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ResourceReference>,
    /// The resources whose configurations go in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configs: Vec<ResourceReference>,
    /// The resource whose source is deployed. In a delivery only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<DeploymentReference>,
}

impl Resource {
    /// The names of the resources that something goes in from: sources, images, deployment,
    /// configurations, in the order of the owner's status.
    pub fn producers(&self) -> impl Iterator<Item = &str> {
        let sources = self.sources.iter().chain(&self.images);
        let deployment = self.deployment.iter().map(|from| from.resource.as_str());
        let configs = self.configs.iter().map(|from| from.resource.as_str());
        sources
            .map(|from| from.resource.as_str())
            .chain(deployment)
            .chain(configs)
    }

    /// The names of the resources that an input of this name comes from, where a template of this kind would pass
    /// it on.
    pub fn producers_of<'r>(
        &'r self,
        kind: TemplateKind,
        input: &'r str,
    ) -> impl Iterator<Item = &'r str> {
        let (inputs, deployment) = match kind {
            TemplateKind::ClusterSourceTemplate => (&self.sources[..], None),
            TemplateKind::ClusterImageTemplate => (&self.images[..], None),
            TemplateKind::ClusterConfigTemplate => (&self.configs[..], None),
            TemplateKind::ClusterDeploymentTemplate => (&[][..], self.deployment.as_ref()),
            TemplateKind::ClusterTemplate => (&[][..], None),
        };
        let named = inputs.iter().filter(move |from| from.name == input);
        named
            .map(|from| from.resource.as_str())
            .chain(deployment.map(|from| from.resource.as_str()))
    }
}

/// The template of a resource: by name, or one out of several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateReference {
    /// The template's kind.
    #[schemars(schema_with = "super::template::kind_schema")]
    pub kind: TemplateKind,
    /// The template's name. Instead of `options`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// Templates of which exactly one has to match the owner. Instead of `name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 2))]
    pub options: Vec<TemplateOption>,
}

/// A template that a resource may be stamped from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateOption {
    /// The template's name. Instead of `passThrough`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// The input that becomes the output as it is, without a template. Instead of `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_through: Option<String>,
    /// The owners that it is for.
    pub selector: OptionSelector,
}

/// A named value that an owner cannot change, or can where it is a default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlueprintParam {
    /// The parameter's name.
    pub name: String,
    /// The value; an owner's is not looked at. Instead of `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::any_value")]
    pub value: Option<Value>,
    /// The value where the owner has none. Instead of `value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::any_value")]
    pub default: Option<Value>,
}

/// A resource of the same blueprint whose output goes in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceReference {
    /// The name that the template knows the input by.
    pub name: String,
    /// The producing resource's name.
    pub resource: String,
}

/// A resource of the same blueprint whose source is deployed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeploymentReference {
    /// The producing resource's name.
    pub resource: String,
}

/// A ServiceAccount, named from a cluster-scoped object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceAccountReference {
    /// The ServiceAccount's name.
    pub name: String,
    /// The ServiceAccount's namespace; the owner's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// How a blueprint stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BlueprintStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `TemplatesReady`, `Ready`, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::list_schema")]
    pub conditions: Vec<Condition>,
}

const RESOURCE: &str = "/properties/resources/items/properties";

fn supply_chain_only(schema: &mut Schema) {
    forget(
        schema,
        "deployment",
        TemplateKind::ClusterDeploymentTemplate,
    );
}

fn delivery_only(schema: &mut Schema) {
    forget(schema, "images", TemplateKind::ClusterImageTemplate);
}

/// Takes out what only blueprints of the other kind have: a field of resources, a kind of template.
fn forget(schema: &mut Schema, field: &str, kind: TemplateKind) {
    let resource = schema.pointer_mut(RESOURCE).and_then(Value::as_object_mut);
    let resource = resource.expect("a blueprint has resources");
    resource.remove(field);
    let kinds = schema
        .pointer_mut(&format!("{RESOURCE}/templateRef/properties/kind/enum"))
        .and_then(Value::as_array_mut)
        .expect("the kinds are listed");
    kinds.retain(|known| *known != json!(kind));
}
