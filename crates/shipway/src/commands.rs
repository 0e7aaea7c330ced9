//! One module for each command, and the Shipment that most of them are about.

pub(crate) mod at_work;
pub(crate) mod completion;
pub(crate) mod confirm;
pub(crate) mod controller;
pub(crate) mod crds;
pub(crate) mod diff;
pub(crate) mod get;
pub(crate) mod promote;
mod strict;
pub(crate) mod supply_chain;
pub(crate) mod suspend;
pub(crate) mod sync;
pub(crate) mod target;
pub(crate) mod tree;
pub(crate) mod up;
pub(crate) mod version;
pub(crate) mod workload;
