//! From what is wanted and what is there to what is to be done: inert data, the same that the
//! command line prints. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cluster::Caller;
use delivery::order::{self, Need};
use delivery::prune::{self, Judgement};
use delivery::{Object, RefusedReason};
use kinds::Reason;
use kinds::shipment::{Failure, Ignore};
use manifest::ObjectId;

use super::check::Checked;
use super::observe::Observed;
use crate::board::Wait;
use crate::ledger::Ledger;
use crate::tracker::Drift;

/// What is to be done with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Nothing: it is as it should be.
    Keep,
    /// Apply it; `drift` tells what somebody else did to it.
    Apply { drift: Option<Drift> },
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
}

/// The plan of one pass.
pub(super) struct Draft {
    pub(super) stages: Vec<Vec<Step>>,
    pub(super) prune: Judgement,
    /// Everything that the source names, also what cannot be applied now.
    pub(super) wanted: Arc<BTreeSet<ObjectId>>,
    pub(super) failures: Vec<Failure>,
    pub(super) waits: BTreeSet<Wait>,
    pub(super) caller: Caller,
}

pub(super) fn draft(checked: &Checked, observed: Observed, ledger: &Ledger) -> Draft {
    let mut failures = Vec::new();
    let mut waits = BTreeSet::new();
    let mut wanted: BTreeSet<ObjectId> = observed
        .objects
        .iter()
        .map(|object| object.id.clone())
        .collect();
    for problem in &observed.problems {
        failures.push(Failure {
            object: None,
            reason: Reason::ManifestInvalid.as_str().to_owned(),
            message: format!("{}: {}", problem.reason.as_str(), problem.message),
            at: Some(place(&problem.file, problem.line)),
        });
    }
    for refused in &observed.refused {
        wanted.insert(refused.id.clone());
        if refused.reason == RefusedReason::KindUnknown {
            waits.insert(Wait::Kinds);
        }
        failures.push(Failure {
            object: Some(refused.id.to_string()),
            reason: refused.reason.as_str().to_owned(),
            message: refused.message.clone(),
            at: Some(place(&refused.file, Some(refused.line))),
        });
    }
    let protection = prune::Protection {
        untouchable: BTreeSet::new(),
        ..checked.protection.clone()
    };
    let judgement = if checked.spec.prune {
        prune::judge(
            &ledger.inventory,
            &wanted,
            observed.complete,
            &protection,
            checked.spec.confirmed.as_deref(),
            &|_| 0,
        )
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
                format!("the namespace `{namespace}` does not exist or is on its way out"),
            ));
        } else {
            ready.push(object.clone());
        }
    }
    Draft {
        stages: stages(checked, &ready, &observed.drifted, ledger),
        prune: judgement,
        wanted: Arc::new(wanted),
        failures,
        waits,
        caller: observed.caller,
    }
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
    let same = entry.is_some_and(|entry| {
        entry.uid.is_some()
            && entry.applied.as_ref() == Some(&digest)
            && entry.version == object.manifest.version()
    });
    Step {
        work: if same && drift.is_none() {
            Work::Keep
        } else {
            Work::Apply { drift }
        },
        needs: order::waits_for(objects, index),
        ignore: ignored(&checked.spec.ignore, &object),
        known: entry.is_some_and(|entry| entry.uid.is_some()),
        digest,
        object,
    }
}

fn ignored(rules: &[Ignore], object: &Object) -> Vec<String> {
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

/// A failure of one object.
pub(super) fn failure(object: &Object, reason: Reason, message: String) -> Failure {
    Failure {
        object: Some(object.id.to_string()),
        reason: reason.as_str().to_owned(),
        message: crate::event::clipped(&message, 500),
        at: Some(place(&object.manifest.file, Some(object.manifest.line))),
    }
}

fn place(file: &str, line: Option<u32>) -> String {
    match line {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    }
}
