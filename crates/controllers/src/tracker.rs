//! What was applied, beside what the watches last saw of it. Where the two differ somebody else
//! was at work: that is drift.
//!
//! Values are never compared, since admission may legitimately change them; only uid and the
//! hash of our own field set are.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use cluster::watch::{Report, Sighting};
use manifest::{GroupKind, ObjectId};

use crate::board::Key;

/// How a live object differs from what was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// Somebody changed or took over fields that are ours.
    Changed,
    /// It is not there, or its owner label is gone: to be looked at before it is created again.
    Missing,
    /// Another object of the same name took its place.
    Replaced,
}

/// One applied object.
#[derive(Clone, Debug)]
struct Tracked {
    owner: Key,
    manager: String,
    uid: String,
    fields: String,
    /// The resourceVersion that our last apply answered with: whatever is older is no news.
    version: u64,
    seen: u64,
    drift: Option<Drift>,
    /// Whether its health is still awaited, so that every change is worth a look.
    unsettled: bool,
}

#[derive(Debug, Default)]
struct State {
    objects: HashMap<ObjectId, Vec<Tracked>>,
    unwatchable: HashMap<GroupKind, String>,
}

/// The tracker.
#[derive(Debug, Default)]
pub struct Tracker(Mutex<State>);

/// What an apply answered.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The owner's field manager.
    pub manager: &'a str,
    /// The object's uid.
    pub uid: &'a str,
    /// The hash of our own field set.
    pub fields: &'a str,
    /// The resourceVersion; 0 where it is only known from an inventory.
    pub version: u64,
}

impl Tracker {
    /// Notes what an object looks like after an apply.
    pub fn expect(&self, id: &ObjectId, owner: &Key, expected: &Expected<'_>) {
        let mut state = self.lock();
        let all = state.objects.entry(id.clone()).or_default();
        let known = all.iter().position(|tracked| tracked.owner == *owner);
        let tracked = Tracked {
            owner: owner.clone(),
            manager: expected.manager.to_owned(),
            uid: expected.uid.to_owned(),
            fields: expected.fields.to_owned(),
            version: expected.version,
            seen: known.map_or(0, |index| all[index].seen),
            // What was seen after the apply's own answer still counts.
            drift: known.and_then(|index| {
                all[index]
                    .drift
                    .filter(|_| all[index].seen > expected.version)
            }),
            unsettled: known.is_some_and(|index| all[index].unsettled),
        };
        match known {
            Some(index) => all[index] = tracked,
            None => all.push(tracked),
        }
    }

    /// Follows an object no more.
    pub fn forget(&self, id: &ObjectId, owner: &Key) {
        let mut state = self.lock();
        if let Some(all) = state.objects.get_mut(id) {
            all.retain(|tracked| tracked.owner != *owner);
            if all.is_empty() {
                state.objects.remove(id);
            }
        }
    }

    /// Says whether an object's health is still awaited.
    pub fn await_health(&self, id: &ObjectId, owner: &Key, unsettled: bool) {
        if let Some(tracked) = self
            .lock()
            .objects
            .get_mut(id)
            .and_then(|all| all.iter_mut().find(|t| t.owner == *owner))
        {
            tracked.unsettled = unsettled;
        }
    }

    /// How an object differs from what was applied, and the resourceVersion last seen.
    pub fn look(&self, id: &ObjectId, owner: &Key) -> (Option<Drift>, u64) {
        let state = self.lock();
        let tracked = state
            .objects
            .get(id)
            .and_then(|all| all.iter().find(|tracked| tracked.owner == *owner));
        tracked.map_or((None, 0), |tracked| {
            (tracked.drift, tracked.seen.max(tracked.version))
        })
    }

    /// Notes that a suspicion was unfounded.
    pub fn acquit(&self, id: &ObjectId, owner: &Key) {
        if let Some(tracked) = self
            .lock()
            .objects
            .get_mut(id)
            .and_then(|all| all.iter_mut().find(|t| t.owner == *owner))
        {
            tracked.drift = None;
        }
    }

    /// Notes a suspicion that comes from elsewhere than a watch.
    pub fn suspect(&self, id: &ObjectId, owner: &Key, drift: Drift) {
        if let Some(tracked) = self
            .lock()
            .objects
            .get_mut(id)
            .and_then(|all| all.iter_mut().find(|t| t.owner == *owner))
        {
            tracked.drift = Some(drift);
        }
    }

    /// Whether a kind may not be watched.
    pub fn is_unwatchable(&self, kind: &GroupKind) -> bool {
        self.lock().unwatchable.contains_key(kind)
    }

    /// Takes a report in; tells which owners it concerns.
    pub fn take(&self, report: &Report) -> Vec<Key> {
        let mut state = self.lock();
        match report {
            Report::Seen(sighting) => state
                .objects
                .get_mut(&sighting.id)
                .map_or_else(Vec::new, |all| seen(all, sighting)),
            Report::Gone(id, version) => state.objects.get_mut(id).map_or_else(Vec::new, |all| {
                missing(all, |tracked| *version > tracked.version)
            }),
            Report::Listed(kind, present) => {
                state.unwatchable.remove(kind);
                absent(&mut state.objects, kind, present)
            }
            Report::Unwatchable(kind, why) => {
                state.unwatchable.insert(kind.clone(), why.clone());
                Vec::new()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

fn seen(all: &mut [Tracked], sighting: &Sighting) -> Vec<Key> {
    let mut concerned = Vec::new();
    for tracked in all
        .iter_mut()
        .filter(|tracked| sighting.version > tracked.version)
    {
        let fields = sighting
            .fields
            .iter()
            .find(|(manager, _)| *manager == tracked.manager)
            .map(|(_, hash)| hash);
        let drift = if sighting.uid != tracked.uid {
            Some(Drift::Replaced)
        } else if fields != Some(&tracked.fields) {
            Some(Drift::Changed)
        } else {
            None
        };
        let news = drift.is_some() || tracked.unsettled || tracked.drift.is_some();
        tracked.seen = sighting.version;
        tracked.drift = drift;
        if news {
            concerned.push(tracked.owner.clone());
        }
    }
    concerned
}

fn missing(all: &mut [Tracked], is_news: impl Fn(&Tracked) -> bool) -> Vec<Key> {
    let mut concerned = Vec::new();
    for tracked in all.iter_mut().filter(|tracked| is_news(tracked)) {
        tracked.drift = Some(Drift::Missing);
        concerned.push(tracked.owner.clone());
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
        if id.group == kind.group && id.kind == kind.kind && !present.contains(id) {
            concerned.extend(missing(all, |_| true));
        }
    }
    concerned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ObjectId {
        ObjectId {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "a".to_owned(),
        }
    }

    fn sighting(uid: &str, fields: &str, version: u64) -> Report {
        let fields = vec![("shipway:shipment:shop/web".to_owned(), fields.to_owned())];
        Report::Seen(Sighting {
            id: id(),
            uid: uid.to_owned(),
            version,
            deleting: false,
            fields,
        })
    }

    #[track_caller]
    fn check(reports: &[Report], drift: Option<Drift>) {
        let tracker = Tracker::default();
        let key = Key::new("shop", "web");
        let expected = Expected {
            manager: "shipway:shipment:shop/web",
            uid: "u1",
            fields: "f1",
            version: 10,
        };
        tracker.expect(&id(), &key, &expected);
        for report in reports {
            tracker.take(report);
        }
        assert_eq!(tracker.look(&id(), &key).0, drift);
    }

    #[test]
    fn a_change_of_what_we_own_is_drift() {
        check(&[sighting("u1", "f2", 11)], Some(Drift::Changed));
        check(&[sighting("u2", "f1", 11)], Some(Drift::Replaced));
        check(&[Report::Gone(id(), 11)], Some(Drift::Missing));
    }

    #[test]
    fn what_others_add_is_not() {
        check(&[sighting("u1", "f1", 11)], None);
    }

    #[test]
    fn what_is_older_than_our_apply_is_no_news() {
        check(&[sighting("u1", "f0", 9)], None);
        check(&[Report::Gone(id(), 9)], None);
    }

    #[test]
    fn an_object_that_comes_back_by_itself_is_no_drift() {
        check(&[sighting("u1", "f2", 11), sighting("u1", "f1", 12)], None);
    }

    #[test]
    fn an_object_missing_from_a_list_is_suspected() {
        check(
            &[Report::Listed(id().group_kind(), HashSet::new())],
            Some(Drift::Missing),
        );
    }
}
