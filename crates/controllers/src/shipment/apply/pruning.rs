//! Deletes what left the source, once nobody can be waiting to take it over.

use cluster::prune::{self, Gone};
use cluster::{ApiError, Caller};
use delivery::order;
use futures::StreamExt as _;
use kinds::shipment::Failure;
use kinds::{Reason, Shipment};
use kube::core::ApiResource;
use manifest::ObjectId;

use super::{AT_ONCE, Outcome, is_called_off};
use crate::board::{Key, Wait};
use crate::context::Ctx;
use crate::ledger::Ledger;
use crate::shipment::check::Checked;
use crate::shipment::siblings::{pending, sibling_behind};

pub(super) async fn prune(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    caller: &Caller,
    list: &[ObjectId],
    ledger: &mut Ledger,
    outcome: Outcome<'_>,
) -> Option<String> {
    if list.is_empty() {
        return None;
    }
    // An object may be on its way to a Shipment that has not got to this revision yet.
    if let Some(other) = sibling_behind(ctx, checked) {
        let what = pending(list.len(), &other);
        outcome.waits.insert(Wait::Shipment(other));
        return Some(what);
    }
    let mut left = None;
    for stage in order::prune_stages(list) {
        let (resting, stage): (Vec<_>, Vec<_>) = stage
            .into_iter()
            .partition(|id| ledger.refused.contains_key(id));
        for id in resting {
            outcome.failures.extend(ledger.failure_of(&id));
        }
        let ledger_ref = &*ledger;
        let gone = futures::stream::iter(stage).map(|id| async move {
            if is_called_off(ctx, shipment, checked) {
                return (id, Ok(Step::CalledOff));
            }
            let uid = ledger_ref
                .inventory
                .0
                .get(&id)
                .and_then(|entry| entry.uid.clone());
            let gone = one(ctx, checked, caller, &id, uid.as_deref()).await;
            (id, gone)
        });
        let gone: Vec<(ObjectId, Result<Step, ApiError>)> =
            gone.buffer_unordered(AT_ONCE).collect().await;
        for (id, result) in gone {
            match result {
                Ok(Step::CalledOff) => {}
                Ok(Step::After(other)) => {
                    left = Some(pending(1, &other));
                    outcome.waits.insert(Wait::Shipment(other));
                }
                Ok(Step::Gone(gone)) => {
                    if gone == Gone::Deleted {
                        ctx.metrics.pruned();
                        outcome.tally.pruned.push(id.clone());
                    }
                    if gone == Gone::Untouchable {
                        outcome.tally.untouchable.push(id.clone());
                    }
                    ctx.tracker.forget(&id, &checked.key);
                    ledger.unsettled.remove(&id);
                    ledger.inventory.0.remove(&id);
                }
                Err(error) => {
                    outcome.failures.push(refused(checked, &id, &error));
                    ledger.refused.insert(id, None);
                }
            }
        }
    }
    left
}

enum Step {
    /// It was not tried: somebody has changed the Shipment.
    CalledOff,
    Gone(Gone),
    /// Another Shipment names it and has not taken it over yet.
    After(Key),
}

async fn one(
    ctx: &Ctx,
    checked: &Checked,
    caller: &Caller,
    id: &ObjectId,
    uid: Option<&str>,
) -> Result<Step, ApiError> {
    let Some((api, _)) = ctx.catalog.preferred_api(&id.group, &id.kind) else {
        return Ok(Step::Gone(Gone::Absent)); // its kind is gone, and all its objects with it
    };
    let gone = match ctx.board.other_who_names(&checked.key, id) {
        // Another Shipment names it: it is never deleted, only left.
        Some(other) => {
            let place = cluster::Resource::object(&api, id.namespace.as_deref(), &id.name);
            let live = prune::live(caller, &place).await?;
            match live {
                None => Gone::Absent,
                Some(meta) if checked.owner.owns(&meta) => return Ok(Step::After(other)),
                Some(_) => Gone::TakenOver(other.to_string()),
            }
        }
        None => match prune::delete(caller, &checked.owner, &api, id, uid).await {
            // A crash came between the list and the object, which may never have been there.
            Err(error) if uid.is_none() && error.is_forbidden() => {
                if !is_absent(ctx, &api, id).await {
                    return Err(error);
                }
                Gone::Absent
            }
            gone => gone?,
        },
    };
    match &gone {
        // The new owner has forced its fields: what only we still own goes now.
        Gone::TakenOver(_) => prune::release(caller, &checked.owner, &api, id).await?,
        // Nobody has it: its values stay, and only our share of it goes.
        Gone::NotOurs(_) | Gone::Untouchable => {
            prune::orphan(caller, &checked.owner, &api, id, uid).await?;
        }
        Gone::Deleted | Gone::Absent | Gone::Orphaned => {}
    }
    Ok(Step::Gone(gone))
}

/// Whether an object is not there, for an account that may not see for itself.
async fn is_absent(ctx: &Ctx, api: &ApiResource, id: &ObjectId) -> bool {
    let place = cluster::Resource::object(api, id.namespace.as_deref(), &id.name);
    matches!(prune::live(&ctx.caller, &place).await, Ok(None))
}

fn refused(checked: &Checked, id: &ObjectId, error: &ApiError) -> Failure {
    let account = format!("{}/{}", checked.key.namespace, checked.spec.account);
    let (reason, message) = if error.is_forbidden() {
        (
            Reason::Forbidden,
            format!(
                "it left the source, but the ServiceAccount `{account}` may not delete it: {error}"
            ),
        )
    } else if error.is_admission() {
        (
            Reason::AdmissionRefused,
            format!("it left the source but could not be deleted: {error}"),
        )
    } else {
        (
            Reason::ClusterUnreachable,
            format!("it left the source but could not be deleted: {error}"),
        )
    };
    let mut failure = Failure::new(reason, crate::event::clipped(&message, 500));
    failure.object = Some(id.to_string());
    failure
}
