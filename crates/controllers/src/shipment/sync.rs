//! Answers the annotation that asks for a look at the source at once.

use kinds::{Shipment, names};
use kube::ResourceExt as _;

use super::gather::follower;
use crate::board::Key;
use crate::context::Ctx;
use crate::ledger::Ledger;

/// Notes that the look that was asked for is done.
pub(super) fn answer(ctx: &Ctx, key: &Key, ledger: &mut Ledger) {
    if ledger.asked.is_some() && !ctx.sources.is_looking(&follower(key)) {
        ledger.synced.clone_from(&ledger.asked);
    }
}

/// The longest value that is answered: it is repeated in the status, which stays small.
const LONGEST: usize = 100;

/// Looks at once where the annotation has a new value. Only what is followed can be looked at.
pub(super) fn ask(ctx: &Ctx, shipment: &Shipment, key: &Key, ledger: &mut Ledger) {
    let wanted = shipment.annotations().get(names::SYNC_ANNOTATION);
    let Some(wanted) = wanted.filter(|wanted| wanted.len() <= LONGEST) else {
        return;
    };
    let before_restart = shipment
        .status
        .as_ref()
        .and_then(|status| status.synced.as_ref());
    if ledger.asked.as_ref() == Some(wanted)
        || (ledger.asked.is_none() && before_restart == Some(wanted))
    {
        return;
    }
    ledger.asked = Some(wanted.clone());
    ctx.sources.look_now(&follower(key));
}
