//! How a watch that broke off is begun again.

use std::time::Duration;

use kube::runtime::utils::Backoff;
use kube::runtime::watcher::DefaultBackoff;
use tokio::time::Instant;

/// The first pauses before a watch that broke off is tried again: an API server answers "storage is (re)initializing" to
/// the first watch of a kind, and is ready a moment later.
const FIRST_PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(200)];
/// So long after a pause the next one is a first one again.
const FORGOTTEN: Duration = Duration::from_secs(30);
/// The longest pause before a watch that broke off is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// How a watch that broke off is begun again: two quick tries, then kube's pauses, but none of its longest. They grow to
/// 30 s, and after an outage of a minute drift would go unseen for half a minute more.
#[derive(Default)]
pub(super) struct Retry {
    /// How many of the first pauses are over.
    tried: usize,
    last: Option<Instant>,
    later: DefaultBackoff,
}

impl Iterator for Retry {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let last = self.last.replace(Instant::now());
        if last.is_none_or(|last| last.elapsed() > FORGOTTEN) {
            self.tried = 0;
        }
        if let Some(pause) = FIRST_PAUSES.get(self.tried) {
            self.tried += 1;
            return Some(*pause);
        }
        self.later.next().map(|pause| pause.min(LONGEST_PAUSE))
    }
}

impl Backoff for Retry {
    /// Called for whatever a watch tells: one that breaks off again and again is not tried quickly each time.
    fn reset(&mut self) {
        self.later.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_is_tried_twice_quickly_and_not_so_each_time() {
        let mut retry = Retry::default();
        let mut next = || retry.next().expect("it is tried for ever");
        assert_eq!([next(), next()], FIRST_PAUSES);
        assert!(next() > FIRST_PAUSES[1]);
        retry.reset();
        let next = retry.next().expect("it is tried for ever");
        assert!(next > FIRST_PAUSES[1]);
        retry.last = Instant::now().checked_sub(2 * FORGOTTEN);
        assert!(retry.last.is_some(), "the machine runs for longer");
        assert_eq!(retry.next(), Some(FIRST_PAUSES[0]));
        let longest = retry.skip(1).take(20).max();
        assert_eq!(longest, Some(LONGEST_PAUSE));
    }
}
