//! The end of a pass: what is left to do, when to try again, and what was done.

use std::collections::BTreeSet;
use std::time::Duration;

use kinds::shipment::Failure;
use kinds::{Reason, Shipment};
use manifest::ObjectId;
use tokio::time::Instant;

use super::{Tally, save};
use crate::board::Wait;
use crate::context::Ctx;
use crate::event::tell;
use crate::halt::{Halt, backoff};
use crate::ledger::Ledger;
use crate::shipment::check::Checked;

/// The longest pause between retries where nobody has to edit anything.
const LONGEST_TRANSIENT: Duration = Duration::from_secs(15);
/// When to look again at other Shipments that are waited for.
const AFTER_OTHERS: Duration = Duration::from_secs(5);

/// Saves the inventory, notes what is left to do, and tells what was done.
pub(super) async fn finish(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    ledger: &mut Ledger,
    failures: Vec<Failure>,
    waits: BTreeSet<Wait>,
    tally: Tally,
) -> Result<(), Halt> {
    let well = failures.is_empty()
        && waits.is_empty()
        && ledger.held.is_none()
        && ledger.pending.is_none();
    ledger.failures = failures;
    ledger.done = Some((checked.inputs.clone(), well));
    let retriable = ledger
        .failures
        .iter()
        .any(|failure| may_pass(&failure.reason));
    if retriable && tally.retry_at.is_some() {
        // What was refused before waits for its retry, whatever was repaired meanwhile.
    } else if retriable {
        ledger.retries += 1;
        let pause = backoff(ledger.retries);
        ledger.retry_at = Some(
            Instant::now()
                + if tally.transient {
                    pause.min(LONGEST_TRANSIENT)
                } else {
                    pause
                },
        );
    } else {
        ledger.retries = 0;
        ledger.retry_at = None;
    }
    let moving = |failure: &Failure| failure.reason == Reason::HandOverPending.as_str();
    if ledger.pending.is_some() || ledger.failures.iter().any(moving) {
        // They wake each other; where they follow the source apart, nobody notices the last step.
        let soon = Instant::now() + AFTER_OTHERS;
        ledger.retry_at = Some(ledger.retry_at.map_or(soon, |at| at.min(soon)));
    }
    let moved = ctx.board.waits(&checked.key, waits);
    save(ctx, shipment, ledger, well.then(|| checked.inputs.clone())).await?;
    ledger.due = false;
    if moved {
        ctx.wake_all([checked.key.clone()]);
    }
    tell_done(ctx, shipment, checked, &tally);
    Ok(())
}

/// Tells what was done.
pub(super) fn tell_done(ctx: &Ctx, shipment: &Shipment, checked: &Checked, tally: &Tally) {
    if tally.created + tally.changed > 0 {
        let note = format!(
            "{}: {} created, {} changed",
            checked.revision(),
            tally.created,
            tally.changed
        );
        tell(&ctx.events, shipment, Reason::Applied, "Apply", &note);
    }
    let listed = |ids: &[ObjectId]| {
        ids.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    if !tally.pruned.is_empty() {
        let (count, names) = (tally.pruned.len(), listed(&tally.pruned));
        let were = if count == 1 { "was" } else { "were" };
        let note = format!("{count} left the source and {were} deleted: {names}");
        tell(&ctx.events, shipment, Reason::Pruned, "Prune", &note);
    }
    if !tally.untouchable.is_empty() {
        let names = listed(&tally.untouchable);
        let note = format!(
            "left the source and stay, since they belong to Shipway's own installation: {names}"
        );
        tell(&ctx.events, shipment, Reason::Orphaned, "Prune", &note);
    }
}

/// Whether trying the same again may help although nobody tells us of any change.
pub(super) fn may_pass(reason: &str) -> bool {
    [
        Reason::Forbidden,
        Reason::Invalid,
        Reason::AdmissionRefused,
        Reason::ClusterUnreachable,
        Reason::NamespaceMissing,
        // Its definition comes with an event, an aggregated API does not.
        Reason::KindUnknown,
    ]
    .iter()
    .any(|known| known.as_str() == reason)
}
