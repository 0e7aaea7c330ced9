//! Carries the plan out. The only step that writes objects.

mod carry;
mod pruning;

use std::collections::BTreeSet;
use std::time::Duration;

use cluster::inventory;
use cluster::ownership::Change;
use delivery::health::{self, Health, Status};
use delivery::inventory::Entry;
use delivery::order::Need;
use delivery::prune::Held;
use futures::StreamExt as _;
use kinds::shipment::{Failure, HeldPrune};
use kinds::{Reason, Shipment, names};
use kube::ResourceExt as _;
use kube::core::ApiResource;
use manifest::ObjectId;
use tokio::time::Instant;

use super::check::Checked;
use super::heal;
use super::plan::{Draft, Step, Work, failure};
use crate::board::Wait;
use crate::context::Ctx;
use crate::event::tell;
use crate::halt::{Halt, backoff};
use crate::ledger::Ledger;
use crate::tracker::{Drift, Expected};
use carry::{Carried, carry};

/// How many objects of one Shipment are carried at a time.
const AT_ONCE: usize = 16;
/// The longest pause between retries where nobody has to edit anything.
const LONGEST_TRANSIENT: Duration = Duration::from_secs(15);
/// How many objects a status lists.
const LISTED: usize = 50;

/// What a pass did, for its events.
#[derive(Default)]
pub(super) struct Tally {
    created: usize,
    changed: usize,
    pruned: Vec<ObjectId>,
    transient: bool,
}

pub(super) async fn apply(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    draft: Draft,
    ledger: &mut Ledger,
) -> Result<(), Halt> {
    let Draft {
        stages,
        prune,
        wanted,
        mut failures,
        mut waits,
        caller,
    } = draft;
    let new_inputs = ledger
        .done
        .as_ref()
        .is_none_or(|(inputs, _)| *inputs != checked.inputs);
    if new_inputs {
        ledger.retries = 0;
    }
    ctx.board.wants(&checked.key, wanted.clone());
    ensure_finalizer(ctx, shipment).await?;
    write_ahead(ctx, shipment, &stages, ledger).await?;
    let mut tally = Tally::default();
    let mut arrived = BTreeSet::new();
    for stage in stages {
        let met: Vec<(Step, Option<Need>)> = stage
            .into_iter()
            .map(|step| {
                let unmet = step
                    .needs
                    .iter()
                    .find(|need| !is_met(ctx, need, &arrived, ledger))
                    .cloned();
                (step, unmet)
            })
            .collect();
        let carried = futures::stream::iter(met)
            .map(|(step, unmet)| carry(ctx, checked, &caller, step, unmet));
        let carried: Vec<(Step, Carried)> = carried.buffer_unordered(AT_ONCE).collect().await;
        for (step, carried) in carried {
            if matches!(carried, Carried::Kept | Carried::Applied(_)) {
                arrived.insert(step.object.id.clone());
            }
            let outcome = Outcome {
                failures: &mut failures,
                waits: &mut waits,
                tally: &mut tally,
            };
            note(ctx, shipment, checked, ledger, step, carried, outcome).await;
        }
    }
    let outcome = Outcome {
        failures: &mut failures,
        waits: &mut waits,
        tally: &mut tally,
    };
    pruning::prune(ctx, checked, &caller, &prune.prune, ledger, outcome).await;
    for id in ledger.inventory.0.keys().filter(|id| !wanted.contains(*id)) {
        ctx.tracker.acquit(id, &checked.key);
    }
    ledger.held = prune.held.map(held);
    heal::read_health(ctx, checked, &caller, ledger).await;
    finish(ctx, shipment, checked, ledger, failures, waits, tally).await
}

/// Where the notes of a pass go.
pub(super) struct Outcome<'a> {
    failures: &'a mut Vec<Failure>,
    waits: &'a mut BTreeSet<Wait>,
    tally: &'a mut Tally,
}

async fn ensure_finalizer(ctx: &Ctx, shipment: &Shipment) -> Result<(), Halt> {
    if shipment
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == names::FINALIZER)
    {
        return Ok(());
    }
    let api = ApiResource::erase::<Shipment>(&());
    let (namespace, name, version) = (
        shipment.namespace(),
        shipment.name_any(),
        shipment.resource_version(),
    );
    let present = shipment.finalizers();
    let added = cluster::status::add_finalizer(
        &ctx.caller,
        &api,
        namespace.as_deref(),
        &name,
        present,
        version.as_deref(),
    );
    match added.await {
        // Somebody wrote the Shipment meanwhile: that change is on its way here and begins a new pass.
        Err(error) if error.is_conflict() || error.is_not_found() => Err(Halt::Waiting {
            reason: Reason::Progressing,
            what: "the Shipment's own latest change".to_owned(),
            wait: None,
        }),
        Err(error) => Err(unreachable("put the finalizer on the Shipment", &error)),
        Ok(()) => Ok(()),
    }
}

/// Lists what is about to be created before it is created, so that no crash leaves an object
/// that nobody knows of.
async fn write_ahead(
    ctx: &Ctx,
    shipment: &Shipment,
    stages: &[Vec<Step>],
    ledger: &mut Ledger,
) -> Result<(), Halt> {
    let new: Vec<Entry> = stages
        .iter()
        .flatten()
        .filter(|step| !ledger.inventory.0.contains_key(&step.object.id))
        .map(|step| Entry::planned(step.object.id.clone(), step.object.manifest.version()))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    ledger.inventory = ledger.inventory.merge_ahead(&new);
    save(ctx, shipment, ledger, None).await
}

async fn save(
    ctx: &Ctx,
    shipment: &Shipment,
    ledger: &mut Ledger,
    key: Option<String>,
) -> Result<(), Halt> {
    let next = ledger.to_store(key);
    if next == ledger.stored {
        return Ok(());
    }
    let saved = inventory::save(&ctx.caller, shipment, &mut ledger.stored, next).await;
    saved.map_err(|error| unreachable("write the inventory", &error))
}

fn unreachable(attempt: &str, error: &cluster::ApiError) -> Halt {
    Halt::Failed {
        reason: Reason::ClusterUnreachable,
        attempt: format!("{attempt}: {error}"),
    }
}

fn is_met(ctx: &Ctx, need: &Need, arrived: &BTreeSet<ObjectId>, ledger: &Ledger) -> bool {
    match need {
        Need::Crd(name) => name
            .split_once('.')
            .is_some_and(|(plural, group)| ctx.catalog.serves_resource(group, plural)),
        Need::Namespace(name) => {
            ctx.presence.is_namespace_active(name)
                || arrived
                    .iter()
                    .any(|id| id.group.is_empty() && id.kind == "Namespace" && id.name == *name)
        }
        Need::Backend(id) => arrived.contains(id) && !ledger.unsettled.contains_key(id),
    }
}

/// Notes what became of one object: inventory, tracker, health, failures and events.
async fn note(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    ledger: &mut Ledger,
    step: Step,
    carried: Carried,
    outcome: Outcome<'_>,
) {
    let id = step.object.id.clone();
    match carried {
        Carried::Kept => {}
        Carried::Held {
            reason,
            message,
            wait,
        } => {
            outcome.waits.insert(wait);
            outcome
                .failures
                .push(failure(&step.object, reason, message));
        }
        Carried::Failed {
            reason,
            message,
            transient,
            wait,
        } => {
            outcome.waits.extend(wait);
            outcome.tally.transient |= transient;
            outcome
                .failures
                .push(failure(&step.object, reason, message));
            if let Some(entry) = ledger.inventory.0.get_mut(&id) {
                entry.applied = None; // so that the next pass tries it again
            }
            ctx.tracker.acquit(&id, &checked.key);
        }
        Carried::Applied(applied) => {
            ctx.metrics.applied();
            tell_changes(ctx, shipment, ledger, &step, &applied).await;
            if applied.created {
                outcome.tally.created += 1;
            } else {
                outcome.tally.changed += 1;
            }
            let entry = Entry {
                id: id.clone(),
                version: step.object.manifest.version().to_owned(),
                uid: Some(applied.uid.clone()),
                applied: Some(step.digest),
                fields: Some(applied.fields.clone()),
            };
            ledger.inventory.0.insert(id.clone(), entry);
            let expected = Expected {
                manager: &checked.owner.manager(),
                uid: &applied.uid,
                fields: &applied.fields,
                version: applied.version,
            };
            ctx.tracker.expect(&id, &checked.key, &expected);
            if health::needs_status(&id.group, &id.kind) {
                let health = applied.live.as_ref().map_or_else(pending, heal::of);
                heal::settle(ctx, checked, ledger, id, applied.version, health);
                ledger.deadline = Some(Instant::now() + checked.spec.timeout);
            }
        }
    }
}

fn pending() -> Health {
    Health {
        status: Status::InProgress,
        reason: "Applied".to_owned(),
        message: String::new(),
    }
}

/// Says who had changed what, and which fields are left to whom.
async fn tell_changes(
    ctx: &Ctx,
    shipment: &Shipment,
    ledger: &mut Ledger,
    step: &Step,
    applied: &cluster::apply::Applied,
) {
    let id = &step.object.id;
    for (field, writer) in &applied.left_out {
        let note = format!("`{id}`: the field `{field}` is left to `{writer}`");
        if ledger.said.insert(note.clone()) {
            tell(
                &ctx.recorder,
                shipment,
                Reason::FieldLeftOut,
                "Apply",
                &note,
            )
            .await;
        }
    }
    if applied.adopted {
        let note = format!(
            "`{id}` existed before and is looked after from now on{}",
            overruled(&applied.overruled)
        );
        tell(&ctx.recorder, shipment, Reason::Adopted, "Apply", &note).await;
        return;
    }
    let drift = match step.work {
        Work::Apply { drift } => drift,
        Work::Keep => None,
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
    tell(
        &ctx.recorder,
        shipment,
        Reason::DriftRepaired,
        "Repair",
        &format!("`{id}` {what}"),
    )
    .await;
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

fn held(held: Held) -> HeldPrune {
    let reason = match held.reason {
        delivery::prune::PruneRefusal::OverBudget { .. } => Reason::DeletionBudget,
        delivery::prune::PruneRefusal::NeedsConfirmation(_) => Reason::ConfirmationNeeded,
        _ => Reason::RenderIncomplete,
    };
    HeldPrune {
        reason: reason.as_str().to_owned(),
        count: i64::try_from(held.list.len()).unwrap_or(i64::MAX),
        objects: held
            .list
            .iter()
            .take(LISTED)
            .map(ToString::to_string)
            .collect(),
        digest: held.digest,
    }
}

/// Saves the inventory, notes what is left to do, and tells what was done.
async fn finish(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    ledger: &mut Ledger,
    failures: Vec<Failure>,
    waits: BTreeSet<Wait>,
    tally: Tally,
) -> Result<(), Halt> {
    let well = failures.is_empty() && waits.is_empty() && ledger.held.is_none();
    ledger.failures = failures;
    ledger.done = Some((checked.inputs.clone(), well));
    let retriable = ledger
        .failures
        .iter()
        .any(|failure| may_pass(&failure.reason));
    if retriable {
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
    ctx.board.waits(&checked.key, waits);
    save(ctx, shipment, ledger, well.then(|| checked.inputs.clone())).await?;
    if tally.created + tally.changed > 0 {
        let note = format!(
            "{}: {} created, {} changed",
            checked.revision(),
            tally.created,
            tally.changed
        );
        tell(&ctx.recorder, shipment, Reason::Applied, "Apply", &note).await;
    }
    if !tally.pruned.is_empty() {
        let names: Vec<String> = tally.pruned.iter().map(ToString::to_string).collect();
        let note = format!(
            "{} left the source and were deleted: {}",
            tally.pruned.len(),
            names.join(", ")
        );
        tell(&ctx.recorder, shipment, Reason::Pruned, "Prune", &note).await;
    }
    Ok(())
}

/// Whether trying the same again may help although nobody tells us of any change.
fn may_pass(reason: &str) -> bool {
    [
        Reason::Forbidden,
        Reason::Invalid,
        Reason::AdmissionRefused,
        Reason::ClusterUnreachable,
        Reason::NamespaceMissing,
    ]
    .iter()
    .any(|known| known.as_str() == reason)
}
