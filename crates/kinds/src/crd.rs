//! The CustomResourceDefinitions of the kinds, as they are installed.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

use crate::{Deliverable, Environment, Inventory, Shipment};

/// All CustomResourceDefinitions, sorted by name.
pub fn all() -> Vec<CustomResourceDefinition> {
    let mut crds = vec![
        Deliverable::crd(),
        Environment::crd(),
        Inventory::crd(),
        Shipment::crd(),
    ];
    for crd in &mut crds {
        for version in &mut crd.spec.versions {
            // Cartographer requires both, and a root without metadata means nothing for ours.
            if let Some(root) = version
                .schema
                .as_mut()
                .and_then(|schema| schema.open_api_v3_schema.as_mut())
            {
                root.required = Some(vec!["metadata".to_owned(), "spec".to_owned()]);
            }
        }
    }
    crds.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    crds
}
