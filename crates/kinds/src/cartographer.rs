//! Cartographer's kinds, `carto.run/v1alpha1`, field for field.
//!
//! Nothing may be added to them: whoever re-applies Cartographer's own definitions would silently
//! drop what an extra field holds. The source of the fields is Cartographer v0.8.11. A
//! `Deliverable` has a module of its own beside this one.
//!
//! An owner (Workload, Deliverable) is served by a blueprint (ClusterSupplyChain,
//! ClusterDelivery), whose resources are stamped from templates. Since both pairs are one
//! algorithm, both blueprints have one shape, [`blueprint::Blueprint`], and the five kinds of
//! templates have one, [`template::Template`].

pub mod blueprint;
pub mod condition_type;
pub mod health_rule;
pub mod label;
pub mod owner;
pub mod reason;
pub mod runnable;
pub mod selector;
pub mod template;
pub mod workload;

/// The API group.
pub const GROUP: &str = "carto.run";
/// Group and version, as objects name them.
pub const API_VERSION: &str = "carto.run/v1alpha1";

use schemars::{Schema, SchemaGenerator, json_schema};

/// The schema of a value of any shape.
pub(crate) fn any_value(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"x-kubernetes-preserve-unknown-fields": true})
}

/// The schema of an object with any fields.
fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// The schema of a map of values of any shape.
fn any_values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {"x-kubernetes-preserve-unknown-fields": true}
    })
}
