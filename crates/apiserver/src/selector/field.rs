//! Field selectors: a conjunction of terms on a few fields that the kind names.

use std::borrow::Cow;

use super::{MAX_REQUIREMENTS, SelectorError};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: Box<str>,
    equal: bool,
    value: Box<str>,
}

/// A selector on fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSelector {
    terms: Box<[Term]>,
}

impl FieldSelector {
    /// Reads a query's `fieldSelector`. `refuse` says of a field why nothing can be selected by it.
    ///
    /// # Errors
    /// What the genuine server answers with 400: what cannot be read, and then the first field, by
    /// the alphabet, that the kind does not know.
    pub(crate) fn parse(
        text: &str,
        refuse: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SelectorError> {
        let mut parts = split(text);
        if parts.len() > MAX_REQUIREMENTS {
            return Err(SelectorError::too_many());
        }
        parts.sort_unstable();
        let mut terms = Vec::with_capacity(parts.len());
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let Some((field, equal, value)) = split_term(part) else {
                return Err(SelectorError(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                )));
            };
            let value = unescape(value)?.into();
            if !is_metadata(field)
                && let Some(why) = refuse(field)
            {
                return Err(SelectorError(why));
            }
            terms.push(Term {
                field: field.into(),
                equal,
                value,
            });
        }
        Ok(Self {
            terms: terms.into(),
        })
    }

    /// Whether an object fits. `other` gives the values of fields beside `metadata.name` and
    /// `metadata.namespace`, empty where they are absent.
    pub(crate) fn matches<'a>(
        &self,
        namespace: &str,
        name: &str,
        other: impl Fn(&str) -> Cow<'a, str>,
    ) -> bool {
        self.terms.iter().all(|term| {
            let same = match &*term.field {
                "metadata.name" => name == &*term.value,
                "metadata.namespace" => namespace == &*term.value,
                field => other(field) == *term.value,
            };
            same == term.equal
        })
    }

    /// The value that a field must have, where the selector pins it: lists by name become lookups.
    pub(crate) fn exact(&self, field: &str) -> Option<&str> {
        let found = self
            .terms
            .iter()
            .find(|term| term.equal && &*term.field == field);
        found.map(|term| &*term.value)
    }

    /// Whether more than name and namespace is asked for, so that objects have to be looked into.
    pub(crate) fn needs_object(&self) -> bool {
        self.terms.iter().any(|term| !is_metadata(&term.field))
    }

    /// Whether every object fits.
    pub(crate) fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }
}

/// Splits at commas that no backslash stands before.
/// Whether all kinds have a field.
fn is_metadata(field: &str) -> bool {
    matches!(field, "metadata.name" | "metadata.namespace")
}

fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// Splits at the first operator into the field, whether it asks for equality, and the value.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    for (at, _) in term.char_indices() {
        let (field, rest) = term.split_at(at);
        for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
            if let Some(value) = rest.strip_prefix(operator) {
                return Some((field, equal, value));
            }
        }
    }
    None
}

fn unescape(value: &str) -> Result<Cow<'_, str>, SelectorError> {
    if !value.contains(['\\', ',', '=']) {
        return Ok(Cow::Borrowed(value));
    }
    let mut plain = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '\\' => match letters.next() {
                Some(letter @ ('\\' | ',' | '=')) => letter,
                other => {
                    let sequence: String = ['\\'].into_iter().chain(other).collect();
                    return Err(SelectorError(format!(
                        "invalid field selector: invalid escape sequence: {sequence}"
                    )));
                }
            },
            ',' | '=' => {
                let code = u32::from(letter);
                return Err(SelectorError(format!(
                    "invalid field selector: unescaped character in value: {code}"
                )));
            }
            letter => letter,
        };
        plain.push(letter);
    }
    Ok(Cow::Owned(plain))
}
