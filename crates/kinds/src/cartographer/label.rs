//! The labels that stamped objects carry.

/// The Workload that an object was stamped for.
pub const WORKLOAD_NAME: &str = "carto.run/workload-name";
/// That Workload's namespace.
pub const WORKLOAD_NAMESPACE: &str = "carto.run/workload-namespace";
/// The ClusterSupplyChain that an object was stamped by.
pub const SUPPLY_CHAIN_NAME: &str = "carto.run/supply-chain-name";
/// The Deliverable that an object was stamped for.
pub const DELIVERABLE_NAME: &str = "carto.run/deliverable-name";
/// That Deliverable's namespace.
pub const DELIVERABLE_NAMESPACE: &str = "carto.run/deliverable-namespace";
/// The ClusterDelivery that an object was stamped by.
pub const DELIVERY_NAME: &str = "carto.run/delivery-name";
/// The blueprint's resource.
pub const RESOURCE_NAME: &str = "carto.run/resource-name";
/// The kind of the template.
pub const TEMPLATE_KIND: &str = "carto.run/template-kind";
/// The template as the blueprint names it; empty where it was chosen among options.
pub const CLUSTER_TEMPLATE_NAME: &str = "carto.run/cluster-template-name";
/// The template's lifecycle.
pub const TEMPLATE_LIFECYCLE: &str = "carto.run/template-lifecycle";
/// The Runnable that an object was stamped for.
pub const RUNNABLE_NAME: &str = "carto.run/runnable-name";
/// The ClusterRunTemplate that an object was stamped from.
pub const RUN_TEMPLATE_NAME: &str = "carto.run/run-template-name";
