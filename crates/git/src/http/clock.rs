//! The clock of limits on a transfer. Must not be asked what time it is.

use std::time::Instant;

/// This moment.
#[expect(
    clippy::disallowed_methods,
    reason = "a blocking transfer has no tokio clock, and no test needs to pause it"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
