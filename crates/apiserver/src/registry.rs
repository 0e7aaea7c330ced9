//! What is done with objects: the same for every kind, but for what its entry in a table says.

mod account;
mod admission;
mod change;
mod check;
pub mod decode;
pub mod delete;
pub mod draft;
mod form;
pub mod kind;
pub mod meta;
pub mod options;
pub mod origin;
pub mod read;
pub mod scale;
mod table;
pub mod taken;
pub mod write;
