//! How a pass of one that stamps ended, and so when the next one is due that nothing else asks for.

use std::time::Duration;

use kube::runtime::controller::Action;

/// How long one rests whose status could not be written.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// The longest rest after failures that may pass.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// How a pass ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ended {
    /// Whether something failed that may succeed without anybody doing anything.
    pub(crate) may_pass: bool,
    /// How long what it found is held back, since it most likely passes.
    pub(crate) held_back: Option<Duration>,
    /// Whether the status could not be written.
    pub(crate) status_failed: bool,
    /// Whether a kind that it stands on may not be watched, and has to be looked at.
    pub(crate) is_unwatched: bool,
}

impl Ended {
    /// When the next pass is due. `failures` counts the passes in a row that failed in a way that may pass;
    /// `look` is how often a kind that may not be watched is looked at.
    pub(crate) fn next(self, failures: &mut u32, look: Duration) -> Action {
        let look = self.is_unwatched.then_some(look);
        let rests = [self.rest(failures), look, self.held_back];
        match rests.into_iter().flatten().min() {
            Some(rest) => Action::requeue(rest),
            None => Action::await_change(),
        }
    }

    fn rest(self, failures: &mut u32) -> Option<Duration> {
        if self.status_failed {
            return Some(AFTER_FAILURE);
        }
        if !self.may_pass {
            *failures = 0;
            return None;
        }
        *failures = failures.saturating_add(1);
        let rest = Duration::from_secs(1 << (*failures).min(6));
        Some(rest.min(LONGEST_REST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Duration = Duration::from_mins(5);

    #[test]
    fn failures_in_a_row_rest_longer_and_longer() {
        let mut failures = 0;
        let failed = Ended {
            may_pass: true,
            ..Ended::default()
        };
        let mut rest = || failed.next(&mut failures, LOOK);
        assert_eq!(rest(), Action::requeue(Duration::from_secs(2)));
        assert_eq!(rest(), Action::requeue(Duration::from_secs(4)));
        let last = (0..10).map(|_| rest()).last();
        assert_eq!(last, Some(Action::requeue(LONGEST_REST)));
        let well = Ended::default().next(&mut failures, LOOK);
        assert_eq!((well, failures), (Action::await_change(), 0));
    }

    #[test]
    fn what_may_not_be_watched_is_looked_at() {
        let unwatched = Ended {
            is_unwatched: true,
            ..Ended::default()
        };
        assert_eq!(unwatched.next(&mut 0, LOOK), Action::requeue(LOOK));
        let unwritten = Ended {
            status_failed: true,
            ..unwatched
        };
        assert_eq!(unwritten.next(&mut 0, LOOK), Action::requeue(AFTER_FAILURE));
        let held_back = Ended {
            held_back: Some(Duration::from_millis(700)),
            ..unwatched
        };
        let soon = Action::requeue(Duration::from_millis(700));
        assert_eq!(held_back.next(&mut 0, LOOK), soon);
    }
}
