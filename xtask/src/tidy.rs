//! `cargo xtask tidy`: the house rules that no compiler knows. Also a test, so `cargo test` asks too.
//!
//! A rule is a function from the tree to findings. A finding names the file and what to do.

mod budget;
mod layers;
mod naming;
mod reach;
mod tree;

use crate::run::{Outcome, root};
use tree::Tree;

/// A rule that is broken somewhere.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, from the root.
    path: String,
    what: String,
}

impl Finding {
    fn new(path: &str, what: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}

/// Prints all findings; an error if there is one.
pub(crate) fn tidy() -> Outcome {
    let found = findings(&Tree::read(root())?);
    for Finding { path, what } in &found {
        eprintln!("{path}: {what}");
    }
    match found.len() {
        0 => Ok(()),
        count => Err(format!("tidy has {count} findings")),
    }
}

fn findings(tree: &Tree) -> Vec<Finding> {
    let rules: [fn(&Tree) -> Vec<Finding>; 5] = [
        naming::headers_and_names,
        naming::registered_tests,
        budget::budget,
        layers::layers,
        reach::reach,
    ];
    let mut found: Vec<_> = rules.iter().flat_map(|rule| rule(tree)).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let tree = Tree::read(root()).expect("the repository can be read");
        let found = findings(&tree);
        let lines: Vec<_> = found
            .iter()
            .map(|Finding { path, what }| format!("{path}: {what}"))
            .collect();
        assert!(
            lines.is_empty(),
            "{} findings:\n{}",
            lines.len(),
            lines.join("\n")
        );
    }
}
