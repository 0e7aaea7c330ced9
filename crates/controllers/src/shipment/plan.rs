//! From what is wanted and what is there to what is to be done: inert data, the same that the
//! command line prints. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cluster::Caller;
use delivery::order::{self, Need};
use delivery::prune::{self, Judgement};
use delivery::{Object, Refusal, RefusedReason};
use kinds::shipment::{Failure, Ignore};
use kinds::{Reason, names};
use manifest::{ObjectId, Problem};

use super::check::Checked;
use super::heal::Due;
use super::observe::Observed;
use super::siblings;
use crate::board::{Key, Wait};
use crate::event::clipped;
use crate::ledger::Ledger;
use crate::tracker::Drift;

/// The longest message of a failure, and the longest path in it.
const MESSAGE: usize = 500;
const PLACE: usize = 200;

/// What is to be done with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Nothing: it is as it should be.
    Keep,
    /// Apply it; `drift` tells what somebody else did to it.
    Apply { drift: Option<Drift> },
    /// Apply it although nothing seems to be wrong with it.
    Audit,
    /// Nothing for now: its repairs do not hold, or it was refused and its retry is to come.
    Rest,
}

impl Work {
    /// Whether the object is applied.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Apply { .. } | Self::Audit)
    }
}

/// One object of the plan.
pub(super) struct Step {
    pub(super) object: Object,
    pub(super) digest: String,
    pub(super) work: Work,
    pub(super) needs: Vec<Need>,
    /// JSON pointers of fields that others may own.
    pub(super) ignore: Vec<String>,
    /// Whether this Shipment has applied it before.
    pub(super) known: bool,
    /// The Shipment that had it when it was last tried.
    pub(super) owned_by: Option<Key>,
    /// Whether it was listed before, but a crash may have come between list and object.
    pub(super) in_doubt: bool,
    /// Whether it was not listed before: if this pass writes nothing of it, it never was there.
    pub(super) planned: bool,
}

impl Step {
    /// What the inventory remembers of what was applied. Where fields were left to others, also
    /// which were ignored, so that a change of that brings them up again.
    pub(super) fn mark(&self, left_out: bool) -> String {
        mark(&self.digest, &self.ignore, left_out)
    }
}

fn mark(digest: &str, ignore: &[String], left_out: bool) -> String {
    if !left_out {
        return digest.to_owned();
    }
    format!("{digest}+{}", manifest::fingerprint(&ignore.join("\n"), 8))
}

/// The plan of one pass.
pub(super) struct Draft {
    pub(super) due: Due,
    pub(super) stages: Vec<Vec<Step>>,
    /// What is left as it is for now.
    pub(super) resting: BTreeSet<ObjectId>,
    pub(super) prune: Judgement,
    /// What other Shipments name: they take it over, and our share of it goes.
    pub(super) leave: Vec<ObjectId>,
    /// What is left to do and waits for other Shipments.
    pub(super) pending: Option<String>,
    /// Everything that the source names, also what cannot be applied now.
    pub(super) wanted: Arc<BTreeSet<ObjectId>>,
    pub(super) failures: Vec<Failure>,
    pub(super) waits: BTreeSet<Wait>,
    pub(super) caller: Caller,
}

pub(super) fn draft(
    checked: &Checked,
    observed: Observed,
    ledger: &Ledger,
    due: Due,
    resting: BTreeSet<ObjectId>,
) -> Draft {
    let mut failures = Vec::new();
    let mut waits = BTreeSet::new();
    let mut wanted: BTreeSet<ObjectId> = observed
        .objects
        .iter()
        .map(|object| object.id.clone())
        .collect();
    failures.extend(observed.problems.iter().map(unreadable));
    for refused in &observed.refused {
        wanted.insert(refused.id.clone());
        // Nobody knows whether the kind has namespaces: it is wanted either way.
        if refused.id.namespace.is_none() {
            wanted.insert(ObjectId {
                namespace: Some(checked.key.namespace.clone()),
                ..refused.id.clone()
            });
        }
        if refused.reason != RefusedReason::Duplicate {
            waits.insert(Wait::Kinds);
        }
        let message = clipped(&refused.message, MESSAGE);
        let mut failure = Failure::new(reason_of(refused.reason), message);
        failure.object = Some(refused.id.to_string());
        failure.at = Some(place(&refused.file, Some(refused.line)));
        failures.push(failure);
    }
    let protection = prune::Protection {
        untouchable: own(&checked.key),
        ..checked.protection.clone()
    };
    // What goes to another Shipment is not deleted: no guard is asked about it.
    let mut inventory = ledger.inventory.clone();
    let mut leave = Vec::new();
    if observed.complete {
        inventory
            .0
            .retain(|id, _| !observed.moving.elsewhere.contains(id));
        leave.extend(observed.moving.elsewhere.difference(&wanted).cloned());
    }
    let mut pending = None;
    let leaving = inventory.beyond(&wanted).len() + leave.len();
    if let Some(other) = observed.moving.behind.filter(|_| leaving > 0) {
        pending = Some(siblings::pending(leaving, &other));
        waits.insert(Wait::Shipment(other));
    }
    let judgement = if checked.spec.prune && pending.is_none() {
        let situation = prune::Situation {
            inventory: &inventory,
            wanted: &wanted,
            complete: observed.complete,
            protection: &protection,
            confirmed: checked.spec.confirmed.as_deref(),
        };
        prune::judge(&situation, &|id| {
            observed.taken_along.get(id).copied().unwrap_or_default()
        })
    } else {
        Judgement::default()
    };
    let in_set: BTreeSet<&str> = observed
        .objects
        .iter()
        .filter(|o| o.id.group.is_empty() && o.id.kind == "Namespace")
        .map(|o| o.id.name.as_str())
        .collect();
    let mut ready = Vec::new();
    for object in &observed.objects {
        let missing = object
            .id
            .namespace
            .as_ref()
            .filter(|ns| observed.missing_namespaces.contains(*ns));
        if let Some(namespace) = missing.filter(|ns| !in_set.contains(ns.as_str())) {
            waits.insert(Wait::Namespace(namespace.clone()));
            failures.push(failure(
                object,
                Reason::NamespaceMissing,
                &format!("the namespace `{namespace}` does not exist or is on its way out"),
            ));
        } else {
            ready.push(object.clone());
        }
    }
    let mut stages = stages(checked, &ready, &observed.drifted, ledger);
    allot(&mut stages, due, &resting);
    Draft {
        due,
        stages,
        resting,
        prune: judgement,
        leave: if pending.is_some() { Vec::new() } else { leave },
        pending,
        wanted: Arc::new(wanted),
        failures,
        waits,
        caller: observed.caller,
    }
}

/// What a pass leaves out of what could be done, and what it does beyond that.
fn allot(stages: &mut [Vec<Step>], due: Due, resting: &BTreeSet<ObjectId>) {
    for step in stages.iter_mut().flatten() {
        if resting.contains(&step.object.id) {
            step.work = Work::Rest;
        } else if due == Due::Audit && step.work == Work::Keep {
            step.work = Work::Audit;
        }
    }
}

/// The Shipment itself and the Deliverable that stamps it, where it delivers them: whoever takes
/// them out of Git takes them over by hand, and does not delete everything.
pub fn own(key: &Key) -> BTreeSet<ObjectId> {
    let named = |group: &str, kind: &str| ObjectId {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: Some(key.namespace.clone()),
        name: key.name.clone(),
    };
    [
        named(names::GROUP, "Shipment"),
        named("carto.run", "Deliverable"),
    ]
    .into()
}

fn stages(
    checked: &Checked,
    objects: &[Object],
    drifted: &BTreeMap<ObjectId, Drift>,
    ledger: &Ledger,
) -> Vec<Vec<Step>> {
    let stages = order::stages(objects);
    stages
        .into_iter()
        .map(|stage| {
            stage
                .into_iter()
                .map(|index| step(checked, objects, index, drifted, ledger))
                .collect()
        })
        .collect()
}

fn step(
    checked: &Checked,
    objects: &[Object],
    index: usize,
    drifted: &BTreeMap<ObjectId, Drift>,
    ledger: &Ledger,
) -> Step {
    let object = objects[index].clone();
    let digest = object.manifest.digest();
    let entry = ledger.inventory.0.get(&object.id);
    let drift = drifted.get(&object.id).copied();
    let ignore = ignored(&checked.spec.ignore, &object);
    let same = entry.is_some_and(|entry| {
        let applied = entry.applied.as_deref();
        entry.uid.is_some()
            && (applied == Some(&digest) || applied == Some(&mark(&digest, &ignore, true)))
            && entry.version == object.manifest.version()
    });
    Step {
        work: if same && drift.is_none() {
            Work::Keep
        } else {
            Work::Apply { drift }
        },
        needs: order::waits_for(objects, index),
        ignore,
        known: entry.is_some_and(|entry| entry.uid.is_some()),
        owned_by: ledger.owned_by.get(&object.id).cloned(),
        in_doubt: entry.is_some_and(|entry| entry.uid.is_none()),
        planned: entry.is_none(),
        digest,
        object,
    }
}

/// JSON pointers of the fields of an object that others may own.
pub fn ignored(rules: &[Ignore], object: &Object) -> Vec<String> {
    let fits = |wanted: &Option<String>, found: &str| {
        wanted.as_deref().is_none_or(|wanted| wanted == found)
    };
    rules
        .iter()
        .filter(|rule| {
            fits(&rule.group, &object.id.group)
                && fits(&rule.kind, &object.id.kind)
                && fits(&rule.name, &object.id.name)
        })
        .flat_map(|rule| rule.paths.iter().cloned())
        .collect()
}

/// What could not be read.
fn unreadable(problem: &Problem) -> Failure {
    let message = clipped(&problem.message, MESSAGE);
    let mut failure = Failure::new(Reason::ManifestInvalid, message);
    failure.at = Some(place(&problem.file, problem.line));
    failure
}

/// What costs the whole tree.
pub(super) fn refused(refusal: &Refusal) -> Failure {
    let message = clipped(&refusal.to_string(), MESSAGE);
    let mut failure = Failure::new(Reason::TreeRefused, message);
    failure.at = refusal.place().map(|(file, line)| place(file, line));
    failure
}

/// A failure of one object.
pub(super) fn failure(object: &Object, reason: Reason, message: &str) -> Failure {
    let mut failure = Failure::new(reason, clipped(message, MESSAGE));
    failure.object = Some(object.id.to_string());
    failure.at = Some(place(&object.manifest.file, Some(object.manifest.line)));
    failure
}

/// The word of the closed list for why a manifest is no object.
fn reason_of(refused: RefusedReason) -> Reason {
    match refused {
        RefusedReason::KindUnknown => Reason::KindUnknown,
        RefusedReason::VersionNotServed => Reason::VersionNotServed,
        // As where both copies can be told apart by their files alone.
        RefusedReason::Duplicate => Reason::ManifestInvalid,
    }
}

fn place(file: &str, line: Option<u32>) -> String {
    // The end of a long path tells more than its beginning.
    let skipped = file.chars().count().saturating_sub(PLACE);
    let file: String = file.chars().skip(skipped).collect();
    let cut = if skipped == 0 { "" } else { "…" };
    match line {
        Some(line) => format!("{cut}{file}:{line}"),
        None => format!("{cut}{file}"),
    }
}
