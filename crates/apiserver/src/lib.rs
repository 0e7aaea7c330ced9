//! A Kubernetes API server to carry along: what a laptop, a test or a demo runs where no cluster is.
//!
//! It is a convenience beside the genuine kube-apiserver, which is its judge, and it grows only by
//! what a named command or test needs.

pub mod addresses;
pub mod answer;
pub mod api;
pub mod audit;
pub mod auth;
pub mod catalogue;
pub mod cluster;
pub mod controllers;
pub mod crd;
pub mod discovery;
pub mod fields;
pub mod media;
pub mod openapi;
pub mod patch;
pub mod protobuf;
pub mod registry;
pub mod request;
pub mod schema;
pub mod selector;
pub mod serve;
pub mod simulate;
pub mod start;
pub mod status;
pub mod store;
pub mod table;
mod time;
pub mod validate;
pub mod ways;
