//! Turns how a pass ended into status, event, log line and the next look: one function, on every
//! path. Nothing else sets a condition.

mod again;
mod verdict;

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kinds::condition::{self, Condition, kind};
use kinds::shipment::Delivered;
use kinds::{Reason, Shipment, ShipmentStatus};
use kube::core::ApiResource;
use kube::runtime::controller::Action;
use tokio::time::Instant;

use crate::board::{Key, Readiness, Wait};
use crate::context::Ctx;
use crate::event::{clipped, objects, tell};
use crate::halt::Halt;
use crate::ledger::{Ledger, Stood};
use again::{look_again, unwatched};
pub(super) use verdict::{Outcome, outcome, unchanged, undone};
use verdict::{Standing, failures, reason_of, verdict};

/// The first word about a Shipment that is suspended.
const SUSPENDED: &str = "suspended";
/// How many failures a status lists.
const FAILURES: usize = 50;
/// How many revisions a status remembers.
const HISTORY: usize = 10;
/// The longest message of a condition.
const MESSAGE: usize = 1000;
/// How long a state that most likely passes at once is kept to ourselves.
const SETTLING: Duration = Duration::from_secs(1);

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
    let before = last_told(shipment, ledger);
    let mut next = next_status(ctx, shipment, ledger, &before, &result);
    condition::settle_times(&before.conditions, &mut next.conditions, Timestamp::now());
    let mut again = look_again(ctx, ledger, &result);
    let mut written = Ok(None);
    if let Some(rest) = passing(ledger, &before, &next) {
        again = Some(again.map_or(rest, |again| again.min(rest)));
    } else {
        written = write(ctx, key, &before, &next).await;
        if let Ok(Some(version)) = written {
            ledger.told = Some((version, next.clone()));
        }
        narrate(ctx, shipment, key, &before, &next);
    }
    // A pass that got to its end has noted what it waits for itself.
    let wait = match &result {
        Err(Halt::Waiting { wait, .. }) => wait.clone(),
        _ => None,
    };
    if ctx.board.ends(key, wait) {
        ctx.wake_all([key.clone()]);
    }
    let ready = is_ready(&next);
    ctx.board
        .stands(key, next.observed_generation, Readiness::from(ready));
    let sign = (
        ready,
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

async fn write(
    ctx: &Ctx,
    key: &Key,
    before: &ShipmentStatus,
    next: &ShipmentStatus,
) -> Result<Option<u64>, cluster::ApiError> {
    let value =
        |status: &ShipmentStatus| serde_json::to_value(status).expect("a status is plain data");
    let api = ApiResource::erase::<Shipment>(&());
    let (known, wanted) = (value(before), value(next));
    let namespace = Some(key.namespace.as_str());
    cluster::status::write_at(&ctx.caller, &api, namespace, &key.name, &known, &wanted).await
}

/// How long a state that most likely passes at once is kept to ourselves, if it is one: a status
/// is written once for each change, not for every step on its way.
fn passing(
    ledger: &mut Ledger,
    before: &ShipmentStatus,
    next: &ShipmentStatus,
) -> Option<Duration> {
    let reason = |status: &ShipmentStatus| {
        condition::find(&status.conditions, kind::READY).map(|ready| reason_of(&ready.reason))
    };
    let is_step = match reason(next) {
        Some(Reason::SourcePending) => before.conditions.is_empty(),
        Some(Reason::Progressing) => reason(before) != Some(Reason::Progressing),
        _ => false,
    };
    if !is_step {
        ledger.passing_since = None;
        return None;
    }
    let now = Instant::now();
    let since = *ledger.passing_since.get_or_insert(now);
    SETTLING
        .checked_sub(now - since)
        .filter(|rest| !rest.is_zero())
}

/// The status as it stands: the watch may not have brought our own last write yet.
fn last_told(shipment: &Shipment, ledger: &mut Ledger) -> ShipmentStatus {
    let seen = shipment
        .metadata
        .resource_version
        .as_deref()
        .and_then(|version| version.parse::<u64>().ok())
        .unwrap_or(0);
    match &ledger.told {
        Some((version, status)) if *version > seen => status.clone(),
        _ => {
            ledger.told = None;
            shipment.status.clone().unwrap_or_default()
        }
    }
}

/// How a Shipment stood when it was last reported on.
pub(super) fn stood(shipment: &Shipment, tree: &str) -> Stood {
    let status = shipment.status.as_ref();
    if status.and_then(|status| status.specification.as_deref()) != Some(tree) {
        return Stood::Open; // what may have been applied since was never reported on
    }
    let conditions = status.map(|status| status.conditions.as_slice());
    match condition::find(conditions.unwrap_or_default(), kind::READY) {
        Some(ready) if ready.is_true() => Stood::Ready,
        Some(ready) if ready.reason == Reason::HealthTimeout.as_str() => Stood::Overdue,
        _ => Stood::Open,
    }
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
        synced: ledger.synced.clone().or_else(|| before.synced.clone()),
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
                    suspended(&ready.message),
                ),
                None => ("Unknown".to_owned(), Reason::Suspended, suspended("")),
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
                    &objects(held.count),
                );
            }
            fill(&mut next, &standing, verdict.ready == "True");
        }
        // After a restart every source is looked up anew; that says nothing about what runs.
        Err(halt)
            if halt.reason() == Reason::SourcePending
                && before.observed_generation == generation =>
        {
            return before.clone();
        }
        Err(halt) => {
            if halt.reason() == Reason::TreeRefused {
                next.failures.clone_from(&ledger.failures);
                next.failed = i64::try_from(ledger.failures.len()).ok();
            }
            add(kind::READY, "False", halt.reason(), &halt.to_string());
            match halt {
                // Whoever waits for itself waits for somebody's edit.
                Halt::Stalled { .. }
                | Halt::Waiting {
                    reason: Reason::DependencyCycle,
                    ..
                } => {
                    add(kind::STALLED, "True", halt.reason(), &halt.to_string());
                }
                _ => add(kind::RECONCILING, "True", halt.reason(), &halt.to_string()),
            }
        }
    }
    next.conditions = conditions;
    next
}

/// What is said of a suspended Shipment: first that, since nothing else shows in a table, and then
/// how it stood before. Whether it is ready stays as it was, as with Flux.
fn suspended(message: &str) -> String {
    match as_before(message) {
        "" => SUSPENDED.to_owned(),
        message => format!("{SUSPENDED}; {message}"),
    }
}

/// What was said before it was suspended.
fn as_before(message: &str) -> &str {
    match message.strip_prefix(SUSPENDED) {
        Some(rest) => rest.strip_prefix("; ").unwrap_or(rest),
        None => message,
    }
}

fn fill(next: &mut ShipmentStatus, standing: &Standing, ready: bool) {
    // The first revision with this content stays: a push that does not touch the folder changes nothing.
    // Likewise the overlay's, of which this Shipment sees a small part.
    let overlay = match (&next.overlay, &standing.overlay) {
        (Some(shown), Some(_)) if standing.unchanged => Some(shown.clone()),
        (_, now) => now.clone(),
    };
    let same =
        next.specification.as_ref() == Some(&standing.specification) && next.overlay == overlay;
    if !same || next.revision.is_none() || !same_kind(next.revision.as_deref(), &standing.revision)
    {
        next.revision = Some(standing.revision.clone());
    }
    next.specification = Some(standing.specification.clone());
    next.overlay = overlay;
    next.environment.clone_from(&standing.environment);
    next.objects = i64::try_from(standing.objects).ok();
    let failures = failures(standing);
    next.failed = i64::try_from(failures.len()).ok();
    next.failures = failures.into_iter().take(FAILURES).collect();
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

/// One event and one log line for each change of what `Ready` says.
fn narrate(
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
        then.status == now.status
            && then.reason == now.reason
            && as_before(&then.message) == as_before(&now.message)
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
    // What is on its way says nothing that its end does not say better, and the end of an apply
    // that goes well is told by what was applied.
    let recovered = then.is_some_and(|then| {
        !matches!(
            reason_of(&then.reason),
            Reason::SourcePending | Reason::Progressing
        ) && then.status != "True"
    });
    let worth_telling = match reason {
        Reason::SourcePending | Reason::Progressing => false,
        Reason::Ready => recovered,
        _ => true,
    };
    if worth_telling && !same {
        tell(
            &ctx.events,
            shipment,
            reason,
            "Reconcile",
            &match &next.revision {
                Some(revision) => format!("{revision}: {}", now.message),
                None => now.message.clone(),
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspended_shipment_says_so_first_and_once() {
        let once = suspended("1 object is applied and healthy");
        assert_eq!(once, "suspended; 1 object is applied and healthy");
        assert_eq!(suspended(&once), once);
        assert_eq!(as_before(&once), "1 object is applied and healthy");
        assert_eq!(suspended(&suspended("")), "suspended");
    }
}
