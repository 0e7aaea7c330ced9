//! Where a path that finds nothing leaves the data, for people: the text of the error is
//! Cartographer's and says neither.

use super::item::Item;
use super::parse::{Step, parse};
use super::walk::block;
use super::wrapped;

/// How many names are shown.
const MAX_NAMES: usize = 20;

/// Where a path leaves the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The names up to there, as `spec.source`; empty at the root.
    pub reached: String,
    /// The name that is not there.
    pub missing: String,
    /// The names that are, in their order, at most twenty.
    pub names: Vec<String>,
}

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            reached,
            missing,
            names,
        } = self;
        let place = if reached.is_empty() {
            "nothing that a template sees".to_owned()
        } else {
            format!("`{reached}`")
        };
        if names.is_empty() {
            return write!(f, "{place} has no `{missing}`, nor anything else");
        }
        write!(
            f,
            "{place} has no `{missing}`, but `{}`",
            names.join("`, `")
        )
    }
}

/// Where a path leaves the data, if it does so at a name.
pub fn hint<'v>(path: &str, data: impl Into<Item<'v>>) -> Option<Hint> {
    let blocks = parse(&wrapped(path)).ok()?;
    let steps = blocks.into_iter().next()?;
    let mut place = data.into();
    let mut reached: Vec<String> = Vec::new();
    for step in steps {
        let mut found = block(std::slice::from_ref(&step), &place).ok()?;
        match (step, found.len()) {
            (Step::Field(missing), 0) => {
                return Some(Hint {
                    reached: reached.join("."),
                    missing,
                    names: names(&place),
                });
            }
            (Step::Field(name), _) => reached.push(name),
            // Only where the way is the only one, its end can be told.
            (_, 1) => {}
            _ => return None,
        }
        place = found.remove(0);
    }
    None
}

fn names(place: &Item<'_>) -> Vec<String> {
    let mut names = place.names();
    names.sort();
    names.truncate(MAX_NAMES);
    names
}
