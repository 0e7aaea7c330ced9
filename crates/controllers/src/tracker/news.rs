//! Takes in what the watches report, and tells whom it concerns.

use std::collections::{BTreeSet, HashMap, HashSet};

use cluster::watch::{Report, Sighting};
use manifest::{GroupKind, ObjectId};

use super::{Applying, Drift, Tracked, Tracker};
use crate::board::Key;

impl Tracker {
    /// Takes a report in; tells which owners it concerns.
    pub fn take(&self, report: &Report) -> Vec<Key> {
        let mut state = self.lock();
        match report {
            Report::Seen(sighting) => state
                .objects
                .get_mut(&sighting.id)
                .map_or_else(Vec::new, |all| seen(all, sighting)),
            Report::Gone(id, version) => state
                .objects
                .get_mut(id)
                .map_or_else(Vec::new, |all| gone(all, report, *version)),
            Report::Listed(kind, present) => {
                let mut concerned = absent(&mut state.objects, kind, present);
                if state.unwatchable.remove(kind).is_some() {
                    concerned.extend(owners(&state.objects, kind)); // they say so in their status
                }
                concerned
            }
            Report::Unwatchable(kind, why) => {
                if state
                    .unwatchable
                    .insert(kind.clone(), why.clone())
                    .is_some()
                {
                    return Vec::new();
                }
                owners(&state.objects, kind)
            }
        }
    }
}

fn seen(all: &mut [Tracked], sighting: &Sighting) -> Vec<Key> {
    let mut concerned = Vec::new();
    for tracked in all {
        if tracked.under_way.keep(|| Report::Seen(sighting.clone())) {
            continue; // it is judged by the answer
        }
        if sighting.version > tracked.version {
            let before = (tracked.drift, tracked.deleting);
            tracked.judge(sighting);
            // What cannot be put right rests until its retry, however often it is written.
            if (tracked.drift, tracked.deleting) != before || tracked.unsettled {
                concerned.push(tracked.owner.clone());
            }
        }
    }
    concerned
}

fn gone(all: &mut [Tracked], report: &Report, version: u64) -> Vec<Key> {
    let mut concerned = Vec::new();
    for tracked in all {
        if tracked.under_way.keep(|| report.clone()) {
            continue;
        }
        if version > tracked.version {
            tracked.drift = Some(Drift::Missing);
            tracked.seen = tracked.seen.max(version);
            concerned.push(tracked.owner.clone());
        }
    }
    concerned
}

fn absent(
    objects: &mut HashMap<ObjectId, Vec<Tracked>>,
    kind: &GroupKind,
    present: &HashSet<ObjectId>,
) -> Vec<Key> {
    let mut concerned = Vec::new();
    for (id, all) in objects.iter_mut() {
        if id.group != kind.group || id.kind != kind.kind || present.contains(id) {
            continue;
        }
        for tracked in all {
            // What is being created may be younger than the list, and the watch goes on from there.
            let known = !tracked.uid.is_empty();
            let absent = || Report::Listed(kind.clone(), HashSet::new());
            match &tracked.under_way {
                Applying::Yes(_) if known => {
                    tracked.under_way.keep(absent);
                }
                Applying::Yes(_) => {}
                Applying::No => {
                    tracked.drift = Some(Drift::Missing);
                    concerned.push(tracked.owner.clone());
                }
            }
        }
    }
    concerned
}

/// Whoever has objects of a kind.
fn owners(objects: &HashMap<ObjectId, Vec<Tracked>>, kind: &GroupKind) -> Vec<Key> {
    let of_kind = objects
        .iter()
        .filter(|(id, _)| id.group == kind.group && id.kind == kind.kind);
    let owners: BTreeSet<&Key> = of_kind
        .flat_map(|(_, all)| all.iter().map(|tracked| &tracked.owner))
        .collect();
    owners.into_iter().cloned().collect()
}
