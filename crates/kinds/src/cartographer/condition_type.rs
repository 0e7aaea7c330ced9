//! The types of conditions that Cartographer's kinds carry, beside `Ready`.

/// A Workload: whether one supply chain serves it, and that is ready.
pub const SUPPLY_CHAIN_READY: &str = "SupplyChainReady";
/// A Deliverable: whether one delivery serves it, and that is ready.
pub const DELIVERY_READY: &str = "DeliveryReady";
/// An owner: whether every resource was stamped and submitted.
pub const RESOURCES_SUBMITTED: &str = "ResourcesSubmitted";
/// An owner: whether every resource is healthy.
pub const RESOURCES_HEALTHY: &str = "ResourcesHealthy";
/// One resource: whether it was stamped and submitted.
pub const RESOURCE_SUBMITTED: &str = "ResourceSubmitted";
/// One resource: whether it is healthy.
pub const HEALTHY: &str = "Healthy";
/// A blueprint: whether the templates that it names exist.
pub const TEMPLATES_READY: &str = "TemplatesReady";
/// A blueprint: said only where admission would have refused it. Not one of Cartographer's.
pub const VALID: &str = "Valid";
/// A Runnable: whether its run template is there and could be stamped.
pub const RUN_TEMPLATE_READY: &str = "RunTemplateReady";
/// A Runnable: what the stamped object says in its condition `Succeeded`.
pub const STAMPED_OBJECT_CONDITION: &str = "StampedObjectCondition";
