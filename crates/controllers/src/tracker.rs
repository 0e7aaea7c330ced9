//! What was applied, beside what the watches last saw of it. Where the two differ somebody else
//! was at work: that is drift.
//!
//! Values are never compared, since admission may legitimately change them; only uid, the hash of
//! our own field set, and when it was written are. This process alone writes as our field managers:
//! where one of them wrote at a time that no answer told us, it was a controller that ruled before
//! and had been paused. The API server records whole seconds, so that such a write may carry the
//! time of our own: where the Lease was taken from one that had not given it back, what changes soon
//! after our own write, and neither another writer nor a status explains, is applied again.

mod news;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use cluster::ownership::Trace;
use cluster::watch::{Report, Sighting};
use manifest::{GroupKind, ObjectId};
use tokio::time::Instant;

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
    /// Somebody else wrote it as our own field manager.
    Rewritten,
    /// It was written again within the second of our own write, and nothing tells by whom.
    Unexplained,
}

/// How long after our own write another one may carry the same time: the second itself, and what
/// an answer and a watch take on a busy server.
const SAME_SECOND: Duration = Duration::from_secs(5);

/// Whether an apply is under way, and what was seen of the object since it began.
#[derive(Clone, Debug, Default)]
enum Applying {
    #[default]
    No,
    Yes(Option<Box<Report>>),
}

impl Applying {
    /// Keeps a report for later; tells whether an apply is under way.
    fn keep(&mut self, report: impl FnOnce() -> Report) -> bool {
        match self {
            Self::No => false,
            Self::Yes(last) => {
                *last = Some(Box::new(report()));
                true
            }
        }
    }
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
    /// When that changed the object; where it is not known yet, as first seen.
    written: Option<i64>,
    /// Until when a write that carries this time may be another's; never where it was only seen.
    doubted_until: Option<Instant>,
    /// What explains a change that is not ours, as it was last.
    trace: Trace,
    seen: u64,
    drift: Option<Drift>,
    /// Whether it is on its way out, and something still holds it.
    deleting: bool,
    /// Whether its health is still awaited, so that every change is worth a look.
    unsettled: bool,
    /// While an apply is under way: the last report, to be judged when its answer is there.
    under_way: Applying,
}

#[derive(Debug, Default)]
struct State {
    objects: HashMap<ObjectId, Vec<Tracked>>,
    unwatchable: HashMap<GroupKind, String>,
}

/// The tracker.
#[derive(Debug, Default)]
pub struct Tracker {
    state: Mutex<State>,
    /// Whether a controller of before may still be somewhere, with writes under way.
    doubts: bool,
}

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
    /// When our field manager last changed the object, where it is known.
    pub written: Option<i64>,
    /// What changes of others leave on the object.
    pub trace: Trace,
}

impl Tracker {
    /// A tracker that doubts what may be the write of a controller of before.
    pub fn doubting() -> Self {
        Self {
            doubts: true,
            ..Self::default()
        }
    }

    /// Notes that an object is about to be applied: what is seen of it from now on is judged by
    /// the answer, since a watch may well be faster than that.
    pub fn announce(&self, id: &ObjectId, owner: &Key) {
        let mut state = self.lock();
        let all = state.objects.entry(id.clone()).or_default();
        match all.iter_mut().find(|tracked| tracked.owner == *owner) {
            Some(tracked) => tracked.under_way = Applying::Yes(None),
            None => all.push(Tracked {
                owner: owner.clone(),
                manager: String::new(),
                uid: String::new(),
                fields: String::new(),
                version: 0,
                written: None,
                doubted_until: None,
                trace: Trace::default(),
                seen: 0,
                drift: None,
                deleting: false,
                unsettled: false,
                under_way: Applying::Yes(None),
            }),
        }
    }

    /// Notes that an apply came to nothing: what was wrong with the object still is, or is by now
    /// what was seen of it meanwhile.
    pub fn give_up(&self, id: &ObjectId, owner: &Key) {
        let mut state = self.lock();
        let Some(all) = state.objects.get_mut(id) else {
            return;
        };
        all.retain_mut(|tracked| {
            if tracked.owner != *owner {
                return true;
            }
            // It may have been made all the same.
            tracked.written = None;
            tracked.doubted_until = None;
            if let Applying::Yes(Some(last)) = std::mem::take(&mut tracked.under_way) {
                tracked.catch_up(&last);
            }
            !tracked.uid.is_empty()
        });
        if all.is_empty() {
            state.objects.remove(id);
        }
    }

    /// Notes what an object looks like after an apply. Tells whether somebody else has changed it
    /// since already.
    pub fn expect(&self, id: &ObjectId, owner: &Key, expected: &Expected<'_>) -> bool {
        let mut state = self.lock();
        let all = state.objects.entry(id.clone()).or_default();
        let known = all.iter().position(|tracked| tracked.owner == *owner);
        let before = known.map(|index| all.swap_remove(index));
        // An apply that changed nothing answers with the time of the one before.
        let same = before.as_ref().filter(|it| it.written == expected.written);
        let doubted_until = match same {
            Some(before) => before.doubted_until,
            None if self.doubts => expected.written.map(|_| Instant::now() + SAME_SECOND),
            None => None,
        };
        let mut tracked = Tracked {
            owner: owner.clone(),
            manager: expected.manager.to_owned(),
            uid: expected.uid.to_owned(),
            fields: expected.fields.to_owned(),
            version: expected.version,
            written: expected.written,
            doubted_until,
            trace: expected.trace,
            seen: before.as_ref().map_or(0, |before| before.seen),
            drift: None,
            deleting: false,
            unsettled: before.as_ref().is_some_and(|before| before.unsettled),
            under_way: Applying::No,
        };
        let missed = match before.map(|before| before.under_way) {
            Some(Applying::Yes(last)) => last,
            _ => None,
        };
        if let Some(missed) = missed {
            tracked.catch_up(&missed);
        }
        let changed = tracked.drift.is_some();
        all.push(tracked);
        changed
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

    /// Whether an object was last seen on its way out: it is there, and nobody can keep it.
    pub fn is_deleting(&self, id: &ObjectId, owner: &Key) -> bool {
        let state = self.lock();
        let all = state.objects.get(id);
        all.is_some_and(|all| all.iter().any(|it| it.owner == *owner && it.deleting))
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while holding it")
    }
}

impl Tracked {
    /// Takes in what was seen while an apply was under way.
    fn catch_up(&mut self, missed: &Report) {
        match missed {
            Report::Seen(sighting) if sighting.version > self.version => self.judge(sighting),
            Report::Gone(_, version) if *version > self.version => {
                self.drift = Some(Drift::Missing);
            }
            // The list may be older than the apply: a suspicion, which is looked at.
            Report::Listed(..) => self.drift = Some(Drift::Missing),
            _ => {}
        }
    }

    /// Compares what is seen with what was applied.
    fn judge(&mut self, sighting: &Sighting) {
        let all = &sighting.shares;
        let share = all.iter().find(|share| share.manager == self.manager);
        let written = share.and_then(|share| share.written);
        self.seen = sighting.version;
        self.deleting = sighting.deleting && sighting.uid == self.uid;
        self.drift = if sighting.uid != self.uid {
            Some(Drift::Replaced)
        } else if share.is_none_or(|share| share.fields != self.fields) {
            Some(Drift::Changed)
        } else if self.written.is_some() && written != self.written {
            Some(Drift::Rewritten)
        } else if self.is_doubtful(sighting) {
            Some(Drift::Unexplained)
        } else {
            self.written = written;
            self.trace = sighting.trace;
            None
        };
    }

    /// Whether a write that carries the time of our own may be another's in our name.
    fn is_doubtful(&self, sighting: &Sighting) -> bool {
        let soon = self.doubted_until.is_some_and(|end| Instant::now() < end);
        soon && !self.trace.explains(&sighting.trace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    use cluster::ownership::Share;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta, Time};
    use k8s_openapi::jiff::Timestamp;

    fn id() -> ObjectId {
        ObjectId {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "a".to_owned(),
        }
    }

    /// Others have written it at this time, and nobody counts generations.
    fn by_others(at: u64) -> Trace {
        let time = Timestamp::from_second(i64::try_from(at).expect("a time"));
        Trace::of(&ObjectMeta {
            managed_fields: Some(vec![ManagedFieldsEntry {
                manager: Some("kubectl-edit".to_owned()),
                time: Some(Time(time.expect("a time"))),
                ..ManagedFieldsEntry::default()
            }]),
            ..ObjectMeta::default()
        })
    }

    /// Seen in the second of our own write: what does not show in the time.
    fn soon(version: u64, trace: Trace) -> Report {
        match sighting("u1", "f1", version) {
            Report::Seen(sighting) => Report::Seen(Sighting { trace, ..sighting }),
            other => other,
        }
    }

    fn sighting(uid: &str, fields: &str, version: u64) -> Report {
        written(uid, fields, version, 100)
    }

    fn written(uid: &str, fields: &str, version: u64, at: i64) -> Report {
        let share = Share {
            manager: "shipway:shipment:shop/web".to_owned(),
            fields: fields.to_owned(),
            written: Some(at),
        };
        Report::Seen(Sighting {
            trace: by_others(version),
            id: id(),
            uid: uid.to_owned(),
            version,
            deleting: false,
            shares: vec![share],
        })
    }

    /// A tracker of an object that was just applied, and its owner.
    fn applied() -> (Tracker, Key) {
        let tracker = Tracker::doubting();
        let key = Key::new("shop", "web");
        tracker.expect(&id(), &key, &expected());
        (tracker, key)
    }

    fn expected() -> Expected<'static> {
        Expected {
            manager: "shipway:shipment:shop/web",
            uid: "u1",
            fields: "f1",
            version: 10,
            written: Some(100),
            trace: by_others(10),
        }
    }

    #[track_caller]
    fn check(reports: &[Report], drift: Option<Drift>) {
        let (tracker, key) = applied();
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
    fn what_somebody_else_wrote_in_our_name_is_drift() {
        check(&[written("u1", "f1", 11, 101)], Some(Drift::Rewritten));
        check(&[written("u1", "f1", 9, 99)], None);
        // After a restart the first sighting tells, and an apply without an answer tells nothing.
        let (tracker, key) = applied();
        tracker.announce(&id(), &key);
        tracker.take(&written("u1", "f1", 11, 101));
        tracker.give_up(&id(), &key);
        assert_eq!(tracker.look(&id(), &key).0, None);
        tracker.take(&written("u1", "f1", 12, 102));
        assert_eq!(tracker.look(&id(), &key).0, Some(Drift::Rewritten));
    }

    #[test]
    fn what_is_written_in_the_second_of_our_own_write_is_doubted() {
        let ours = by_others(10);
        check(&[soon(11, ours)], Some(Drift::Unexplained));
        check(&[soon(11, by_others(11))], None);
        check(
            &[soon(11, by_others(11)), soon(12, by_others(11))],
            Some(Drift::Unexplained),
        );
        check(&[soon(11, ours), sighting("u1", "f1", 12)], None);

        let counted = |generation| {
            Trace::of(&ObjectMeta {
                generation: Some(generation),
                ..ObjectMeta::default()
            })
        };
        let (tracker, key) = applied();
        let mut expected = expected();
        expected.version = 12;
        expected.trace = counted(3);
        tracker.expect(&id(), &key, &expected);
        tracker.take(&soon(13, counted(3)));
        assert_eq!(tracker.look(&id(), &key).0, None, "a status");
        tracker.take(&soon(14, counted(4)));
        assert_eq!(tracker.look(&id(), &key).0, Some(Drift::Unexplained));
        // The apply that follows changes nothing, and its answer says so.
        expected.version = 14;
        assert!(!tracker.expect(&id(), &key, &expected));
        assert_eq!(tracker.look(&id(), &key).0, None);
    }

    #[test]
    fn what_was_written_before_a_start_is_not_doubted() {
        let tracker = Tracker::doubting();
        let key = Key::new("shop", "web");
        let known = Expected {
            version: 0,
            written: None,
            ..expected()
        };
        tracker.expect(&id(), &key, &known);
        tracker.take(&soon(11, by_others(10)));
        tracker.take(&soon(12, by_others(10)));
        assert_eq!(tracker.look(&id(), &key).0, None);

        // Nor is anything where no controller of before can be left.
        let tracker = Tracker::default();
        tracker.expect(&id(), &key, &expected());
        tracker.take(&soon(11, by_others(10)));
        assert_eq!(tracker.look(&id(), &key).0, None);
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
    fn what_a_watch_shows_before_the_applys_answer_is_judged_by_the_answer() {
        #[track_caller]
        fn check(report: &Report, changed: bool) {
            let tracker = Tracker::default();
            let key = Key::new("shop", "web");
            let expected = |fields, version| Expected {
                manager: "shipway:shipment:shop/web",
                uid: "u1",
                fields,
                version,
                written: None,
                trace: Trace::default(),
            };
            tracker.expect(&id(), &key, &expected("f1", 10));
            tracker.announce(&id(), &key);
            assert_eq!(tracker.take(report), []);
            assert_eq!(tracker.expect(&id(), &key, &expected("f2", 20)), changed);
        }
        check(&sighting("u1", "f2", 21), false);
        check(&sighting("u1", "f1", 19), false);
        check(&sighting("u1", "f3", 21), true);
        check(&Report::Gone(id(), 21), true);
        check(&Report::Gone(id(), 19), false);
    }

    #[test]
    fn drift_outlives_an_apply_that_comes_to_nothing() {
        #[track_caller]
        fn check(before: &[Report], meanwhile: &[Report], drift: Option<Drift>) {
            let (tracker, key) = applied();
            for report in before {
                tracker.take(report);
            }
            tracker.announce(&id(), &key);
            for report in meanwhile {
                tracker.take(report);
            }
            tracker.give_up(&id(), &key);
            assert_eq!(tracker.look(&id(), &key).0, drift);
        }
        let gone = || Report::Gone(id(), 11);
        let listed = || Report::Listed(id().group_kind(), HashSet::new());
        check(&[gone()], &[], Some(Drift::Missing));
        check(&[sighting("u1", "f2", 11)], &[], Some(Drift::Changed));
        check(
            &[gone()],
            &[sighting("u2", "f2", 12)],
            Some(Drift::Replaced),
        );
        check(
            &[sighting("u1", "f2", 11)],
            &[sighting("u1", "f1", 12)],
            None,
        );
        check(&[], &[listed()], Some(Drift::Missing));
        check(&[], &[], None);
    }

    #[test]
    fn what_stays_wrong_is_told_once() {
        let (tracker, key) = applied();
        assert_eq!(
            tracker.take(&sighting("u1", "f2", 11)),
            std::slice::from_ref(&key)
        );
        assert_eq!(tracker.take(&sighting("u1", "f2", 12)), []);
        assert_eq!(tracker.take(&sighting("u1", "f1", 13)), [key]);
    }

    #[test]
    fn an_object_missing_from_a_list_is_suspected() {
        check(
            &[Report::Listed(id().group_kind(), HashSet::new())],
            Some(Drift::Missing),
        );
    }
}
