//! Where a Shipment stands, and what that says about it. Pure.

use std::collections::BTreeSet;

use delivery::health::{Health, Status};
use kinds::Reason;
use kinds::shipment::{Failure, HeldPrune};
use manifest::ObjectId;
use tokio::time::Instant;

use crate::board::Key;
use crate::event::{clipped, objects};
use crate::ledger::Ledger;
use crate::shipment::check::Checked;
use crate::source::Trouble;

/// The longest message of a failure.
const MESSAGE: usize = 500;

/// How a pass ended that got there.
pub(in crate::shipment) enum Outcome {
    /// Nothing is done while it is suspended.
    Suspended,
    /// It is deleted, and what it delivered is gone or let go of.
    Gone,
    /// It is applied, as far as it could be.
    Standing(Box<Standing>),
}

/// Where a Shipment stands after a pass.
#[derive(Clone)]
pub(in crate::shipment) struct Standing {
    pub(super) key: Key,
    pub(super) revision: String,
    pub(super) specification: String,
    pub(super) overlay: Option<String>,
    /// Whether nothing that it is made of has changed, whatever the revisions are called now.
    pub(super) unchanged: bool,
    pub(super) environment: Option<String>,
    pub(super) objects: usize,
    pub(super) failures: Vec<Failure>,
    pub(super) held: Option<HeldPrune>,
    pub(super) pending: Option<String>,
    /// Objects whose repairs do not hold, and what is done to them.
    pub(super) undone: Vec<(ObjectId, String)>,
    pub(super) unsettled: Vec<(ObjectId, Health)>,
    pub(super) overdue: bool,
    pub(super) stale: Option<Trouble>,
    pub(super) unwatched: BTreeSet<String>,
}

impl Outcome {
    pub(in crate::shipment) fn reason(&self) -> Reason {
        match self {
            Self::Suspended => Reason::Suspended,
            Self::Gone => Reason::Ready,
            Self::Standing(standing) => verdict(standing).reason,
        }
    }
}

/// Where a Shipment stands. Pure: it is read off the ledger, which holds what was applied.
pub(in crate::shipment) fn outcome(checked: &Checked, ledger: &Ledger) -> Outcome {
    Outcome::Standing(Box::new(Standing {
        key: checked.key.clone(),
        revision: checked.revision(),
        specification: checked.at.tree.to_string(),
        overlay: checked
            .overlay
            .as_ref()
            .map(|overlay| format!("sha1:{}", overlay.commit)),
        unchanged: false,
        environment: checked.environment_name(),
        objects: ledger
            .inventory
            .0
            .values()
            .filter(|entry| entry.uid.is_some())
            .count(),
        failures: ledger.failures.clone(),
        held: ledger.held.clone(),
        pending: ledger.pending.clone(),
        undone: ledger.repairs.undone(),
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

/// Where a Shipment stands whose pass had nothing to do but to look.
pub(in crate::shipment) fn unchanged(checked: &Checked, ledger: &Ledger) -> Outcome {
    let mut outcome = outcome(checked, ledger);
    if let Outcome::Standing(standing) = &mut outcome {
        standing.unchanged = true;
    }
    outcome
}

/// What the conditions say.
pub(super) struct Verdict {
    pub(super) ready: &'static str,
    pub(super) reason: Reason,
    pub(super) message: String,
    /// Whether the controller is still at work on it.
    pub(super) reconciling: bool,
    /// Whether somebody has to edit something.
    pub(super) stalled: bool,
}

pub(super) fn verdict(standing: &Standing) -> Verdict {
    if let Some(first) = standing.failures.first() {
        let reason = reason_of(&first.reason);
        let stalled = standing.failures.iter().any(needs_an_edit);
        return not_ready(reason, told(&standing.failures), !stalled, stalled);
    }
    if let Some(held) = &standing.held {
        return not_ready(
            reason_of(&held.reason),
            held_back(&standing.key, held),
            false,
            true,
        );
    }
    if let Some(pending) = &standing.pending {
        return Verdict {
            ready: "Unknown",
            reason: Reason::HandOverPending,
            message: pending.clone(),
            reconciling: true,
            stalled: false,
        };
    }
    if let Some(message) = all_undone(&standing.undone) {
        return not_ready(Reason::RepairUndone, message, false, true);
    }
    if let Some(verdict) = unhealthy(standing) {
        return verdict;
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
    let mut message = match standing.objects {
        1 => "1 object is applied and healthy".to_owned(),
        count => format!("{count} objects are applied and healthy"),
    };
    if !standing.unwatched.is_empty() {
        let kinds: Vec<_> = standing.unwatched.iter().cloned().collect();
        message = format!(
            "{message}; {} may not be watched and is looked at now and then",
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

/// Whether a failure stays until somebody edits something. The others end by themselves.
fn needs_an_edit(failure: &Failure) -> bool {
    !matches!(
        reason_of(&failure.reason),
        Reason::KindUnknown
            | Reason::NamespaceMissing
            | Reason::HandOverPending
            | Reason::DependencyNotReady
            | Reason::ClusterUnreachable
    )
}

fn not_ready(reason: Reason, message: String, reconciling: bool, stalled: bool) -> Verdict {
    Verdict {
        ready: "False",
        reason,
        message,
        reconciling,
        stalled,
    }
}

/// What the health of objects says, where one is not healthy.
fn unhealthy(standing: &Standing) -> Option<Verdict> {
    if let Some((id, health)) = standing
        .unsettled
        .iter()
        .find(|(_, health)| health.status == Status::Failed)
    {
        let message = format!("`{id}` failed: {}", sentence(health));
        return Some(not_ready(Reason::Unhealthy, message, false, false));
    }
    let (id, health) = standing.unsettled.first()?;
    let rest = standing.unsettled.len() - 1;
    let more = if rest == 0 {
        String::new()
    } else {
        format!(" and {rest} more")
    };
    let message = format!("`{id}`{more}: {}", sentence(health));
    if standing.overdue {
        let message = format!("not healthy in time: {message}");
        return Some(not_ready(Reason::HealthTimeout, message, false, false));
    }
    Some(Verdict {
        ready: "Unknown",
        reason: Reason::Progressing,
        message,
        reconciling: true,
        stalled: false,
    })
}

/// All that is not where it should be: what could not be applied, what is not healthy and will not get
/// so, and what does not stay as it is in Git.
pub(super) fn failures(standing: &Standing) -> Vec<Failure> {
    let of = |reason: Reason, id: &ObjectId, message: &str| {
        let mut failure = Failure::new(reason, clipped(message, MESSAGE));
        failure.object = Some(id.to_string());
        failure
    };
    let mut failures = standing.failures.clone();
    let undone = standing.undone.iter();
    failures.extend(undone.map(|(id, by)| of(Reason::RepairUndone, id, by)));
    for (id, health) in &standing.unsettled {
        let reason = match health.status {
            Status::Failed => Reason::Unhealthy,
            _ if standing.overdue => Reason::HealthTimeout,
            _ => continue,
        };
        failures.push(of(reason, id, &sentence(health)));
    }
    failures
}

/// What is not deleted, and what would change that. No confirmation helps against a render that
/// is incomplete or empty.
fn held_back(key: &Key, held: &HeldPrune) -> String {
    let are = if held.count == 1 { "is" } else { "are" };
    let what = format!(
        "{} left the source and {are} not deleted",
        objects(held.count)
    );
    if held.reason == Reason::RenderIncomplete.as_str() {
        return format!("{what}, since nothing, or not everything, could be rendered");
    }
    format!(
        "{what} ({}): run `shipway confirm {} -n {}` to see and confirm the list {}",
        held.reason, key.name, key.namespace, held.digest
    )
}

/// The first object whose repairs do not hold, and how many there are.
fn all_undone(all: &[(ObjectId, String)]) -> Option<String> {
    let (id, by) = all.first()?;
    let more = match all.len() - 1 {
        0 => String::new(),
        rest => format!("; and {rest} more"),
    };
    Some(format!("{}{more}", undone(id, by)))
}

/// That an object does not stay as it is in Git.
pub(in crate::shipment) fn undone(id: &ObjectId, by: &str) -> String {
    format!("`{id}` does not stay as it is in Git: {by}")
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

pub(super) fn reason_of(word: &str) -> Reason {
    word.parse().unwrap_or(Reason::ManifestInvalid)
}
