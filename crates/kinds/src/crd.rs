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
        Deliverable::crd(),
        Environment::crd(),
        Inventory::crd(),
        Shipment::crd(),
    ]
}

/// What Cartographer serves beside Deliverables.
fn served_to_build() -> Vec<CustomResourceDefinition> {
    vec![
        ClusterConfigTemplate::crd(),
        ClusterDelivery::crd(),
        ClusterDeploymentTemplate::crd(),
        ClusterImageTemplate::crd(),
        ClusterRunTemplate::crd(),
        ClusterSourceTemplate::crd(),
        ClusterSupplyChain::crd(),
        ClusterTemplate::crd(),
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
            forbid_null(root);
        }
    }
}

/// Cartographer's fields are optional but never null.
fn forbid_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    for property in schema.properties.iter_mut().flat_map(BTreeMap::values_mut) {
        forbid_null(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        forbid_null(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        forbid_null(values);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of `carto.run_deliverables.yaml` of Cartographer, without descriptions: `!`
    /// marks a required one.
    const CARTOGRAPHER: &str = "\
.spec! object
.spec.params array
.spec.params[].name! string
.spec.params[].value! any
.spec.serviceAccountName string
.spec.source object
.spec.source.git object
.spec.source.git.ref object
.spec.source.git.ref.branch string
.spec.source.git.ref.commit string
.spec.source.git.ref.tag string
.spec.source.git.url string
.spec.source.image string
.spec.source.subPath string
.status object
.status.conditions array
.status.conditions[].lastTransitionTime! string
.status.conditions[].message! string
.status.conditions[].observedGeneration integer
.status.conditions[].reason! string
.status.conditions[].status! string
.status.conditions[].type! string
.status.deliveryRef object
.status.deliveryRef.apiVersion string
.status.deliveryRef.kind string
.status.deliveryRef.name string
.status.deliveryRef.namespace string
.status.observedGeneration integer
.status.resources array
.status.resources[].conditions array
.status.resources[].conditions[].lastTransitionTime! string
.status.resources[].conditions[].message! string
.status.resources[].conditions[].observedGeneration integer
.status.resources[].conditions[].reason! string
.status.resources[].conditions[].status! string
.status.resources[].conditions[].type! string
.status.resources[].inputs array
.status.resources[].inputs[].name! string
.status.resources[].name! string
.status.resources[].outputs array
.status.resources[].outputs[].digest! string
.status.resources[].outputs[].lastTransitionTime! string
.status.resources[].outputs[].name! string
.status.resources[].outputs[].preview! string
.status.resources[].stampedRef object
.status.resources[].stampedRef.apiVersion string
.status.resources[].stampedRef.fieldPath string
.status.resources[].stampedRef.kind string
.status.resources[].stampedRef.name string
.status.resources[].stampedRef.namespace string
.status.resources[].stampedRef.resource string
.status.resources[].stampedRef.resourceVersion string
.status.resources[].stampedRef.uid string
.status.resources[].templateRef object
.status.resources[].templateRef.apiVersion string
.status.resources[].templateRef.fieldPath string
.status.resources[].templateRef.kind string
.status.resources[].templateRef.name string
.status.resources[].templateRef.namespace string
.status.resources[].templateRef.resourceVersion string
.status.resources[].templateRef.uid string
";

    fn flatten(schema: &JSONSchemaProps, path: &str, lines: &mut Vec<String>) {
        let required = schema.required.clone().unwrap_or_default();
        for (name, property) in schema.properties.iter().flatten() {
            let place = format!("{path}.{name}");
            let mark = if required.contains(name) { "!" } else { "" };
            let kind = property.type_.as_deref().unwrap_or("any");
            assert_eq!(property.nullable, None, "{place} may be null");
            lines.push(format!("{place}{mark} {kind}"));
            flatten(property, &place, lines);
            if let Some(JSONSchemaPropsOrArray::Schema(items)) = &property.items {
                flatten(items, &format!("{place}[]"), lines);
            }
        }
    }

    #[test]
    fn a_deliverable_has_exactly_cartographers_fields() {
        let crd = Deliverable::crd();
        assert_eq!(crd.metadata.name.as_deref(), Some("deliverables.carto.run"));
        let crds = all();
        let ours = crds
            .iter()
            .find(|crd| crd.spec.group == "carto.run")
            .expect("it is among them");
        let version = ours.spec.versions.first().expect("there is one version");
        let schema = version
            .schema
            .as_ref()
            .and_then(|schema| schema.open_api_v3_schema.as_ref());
        let mut lines = Vec::new();
        flatten(schema.expect("it has a schema"), "", &mut lines);
        lines.sort();
        let mut expected: Vec<&str> = CARTOGRAPHER.lines().collect();
        expected.sort_unstable();
        assert_eq!(lines.join("\n"), expected.join("\n"));
        let names = &ours.spec.names;
        assert_eq!(names.short_names.as_deref(), Some(&["dlv".to_owned()][..]));
        assert_eq!(names.categories.as_deref(), Some(&["all".to_owned()][..]));
        let columns = version.additional_printer_columns.iter().flatten();
        let columns: Vec<&str> = columns.map(|column| column.name.as_str()).collect();
        assert_eq!(columns, ["Source", "Delivery", "Ready", "Reason", "Age"]);
    }
}
