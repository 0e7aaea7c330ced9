//! Who owns which field of an object: server-side apply, and what other writes mean for it.
//!
//! A [`Set`] names fields, a [`Managed`] says who owns which, [`apply`] and [`update`] move ownership.
//! Everything here is pure: objects, types and the time come in, objects and owners go out. It knows
//! nothing of storage, defaulting, admission or versions to convert between.
//!
//! The rules are those of `sigs.k8s.io/structured-merge-diff` and of `k8s.io/apimachinery`
//! (`util/managedfields`) of Kubernetes 1.36, down to the words of messages.

mod atom;
mod collect;
mod compare;
mod conflict;
mod element;
mod encoding;
mod last_applied;
mod managed;
mod merge;
mod order;
mod owners;
mod reconcile;
mod record;
mod remove;
mod scale;
mod set;
mod times;
mod tracker;
mod validate;
mod wording;

pub(crate) use element::Element;
pub(crate) use owners::Force;
pub(crate) use scale::Replicas;
pub(crate) use set::Set;
pub(crate) use times::keep_times;
pub(crate) use tracker::{Outcome, Target, Writer, apply, manager_of, update};

#[cfg(test)]
mod tests;
