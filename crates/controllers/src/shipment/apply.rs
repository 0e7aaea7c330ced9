//! Carries the plan out. The only step that writes objects.

mod carry;
mod finish;
mod note;
mod pruning;

use std::collections::BTreeSet;

use cluster::caller::{Payload, Want};
use cluster::{Resource, inventory};
use delivery::inventory::Entry;
use delivery::order::Need;
use delivery::prune::{Held, PruneRefusal};
use futures::StreamExt as _;
use kinds::shipment::{Failure, HeldPrune};
use kinds::{Reason, Shipment, names};
use kube::ResourceExt as _;
use kube::core::ApiResource;
use manifest::ObjectId;
use serde_json::json;
use tokio::time::Instant;

use super::check::Checked;
use super::heal::{self, Due};
use super::plan::{Draft, Step};
use crate::board::Wait;
use crate::context::Ctx;
use crate::halt::Halt;
use crate::ledger::Ledger;
pub use carry::told;
use carry::{Carried, carry};
use finish::{finish, tell_done};
use note::note;

/// How many objects of one Shipment are carried at a time.
const AT_ONCE: usize = 16;
/// How many objects a status lists.
const LISTED: usize = 50;

/// What a pass did, for its events.
#[derive(Default)]
pub(super) struct Tally {
    created: usize,
    changed: usize,
    pruned: Vec<ObjectId>,
    /// What left the source and is not deleted, since it belongs to Shipway itself.
    untouchable: Vec<ObjectId>,
    transient: bool,
    /// The retry of what was refused before, where this pass was not it.
    retry_at: Option<Instant>,
}

pub(super) async fn apply(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    draft: Draft,
    ledger: &mut Ledger,
) -> Result<(), Halt> {
    let Draft {
        due,
        stages,
        resting,
        prune,
        leave,
        pending,
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
    ledger.due = true; // until everything that follows is done
    ctx.board.wants(&checked.key, wanted.clone());
    ctx.board.attempts(&checked.key, checked.at.tree);
    ensure_finalizer(ctx, shipment).await?;
    write_ahead(ctx, shipment, checked, &stages, ledger).await?;
    let mut tally = Tally::default();
    ledger.refused.retain(|id, _| resting.contains(id));
    if due == Due::Repairs && !ledger.refused.is_empty() {
        tally.retry_at = ledger.retry_at;
        waits.extend(ctx.board.waiting(&checked.key));
    }
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
            .map(|(step, unmet)| carry(ctx, shipment, checked, &caller, step, unmet));
        let carried: Vec<(Step, Carried)> = carried.buffer_unordered(AT_ONCE).collect().await;
        for (step, carried) in carried {
            let id = &step.object.id;
            let is_there = match carried {
                Carried::Kept | Carried::Applied { .. } => true,
                Carried::Rested => !ledger.refused.contains_key(id),
                Carried::CalledOff | Carried::Held { .. } | Carried::Failed { .. } => false,
            };
            if is_there {
                arrived.insert(id.clone());
            }
            let mut outcome = Outcome {
                failures: &mut failures,
                waits: &mut waits,
                tally: &mut tally,
            };
            note(ctx, shipment, checked, ledger, &step, carried, &mut outcome);
        }
        if is_called_off(ctx, shipment, checked) {
            return call_off(ctx, shipment, checked, ledger, &tally).await;
        }
    }
    let outcome = Outcome {
        failures: &mut failures,
        waits: &mut waits,
        tally: &mut tally,
    };
    let leaving = [prune.prune, leave].concat();
    let left = pruning::prune(ctx, shipment, checked, &caller, &leaving, ledger, outcome).await;
    if is_called_off(ctx, shipment, checked) {
        return call_off(ctx, shipment, checked, ledger, &tally).await;
    }
    ledger.pending = pending.or(left);
    ledger.owned_by.retain(|id, _| wanted.contains(id));
    for id in ledger.inventory.0.keys().filter(|id| !wanted.contains(*id)) {
        ctx.tracker.acquit(id, &checked.key);
    }
    ledger.held = prune.held.map(held);
    heal::read_health(ctx, checked, &caller, ledger).await;
    finish(ctx, shipment, checked, ledger, failures, waits, tally).await
}

/// Whether somebody has suspended, deleted or otherwise changed the Shipment since the pass began:
/// what it said then is written no further.
pub(super) fn is_called_off(ctx: &Ctx, shipment: &Shipment, checked: &Checked) -> bool {
    let stands = |now: &Shipment| (now.uid(), now.metadata.generation);
    let now = ctx.shipments.get(&checked.key);
    now.is_none_or(|now| stands(&now) != stands(shipment))
}

/// Leaves a pass in its middle: the inventory tells what was done and what was not, and that change
/// begins the next one.
async fn call_off(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    ledger: &mut Ledger,
    tally: &Tally,
) -> Result<(), Halt> {
    save(ctx, shipment, ledger, None).await?;
    tell_done(ctx, shipment, checked, tally);
    Err(latest_change())
}

fn latest_change() -> Halt {
    Halt::Waiting {
        reason: Reason::Progressing,
        what: "the Shipment's own latest change".to_owned(),
        wait: None,
    }
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
    // An apply of the finalizer alone: others' finalizers stay, whoever else writes the Shipment
    // meanwhile does not matter, and the uid keeps it from making a Shipment that is gone.
    let api = ApiResource::erase::<Shipment>(&());
    let (namespace, name) = (
        shipment.namespace().unwrap_or_default(),
        shipment.name_any(),
    );
    let intent = json!({
        "apiVersion": api.api_version, "kind": api.kind,
        "metadata": {
            "name": name, "namespace": namespace, "uid": shipment.metadata.uid,
            "finalizers": [names::FINALIZER],
        },
    });
    let place = Resource::object(&api, Some(&namespace), &name);
    let query = format!("fieldManager={}&force=true", names::CONTROLLER_MANAGER);
    let payload = Payload::Apply(intent.to_string().into());
    match ctx
        .caller
        .patch(&place, &query, Want::Metadata, &payload)
        .await
    {
        // It is gone, or on its way out: that change is on its way here and begins a new pass.
        Err(error) if error.is_conflict() || error.is_not_found() || error.is_invalid() => {
            Err(latest_change())
        }
        Err(error) => Err(unreachable("put the finalizer on the Shipment", &error)),
        Ok(_) => Ok(()),
    }
}

/// Lists what is about to be created before it is created, so that no crash leaves an object
/// that nobody knows of. Also takes back, before the first object of another revision is written,
/// that the old one stands complete, and of each object that is about to change that it is as it
/// was applied: otherwise a crash and a revert would look like no change, since our own fields are
/// the same whatever their values.
async fn write_ahead(
    ctx: &Ctx,
    shipment: &Shipment,
    checked: &Checked,
    stages: &[Vec<Step>],
    ledger: &mut Ledger,
) -> Result<(), Halt> {
    let steps = || {
        let all = stages.iter().flatten();
        all.filter(|step| step.work.writes())
    };
    let new: Vec<Entry> = steps()
        .filter(|step| !ledger.inventory.0.contains_key(&step.object.id))
        .map(|step| Entry::planned(step.object.id.clone(), step.object.manifest.version()))
        .collect();
    let other = ledger
        .stored
        .key
        .as_ref()
        .is_some_and(|key| *key != checked.inputs);
    let mut ahead = ledger.inventory.merge_ahead(&new);
    for step in steps() {
        if let Some(entry) = ahead.0.get_mut(&step.object.id) {
            let same = |applied: &String| [step.mark(false), step.mark(true)].contains(applied);
            entry.applied = entry.applied.take().filter(same);
        }
    }
    if ahead == ledger.inventory && !(other && steps().next().is_some()) {
        return Ok(());
    }
    let before = std::mem::replace(&mut ledger.inventory, ahead);
    let saved = save(ctx, shipment, ledger, None).await;
    if saved.is_err() {
        ledger.inventory = before; // what is not listed yet is listed by the next pass
    }
    saved
}

async fn save(
    ctx: &Ctx,
    shipment: &Shipment,
    ledger: &mut Ledger,
    key: Option<String>,
) -> Result<(), Halt> {
    let entries = ledger.entries();
    let stored = &mut ledger.stored;
    let saved = inventory::save(&ctx.caller, shipment, stored, key, &entries).await;
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

fn held(held: Held) -> HeldPrune {
    let reason = match held.reason {
        PruneRefusal::OverBudget { .. } => Reason::DeletionBudget,
        PruneRefusal::NeedsConfirmation(_) => Reason::ConfirmationNeeded,
        PruneRefusal::IncompleteRender | PruneRefusal::EmptyRender => Reason::RenderIncomplete,
    };
    let mut prune = HeldPrune::new(reason);
    prune.count = i64::try_from(held.list.len()).unwrap_or(i64::MAX);
    let listed = held.list.iter().take(LISTED);
    prune.objects = listed.map(ToString::to_string).collect();
    prune.digest = held.digest;
    prune
}
