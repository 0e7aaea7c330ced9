//! How a watch rests that is not allowed.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// The first rest. Rights that were just granted do not count at once: a cluster's own controller puts
/// aggregated roles together, and its API server hears of them by a watch.
const FIRST: Duration = Duration::from_secs(1);

/// The rests of one watch: each twice as long as the one before.
pub(super) struct Rest {
    next: Duration,
    longest: Duration,
    rights: watch::Receiver<()>,
}

impl Rest {
    /// Rests of `longest` at most. Whatever comes through `rights` ends a long one soon.
    pub(super) fn new(longest: Duration, rights: watch::Receiver<()>) -> Self {
        Self {
            next: FIRST.min(longest),
            longest,
            rights,
        }
    }

    /// Rests.
    pub(super) async fn take(&mut self) {
        let rest = self.advance();
        tokio::select! {
            () = sleep(rest) => {}
            Ok(()) = self.rights.changed() => {
                self.reset();
                sleep(self.advance()).await;
            }
        }
    }

    /// Notes that the watch was allowed.
    pub(super) fn reset(&mut self) {
        self.next = FIRST.min(self.longest);
    }

    fn advance(&mut self) -> Duration {
        let rest = self.next;
        self.next = (rest * 2).min(self.longest);
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rests(rest: &mut Rest, count: usize) -> Vec<u64> {
        let rests = std::iter::repeat_with(|| rest.advance().as_secs());
        rests.take(count).collect()
    }

    #[test]
    fn rests_grow_until_they_are_the_longest() {
        let (_rights, heard) = watch::channel(());
        let mut rest = Rest::new(Duration::from_mins(5), heard.clone());
        let all = rests(&mut rest, 11);
        assert_eq!(all, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        rest.reset();
        assert_eq!(rests(&mut rest, 2), [1, 2]);
        let mut short = Rest::new(Duration::from_millis(10), heard);
        assert_eq!(short.advance(), Duration::from_millis(10));
    }

    #[tokio::test]
    async fn a_change_of_rights_ends_a_rest() {
        let (rights, heard) = watch::channel(());
        let mut rest = Rest {
            next: Duration::from_hours(1),
            ..Rest::new(Duration::from_hours(1), heard)
        };
        rights.send_replace(());
        rest.take().await;
        // The one after it is short too: what was granted may count only then.
        assert_eq!(rests(&mut rest, 2), [2, 4]);
    }
}
