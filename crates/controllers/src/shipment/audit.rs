//! The slow audit: now and then everything is applied again, which puts right what no watch shows,
//! such as the order of a keyed list, a Secret, or a lost connection. What is as it should be costs
//! one request and no write.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kinds::Shipment;
use tokio::time::Instant;

use crate::board::Key;
use crate::context::Ctx;
use crate::ledger::Ledger;

/// Whether the audit is due; plans the first one of a Shipment that has none yet.
pub(super) fn is_due(ctx: &Ctx, shipment: &Shipment, key: &Key, ledger: &mut Ledger) -> bool {
    let now = Instant::now();
    let created = shipment.metadata.creation_timestamp.as_ref();
    let first = || {
        let wall = Timestamp::now();
        now + wait(key, wall, created.map_or(wall, |time| time.0), ctx.audit)
    };
    now >= *ledger.audit_at.get_or_insert_with(first)
}

/// Plans the next audit.
pub(super) fn done(ctx: &Ctx, ledger: &mut Ledger) {
    ledger.audit_at = Some(Instant::now() + ctx.audit);
}

/// How long until the first audit: each Shipment has a time of the day of its own, so that a
/// thousand of them come one after the other and a restart changes nothing. A new one needs none.
fn wait(key: &Key, now: Timestamp, created: Timestamp, every: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let every = every.as_millis().max(1);
    let phase = u128::from(hasher.finish()) % every;
    let millis = |at: Timestamp| u128::try_from(at.as_millisecond()).unwrap_or(0);
    let now = millis(now);
    let from = now.max(millis(created) + every);
    let since = (from + every - phase) % every;
    let rest = if since == 0 { 0 } else { every - since };
    let wait = u64::try_from(from - now + rest);
    Duration::from_millis(wait.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    #[test]
    fn each_shipment_has_a_time_of_the_day_of_its_own() {
        let waits: std::collections::BTreeSet<Duration> = (0..100)
            .map(|n| {
                wait(
                    &Key::new("shop", format!("web-{n}")),
                    at(1_000_000),
                    at(0),
                    DAY,
                )
            })
            .collect();
        assert!(waits.len() > 95 && waits.iter().all(|wait| *wait <= DAY));
    }

    #[test]
    fn a_restart_does_not_move_it() {
        let key = Key::new("shop", "web");
        let first = wait(&key, at(1_000_000), at(0), DAY);
        let minute = Duration::from_mins(1);
        let later = wait(&key, at(1_000_000) + minute, at(0), DAY);
        let time_of_day = |wait: Duration| wait.as_millis() % DAY.as_millis();
        assert_eq!(time_of_day(later + minute), time_of_day(first));
    }

    #[test]
    fn a_new_shipment_needs_none_for_a_day() {
        let wait = wait(&Key::new("shop", "web"), at(1_000_000), at(1_000_000), DAY);
        assert!(wait >= DAY && wait < 2 * DAY);
    }
}
