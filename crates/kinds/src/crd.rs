//! The CustomResourceDefinitions of the kinds, as they are installed.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt as _;

use crate::cartographer;
use crate::{
    ClusterConfigTemplate, ClusterDelivery, ClusterDeploymentTemplate, ClusterImageTemplate,
    ClusterRunTemplate, ClusterSourceTemplate, ClusterSupplyChain, ClusterTemplate, Deliverable,
    Environment, Inventory, Runnable, Shipment, Workload,
};

/// What a cluster is for, and so which kinds its controllers serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// It runs applications and builds none.
    Run,
    /// Everything in one cluster.
    Full,
}

/// The CustomResourceDefinitions to install for a profile, sorted by name: those of the kinds that
/// are served there. A kind that nobody serves would look as if it worked.
pub fn of(profile: Profile) -> Vec<CustomResourceDefinition> {
    let mut crds = served_to_run();
    if profile == Profile::Full {
        crds.extend(served_to_build());
    }
    for crd in &mut crds {
        finish(crd);
    }
    crds.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    crds
}

/// The CustomResourceDefinitions that are installed today, sorted by name.
pub fn all() -> Vec<CustomResourceDefinition> {
    of(Profile::Run)
}

fn served_to_run() -> Vec<CustomResourceDefinition> {
    vec![
        ClusterConfigTemplate::crd(),
        ClusterDelivery::crd(),
        ClusterDeploymentTemplate::crd(),
        ClusterSourceTemplate::crd(),
        ClusterTemplate::crd(),
        Deliverable::crd(),
        Environment::crd(),
        Inventory::crd(),
        Shipment::crd(),
    ]
}

/// What Cartographer serves beside Deliverables and their deliveries.
fn served_to_build() -> Vec<CustomResourceDefinition> {
    vec![
        ClusterImageTemplate::crd(),
        ClusterRunTemplate::crd(),
        ClusterSupplyChain::crd(),
        Runnable::crd(),
        Workload::crd(),
    ]
}

/// Puts right what the derivation cannot know.
fn finish(crd: &mut CustomResourceDefinition) {
    let theirs = crd.spec.group == cartographer::GROUP;
    for version in &mut crd.spec.versions {
        let schema = version.schema.as_mut();
        let Some(root) = schema.and_then(|schema| schema.open_api_v3_schema.as_mut()) else {
            continue;
        };
        // Cartographer requires both, and a root without metadata means nothing for ours.
        root.required = Some(vec!["metadata".to_owned(), "spec".to_owned()]);
        if theirs {
            as_theirs(root);
        }
    }
}

/// Cartographer's fields are optional but never null, and its quantities say twice what they are.
fn as_theirs(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    if schema.x_kubernetes_int_or_string == Some(true) {
        schema.any_of = Some(["integer", "string"].map(of_type).to_vec());
    }
    for property in schema.properties.iter_mut().flat_map(BTreeMap::values_mut) {
        as_theirs(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        as_theirs(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        as_theirs(values);
    }
}

fn of_type(name: &str) -> JSONSchemaProps {
    JSONSchemaProps {
        type_: Some(name.to_owned()),
        ..JSONSchemaProps::default()
    }
}

#[cfg(test)]
mod tests;
