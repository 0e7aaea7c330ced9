//! What lists, watches and deletions of collections pick: label selectors and field selectors, as
//! query strings and as `LabelSelector` objects, with the messages of the genuine server.
//!
//! Selectors are evaluated on what the store extracted of an object. They never parse one.
//!
//! The rules are those of upstream's `k8s.io/apimachinery/pkg/labels` and `pkg/fields`; the messages
//! were recorded from kube-apiserver v1.36.3.

mod field;
mod label;
mod parse;
mod rule;

pub use field::{FieldSelector, FieldTable, Refusal};
pub use label::{LabelSelector, Labels, Operator, Requirement};
pub use rule::{label_key_faults, label_value_faults};

use std::fmt;

use crate::status::Status;

/// How many requirements or terms a selector may have. Upstream has no such limit beside the
/// length of a URL; every one of them is looked at for each object.
pub const MAX_REQUIREMENTS: usize = 4096;

/// A selector that cannot be understood. The text is what the genuine server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorError(String);

impl SelectorError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    fn too_many() -> Self {
        Self(format!(
            "a selector has at most {MAX_REQUIREMENTS} requirements"
        ))
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SelectorError {}

impl From<SelectorError> for Status {
    /// 400, as for any query that cannot be understood.
    fn from(error: SelectorError) -> Self {
        Self::bad_request(error.0)
    }
}

#[cfg(test)]
mod tests;
