//! Answers the annotation that asks for a look at the source at once.

use kinds::{Shipment, names};
use kube::ResourceExt as _;

use super::gather::follower;
use crate::board::Key;
use crate::context::Ctx;
use crate::ledger::Ledger;

/// Notes that the look that was asked for is done. Whoever asks has most likely changed something: what
/// could not be done before is tried again by the pass that answers, once, whatever its back-off says.
pub(super) fn answer(ctx: &Ctx, key: &Key, ledger: &mut Ledger) {
    if ledger.asked == ledger.synced || ctx.sources.is_looking(&follower(key)) {
        return;
    }
    ledger.synced.clone_from(&ledger.asked);
    ledger.due |= !ledger.failures.is_empty();
}

/// The longest value that is answered: it is repeated in the status, which stays small.
const LONGEST: usize = 100;

/// The annotation's value, where it asks for a look that was not begun yet.
pub(super) fn asked(shipment: &Shipment, ledger: &Ledger) -> Option<String> {
    let wanted = shipment.annotations().get(names::SYNC_ANNOTATION);
    let wanted = wanted.filter(|wanted| wanted.len() <= LONGEST)?;
    let before_restart = shipment
        .status
        .as_ref()
        .and_then(|status| status.synced.as_ref());
    let known = ledger.asked.as_ref().or(before_restart);
    (known != Some(wanted)).then(|| wanted.clone())
}

/// Looks at once. Only what is followed can be looked at.
pub(super) fn ask(ctx: &Ctx, key: &Key, ledger: &mut Ledger, wanted: String) {
    ledger.asked = Some(wanted);
    ctx.sources.look_now(&follower(key));
}
