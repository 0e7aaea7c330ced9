//! Turns how a pass ended into status, event, log line and the next look: one function, on every
//! path. Nothing else sets a condition.

use std::collections::BTreeSet;
use std::time::Duration;

use delivery::health::{Health, Status};
use k8s_openapi::jiff::Timestamp;
use kinds::condition::{self, Condition, kind};
use kinds::shipment::{Delivered, Failure, HeldPrune};
use kinds::{Reason, Shipment, ShipmentStatus};
use kube::core::ApiResource;
use kube::runtime::controller::Action;
use manifest::ObjectId;
use tokio::time::Instant;

use super::check::Checked;
use super::heal::LOOK;
use crate::board::{Key, Wait};
use crate::context::Ctx;
use crate::event::{clipped, tell};
use crate::halt::{Halt, backoff};
use crate::ledger::Ledger;
use crate::source::Trouble;

/// How many failures a status lists.
const FAILURES: usize = 50;
/// How many revisions a status remembers.
const HISTORY: usize = 10;
/// The longest message of a condition.
const MESSAGE: usize = 1000;

/// How a pass ended that got there.
pub(super) enum Outcome {
    /// Nothing is done while it is suspended.
    Suspended,
    /// It is deleted, and what it delivered is gone or let go of.
    Gone,
    /// It is applied, as far as it could be.
    Standing(Box<Standing>),
}

/// Where a Shipment stands after a pass.
#[derive(Clone)]
pub(super) struct Standing {
    revision: String,
    specification: String,
    overlay: Option<String>,
    environment: Option<String>,
    objects: usize,
    failures: Vec<Failure>,
    held: Option<HeldPrune>,
    unsettled: Vec<(ObjectId, Health)>,
    overdue: bool,
    stale: Option<Trouble>,
    unwatched: BTreeSet<String>,
}

impl Outcome {
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::Suspended => Reason::Suspended,
            Self::Gone => Reason::Ready,
            Self::Standing(standing) => verdict(standing).reason,
        }
    }
}

/// Where a Shipment stands. Pure: it is read off the ledger, which holds what was applied.
pub(super) fn outcome(checked: &Checked, ledger: &Ledger) -> Outcome {
    Outcome::Standing(Box::new(Standing {
        revision: checked.revision(),
        specification: checked.at.tree.to_string(),
        overlay: checked
            .overlay
            .as_ref()
            .map(|overlay| format!("sha1:{}", overlay.commit)),
        environment: checked.environment_name(),
        objects: ledger
            .inventory
            .0
            .values()
            .filter(|entry| entry.uid.is_some())
            .count(),
        failures: ledger.failures.clone(),
        held: ledger.held.clone(),
        unsettled: ledger
            .unsettled
            .iter()
            .map(|(id, (_, health))| (id.clone(), health.clone()))
            .collect(),
        overdue: ledger
            .deadline
            .is_some_and(|deadline| deadline <= Instant::now()),
        stale: checked.stale.clone(),
        unwatched: BTreeSet::new(),
    }))
}

/// What the conditions say.
struct Verdict {
    ready: &'static str,
    reason: Reason,
    message: String,
    /// Whether the controller is still at work on it.
    reconciling: bool,
    /// Whether somebody has to edit something.
    stalled: bool,
}

fn verdict(standing: &Standing) -> Verdict {
    let not_ready = |reason: Reason, message: String, reconciling: bool, stalled: bool| Verdict {
        ready: "False",
        reason,
        message,
        reconciling,
        stalled,
    };
    if let Some(first) = standing.failures.first() {
        let reason = reason_of(&first.reason);
        let waiting = matches!(
            reason,
            Reason::KindUnknown
                | Reason::NamespaceMissing
                | Reason::HandOverPending
                | Reason::DependencyNotReady
                | Reason::ClusterUnreachable
        );
        return not_ready(reason, told(&standing.failures), waiting, !waiting);
    }
    if let Some(held) = &standing.held {
        let message = format!(
            "{} objects left the source and are not deleted ({}): run `shipway confirm` to see and confirm the list {}",
            held.count, held.reason, held.digest
        );
        return not_ready(reason_of(&held.reason), message, false, true);
    }
    if let Some((id, health)) = standing
        .unsettled
        .iter()
        .find(|(_, health)| health.status == Status::Failed)
    {
        return not_ready(
            Reason::Unhealthy,
            format!("`{id}` failed: {}", sentence(health)),
            false,
            false,
        );
    }
    if let Some((id, health)) = standing.unsettled.first() {
        let rest = standing.unsettled.len() - 1;
        let more = if rest == 0 {
            String::new()
        } else {
            format!(" and {rest} more")
        };
        let message = format!("`{id}`{more}: {}", sentence(health));
        if standing.overdue {
            return not_ready(
                Reason::HealthTimeout,
                format!("not healthy in time: {message}"),
                false,
                false,
            );
        }
        return Verdict {
            ready: "Unknown",
            reason: Reason::Progressing,
            message,
            reconciling: true,
            stalled: false,
        };
    }
    if let Some(trouble) = &standing.stale {
        let message = format!(
            "{}; what runs stays at {}",
            trouble.message, standing.revision
        );
        return not_ready(
            trouble.reason,
            message,
            trouble.transient,
            !trouble.transient,
        );
    }
    let mut message = format!("{} objects are applied and healthy", standing.objects);
    if !standing.unwatched.is_empty() {
        let kinds: Vec<_> = standing.unwatched.iter().cloned().collect();
        message = format!(
            "{message}; {} may not be watched and is looked at every 5 minutes",
            kinds.join(", ")
        );
    }
    Verdict {
        ready: "True",
        reason: Reason::Ready,
        message,
        reconciling: false,
        stalled: false,
    }
}

fn sentence(health: &Health) -> String {
    if health.message.is_empty() {
        health.reason.clone()
    } else {
        health.message.clone()
    }
}

/// The first failure in full, and how many there are.
fn told(failures: &[Failure]) -> String {
    let first = &failures[0];
    let what = first
        .object
        .as_ref()
        .map(|object| format!("`{object}`: "))
        .unwrap_or_default();
    let at = first
        .at
        .as_ref()
        .map(|at| format!(" ({at})"))
        .unwrap_or_default();
    let more = if failures.len() == 1 {
        String::new()
    } else {
        format!("; and {} more", failures.len() - 1)
    };
    format!("{what}{}{at}{more}", first.message)
}

fn reason_of(word: &str) -> Reason {
    word.parse().unwrap_or(Reason::ManifestInvalid)
}

pub(super) async fn report(
    ctx: &Ctx,
    shipment: &Shipment,
    key: &Key,
    ledger: &mut Ledger,
    result: Result<Outcome, Halt>,
) -> Action {
    if let Ok(Outcome::Gone) = result {
        return Action::await_change();
    }
    let before = shipment.status.clone().unwrap_or_default();
    let mut next = next_status(ctx, shipment, ledger, &before, &result);
    condition::settle_times(&before.conditions, &mut next.conditions, Timestamp::now());
    let again = look_again(ctx, ledger, &result);
    let value =
        |status: &ShipmentStatus| serde_json::to_value(status).expect("a status is plain data");
    let api = ApiResource::erase::<Shipment>(&());
    let (known, wanted) = (value(&before), value(&next));
    let written = cluster::status::write(
        &ctx.caller,
        &api,
        Some(&key.namespace),
        &key.name,
        &known,
        &wanted,
    )
    .await;
    narrate(ctx, shipment, key, &before, &next).await;
    let waits = match &result {
        Err(Halt::Waiting {
            wait: Some(wait), ..
        }) => Some(BTreeSet::from([wait.clone()])),
        Err(_) => Some(BTreeSet::new()),
        Ok(_) => None, // the pass noted what it waits for itself
    };
    if let Some(waits) = waits {
        ctx.board.waits(key, waits);
    }
    let sign = (
        is_ready(&next),
        next.observed_generation,
        ledger.done.clone(),
        ctx.board.attempted(key),
    );
    if ledger.sign.as_ref() != Some(&sign) {
        ledger.sign = Some(sign);
        ctx.wake_waiting(&Wait::Shipment(key.clone()));
    }
    match (written, again) {
        (Err(error), _) => {
            tracing::warn!(shipment.key = %key, error = %error, "could not write the status of Shipment `{key}`");
            Action::requeue(Duration::from_secs(2))
        }
        (Ok(_), Some(again)) => Action::requeue(again),
        (Ok(_), None) => Action::await_change(),
    }
}

/// Whether a Shipment was ready when it was last reported on.
pub(super) fn was_ready(shipment: &Shipment) -> bool {
    shipment.status.as_ref().is_some_and(is_ready)
}

fn is_ready(status: &ShipmentStatus) -> bool {
    condition::find(&status.conditions, kind::READY).is_some_and(Condition::is_true)
}

fn next_status(
    ctx: &Ctx,
    shipment: &Shipment,
    ledger: &Ledger,
    before: &ShipmentStatus,
    result: &Result<Outcome, Halt>,
) -> ShipmentStatus {
    let generation = shipment.metadata.generation;
    let mut next = ShipmentStatus {
        observed_generation: generation,
        ..before.clone()
    };
    let mut conditions = Vec::new();
    let mut add = |kind: &str, status: &str, reason: Reason, message: &str| {
        conditions.push(Condition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.as_str().to_owned(),
            message: clipped(message, MESSAGE),
            last_transition_time: String::new(),
            observed_generation: generation,
        });
    };
    match result {
        Ok(Outcome::Gone) => {}
        Ok(Outcome::Suspended) => {
            let (status, reason, message) = match condition::find(&before.conditions, kind::READY) {
                Some(ready) => (
                    ready.status.clone(),
                    reason_of(&ready.reason),
                    ready.message.clone(),
                ),
                None => ("Unknown".to_owned(), Reason::Suspended, String::new()),
            };
            add(kind::READY, &status, reason, &message);
            add(
                kind::SUSPENDED,
                "True",
                Reason::Suspended,
                "nothing is fetched, applied, repaired or pruned",
            );
        }
        Ok(Outcome::Standing(standing)) => {
            let standing = Standing {
                unwatched: unwatched(ctx, ledger),
                ..(**standing).clone()
            };
            let verdict = verdict(&standing);
            add(kind::READY, verdict.ready, verdict.reason, &verdict.message);
            if verdict.reconciling {
                add(kind::RECONCILING, "True", verdict.reason, &verdict.message);
            }
            if verdict.stalled {
                add(kind::STALLED, "True", verdict.reason, &verdict.message);
            }
            if let Some(held) = &standing.held {
                add(
                    kind::PRUNE_HELD,
                    "True",
                    reason_of(&held.reason),
                    &format!("{} objects", held.count),
                );
            }
            fill(&mut next, &standing, verdict.ready == "True");
        }
        Err(halt) => {
            add(kind::READY, "False", halt.reason(), &halt.to_string());
            match halt {
                Halt::Stalled { .. } => {
                    add(kind::STALLED, "True", halt.reason(), &halt.to_string())
                }
                _ => add(kind::RECONCILING, "True", halt.reason(), &halt.to_string()),
            }
        }
    }
    next.conditions = conditions;
    next
}

fn unwatched(ctx: &Ctx, ledger: &Ledger) -> BTreeSet<String> {
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

fn fill(next: &mut ShipmentStatus, standing: &Standing, ready: bool) {
    // The first revision with this content stays: a push that does not touch the folder changes nothing.
    let same = next.specification.as_ref() == Some(&standing.specification)
        && next.overlay == standing.overlay;
    if !same || next.revision.is_none() || !same_kind(next.revision.as_deref(), &standing.revision)
    {
        next.revision = Some(standing.revision.clone());
    }
    next.specification = Some(standing.specification.clone());
    next.overlay.clone_from(&standing.overlay);
    next.environment.clone_from(&standing.environment);
    next.objects = i64::try_from(standing.objects).ok();
    next.failed = i64::try_from(
        standing.failures.len()
            + standing
                .unsettled
                .iter()
                .filter(|(_, h)| h.status == Status::Failed)
                .count(),
    )
    .ok();
    next.failures = standing.failures.iter().take(FAILURES).cloned().collect();
    next.held.clone_from(&standing.held);
    let revision = next.revision.clone().unwrap_or_default();
    if ready
        && next
            .history
            .first()
            .is_none_or(|last| last.revision != revision)
    {
        let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        next.history.insert(0, Delivered { revision, at });
        next.history.truncate(HISTORY);
    }
}

/// Whether two revisions name the same branch, tag or pin, whatever the commit.
fn same_kind(known: Option<&str>, now: &str) -> bool {
    let name = |revision: &str| {
        revision
            .rsplit_once('@')
            .map_or_else(|| revision.to_owned(), |(name, _)| name.to_owned())
    };
    known.is_some_and(|known| name(known) == name(now))
}

/// When to look again where no event may come.
fn look_again(ctx: &Ctx, ledger: &mut Ledger, result: &Result<Outcome, Halt>) -> Option<Duration> {
    let now = Instant::now();
    match result {
        Ok(Outcome::Suspended | Outcome::Gone) => None,
        Ok(Outcome::Standing(_)) => {
            let deadline = ledger
                .deadline
                .filter(|_| !ledger.unsettled.is_empty())
                .filter(|deadline| *deadline > now);
            let look = (!unwatched(ctx, ledger).is_empty()).then(|| {
                ledger
                    .looked
                    .map_or(now, |at| at + LOOK)
                    .max(now + Duration::from_secs(1))
            });
            [deadline, ledger.retry_at, look]
                .into_iter()
                .flatten()
                .min()
                .map(|at| at.saturating_duration_since(now))
        }
        // An edit, or what is waited for, comes as an event.
        Err(Halt::Stalled { .. } | Halt::Waiting { .. }) => None,
        Err(Halt::Failed { .. }) => {
            ledger.retries += 1;
            Some(backoff(ledger.retries).min(Duration::from_secs(30)))
        }
    }
}

/// One event and one log line for each change of what `Ready` says.
async fn narrate(
    ctx: &Ctx,
    shipment: &Shipment,
    key: &Key,
    before: &ShipmentStatus,
    next: &ShipmentStatus,
) {
    let (Some(now), then) = (
        condition::find(&next.conditions, kind::READY),
        condition::find(&before.conditions, kind::READY),
    ) else {
        return;
    };
    let same = then.is_some_and(|then| {
        then.status == now.status && then.reason == now.reason && then.message == now.message
    });
    if same && before.revision == next.revision {
        return;
    }
    let reason = reason_of(&now.reason);
    let revision = next.revision.as_deref().unwrap_or("-");
    tracing::info!(
        shipment.key = %key, shipment.ready = %now.status, shipment.reason = %now.reason, shipment.revision = %revision,
        "Shipment `{key}`: {}", now.message
    );
    // Waiting for the first look-up says nothing that the next line does not say better.
    if reason != Reason::SourcePending && !same {
        tell(
            &ctx.recorder,
            shipment,
            reason,
            "Reconcile",
            &format!("{revision}: {}", now.message),
        )
        .await;
    }
}
