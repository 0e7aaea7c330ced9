//! What is done with objects: the same for every kind, but for what its entry in a table says.

mod account;
mod admission;
mod change;
mod check;
pub(crate) mod decode;
pub(crate) mod delete;
pub(crate) mod draft;
mod form;
pub(crate) mod kind;
pub(crate) mod meta;
pub(crate) mod options;
pub(crate) mod origin;
pub(crate) mod read;
pub(crate) mod scale;
mod table;
pub(crate) mod taken;
pub(crate) mod write;
