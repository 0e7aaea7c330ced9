//! What can go wrong between a Git server and us, sorted by who has to act.
//!
//! # Guarantees
//!
//! No message holds credentials, a URL with credentials, or what a server sent beyond a short,
//! printable piece.

use std::time::Duration;

use crate::{CommitId, GitUrl, Reference, TreeId};

/// Which way a server kept its door shut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The server asks for credentials and none are configured.
    #[error("the server asks for credentials and none are given")]
    Missing,
    /// The server does not know these credentials.
    #[error("the server does not accept the credentials")]
    NotAccepted,
    /// The server knows who asks, and says no (403).
    #[error("the server forbids access")]
    Forbidden,
    /// The server sent us to another host, which asks for credentials; ours are not for it.
    #[error(
        "the server redirects to `{0}`, which asks for credentials; those given are not sent to another host"
    )]
    OtherHost(String),
    /// Credentials are configured for a plain http URL, where anybody can read them.
    #[error("credentials are not sent over plain http: use an https URL")]
    PlainHttp,
}

/// Why a repository could not be looked at, fetched or read.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No connection, or it broke before the answer was complete.
    #[error("could not reach `{url}`: {why}")]
    Unreachable {
        /// The repository.
        url: GitUrl,
        /// What the network said.
        why: String,
    },
    /// The server was silent for too long, or the whole transfer took too long.
    #[error("`{url}` did not answer in time (limit {} s)", .limit.as_secs_f32())]
    TimedOut {
        /// The repository.
        url: GitUrl,
        /// The limit that was reached.
        limit: Duration,
    },
    /// Credentials are missing, wrong, or must not be sent.
    #[error("not authorized for `{url}`: {refusal}")]
    Unauthorized {
        /// The repository.
        url: GitUrl,
        /// Which of these.
        refusal: Refusal,
    },
    /// The server has no repository of that name (404, 410), or hides it from who asks.
    #[error("there is no repository `{url}`")]
    RepositoryMissing {
        /// The repository.
        url: GitUrl,
    },
    /// The server answered with another HTTP status.
    #[error("`{url}` answered with HTTP status {status}")]
    Status {
        /// The repository.
        url: GitUrl,
        /// That status.
        status: u16,
    },
    /// No trust in the server's certificate, or no TLS at all behind an https URL.
    #[error("no secure connection to `{url}`: {why}")]
    Tls {
        /// The repository.
        url: GitUrl,
        /// What is wrong with it.
        why: String,
    },
    /// The server redirects to where we do not follow: from https to http, in a circle, or to
    /// something that is not the same repository request.
    #[error("`{url}` redirects to where it is not followed: {why}")]
    Redirected {
        /// The repository.
        url: GitUrl,
        /// Why not.
        why: String,
    },
    /// The answer is not one of a Git server.
    #[error("`{url}` did not answer like a Git server: {why}")]
    Garbage {
        /// The repository.
        url: GitUrl,
        /// What is odd about it.
        why: String,
    },
    /// The repository has no such branch or tag.
    #[error("`{url}` has no {} `{reference}`", kind(.reference))]
    ReferenceMissing {
        /// The repository.
        url: GitUrl,
        /// The branch or tag.
        reference: Reference,
    },
    /// The commit is not in the repository, not served by it, or not fetched yet.
    #[error("commit {commit} is not there")]
    CommitMissing {
        /// The commit.
        commit: CommitId,
    },
    /// The tree is not fetched, or no longer kept: fetch its commit again.
    #[error("tree {tree} is not there")]
    TreeMissing {
        /// The tree.
        tree: TreeId,
    },
    /// The commit has no such path.
    #[error("there is no path `{path}`; `{nearest}` has {}", some(.entries))]
    PathMissing {
        /// The path asked for.
        path: String,
        /// The longest part of it that exists; `.` is the root.
        nearest: String,
        /// A few names in there.
        entries: Vec<String>,
    },
    /// The path, or a part of it, is a file, a link or a submodule.
    #[error("`{path}` is not a folder")]
    NotADirectory {
        /// The path up to there.
        path: String,
    },
    /// A path that is not followed, or an entry of a tree that is not read.
    #[error("`{path}` {why}")]
    Refused {
        /// The path.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Something from outside is larger than its bound.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What it is.
        what: String,
        /// The bound, in bytes or pieces.
        limit: u64,
    },
    /// The caller raised its stop flag.
    #[error("stopped")]
    Stopped,
    /// The folder on this machine cannot be read or written.
    #[error("the local copy cannot be used: {why}")]
    Local {
        /// What the disk or the object store said.
        why: String,
    },
}

impl GitError {
    /// Whether trying the same again later, with nobody changing anything, may well succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            GitError::Unreachable { .. }
            | GitError::TimedOut { .. }
            | GitError::Garbage { .. }
            | GitError::TreeMissing { .. }
            | GitError::Stopped
            | GitError::Local { .. } => true,
            GitError::Status { status, .. } => *status >= 500 || matches!(status, 408 | 429),
            GitError::Unauthorized { .. }
            | GitError::RepositoryMissing { .. }
            | GitError::Tls { .. }
            | GitError::Redirected { .. }
            | GitError::ReferenceMissing { .. }
            | GitError::CommitMissing { .. }
            | GitError::PathMissing { .. }
            | GitError::NotADirectory { .. }
            | GitError::Refused { .. }
            | GitError::TooLarge { .. } => false,
        }
    }

    pub(crate) fn local(error: impl std::fmt::Display) -> GitError {
        GitError::Local {
            why: printable(&error.to_string()),
        }
    }
}

fn kind(reference: &Reference) -> &'static str {
    match reference {
        Reference::Branch(_) => "branch",
        Reference::Tag(_) => "tag",
        Reference::Commit(_) => "commit",
    }
}

fn some(entries: &[String]) -> String {
    if entries.is_empty() {
        return "nothing in it".to_owned();
    }
    entries
        .iter()
        .map(|entry| format!("`{entry}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The printable beginning of a text from outside.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
