//! When to look again where no event may come.

use std::collections::BTreeSet;
use std::time::Duration;

use kinds::Reason;
use manifest::ObjectId;
use tokio::time::Instant;

use super::Outcome;
use crate::context::Ctx;
use crate::halt::{Halt, backoff};
use crate::ledger::Ledger;

/// How often a Secret that was of no use is looked at again, since it cannot be watched. However
/// many need it, that is one request.
const SECRET: Duration = Duration::from_secs(5);

/// The longest pause between two attempts at anything else.
const LONGEST: Duration = Duration::from_secs(30);

/// The longest pause between two attempts.
fn longest(reason: Reason) -> Duration {
    match reason {
        reason if reason.blames_secret() => SECRET,
        _ => LONGEST,
    }
}

/// How long until the next look; nothing where an event brings it.
pub(super) fn look_again(
    ctx: &Ctx,
    ledger: &mut Ledger,
    result: &Result<Outcome, Halt>,
) -> Option<Duration> {
    let now = Instant::now();
    match result {
        // An edit, or what is waited for, comes as an event.
        Ok(Outcome::Suspended | Outcome::Gone)
        | Err(Halt::Stalled { .. } | Halt::Waiting { .. }) => None,
        Ok(Outcome::Standing(standing)) => {
            if ledger.retry_at.is_none() {
                ledger.retries = 0;
            }
            let deadline = ledger
                .deadline
                .filter(|_| !ledger.unsettled.is_empty())
                .filter(|deadline| *deadline > now);
            let look = (!unwatched(ctx, ledger).is_empty()).then(|| {
                ledger
                    .looked
                    .map_or(now, |at| at + ctx.look)
                    .max(now + Duration::from_secs(1))
            });
            // What else may be wrong with a source is told of by itself.
            let stale = standing.stale.as_ref().map(|why| why.reason);
            let secret = stale
                .filter(|why| why.blames_secret() || *why == Reason::ClusterUnreachable)
                .map(|why| now + longest(why));
            let repair = ledger.repairs.next(now);
            [
                deadline,
                ledger.retry_at,
                look,
                ledger.audit_at,
                secret,
                repair,
            ]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.saturating_duration_since(now))
        }
        Err(Halt::Failed { reason, .. }) => {
            ledger.retries += 1;
            Some(backoff(ledger.retries).min(longest(*reason)))
        }
    }
}

/// Kinds of a Shipment that may not be watched.
pub(super) fn unwatched(ctx: &Ctx, ledger: &Ledger) -> BTreeSet<String> {
    let kinds: BTreeSet<_> = ledger
        .inventory
        .0
        .keys()
        .map(ObjectId::group_kind)
        .collect();
    kinds
        .into_iter()
        .filter(|kind| ctx.tracker.is_unwatchable(kind))
        .map(|kind| kind.to_string())
        .collect()
}
