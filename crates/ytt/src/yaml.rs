//! YAML in and out, as ytt reads and writes it: YAML 1.1, with comments.
//!
//! Must not know Starlark, nor what a comment means.

pub(crate) mod attach;
mod dash;
pub(crate) mod emit;
pub(crate) mod parse;
pub(crate) mod resolve;

pub(crate) use parse::{Comment, Node, NodeKind, Stream, parse};
