//! What Shipments let each other know: which objects their renders name, how far they are, and
//! what they wait for. Hand-over between Shipments and `dependsOn` read it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use git::TreeId;
use manifest::ObjectId;

/// A Shipment, by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl Key {
    /// The Shipment of that name.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// That of an object.
    pub fn of(id: &ObjectId) -> Self {
        Self::new(id.namespace.clone().unwrap_or_default(), id.name.clone())
    }

    /// Reads `namespace/name`.
    pub fn parse(text: &str) -> Option<Self> {
        text.split_once('/')
            .map(|(namespace, name)| Self::new(namespace, name))
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Something whose change wakes a Shipment up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wait {
    /// Any change of what the cluster serves.
    Kinds,
    /// A namespace.
    Namespace(String),
    /// A ServiceAccount, by namespace and name.
    Account(String, String),
    /// Another Shipment.
    Shipment(Key),
    /// The health of an object of its own.
    Healthy(ObjectId),
}

/// Whether a Shipment is ready, so that others may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It is.
    Ready,
    /// It is not.
    NotReady,
}

impl From<bool> for Readiness {
    fn from(ready: bool) -> Self {
        if ready { Self::Ready } else { Self::NotReady }
    }
}

/// What one Shipment lets the others know.
#[derive(Clone, Debug, Default)]
struct Notice {
    /// The objects that its last render names.
    wanted: Arc<BTreeSet<ObjectId>>,
    /// The tree that its last pass dealt with, whatever came of it.
    attempted: Option<TreeId>,
    /// What it waits for.
    waits: BTreeSet<Wait>,
    /// Whether something that it waits for has moved since its last full pass.
    woken: bool,
    /// How it stands at which generation. A watch tells that too, but later than we are woken.
    stands: Option<(Option<i64>, Readiness)>,
    /// Whether a pass got to its end.
    passed: bool,
    /// While a pass is under way: what has moved meanwhile.
    heard: Option<BTreeSet<Wait>>,
}

/// The board.
#[derive(Debug, Default)]
pub struct Board(Mutex<HashMap<Key, Notice>>);

impl Board {
    /// Notes what a render names.
    pub fn wants(&self, key: &Key, wanted: Arc<BTreeSet<ObjectId>>) {
        self.lock().entry(key.clone()).or_default().wanted = wanted;
    }

    /// Notes which tree a pass deals with, once it is known what that names.
    pub fn attempts(&self, key: &Key, tree: TreeId) {
        self.lock().entry(key.clone()).or_default().attempted = Some(tree);
    }

    /// Notes that a pass begins: what moves from now on is heard, even though it is only known at
    /// the end what the Shipment waits for.
    pub fn begins(&self, key: &Key) {
        self.lock().entry(key.clone()).or_default().heard = Some(BTreeSet::new());
    }

    /// Notes at the end of every pass that nothing is heard any more, and what else is waited for.
    /// Tells whether that has moved already; then the Shipment counts as woken.
    pub fn ends(&self, key: &Key, wait: Option<Wait>) -> bool {
        let mut board = self.lock();
        let notice = board.entry(key.clone()).or_default();
        let heard = notice.heard.take().unwrap_or_default();
        let moved = wait.as_ref().is_some_and(|wait| heard.contains(wait));
        notice.passed = true;
        notice.woken |= moved;
        notice.waits.extend(wait);
        moved
    }

    /// Notes how a Shipment stands at a generation.
    pub fn stands(&self, key: &Key, generation: Option<i64>, readiness: Readiness) {
        self.lock().entry(key.clone()).or_default().stands = Some((generation, readiness));
    }

    /// Whether a Shipment is ready at a generation; nothing where no pass has told since the start.
    pub fn is_ready(&self, key: &Key, generation: Option<i64>) -> Option<bool> {
        let stands = self.lock().get(key).and_then(|notice| notice.stands);
        stands.map(|(at, readiness)| at == generation && readiness == Readiness::Ready)
    }

    /// Whether a Shipment has had a whole pass since the start.
    pub fn has_passed(&self, key: &Key) -> bool {
        self.lock().get(key).is_some_and(|notice| notice.passed)
    }

    /// Notes at the end of a pass what a Shipment waits for now. Tells whether some of that has
    /// moved already while the pass was under way; then the Shipment counts as woken.
    pub fn waits(&self, key: &Key, waits: BTreeSet<Wait>) -> bool {
        let mut board = self.lock();
        let notice = board.entry(key.clone()).or_default();
        let heard = notice.heard.take().unwrap_or_default();
        let moved = !heard.is_disjoint(&waits);
        notice.passed = true;
        notice.woken |= moved;
        notice.waits = waits;
        moved
    }

    /// What a Shipment waits for.
    pub fn waiting(&self, key: &Key) -> BTreeSet<Wait> {
        let board = self.lock();
        board
            .get(key)
            .map_or_else(BTreeSet::new, |notice| notice.waits.clone())
    }

    /// Takes a Shipment off the board.
    pub fn remove(&self, key: &Key) {
        self.lock().remove(key);
    }

    /// Marks all that wait for something as woken, and tells who they are.
    pub fn wake(&self, wait: &Wait) -> Vec<Key> {
        let mut board = self.lock();
        let mut woken = Vec::new();
        for (key, notice) in board.iter_mut() {
            if let Some(heard) = &mut notice.heard {
                heard.insert(wait.clone());
            }
            if notice.waits.contains(wait) {
                notice.woken = true;
                woken.push(key.clone());
            }
        }
        woken
    }

    /// Marks one Shipment as woken if it waits for something of its own. Tells whether it does.
    pub fn wake_own(&self, key: &Key, wait: Wait) -> bool {
        let mut board = self.lock();
        let Some(notice) = board.get_mut(key) else {
            return false;
        };
        let waits = notice.waits.contains(&wait);
        notice.woken |= waits;
        if let Some(heard) = &mut notice.heard {
            heard.insert(wait);
        }
        waits
    }

    /// Whether something that a Shipment waits for has moved. Asking takes the mark away.
    pub fn take_woken(&self, key: &Key) -> bool {
        self.lock()
            .get_mut(key)
            .is_some_and(|notice| std::mem::take(&mut notice.woken))
    }

    /// The tree that a Shipment dealt with last.
    pub fn attempted(&self, key: &Key) -> Option<TreeId> {
        self.lock().get(key).and_then(|notice| notice.attempted)
    }

    /// Whether a Shipment's last render names an object.
    pub fn names(&self, key: &Key, id: &ObjectId) -> bool {
        self.lock()
            .get(key)
            .is_some_and(|notice| notice.wanted.contains(id))
    }

    /// The other Shipment whose last render names an object.
    pub fn other_who_names(&self, key: &Key, id: &ObjectId) -> Option<Key> {
        let board = self.lock();
        board
            .iter()
            .find(|(other, notice)| *other != key && notice.wanted.contains(id))
            .map(|(other, _)| other.clone())
    }

    /// How many objects a Shipment's last render names.
    pub fn count(&self, key: &Key) -> usize {
        self.lock().get(key).map_or(0, |notice| notice.wanted.len())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Notice>> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_before_it_is_waited_for_is_not_missed() {
        let board = Board::default();
        let (shop, db) = (Key::new("shop", "web"), Key::new("shop", "db"));
        board.begins(&shop);
        assert_eq!(board.wake(&Wait::Shipment(db.clone())), []);
        assert!(board.waits(&shop, [Wait::Shipment(db.clone())].into()));
        assert!(board.take_woken(&shop));
        board.begins(&shop);
        assert!(!board.waits(&shop, [Wait::Shipment(db.clone())].into()));
        assert_eq!(board.wake(&Wait::Shipment(db)), [shop]);
    }

    #[test]
    fn what_moves_of_its_own_wakes_no_other() {
        let board = Board::default();
        let (shop, db) = (Key::new("shop", "web"), Key::new("shop", "db"));
        let backend = ObjectId {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "hook".to_owned(),
        };
        for key in [&shop, &db] {
            board.begins(key);
            assert!(!board.waits(key, [Wait::Healthy(backend.clone())].into()));
        }
        assert!(board.wake_own(&shop, Wait::Healthy(backend.clone())));
        assert!(board.take_woken(&shop) && !board.take_woken(&db));
        // While a pass is under way it is heard.
        board.begins(&shop);
        board.wake_own(&shop, Wait::Healthy(backend.clone()));
        assert!(board.waits(&shop, [Wait::Healthy(backend)].into()));
    }
}
