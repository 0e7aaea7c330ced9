//! Cartographer's choreography, decided without a cluster: from a blueprint, its owner and what
//! earlier resources gave, to what is stamped next and what the status says.
//!
//! A template's expressions are [`jsonpath`] in Kubernetes' dialect over the owner as Go holds it
//! ([`typed`]). [`interpolate`] fills a `spec.template`.
//!
//! Must not know: a runtime, a client, files, the clock.

pub mod digest;
#[cfg(test)]
mod fuzz;
pub mod jsonpath;
mod notation;
pub mod typed;
