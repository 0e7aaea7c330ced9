//! What admission refuses: Cartographer's rules, in its order and its words.
//!
//! The first rule that is broken is the answer. What Shipway refuses beyond them is in
//! [`crate::strict`], so that both can be told apart.

mod blueprint;
mod field;
mod template;

pub(crate) use blueprint::names_differ;
pub use blueprint::{delivery, supply_chain};
pub use template::{run_template, template, template_spec};

/// Why an object is refused, in the words that admission answers with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    fn within(self, place: &str) -> Self {
        Self(format!("{place}: {self}"))
    }
}

#[cfg(test)]
mod tests;
