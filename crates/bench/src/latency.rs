//! Many measurements of one latency.

use std::fmt;
use std::time::Duration;

/// Measurements in ascending order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latency(Vec<Duration>);

impl Latency {
    /// Sorts measurements.
    pub(crate) fn of(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    /// The smallest measurement that so many percent do not exceed; nothing of nothing.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |percent| self.percentile(percent).as_secs_f64() * 1000.0;
        write!(
            f,
            "p50 {:.0} ms, p99 {:.0} ms, longest {:.0} ms",
            millis(50),
            millis(99),
            millis(100)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measurement() {
        let samples = (1..=200).rev().map(Duration::from_millis).collect();
        let latency = Latency::of(samples);
        assert_eq!(
            latency.to_string(),
            "p50 100 ms, p99 198 ms, longest 200 ms"
        );
        assert_eq!(Latency::default().percentile(99), Duration::ZERO);
    }
}
