//! What is said when a template cannot be evaluated.

use std::fmt;

/// The most that an error may say; the rest is cut.
const MAX_TEXT: usize = 2048;

/// Who has to do what about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Reason {
    /// The template is not YAML, or its code is not Starlark.
    Syntax,
    /// The template uses a part of ytt that Shipway leaves out.
    Unsupported,
    /// Its code failed, by itself or by what the data lack.
    Failed,
    /// It asks for more time, memory or output than a template may have.
    Limit,
    /// It was evaluated, and the result is no Kubernetes object.
    Object,
    /// The evaluator itself failed.
    Crashed,
}

/// Why a template gave no object: `<name>:<line>:<column>: <message>`, then the calls that led
/// there, one a line.
///
/// # Guarantees
///
/// At most 2 KiB, and no text of the data in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error("{text}")]
pub struct Error {
    /// Who has to do what.
    pub reason: Reason,
    text: String,
}

/// A line of the template, and the column where it is known; both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: u32,
    /// 0 is an unknown one.
    pub(crate) column: u32,
}

impl Place {
    pub(crate) fn line(line: u32) -> Self {
        Self { line, column: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { line: 0, .. } => Ok(()),
            Self { line, column: 0 } => write!(f, "{line}:"),
            Self { line, column } => write!(f, "{line}:{column}:"),
        }
    }
}

/// An error before it knows the name of its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) reason: Reason,
    pub(crate) place: Place,
    pub(crate) message: String,
    /// The functions that were running, the innermost first, and where each was called.
    pub(crate) calls: Vec<(String, Place)>,
}

impl Problem {
    pub(crate) fn new(reason: Reason, place: Place, message: impl Into<String>) -> Self {
        Self {
            reason,
            place,
            message: message.into(),
            calls: Vec::new(),
        }
    }

    pub(crate) fn syntax(place: Place, message: impl Into<String>) -> Self {
        Self::new(Reason::Syntax, place, message)
    }

    pub(crate) fn unsupported(place: Place, message: impl Into<String>) -> Self {
        Self::new(Reason::Unsupported, place, message)
    }

    pub(crate) fn limit(place: Place, message: impl Into<String>) -> Self {
        Self::new(Reason::Limit, place, message)
    }

    /// The error for whoever reads it, without the texts in `secret`.
    pub(crate) fn of(self, name: &str, secret: &[&str]) -> Error {
        let mut message = self.message;
        // Far behind what is shown, so that no half of a secret is left at the end of it.
        cut(&mut message, 32 * MAX_TEXT);
        for secret in secret {
            message = message.replace(secret, "***");
        }
        let mut text = format!("{name}:{} {message}", self.place);
        for (function, place) in self.calls {
            let place = place.to_string();
            let place = place.trim_end_matches(':');
            text = format!("{text}\n  in {function}, called at {name}:{place}");
        }
        cut(&mut text, MAX_TEXT);
        Error {
            reason: self.reason,
            text,
        }
    }
}

fn cut(text: &mut String, most: usize) {
    if text.len() <= most {
        return;
    }
    let mut end = most - "…".len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push('…');
}
