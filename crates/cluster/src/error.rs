//! What an API server can answer instead of what was asked for.

use serde::Deserialize;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No answer came: the connection failed, was cut, or the time ran out.
    #[error("could not reach the API server: {0}")]
    Unreachable(String),
    /// It was a write, and this process's term of the Lease has run out: another controller may be
    /// at work.
    #[error("the Lease has run out")]
    OutOfTerm,
    /// The API server answered with a `Status`.
    #[error("{}", .0.message)]
    Refused(Refusal),
    /// The answer is not what the API promises, or too large.
    #[error("could not understand the API server's answer: {0}")]
    Undecodable(String),
}

/// What went wrong, down to its cause: the outermost errors of a connection say nothing, and name what it is
/// built of.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        next = error.source();
        let text = error.to_string();
        let hull = text.starts_with("ServiceError: ") || text.starts_with("client error (");
        let known = texts.iter().any(|known| known.contains(&text));
        if !known && (!hull || next.is_none()) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

/// A `Status` that says no.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Refusal {
    /// The HTTP status code.
    pub code: u16,
    /// The machine's word, such as `NotFound`; some answers carry none.
    pub reason: String,
    /// The sentence for people.
    pub message: String,
    /// What it is about.
    pub details: Details,
}

impl Refusal {
    /// Whether the server is only about to read the kind for the first time, or anew. It says so since 1.31 to lists and
    /// watches (KEP-4568), in the words of `k8s.io/apiserver`'s cacher.
    pub(crate) fn is_opening(&self) -> bool {
        self.code == 429 && self.message.contains("storage is (re)initializing")
    }
}

/// Details of a [`Refusal`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Details {
    /// The single causes, such as one for each conflicting field.
    pub causes: Vec<Cause>,
    /// How long to wait before asking again.
    pub retry_after_seconds: u64,
}

/// One cause of a [`Refusal`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// The machine's word, such as `FieldManagerConflict`.
    pub reason: String,
    /// The sentence for people.
    pub message: String,
    /// The field, such as `.spec.replicas`.
    pub field: String,
}

impl ApiError {
    /// The refusal, if the API server answered with one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    fn code(&self) -> u16 {
        self.refusal().map_or(0, |refusal| refusal.code)
    }

    /// Whether the object, its kind or its namespace is not there.
    pub fn is_not_found(&self) -> bool {
        self.code() == 404
    }

    /// Whether the caller may not do this. Admission also answers 403, and is told apart by
    /// [`ApiError::is_admission`].
    pub fn is_forbidden(&self) -> bool {
        self.code() == 403 && !self.is_admission()
    }

    /// Whether somebody else was faster or owns a field.
    pub fn is_conflict(&self) -> bool {
        self.code() == 409
    }

    /// Whether the object itself is wrong: no retry will help.
    pub fn is_invalid(&self) -> bool {
        matches!(self.code(), 400 | 422) && !self.is_admission() || self.is_schema_error()
    }

    /// Whether a webhook or policy said no, or a webhook did not answer.
    pub fn is_admission(&self) -> bool {
        self.refusal().is_some_and(|refusal| {
            let text = refusal.message.as_str();
            text.contains("admission webhook")
                || text.contains("failed calling webhook")
                || text.contains("denied request")
                || text.contains("denied the request")
                || text.contains("is forbidden: violates PodSecurity")
                || text.contains("exceeded quota")
        })
    }

    /// Whether the API server has answered that it did nothing. After anything else a write may have
    /// come through all the same.
    pub fn is_refusal(&self) -> bool {
        matches!(self.code(), 400..500) || self.is_admission() || self.is_schema_error()
    }

    /// Whether asking again later may succeed without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::OutOfTerm => true,
            Self::Refused(refusal) => {
                (refusal.code == 429 || refusal.code >= 500)
                    && !self.is_admission()
                    && !self.is_schema_error()
            }
            Self::Undecodable(_) => false,
        }
    }

    /// A server-side apply with an undeclared field or a duplicate key answers 500 without a
    /// reason (measured on 1.36.3), though only its author can help.
    fn is_schema_error(&self) -> bool {
        self.refusal().is_some_and(|refusal| {
            // The second: values of the right type that mean nothing, such as `memory: lots`.
            refusal.code == 500
                && [
                    "failed to create typed patch object",
                    "unable to convert unstructured object",
                ]
                .iter()
                .any(|words| refusal.message.contains(words))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error around another one.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Around(&'static str, #[source] std::io::Error);

    #[test]
    fn what_a_client_is_built_of_is_no_cause() {
        let refused = || std::io::Error::other("connection refused");
        let shown = |text| causes(&Around(text, refused()));
        assert_eq!(shown("client error (Connect)"), "connection refused");
        assert_eq!(
            shown("tcp connect error"),
            "tcp connect error: connection refused"
        );
        assert_eq!(shown("no: connection refused"), "no: connection refused");
    }
}
