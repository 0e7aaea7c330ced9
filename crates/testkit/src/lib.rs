//! What the suites stand on: a Kubernetes control plane, genuine or embedded, and the few helpers that
//! keep a test against it short.
//!
//! [`real`] starts etcd, kube-apiserver and kube-controller-manager, or the server that Shipway carries
//! along; the binary `real` does so for `cargo xtask`, and [`World`] is how a test finds what is
//! running. There are no nodes: [`kubelet`] plays theirs.
//!
//! Nothing here knows a kind of Shipway's, and no product crate depends on this one.

pub mod audit;
pub use kubelet;
pub mod kuttl;
pub mod real;

mod eventually;
mod namespace;
mod world;

pub use eventually::{eventually, poll};
pub use namespace::TempNamespace;
pub use world::{Need, Outage, Settling, World};
