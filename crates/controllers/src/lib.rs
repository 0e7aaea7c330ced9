//! The controllers: one folder for each kind, and in it one file for each of the seven steps
//! `gather`, `check`, `render`, `observe`, `plan`, `apply`, `report`.
//!
//! This crate is the thread through the others. It holds no HTTP server and no terminal, and
//! reaches clusters and repositories only through the crates below it.

mod blueprint;
pub mod board;
pub mod cartographer;
pub mod context;
pub mod environment;
pub mod halt;
pub mod ledger;
pub mod library;
pub mod metrics;
pub mod owner;
pub mod repairs;
mod runnable;
pub mod secret;
pub mod shipment;
pub mod source;
mod stamping;
pub mod tracker;
pub mod ytt;

pub mod event;
mod pump;
mod queue;
mod run;

pub use context::Ctx;
pub use halt::Halt;
pub use metrics::Metrics;
pub use run::{Engine, Options, run};
