//! What a user may point at: a branch, a tag, a commit.

use std::fmt;

use crate::CommitId;

/// A place in a repository that a user names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// A branch, by its short name (`main`).
    Branch(String),
    /// A tag, by its short name (`v1.2`). An annotated tag stands for the commit it names.
    Tag(String),
    /// A pinned commit.
    Commit(CommitId),
}

impl Reference {
    /// The full name on the server; none for a commit and for what no server can have.
    pub(crate) fn full_name(&self) -> Option<String> {
        let full = match self {
            Reference::Branch(name) => format!("refs/heads/{name}"),
            Reference::Tag(name) => format!("refs/tags/{name}"),
            Reference::Commit(_) => return None,
        };
        // Also keeps `*`, `:` and `^`, which mean something in a refspec, out of it.
        gix::validate::reference::name(full.as_str().into()).ok()?;
        Some(full)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Branch(name) | Reference::Tag(name) => f.write_str(name),
            Reference::Commit(commit) => commit.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_means_something_in_a_refspec_is_no_reference() {
        for name in [
            "", "a b", "a*", "a:b", "^a", "../a", "a..b", "a.lock", "a\nb",
        ] {
            assert_eq!(Reference::Branch(name.into()).full_name(), None, "{name}");
        }
        assert_eq!(
            Reference::Tag("v1/rc".into()).full_name().as_deref(),
            Some("refs/tags/v1/rc")
        );
    }
}
