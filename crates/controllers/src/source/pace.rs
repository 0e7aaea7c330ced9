//! How long a source rests between two looks.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(1);

/// The pause after so many failures in a row: doubled each time, but never much longer than the
/// usual one or a minute.
pub(super) fn after_failures(failures: u32, interval: Duration) -> Duration {
    (FIRST_RETRY * 2_u32.pow(failures.min(10)))
        .min(LONGEST_RETRY)
        .min(interval.max(FIRST_RETRY * 2))
}

/// Spreads the looks of many repositories and clusters over time: 90 to 110 %.
pub(super) fn jittered(pause: Duration) -> Duration {
    let thousandth = RandomState::new().hash_one(pause) % 1000;
    let thousandth = u32::try_from(thousandth).unwrap_or_default();
    pause * 9 / 10 + pause / 5 * thousandth / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_spread_over_time() {
        let usual = Duration::from_secs(30);
        let pauses: Vec<Duration> = (0..100).map(|_| jittered(usual)).collect();
        let (shortest, longest) = (pauses.iter().min(), pauses.iter().max());
        assert!(shortest >= Some(&Duration::from_secs(27)), "{shortest:?}");
        assert!(longest <= Some(&Duration::from_secs(33)), "{longest:?}");
        let spread = longest
            .zip(shortest)
            .map(|(longest, shortest)| longest.saturating_sub(*shortest));
        assert!(spread > Some(Duration::from_secs(1)), "{spread:?}");
    }

    #[test]
    fn failures_slow_the_looks_down_but_not_beyond_the_usual_pause() {
        let pause =
            |failures, interval| after_failures(failures, Duration::from_secs(interval)).as_secs();
        assert_eq!(
            [1, 2, 3, 9].map(|failures| pause(failures, 30)),
            [2, 4, 8, 30]
        );
        assert_eq!([1, 9].map(|failures| pause(failures, 3600)), [2, 60]);
        assert_eq!([1, 9].map(|failures| pause(failures, 1)), [2, 2]);
    }
}
