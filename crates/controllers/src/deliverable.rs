//! `Deliverable`: selects the delivery, and stamps the Shipment of the same name as the
//! Deliverable's own account.
//!
//! Until supply chains are run here there is one delivery, `delivery-basic`, built in. Conditions,
//! their order, reasons and messages are Cartographer's v0.8.11.

mod condition;
mod select;
mod stamp;
mod status;

use std::sync::Arc;
use std::time::Duration;

use cluster::Owner;
use cluster::apply::{Applied, ApplyError, Intent, apply};
use cluster::caller::Want;
use kinds::{Deliverable, DeliverableStatus, Shipment};
use kube::ResourceExt as _;
use kube::core::ApiResource;
use kube::runtime::controller::Action;
use serde_json::Value;

use crate::board::Key;
use crate::context::Ctx;
use crate::event;
use condition::Submitted;

/// How long a Deliverable rests whose stamp was refused, before it is tried again.
const AFTER_REFUSAL: Duration = Duration::from_secs(15);

/// One pass over one Deliverable.
pub(crate) async fn reconcile(deliverable: Arc<Deliverable>, ctx: Arc<Ctx>) -> Action {
    if deliverable.metadata.deletion_timestamp.is_some() {
        return Action::await_change(); // the garbage collector takes the Shipment, which prunes
    }
    if ctx.left.is_so() {
        return Action::await_change(); // all have a pass when that ends
    }
    let selected = select::select(&deliverable);
    let submitted = match &selected {
        Ok(()) => Some(submit(&deliverable, &ctx).await),
        Err(_) => None,
    };
    let refused = matches!(&submitted, Some(Err(refusal)) if refusal.may_pass);
    let shipment = stamped(&deliverable, &ctx);
    let next = status::status(&deliverable, selected.err(), submitted, shipment.as_deref());
    match write(&deliverable, &ctx, &next).await {
        Ok(changed) => {
            if changed {
                narrate(&deliverable, &ctx, &next);
                tell_health(&deliverable, &ctx, &next);
            }
            if refused {
                Action::requeue(AFTER_REFUSAL)
            } else {
                Action::await_change()
            }
        }
        Err(error) => {
            tracing::warn!(error = %error, "could not write the status of Deliverable `{}`", deliverable.name_any());
            Action::requeue(Duration::from_secs(2))
        }
    }
}

/// One event and one log line for each change of what keeps a Deliverable from its Shipment. What
/// becomes of that one, the Shipment tells itself.
fn narrate(deliverable: &Deliverable, ctx: &Ctx, next: &DeliverableStatus) {
    let Some(refusal) = next.refusal() else {
        return;
    };
    let (reason, message) = (&refusal.reason, &refusal.message);
    let before = deliverable
        .status
        .as_ref()
        .and_then(DeliverableStatus::refusal);
    if before.is_some_and(|before| (&before.reason, &before.message) == (reason, message)) {
        return;
    }
    let name = deliverable.name_any();
    let key = Key::new(deliverable.namespace().unwrap_or_default(), name);
    tracing::warn!(deliverable.key = %key, deliverable.reason = %reason, "Deliverable `{key}`: {message}");
    event::warn_word(&ctx.events, deliverable, reason, "Stamp", message);
}

/// Cartographer's event of how the stamped Shipment is, once for each change of it.
fn tell_health(deliverable: &Deliverable, ctx: &Ctx, next: &DeliverableStatus) {
    let before = deliverable.status.as_ref();
    let before = before.and_then(status::healthy).unwrap_or("Unknown");
    let Some(healthy) = status::healthy(next).filter(|now| *now != before) else {
        return; // a first `Unknown` tells nothing
    };
    let note = format!(
        "[{}] found healthy status in [shipments.shipway.run/{}] changed to [{healthy}]",
        stamp::RESOURCE,
        deliverable.name_any()
    );
    let word = "ResourceHealthyStatusChanged";
    event::tell_word(&ctx.events, deliverable, word, "Stamp", &note);
}

fn stamped(deliverable: &Deliverable, ctx: &Ctx) -> Option<Arc<Shipment>> {
    let namespace = deliverable.namespace().unwrap_or_default();
    ctx.shipments
        .get(&Key::new(namespace, deliverable.name_any()))
}

/// Applies the Shipment unless it is there as it should be.
async fn submit(deliverable: &Deliverable, ctx: &Ctx) -> Submitted {
    let namespace = deliverable.namespace().unwrap_or_default();
    let account = stamp::account(deliverable);
    if !ctx.presence.is_account(&namespace, &account) {
        return Err(condition::no_account(&namespace, &account));
    }
    let wanted = stamp::stamp(deliverable).map_err(|why| condition::not_stamped(&why))?;
    let live = stamped(deliverable, ctx);
    if live
        .as_deref()
        .is_some_and(|live| is_as_wanted(live, &wanted))
    {
        return Ok(());
    }
    let owner = Owner::deliverable(&namespace, &deliverable.name_any());
    let caller = ctx
        .caller
        .acting_as(&namespace, &account)
        .map_err(|error| condition::rejected(&wanted, &error.to_string()))?;
    let api = ApiResource::erase::<Shipment>(&());
    let intent = Intent {
        object: &wanted,
        api: &api,
        ignore: &[],
        known: live.is_some(),
        want: Want::Metadata,
        release_from: None,
    };
    match apply(&caller, &owner, intent).await {
        Ok(applied) => {
            tell(deliverable, ctx, &applied);
            Ok(())
        }
        Err(ApplyError::OwnedBy { owner, .. }) => Err(condition::rejected(
            &wanted,
            &format!("it belongs to `{owner}`"),
        )),
        Err(ApplyError::Api(error) | ApplyError::Half(error)) => {
            Err(condition::rejected(&wanted, &error.to_string()))
        }
    }
}

fn tell(deliverable: &Deliverable, ctx: &Ctx, applied: &Applied) {
    let verb = if applied.created {
        "Created"
    } else {
        "Patched"
    };
    let note = format!(
        "{verb} object [shipments.shipway.run/{}]",
        deliverable.name_any()
    );
    event::tell_word(
        &ctx.events,
        deliverable,
        "StampedObjectApplied",
        "Stamp",
        &note,
    );
}

/// Whether a live Shipment carries the mark of this very stamp, and every value of it.
fn is_as_wanted(live: &Shipment, wanted: &Value) -> bool {
    serde_json::to_value(live).is_ok_and(|live| contains(&live, wanted))
}

fn contains(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| live.get(key).is_some_and(|live| contains(live, value))),
        (live, wanted) => live == wanted,
    }
}

async fn write(
    deliverable: &Deliverable,
    ctx: &Ctx,
    next: &DeliverableStatus,
) -> Result<bool, cluster::ApiError> {
    let value =
        |status: &DeliverableStatus| serde_json::to_value(status).expect("a status is plain data");
    let before = value(&deliverable.status.clone().unwrap_or_default());
    let api = ApiResource::erase::<Deliverable>(&());
    let namespace = deliverable.namespace();
    cluster::status::write(
        &ctx.caller,
        &api,
        namespace.as_deref(),
        &deliverable.name_any(),
        &before,
        &value(next),
    )
    .await
}
