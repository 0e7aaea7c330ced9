//! Where the two kinds of owners differ: in their nouns, and in where things stand.

use std::fmt::Debug;

use choreography::owner::OwnerKind;
use kinds::cartographer::blueprint::Blueprint;
use kinds::cartographer::condition_type;
use kinds::cartographer::owner::{ObjectReference, ResourceStatus};
use kinds::{ClusterDelivery, ClusterSupplyChain, Condition, Deliverable, Workload};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::context::{Ctx, Kept};
use crate::stamping::StamperKind;

/// Where a kind of owner has what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nouns {
    /// Itself, as the choreography calls it.
    pub(crate) kind: OwnerKind,
    /// Itself, as field managers do.
    pub(crate) manager: &'static str,
    /// The condition that says whether a blueprint serves it.
    pub(crate) served: &'static str,
    /// The field of the status that names the blueprint.
    pub(crate) reference: &'static str,
}

/// A kind of owner.
pub(crate) trait Kind:
    kube::Resource<DynamicType = ()>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// What serves it.
    type Blueprint: Blueprint
        + kube::Resource<DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static;
    /// The kind among those that stamp.
    const STAMPER: StamperKind;
    /// Where it has what.
    const NOUNS: Nouns;

    /// All blueprints that may serve it.
    fn blueprints(ctx: &Ctx) -> &Kept<Self::Blueprint>;
    /// How it stood.
    fn standing(&self) -> Standing;
}

/// An owner's status, whatever it is called there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Standing {
    pub(crate) observed_generation: Option<i64>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) blueprint: Option<ObjectReference>,
    pub(crate) resources: Vec<ResourceStatus>,
}

impl Standing {
    /// The status of an owner with these words.
    pub(crate) fn status(&self, nouns: &Nouns) -> Value {
        let mut status = Map::new();
        if let Some(generation) = self.observed_generation {
            status.insert("observedGeneration".to_owned(), json!(generation));
        }
        if !self.conditions.is_empty() {
            status.insert("conditions".to_owned(), json!(self.conditions));
        }
        if let Some(blueprint) = &self.blueprint {
            status.insert(nouns.reference.to_owned(), json!(blueprint));
        }
        if !self.resources.is_empty() {
            status.insert("resources".to_owned(), json!(self.resources));
        }
        Value::Object(status)
    }
}

impl Kind for Workload {
    type Blueprint = ClusterSupplyChain;
    const STAMPER: StamperKind = StamperKind::Workload;
    const NOUNS: Nouns = Nouns {
        kind: OwnerKind::Workload,
        manager: "workload",
        served: condition_type::SUPPLY_CHAIN_READY,
        reference: "supplyChainRef",
    };

    fn blueprints(ctx: &Ctx) -> &Kept<ClusterSupplyChain> {
        &ctx.library.supply_chains
    }

    fn standing(&self) -> Standing {
        let status = self.status.clone().unwrap_or_default();
        Standing {
            observed_generation: status.observed_generation,
            conditions: status.conditions,
            blueprint: status.supply_chain_ref,
            resources: status.resources,
        }
    }
}

impl Kind for Deliverable {
    type Blueprint = ClusterDelivery;
    const STAMPER: StamperKind = StamperKind::Deliverable;
    const NOUNS: Nouns = Nouns {
        kind: OwnerKind::Deliverable,
        manager: "deliverable",
        served: condition_type::DELIVERY_READY,
        reference: "deliveryRef",
    };

    fn blueprints(ctx: &Ctx) -> &Kept<ClusterDelivery> {
        &ctx.library.deliveries
    }

    fn standing(&self) -> Standing {
        let status = self.status.clone().unwrap_or_default();
        Standing {
            observed_generation: status.observed_generation,
            conditions: status.conditions,
            blueprint: status.delivery_ref,
            resources: status.resources,
        }
    }
}
