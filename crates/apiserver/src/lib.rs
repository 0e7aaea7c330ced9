//! A Kubernetes API server to carry along: what a laptop, a test or a demo runs where no cluster is.
//!
//! It is a convenience beside the genuine kube-apiserver, which is its judge, and it grows only by
//! what a named command or test needs.

mod addresses;
mod answer;
mod api;
mod audit;
mod auth;
mod catalogue;
mod cluster;
mod controllers;
mod crd;
mod discovery;
mod fields;
mod media;
mod openapi;
mod patch;
mod protobuf;
mod registry;
mod request;
mod schema;
mod selector;
mod serve;
mod simulate;
pub mod start;
mod status;
pub mod store;
mod table;
mod time;
mod validate;
mod ways;
