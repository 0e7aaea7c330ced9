//! Every kind that Shipway reads or writes: spec and status types, condition types, reasons,
//! and the CustomResourceDefinitions made from them.
//!
//! This crate holds vocabulary only. It must not contain a client, a runtime or behaviour.

pub mod cartographer;
pub mod condition;
pub mod crd;
pub mod deliverable;
pub mod environment;
pub mod inventory;
pub mod names;
pub mod reason;
pub mod role;
pub mod shipment;

pub use cartographer::blueprint::{
    Blueprint, BlueprintSpec, BlueprintStatus, ClusterDelivery, ClusterDeliverySpec,
    ClusterSupplyChain, ClusterSupplyChainSpec,
};
pub use cartographer::runnable::{
    ClusterRunTemplate, ClusterRunTemplateSpec, Runnable, RunnableSpec, RunnableStatus,
};
pub use cartographer::template::{
    ClusterConfigTemplate, ClusterConfigTemplateSpec, ClusterDeploymentTemplate,
    ClusterDeploymentTemplateSpec, ClusterImageTemplate, ClusterImageTemplateSpec,
    ClusterSourceTemplate, ClusterSourceTemplateSpec, ClusterTemplate, ClusterTemplateSpec,
    Template, TemplateKind, TemplateSpec,
};
pub use cartographer::workload::{Workload, WorkloadSpec, WorkloadStatus};
pub use condition::Condition;
pub use deliverable::{Deliverable, DeliverableSpec, DeliverableStatus};
pub use environment::{Environment, EnvironmentSpec, EnvironmentStatus};
pub use inventory::{Inventory, InventorySpec};
pub use reason::Reason;
pub use shipment::{Shipment, ShipmentSpec, ShipmentStatus};
