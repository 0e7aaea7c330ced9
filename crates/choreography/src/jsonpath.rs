//! Kubernetes' dialect of JSONPath, as `k8s.io/client-go/util/jsonpath` v0.28 has it with missing
//! keys allowed.
//!
//! It is not RFC 9535: fields are separated by dots and escaped by backslashes, `['a.b']` splits at
//! the dot, `[n]` out of bounds is an error where a missing field is none, and comparisons of
//! different types are errors.
//!
//! Unlike there, numbers compare by value, be they written as integers or not; and a path whose
//! steps multiply results beyond bounds is refused.

mod compare;
mod hint;
mod item;
mod parse;
mod walk;

use serde_json::Value;

pub use hint::{Hint, hint};
pub use item::Item;

use crate::notation::display;

/// Why a path gave no single value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path is empty.
    #[error("empty jsonpath not allowed")]
    Empty,
    /// There is nothing at the path. The only failure that a change of data alone may heal.
    #[error("jsonpath returned empty list: {0}")]
    DoesNotExist(String),
    /// There is more than one value at the path.
    #[error("too many results for the query: {0}")]
    TooMany(String),
    /// There is text beside the expression's braces.
    #[error("evaluate: more queries than expected: {0}")]
    MoreQueries(String),
    /// The path is none.
    #[error("evaluate: failed to parse jsonpath '{wrapped}': {why}")]
    Parse {
        /// The path in its braces.
        wrapped: String,
        /// What is wrong with it.
        why: String,
    },
    /// The path does not fit the data, as an index out of bounds.
    #[error("evaluate: failed to find results: {0}")]
    Find(String),
}

impl PathError {
    /// Whether there is nothing at the path, as opposed to something wrong with it.
    pub fn is_does_not_exist(&self) -> bool {
        matches!(self, Self::DoesNotExist(_))
    }
}

/// The one value at a path, which may go without its braces and its first dot.
pub fn one<'v>(path: &str, data: impl Into<Item<'v>>) -> Result<Value, PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    let mut values = all(&wrapped(path), &data.into())?;
    match values.len() {
        0 => Err(PathError::DoesNotExist(path.to_owned())),
        1 => Ok(values.remove(0)),
        _ => Err(PathError::TooMany(path.to_owned())),
    }
}

/// Whether a path can be read at all, for checks before there is data.
pub fn check(path: &str) -> Result<(), PathError> {
    let wrapped = wrapped(path);
    match parse::parse(&wrapped) {
        Ok(_) => Ok(()),
        Err(why) => Err(PathError::Parse { wrapped, why }),
    }
}

/// Whether a text with expressions in braces can be read. One without braces always can.
pub(crate) fn check_text(text: &str) -> Result<(), String> {
    parse::parse(text).map(drop)
}

fn all(wrapped: &str, data: &Item<'_>) -> Result<Vec<Value>, PathError> {
    let blocks = parse::parse(wrapped).map_err(|why| PathError::Parse {
        wrapped: wrapped.to_owned(),
        why,
    })?;
    let mut results = Vec::new();
    for block in &blocks {
        let found = walk::block(block, data).map_err(PathError::Find)?;
        results.push(found.iter().map(Item::json).collect::<Vec<_>>());
    }
    if results.len() > 1 {
        let all = results.into_iter().map(Value::from).collect();
        return Err(PathError::MoreQueries(display(&Value::Array(all))));
    }
    Ok(results.pop().unwrap_or_default())
}

fn wrapped(path: &str) -> String {
    let open = match path {
        _ if path.starts_with("{.") => "",
        _ if path.starts_with('.') => "{",
        _ => "{.",
    };
    let close = if path.ends_with('}') { "" } else { "}" };
    format!("{open}{path}{close}")
}

#[cfg(test)]
mod tests;
