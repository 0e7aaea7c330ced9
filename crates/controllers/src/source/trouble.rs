//! Why a source is not there, sorted into the reasons of a status.

use git::GitError;
use kinds::Reason;

/// Why a source is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The class.
    pub reason: Reason,
    /// The sentence for people; no secret, no credentialed URL.
    pub message: String,
    /// Whether it may pass by itself.
    pub transient: bool,
}

/// Sorts what Git says into the reasons of a status.
pub(crate) fn trouble(error: &GitError) -> Trouble {
    let reason = match error {
        GitError::Unauthorized { .. } => Reason::SourceUnauthorized,
        GitError::Tls { .. } => Reason::SourceUntrusted,
        GitError::RepositoryMissing { .. }
        | GitError::ReferenceMissing { .. }
        | GitError::CommitMissing { .. }
        | GitError::PathMissing { .. }
        | GitError::NotADirectory { .. } => Reason::SourceMissing,
        GitError::TooLarge { .. } | GitError::Refused { .. } | GitError::Redirected { .. } => {
            Reason::SourceRejected
        }
        _ => Reason::SourceUnreachable,
    };
    Trouble {
        reason,
        message: error.to_string(),
        transient: error.is_transient(),
    }
}

/// Work that broke off. What a panic says may quote what was read, so it is not shown.
pub(super) fn broken(error: &tokio::task::JoinError) -> Trouble {
    let why = if error.is_panic() {
        "by a fault of Shipway"
    } else {
        "since the controller is stopping"
    };
    Trouble {
        reason: Reason::SourceUnreachable,
        message: format!("reading the repository broke off {why}"),
        transient: true,
    }
}
