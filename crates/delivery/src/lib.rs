//! From the files of a specification to what has to be done in a cluster, decided without one.
//!
//! Files and overlay become manifests ([`render`]), manifests become objects ([`settle`]), and the
//! modules below say in which [`order`] they go, when one is ready ([`health`]), what is ours
//! ([`inventory`]), what may be deleted ([`prune`]) and how all that looks ([`diff`], [`tree`]).
//!
//! Must not know: a runtime, a client, files, the clock.

pub mod diff;
mod file_rule;
pub mod health;
mod ignore;
pub mod inventory;
mod merge;
pub mod order;
mod overlay;
pub mod prune;
mod render;
pub mod scope;
mod settle;
pub mod tree;

pub use file_rule::is_read;
pub use ignore::FILE as IGNORE_FILE;
pub use render::{
    FileContent, MAX_FILES, MAX_TREE_BYTES, Overlay, Refusal, Rendering, Subject, TreeFile, render,
};
pub use settle::{Object, Refused, RefusedReason, Settled, settle};
