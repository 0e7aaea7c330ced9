//! Fills the `$(…)$` tags of a `spec.template`.
//!
//! Only texts are looked at, and what a tag gives is not looked at again. A text that is one tag
//! becomes the tag's value, whatever its type; in any other text each tag becomes text. Numbers
//! without a tag stay as they are, however large.
//!
//! # A literal `$(`
//!
//! `$("text")$` gives the text itself, so `$("$(")$HOME)` gives `$(HOME)`: between double quotes
//! nothing is looked up. In Cartographer such a tag always fails, since no value has a name that
//! begins with a quote. What works there, too, is `$(. "$(")$HOME)`, which looks up a field
//! without a name and goes on to a text.

use serde_json::{Map, Value};

use crate::jsonpath::{Hint, PathError, hint, one};
use crate::notation::compact_json;
use crate::typed::Typed;

const OPEN: &str = "$(";
const CLOSE: &str = ")$";

/// Why a template cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to interpolate template at path [{place}]: {why}")]
pub struct InterpolateError {
    /// Where in the template, as `spec.list.[0]name`.
    pub place: String,
    /// What is wrong there.
    pub why: TagError,
    /// Where the tag's path leaves the data, if it does.
    pub hint: Option<Box<Hint>>,
}

/// What is wrong with a text of a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The text is one tag, which gives no value.
    #[error("evaluate tag {tag}: {why}")]
    Single {
        /// The text.
        tag: String,
        /// Why it gives none.
        why: PathError,
    },
    /// One of several tags, or one with text around it, gives no value.
    #[error("interpolate tag: evaluate jsonpath: {why}")]
    Among {
        /// What stands between the tag's marks.
        expression: String,
        /// Why it gives none.
        why: PathError,
    },
    /// One of several tags, or one with text around it, gives `null`, which is no text.
    #[error("interpolate tag: tag must not point to nil value: {expression}")]
    Null {
        /// What stands between the tag's marks.
        expression: String,
    },
}

impl TagError {
    /// The expression that gives no value.
    pub fn expression(&self) -> &str {
        match self {
            Self::Single { tag, .. } => inner(tag),
            Self::Among { expression, .. } | Self::Null { expression } => expression,
        }
    }

    /// Whether there is nothing at the expression's path, or nothing yet.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Single { why, .. } | Self::Among { why, .. } => why.is_does_not_exist(),
            Self::Null { .. } => true,
        }
    }
}

/// A template with all its tags filled from a context.
pub fn interpolate(template: &Value, context: &Typed) -> Result<Value, InterpolateError> {
    fill(template, context, "")
}

fn fill(template: &Value, context: &Typed, place: &str) -> Result<Value, InterpolateError> {
    match template {
        Value::String(text) => leaf(text, context).map_err(|why| InterpolateError {
            place: place.to_owned(),
            hint: hint(why.expression(), context).map(Box::new),
            why,
        }),
        Value::Array(items) => {
            let mut filled = Vec::new();
            for (index, item) in items.iter().enumerate() {
                filled.push(fill(item, context, &format!("{place}.[{index}]"))?);
            }
            Ok(Value::Array(filled))
        }
        Value::Object(members) => {
            let mut filled = Map::new();
            for (name, value) in members {
                let dot = if place.is_empty() || place.ends_with(']') {
                    ""
                } else {
                    "."
                };
                let value = fill(value, context, &format!("{place}{dot}{name}"))?;
                filled.insert(name.clone(), value);
            }
            Ok(Value::Object(filled))
        }
        _ => Ok(template.clone()),
    }
}

fn leaf(text: &str, context: &Typed) -> Result<Value, TagError> {
    let is_single =
        text.starts_with(OPEN) && text.ends_with(CLOSE) && text.matches(OPEN).count() == 1;
    if is_single {
        return evaluate(inner(text), context).map_err(|why| TagError::Single {
            tag: text.to_owned(),
            why,
        });
    }
    let mut filled = String::new();
    let mut rest = text;
    while let Some(open) = rest.find(OPEN) {
        filled.push_str(&rest[..open]);
        let after = &rest[open + OPEN.len()..];
        let Some(close) = after.find(CLOSE) else {
            // A tag that is never closed is text, and so is all that follows it.
            filled.push_str(OPEN);
            rest = after;
            break;
        };
        filled.push_str(&as_text(&after[..close], context)?);
        rest = &after[close + CLOSE.len()..];
    }
    filled.push_str(rest);
    Ok(Value::String(filled))
}

/// What stands between the marks of a text that is one tag.
fn inner(tag: &str) -> &str {
    tag.strip_prefix(OPEN)
        .and_then(|rest| rest.strip_suffix(CLOSE))
        .unwrap_or(tag)
}

fn as_text(expression: &str, context: &Typed) -> Result<String, TagError> {
    match evaluate(expression, context) {
        Ok(Value::String(text)) => Ok(text),
        Ok(Value::Null) => Err(TagError::Null {
            expression: expression.to_owned(),
        }),
        Ok(value) => Ok(compact_json(&value)),
        Err(why) => Err(TagError::Among {
            expression: expression.to_owned(),
            why,
        }),
    }
}

fn evaluate(expression: &str, context: &Typed) -> Result<Value, PathError> {
    match literal(expression) {
        Some(text) => Ok(Value::from(text)),
        None => one(expression, context),
    }
}

/// The text of an expression that is nothing but a text between double quotes.
fn literal(expression: &str) -> Option<&str> {
    let text = expression.strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('"')).then_some(text)
}

#[cfg(test)]
mod tests;
