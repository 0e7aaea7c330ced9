//! Notes what became of one object: in the inventory, as health that is awaited, and as events.

use cluster::apply::Applied;
use cluster::ownership::Change;
use delivery::health::{self, Health, Status};
use delivery::inventory::Entry;
use kinds::{Reason, Shipment};
use manifest::ObjectId;
use tokio::time::Instant;

use super::Outcome;
use super::carry::Carried;
use super::finish::may_pass;
use crate::board::Wait;
use crate::context::Ctx;
use crate::event::tell;
use crate::ledger::Ledger;
use crate::shipment::check::Checked;
use crate::shipment::heal;
use crate::shipment::plan::{Step, Work, failure, own};
use crate::shipment::report::undone;
use crate::tracker::Drift;

/// How many fields of one writer are named where a repair does not hold.
const FIELDS: usize = 3;
const FIELD_ADVICE: &str = "take the field out of Git or list it under `ignore`";
const OBJECT_ADVICE: &str = "take the object out of Git, or stop whoever does that";

/// Notes what became of one object: inventory, tracker, health, failures and events.
pub(super) fn note(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    ledger: &mut Ledger,
    step: &Step,
    carried: Carried,
    outcome: &mut Outcome<'_>,
) {
    let id = step.object.id.clone();
    if step.planned && carried.is_unwritten() {
        // Whoever may not write it may not look whether it is gone either, once it has left the source.
        ledger.inventory.0.remove(&id);
    }
    match carried {
        Carried::Kept | Carried::CalledOff => {}
        Carried::Rested => outcome.failures.extend(ledger.failure_of(&id)),
        Carried::Held {
            reason,
            message,
            wait,
        } => {
            outcome.waits.insert(wait);
            outcome
                .failures
                .push(failure(&step.object, reason, &message));
        }
        Carried::Failed {
            reason,
            message,
            transient,
            wait,
            unwritten: _,
        } => {
            if let (Reason::OwnedByOther, Some(Wait::Shipment(other))) = (reason, &wait) {
                ledger.owned_by.insert(id.clone(), other.clone());
            }
            outcome.waits.extend(wait);
            outcome.tally.transient |= transient;
            outcome
                .failures
                .push(failure(&step.object, reason, &message));
            if may_pass(reason.as_str()) {
                let drift = ctx.tracker.look(&id, &checked.key).0;
                ledger.refused.insert(id.clone(), drift);
            }
            if let Some(entry) = ledger.inventory.0.get_mut(&id) {
                entry.applied = None; // so that the next pass tries it again
            }
        }
        Carried::Applied { applied, wrote } => {
            ctx.metrics.applied();
            let doubt = Work::Apply {
                drift: Some(Drift::Unexplained),
            };
            let unfounded = step.work == doubt && !wrote;
            if !unfounded {
                tell_changes(ctx, shipment, ledger, step, &applied);
            }
            if applied.created {
                outcome.tally.created += 1;
            } else if step.work != Work::Audit && !unfounded {
                outcome.tally.changed += 1;
            }
            let entry = Entry {
                id: id.clone(),
                version: step.object.manifest.version().to_owned(),
                uid: Some(applied.uid.clone()),
                applied: Some(step.mark(!applied.left_out.is_empty())),
                fields: Some(applied.fields.clone()),
            };
            ledger.inventory.0.insert(id.clone(), entry);
            ledger.owned_by.remove(&id);
            if applied.deleting || is_awaited(checked, &id) {
                let health = match &applied.live {
                    Some(live) => heal::of(live),
                    None if applied.deleting => health::deleting(),
                    None => pending(),
                };
                heal::settle(ctx, checked, ledger, id, applied.version, health);
                ledger.deadline = Some(Instant::now() + checked.spec.timeout);
            } else if ledger.unsettled.remove(&id).is_some() {
                // The one before it was on its way out, and was awaited for that alone.
                ctx.tracker.await_health(&id, &checked.key, false);
            }
        }
    }
}

/// Whether an object's health counts. A root's own Deliverable shows the health of its Shipment:
/// the two would wait for each other for ever.
fn is_awaited(checked: &Checked, id: &ObjectId) -> bool {
    health::needs_status(&id.group, &id.kind) && !own(&checked.key).contains(id)
}

fn pending() -> Health {
    Health {
        status: Status::InProgress,
        reason: "Applied".to_owned(),
        message: String::new(),
    }
}

/// Says who had changed what, and which fields are left to whom.
fn tell_changes(
    ctx: &Ctx,
    shipment: &Shipment,
    ledger: &mut Ledger,
    step: &Step,
    applied: &Applied,
) {
    let id = &step.object.id;
    for (field, writer) in &applied.left_out {
        let note = format!("`{id}`: the field `{field}` is left to `{writer}`");
        if ledger.said.insert(note.clone()) {
            tell(&ctx.events, shipment, Reason::FieldLeftOut, "Apply", &note);
        }
    }
    if let Some(from) = applied
        .overruled
        .iter()
        .find_map(|change| change.manager.strip_prefix("shipway:shipment:"))
    {
        let note = format!("`{id}` moved here from Shipment `{from}`");
        tell(&ctx.events, shipment, Reason::Adopted, "Apply", &note);
        return;
    }
    if applied.adopted {
        let note = format!(
            "`{id}` existed before and is looked after from now on{}",
            overruled(&applied.overruled)
        );
        tell(&ctx.events, shipment, Reason::Adopted, "Apply", &note);
        return;
    }
    let drift = match step.work {
        Work::Apply { drift } => drift,
        Work::Keep | Work::Rest | Work::Audit => None,
    };
    if drift.is_none() && applied.overruled.is_empty() {
        return;
    }
    let what = match drift {
        Some(Drift::Missing) if applied.created => {
            "had been deleted and is created again".to_owned()
        }
        Some(Drift::Replaced) => {
            "had been replaced by another object of that name and is put right".to_owned()
        }
        Some(Drift::Rewritten) if applied.overruled.is_empty() => {
            "had been written by another controller in this one's name and is put right".to_owned()
        }
        // Only left to its rightful writer: nothing was put right.
        Some(_) if applied.overruled.is_empty() && !applied.left_out.is_empty() => return,
        _ if applied.overruled.is_empty() => {
            "had been changed, by whom is not recorded, and is put right".to_owned()
        }
        _ => format!(
            "had been changed and is put right{}",
            overruled(&applied.overruled)
        ),
    };
    ctx.metrics.repaired();
    let undone_by = undone_by(drift, &applied.overruled);
    // What a new revision overrules is no drift.
    if drift.is_some() && ledger.repairs.note(id, undone_by.clone(), Instant::now()) {
        let note = undone(id, &undone_by);
        tell(&ctx.events, shipment, Reason::RepairUndone, "Repair", &note);
        return;
    }
    let note = format!("`{id}` {what}");
    tell(
        &ctx.events,
        shipment,
        Reason::DriftRepaired,
        "Repair",
        &note,
    );
}

/// What is done to an object again after every repair, and what to do about it. It names no time,
/// so that it is one event, counted.
fn undone_by(drift: Option<Drift>, changes: &[Change]) -> String {
    let (what, advice) = match drift {
        _ if !changes.is_empty() => {
            let changes = changes.iter().map(|change| {
                let fields = &change.fields[..change.fields.len().min(FIELDS)];
                let more = if fields.len() < change.fields.len() {
                    ", …"
                } else {
                    ""
                };
                format!("`{}` sets {}{more}", change.manager, fields.join(", "))
            });
            let changes: Vec<String> = changes.collect();
            (changes.join("; "), FIELD_ADVICE)
        }
        Some(Drift::Missing) => ("somebody deletes it".to_owned(), OBJECT_ADVICE),
        Some(Drift::Replaced) => ("somebody replaces it".to_owned(), OBJECT_ADVICE),
        _ => (
            "somebody who is not recorded changes it".to_owned(),
            FIELD_ADVICE,
        ),
    };
    format!("{what} again after every repair, so that repairs come less and less often: {advice}")
}

fn overruled(changes: &[Change]) -> String {
    let text: Vec<String> = changes
        .iter()
        .map(|change| {
            let at = change
                .at
                .as_ref()
                .map(|at| format!(" at {at}"))
                .unwrap_or_default();
            format!(
                "`{}` had set {}{at}",
                change.manager,
                change.fields.join(", ")
            )
        })
        .collect();
    if text.is_empty() {
        String::new()
    } else {
        format!(": {}", text.join("; "))
    }
}
