//! What lists, watches and deletions of collections pick: label selectors and field selectors.
//!
//! Selectors are evaluated on what the store extracted of an object. They never parse one.
//!
//! The rules are those of upstream's `k8s.io/apimachinery/pkg/labels` and `pkg/fields`, but for numeric
//! comparisons of labels; which selectors are refused was recorded from kube-apiserver v1.36.3.

mod field;
mod label;

pub(crate) use field::FieldSelector;
pub(crate) use label::{LabelSelector, Labels};

use crate::status::Status;

/// A selector has at most so many requirements.
pub(crate) const MAX_REQUIREMENTS: usize = 4096;

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SelectorError(String);

impl SelectorError {
    fn too_many() -> Self {
        Self(format!(
            "a selector has at most {MAX_REQUIREMENTS} requirements"
        ))
    }
}

impl From<SelectorError> for Status {
    fn from(error: SelectorError) -> Self {
        Self::bad_request(error.0)
    }
}

#[cfg(test)]
mod tests;
