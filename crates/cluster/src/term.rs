//! How long this process may write: for as long as its term of the Lease surely runs.
//!
//! A process that was paused (a stopped container, a machine that was moved) does not know it, and
//! goes on where it was. So each write looks at the clock before it leaves, and one that is under
//! way when the term ends is broken off.

use std::sync::Mutex;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio::time::{Instant, sleep};

/// Writes end so long before the term does: what is on its way then arrives within it.
const MARGIN: Duration = Duration::from_secs(3);
/// How soon a pause is noticed by whoever waits.
const LOOK: Duration = Duration::from_secs(1);

/// The term of a Lease, as its holder knows it.
#[derive(Debug)]
pub struct Term {
    length: Duration,
    taken_over: bool,
    begun: Mutex<Option<Moment>>,
}

/// One instant by two clocks. The monotonic one stands still while a machine sleeps, and the other
/// one may be set: what is over by either is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    running: Instant,
    wall: Timestamp,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self {
            running: Instant::now(),
            wall: Timestamp::now(),
        }
    }

    fn is_over_after(self, time: Duration, now: Self) -> bool {
        let by_wall = Duration::try_from(now.wall.duration_since(self.wall)).unwrap_or_default();
        now.running.duration_since(self.running) >= time || by_wall >= time
    }
}

impl Term {
    /// A term of this length that has not begun; `taken_over` says whether the Lease was another's
    /// who had not given it back.
    pub(crate) fn new(length: Duration, taken_over: bool) -> Self {
        Self {
            length,
            taken_over,
            begun: Mutex::new(None),
        }
    }

    /// Begins it anew. `from` is before the request that renewed the Lease was sent: whoever waits
    /// for its end counts from a later moment.
    pub(crate) fn begin(&self, from: Moment) {
        *self.lock() = Some(from);
    }

    /// Ends it.
    pub(crate) fn end(&self) {
        *self.lock() = None;
    }

    /// Whether the one before may still be somewhere, with writes under way.
    pub fn is_taken_over(&self) -> bool {
        self.taken_over
    }

    /// Whether a write may leave now.
    pub(crate) fn runs(&self) -> bool {
        self.runs_at(Moment::now())
    }

    /// Waits until no write may leave any more.
    pub(crate) async fn ended(&self) {
        while self.runs() {
            sleep(LOOK).await;
        }
    }

    fn runs_at(&self, now: Moment) -> bool {
        self.lock()
            .is_some_and(|begun| !begun.is_over_after(self.length.saturating_sub(MARGIN), now))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Moment>> {
        self.begun.lock().expect("nothing panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a term of 15 s runs so many seconds after it began, by either clock.
    #[track_caller]
    fn check(running: u64, wall: i64, runs: bool) {
        let begun = Moment::now();
        let term = Term::new(Duration::from_secs(15), false);
        term.begin(begun);
        let now = Moment {
            running: begun.running + Duration::from_secs(running),
            wall: begun.wall + k8s_openapi::jiff::SignedDuration::from_secs(wall),
        };
        assert_eq!(term.runs_at(now), runs);
        term.end();
        assert!(!term.runs_at(begun), "it was ended");
    }

    #[test]
    fn a_term_runs_while_both_clocks_say_so() {
        check(0, 0, true);
        check(11, 11, true);
        check(12, 12, false);
        check(1, 60, false); // the machine slept
        check(60, 1, false); // the clock was set back
        check(1, -60, true);
    }

    #[test]
    fn a_term_that_has_not_begun_does_not_run() {
        assert!(!Term::new(Duration::from_secs(15), false).runs());
    }
}
