//! How a reconcile pass ends when it does not get there: sorted by who has to move next.

use std::time::Duration;

use kinds::Reason;

use crate::board::Wait;

/// A pass that stopped before anything was applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// Somebody has to edit something. Retrying cannot help, the edit itself comes as an event.
    #[error("{why}")]
    Stalled {
        /// The class.
        reason: Reason,
        /// What is wrong and what to do.
        why: String,
    },
    /// Something else has to move first, and says so when it does.
    #[error("waiting for {what}")]
    Waiting {
        /// The class.
        reason: Reason,
        /// What for.
        what: String,
        /// What wakes this up again.
        wait: Option<Wait>,
    },
    /// The network or the API server let us down.
    #[error("could not {attempt}")]
    Failed {
        /// The class.
        reason: Reason,
        /// What was tried and what came of it.
        attempt: String,
    },
}

impl Halt {
    /// The class.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Stalled { reason, .. }
            | Self::Waiting { reason, .. }
            | Self::Failed { reason, .. } => *reason,
        }
    }
}

/// How long to wait after so many failures in a row: from a second to five minutes.
pub(crate) fn backoff(failures: u32) -> Duration {
    Duration::from_secs(2_u64.saturating_pow(failures.min(9)).clamp(1, 300))
}
