//! One module for each command.

pub(crate) mod controller;
pub(crate) mod crds;
pub(crate) mod get;
pub(crate) mod version;
