//! Waiting for something that another process does. The only place of the suites that sleeps.

use std::fmt::Display;
use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

/// The first pause; each further one is half as long again, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Repeats `attempt` until it succeeds, and fails the test with the last reason when time is out.
///
/// # Panics
///
/// After `patience`, naming the caller's line, `what` was waited for, and what the last attempt
/// answered.
#[track_caller]
pub fn eventually<T, E, F>(
    what: &str,
    patience: Duration,
    attempt: impl FnMut() -> F,
) -> impl Future<Output = T>
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let caller = Location::caller();
    async move {
        match poll(patience, attempt).await {
            Ok(value) => value,
            Err(last) => stop(what, patience, &last, caller),
        }
    }
}

/// Repeats `attempt` until it succeeds or `patience` is over; then the error is the last reason.
///
/// An attempt that is still running when time is out is dropped.
pub async fn poll<T, E, F>(patience: Duration, mut attempt: impl FnMut() -> F) -> Result<T, String>
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let end = Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    let mut last = "the first attempt did not return".to_owned();
    loop {
        match timeout_at(end, attempt()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(reason)) => last = reason.to_string(),
            Err(_) => return Err(last),
        }
        if Instant::now() + pause >= end {
            return Err(last);
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

#[expect(clippy::panic, reason = "this is how a test that waited in vain fails")]
fn stop(what: &str, patience: Duration, last: &str, caller: &Location<'_>) -> ! {
    panic!("waited {patience:?} for {what} at {caller}; the last answer was: {last}")
}
