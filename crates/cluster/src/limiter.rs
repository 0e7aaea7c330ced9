//! One gate for all requests to a cluster: so many at once, and none while the API server asked
//! for a pause.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// The longest pause that a `Retry-After` can ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Bounds the requests that are under way.
#[derive(Debug)]
pub struct Limiter {
    permits: Semaphore,
    closed_until: Mutex<Option<Instant>>,
}

impl Limiter {
    /// Lets `at_once` requests through at a time.
    pub fn new(at_once: usize) -> Self {
        Self {
            permits: Semaphore::new(at_once),
            closed_until: Mutex::new(None),
        }
    }

    /// Waits for a place, and for the end of a pause.
    pub(crate) async fn enter(&self) -> SemaphorePermit<'_> {
        let permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        // Looked at again after each wait: a later answer may have prolonged the pause.
        while let Some(until) = self.closed_until() {
            sleep_until(until).await;
        }
        permit
    }

    /// Lets nobody in for a while, because the API server said so.
    pub(crate) fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST_PAUSE);
        let mut closed = self
            .closed_until
            .lock()
            .expect("nothing panics while holding it");
        *closed = Some(closed.map_or(until, |old| old.max(until)));
    }

    fn closed_until(&self) -> Option<Instant> {
        let mut closed = self
            .closed_until
            .lock()
            .expect("nothing panics while holding it");
        if closed.is_some_and(|until| until <= Instant::now()) {
            *closed = None;
        }
        *closed
    }
}
