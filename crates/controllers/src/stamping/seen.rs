//! Objects that owners have stamped: whose each is, and whether it changed since it was last read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use cluster::watch::{Report, Sighting};
use manifest::{GroupKind, ObjectId};

use crate::board::Key;

/// A kind of object that stamps others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum StamperKind {
    /// A Workload.
    Workload,
    /// A Deliverable.
    Deliverable,
    /// A Runnable.
    Runnable,
}

/// An object that stamps others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Stamper {
    pub(crate) kind: StamperKind,
    pub(crate) key: Key,
}

/// What is known of an object.
#[derive(Debug)]
struct Entry {
    stamper: Arc<Stamper>,
    /// None for a stranger: it bears somebody's name, and nobody follows it. A pass that stamped it may have been cut
    /// short.
    followed: Option<Versions>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Versions {
    /// The resourceVersion that was last read or written.
    read: u64,
    /// The newest one that a watch reported.
    seen: u64,
}

/// All stamped objects.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<State>);

/// Each object is in both maps.
#[derive(Debug, Default)]
struct State {
    objects: HashMap<Arc<ObjectId>, Entry>,
    by_stamper: HashMap<Arc<Stamper>, HashSet<Arc<ObjectId>>>,
}

impl State {
    /// Puts an object in, in place of what was known of it.
    fn put(&mut self, id: &ObjectId, stamper: &Stamper, followed: Option<Versions>) {
        self.remove(id);
        let id = Arc::new(id.clone());
        let stamper = match self.by_stamper.get_key_value(stamper) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(stamper.clone()),
        };
        let of_stamper = self.by_stamper.entry(Arc::clone(&stamper)).or_default();
        of_stamper.insert(Arc::clone(&id));
        self.objects.insert(id, Entry { stamper, followed });
    }

    /// Takes an object out; tells whose it was.
    fn remove(&mut self, id: &ObjectId) -> Option<Stamper> {
        let entry = self.objects.remove(id)?;
        if let Some(of_stamper) = self.by_stamper.get_mut(&entry.stamper) {
            of_stamper.remove(id);
            if of_stamper.is_empty() {
                self.by_stamper.remove(&entry.stamper);
            }
        }
        Some(Arc::unwrap_or_clone(entry.stamper))
    }

    /// Takes a sighting in; tells whose pass is due by it.
    fn see(&mut self, sighting: &Sighting) -> Option<Stamper> {
        let Some(entry) = self.objects.get_mut(&sighting.id) else {
            let stamper = signed(sighting)?;
            self.put(&sighting.id, &stamper, None);
            return Some(stamper);
        };
        let versions = entry.followed.as_mut()?;
        let is_news = sighting.version > versions.read && sighting.version > versions.seen;
        versions.seen = versions.seen.max(sighting.version);
        is_news.then(|| Stamper::clone(&entry.stamper))
    }
}

impl Seen {
    /// Follows an object from now on, such as right before it is written.
    pub(crate) fn follow(&self, id: &ObjectId, stamper: &Stamper) {
        let mut all = self.lock();
        let known = all.objects.get(id);
        if known.is_some_and(|entry| *entry.stamper == *stamper && entry.followed.is_some()) {
            return;
        }
        let versions = known.and_then(|entry| entry.followed).unwrap_or_default();
        all.put(id, stamper, Some(versions));
    }

    /// Notes that an object is known as of a resourceVersion.
    pub(crate) fn read(&self, id: &ObjectId, version: u64) {
        let mut all = self.lock();
        let entry = all.objects.get_mut(id);
        if let Some(versions) = entry.and_then(|entry| entry.followed.as_mut()) {
            versions.read = versions.read.max(version);
        }
    }

    /// Whether what was last read of an object is all that is known of it.
    pub(crate) fn is_fresh(&self, id: &ObjectId) -> bool {
        let all = self.lock();
        let versions = all.objects.get(id).and_then(|entry| entry.followed);
        versions.is_some_and(|versions| versions.read > 0 && versions.seen <= versions.read)
    }

    /// Objects of a stamper that are not among those that it wants.
    pub(crate) fn surplus(&self, stamper: &Stamper, wanted: &HashSet<ObjectId>) -> Vec<ObjectId> {
        let all = self.lock();
        let known = all.by_stamper.get(stamper).into_iter().flatten();
        let surplus = known.filter(|id| !wanted.contains(&***id));
        surplus.map(|id| ObjectId::clone(id)).collect()
    }

    /// Follows an object no more.
    pub(crate) fn forget(&self, id: &ObjectId) {
        self.lock().remove(id);
    }

    /// Follows nothing of a stamper any more.
    pub(crate) fn forget_all(&self, stamper: &Stamper) {
        let mut all = self.lock();
        for id in all.by_stamper.remove(stamper).into_iter().flatten() {
            all.objects.remove(&id);
        }
    }

    /// Whether any object of a kind is followed.
    pub(crate) fn has(&self, kind: &GroupKind) -> bool {
        let all = self.lock();
        let mut objects = all.objects.iter();
        objects.any(|(id, entry)| entry.followed.is_some() && is_of(id, kind))
    }

    /// Those whose objects of a kind are followed.
    pub(crate) fn stampers_of(&self, kind: &GroupKind) -> Vec<Stamper> {
        let all = self.lock();
        let followed = all
            .objects
            .iter()
            .filter(|(_, entry)| entry.followed.is_some());
        let of_kind = followed.filter(|(id, _)| is_of(id, kind));
        let stampers: BTreeSet<_> = of_kind.map(|(_, entry)| &entry.stamper).collect();
        stampers
            .into_iter()
            .map(|stamper| Stamper::clone(stamper))
            .collect()
    }

    /// Takes a report in; tells whose pass is due by it.
    pub(crate) fn take(&self, report: &Report) -> Vec<Stamper> {
        let mut all = self.lock();
        match report {
            Report::Seen(sighting) => all.see(sighting).into_iter().collect(),
            // What is gone is not followed: whoever stamps it follows it anew.
            Report::Gone(id, version) => {
                let followed = all.objects.get(id).and_then(|entry| entry.followed);
                if followed.is_some_and(|versions| *version < versions.read) {
                    return Vec::new();
                }
                let gone = all.remove(id).filter(|_| followed.is_some());
                gone.into_iter().collect()
            }
            Report::Listed(kind, ids) => {
                let is_gone = |id: &ObjectId| is_of(id, kind) && !ids.contains(id);
                // What was never read may be on its way.
                let is_there =
                    |entry: &Entry| entry.followed.is_none_or(|versions| versions.read > 0);
                let known = all.objects.iter();
                let gone = known.filter(|(id, entry)| is_gone(id) && is_there(entry));
                let gone: Vec<_> = gone
                    .map(|(id, entry)| (Arc::clone(id), entry.followed.is_some()))
                    .collect();
                let removed = gone
                    .into_iter()
                    .map(|(id, is_followed)| (all.remove(&id), is_followed));
                removed
                    .filter_map(|(stamper, is_followed)| stamper.filter(|_| is_followed))
                    .collect()
            }
            Report::Unwatchable(..) => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

/// The owner whose field manager an object bears. A Runnable's runs stay beyond it for as long as they are kept.
fn signed(sighting: &Sighting) -> Option<Stamper> {
    sighting.shares.iter().find_map(|share| {
        let (kind, key) = share.manager.strip_prefix("shipway:")?.split_once(':')?;
        let (namespace, name) = key.split_once('/')?;
        let kind = match kind {
            "workload" => StamperKind::Workload,
            "deliverable" => StamperKind::Deliverable,
            _ => return None,
        };
        Some(Stamper {
            kind,
            key: Key::new(namespace, name),
        })
    })
}

fn is_of(id: &ObjectId, kind: &GroupKind) -> bool {
    id.group == kind.group && id.kind == kind.kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use cluster::ownership::{Share, Trace};

    fn id(name: &str) -> ObjectId {
        ObjectId {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: Some("dev".to_owned()),
            name: name.to_owned(),
        }
    }

    fn seen(name: &str, manager: &str) -> Report {
        Report::Seen(Sighting {
            id: id(name),
            uid: "u".to_owned(),
            version: 7,
            deleting: false,
            shares: vec![Share {
                manager: manager.to_owned(),
                fields: "f".to_owned(),
                written: None,
            }],
            trace: Trace::default(),
        })
    }

    fn shop() -> Stamper {
        Stamper {
            kind: StamperKind::Workload,
            key: Key::new("dev", "shop"),
        }
    }

    #[test]
    fn what_bears_an_owners_name_and_is_not_wanted_is_surplus() {
        let all = Seen::default();
        all.follow(&id("config"), &shop());
        assert_eq!(
            all.take(&seen("left", "shipway:workload:dev/shop")),
            [shop()]
        );
        assert_eq!(all.take(&seen("left", "shipway:workload:dev/shop")), []);
        for other in [
            "shipway:shipment:dev/shop",
            "shipway:runnable:dev/shop",
            "kubectl",
        ] {
            assert_eq!(all.take(&seen("other", other)), []);
        }
        let wanted = HashSet::from([id("config")]);
        assert_eq!(all.surplus(&shop(), &wanted), [id("left")]);
        assert_eq!(all.surplus(&shop(), &HashSet::new()).len(), 2);
        all.follow(&id("left"), &shop());
        all.forget(&id("left"));
        assert_eq!(all.surplus(&shop(), &wanted), []);
        all.take(&seen("left", "shipway:workload:dev/shop"));
        all.take(&Report::Gone(id("left"), 8));
        assert_eq!(all.surplus(&shop(), &wanted), []);
        all.take(&seen("left", "shipway:workload:dev/shop"));
        all.take(&Report::Listed(id("left").group_kind(), HashSet::new()));
        assert_eq!(all.surplus(&shop(), &wanted), []);
    }
}
