//! Cartographer's choreography, decided without a cluster: from a blueprint, its owner and what
//! earlier resources gave, to what is stamped next and what the status says.
//!
//! [`walk`] carries one pass over an owner's resources: start there. It asks for what only a cluster
//! can do and ends in what the status says.
//!
//! A template's expressions are [`jsonpath`] in Kubernetes' dialect over the owner as Go holds it
//! ([`typed`]). [`params`], [`labels`] and [`context`] are what they can name, [`interpolate`] fills a
//! `spec.template`, [`stamp`] finishes the object. [`outputs`] and [`health`] are read back from it,
//! [`digest`] is how a status knows them; [`error`] is what goes wrong, and [`conditions`] and
//! [`resource_status`] what is said. [`retention`] and [`orphans`] are what is deleted. [`runnable`] is
//! what a Runnable needs beside.
//!
//! [`serving`] is what comes before a walk: which blueprint serves, and as which ServiceAccount.
//! [`selection`] finds the blueprint of an owner and the template of a resource, [`graph`] the order
//! of resources, [`validate`] and [`strict`] say what is refused, and [`admission`] answers a cluster
//! that asks.
//!
//! Must not know: a runtime, a client, files, the clock.

pub mod admission;
pub mod conditions;
pub mod context;
pub mod digest;
pub mod error;
#[cfg(test)]
mod fuzz;
pub mod graph;
pub mod health;
pub mod interpolate;
pub mod jsonpath;
mod label_selector;
pub mod labels;
pub mod notation;
pub mod orphans;
pub mod outputs;
pub mod owner;
pub mod params;
pub mod resource_status;
pub mod retention;
pub mod runnable;
pub mod selection;
pub mod serving;
pub mod stamp;
pub mod strict;
pub mod typed;
pub mod validate;
pub mod verdict;
pub mod walk;
