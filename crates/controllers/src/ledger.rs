//! What one Shipment's passes hand on to the next: the inventory and what is still open.
//! Everything in it that must survive a restart is in the cluster as well.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex as SyncMutex};
use std::time::Duration;

use cluster::inventory::{Loaded, Stored};
use delivery::health::{self, Health, Status};
use delivery::inventory::{Entry, Inventory};
use git::TreeId;
use kinds::ShipmentStatus;
use kinds::inventory::InventoryEntry;
use kinds::shipment::{Failure, HeldPrune};
use manifest::ObjectId;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::board::Key;
use crate::repairs::Repairs;
use crate::tracker::Drift;

/// What others wait for a Shipment to change.
pub type Sign = (bool, Option<i64>, Option<(String, bool)>, Option<TreeId>);

/// How a Shipment stood when it was last reported on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stood {
    /// Ready.
    Ready,
    /// Its objects had not become healthy in time.
    Overdue,
    /// Neither.
    Open,
}

/// The memory of one Shipment.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The inventory as it stands in the cluster.
    pub stored: Stored,
    /// The inventory as it should stand there.
    pub inventory: Inventory,
    /// The key of the inputs that were last dealt with, and whether all went well.
    pub done: Option<(String, bool)>,
    /// What the last full pass could not do.
    pub failures: Vec<Failure>,
    /// The prune that waits for somebody.
    pub held: Option<HeldPrune>,
    /// Objects whose health is awaited: the resourceVersion that was read last, and its health.
    pub unsettled: BTreeMap<ObjectId, (u64, Health)>,
    /// Until when they may take.
    pub deadline: Option<Instant>,
    /// Passes in a row that left something that a retry may help.
    pub retries: u32,
    /// When to retry.
    pub retry_at: Option<Instant>,
    /// Objects that were refused when they were last tried, and the drift that they showed then.
    pub refused: BTreeMap<ObjectId, Option<Drift>>,
    /// How often objects had to be put right lately.
    pub repairs: Repairs,
    /// What was said once and is not said again: fields left to their writers.
    pub said: BTreeSet<String>,
    /// When kinds that may not be watched were last looked at.
    pub looked: Option<Instant>,
    /// Since when it is in a state that most likely passes at once.
    pub passing_since: Option<Instant>,
    /// What others were last told of: readiness, generation, inputs and tree.
    pub sign: Option<Sign>,
    /// The status that was last written, and the resourceVersion that it got.
    pub told: Option<(u64, ShipmentStatus)>,
    /// The look at the source that somebody asked for: the annotation's value, and the last one
    /// that was answered.
    pub asked: Option<String>,
    /// See `asked`.
    pub synced: Option<String>,
    /// Whether a full pass is owed: one began and did not get to its end.
    pub due: bool,
    /// When everything is applied again although nothing seems to have changed.
    pub audit_at: Option<Instant>,
    /// Objects that other Shipments had when they were last tried.
    pub owned_by: BTreeMap<ObjectId, Key>,
    /// What is left to do and waits for other Shipments.
    pub pending: Option<String>,
    /// Whether it was found in the cluster and no pass has looked at it yet.
    pub fresh: bool,
}

impl Ledger {
    /// The memory of a Shipment whose inventory was found in the cluster.
    pub fn from_stored((stored, entries): Loaded) -> Self {
        let entries = entries
            .iter()
            .map(entry_from)
            .map(|entry| (entry.id.clone(), entry))
            .collect();
        let done = stored.key.clone().map(|key| (key, true));
        Self {
            stored,
            inventory: Inventory(entries),
            done,
            fresh: true,
            ..Self::default()
        }
    }

    /// After a restart nothing is known of the health that was still awaited: where the Shipment
    /// was not ready, all of it is read again, but for what is the Shipment's `own`.
    pub fn recall(&mut self, stood: Stood, timeout: Duration, own: &BTreeSet<ObjectId>) {
        if std::mem::take(&mut self.fresh) && stood != Stood::Ready {
            let patience = if stood == Stood::Overdue {
                Duration::ZERO
            } else {
                timeout
            };
            self.deadline = Some(Instant::now() + patience);
            let waiting = Health {
                status: Status::InProgress,
                reason: "Restarted".to_owned(),
                message: String::new(),
            };
            let ids = self
                .inventory
                .0
                .values()
                .filter(|entry| entry.uid.is_some())
                .map(|entry| &entry.id);
            let ids = ids.filter(|id| health::needs_status(&id.group, &id.kind));
            let ids = ids.filter(|id| !own.contains(*id));
            self.unsettled = ids.map(|id| (id.clone(), (0, waiting.clone()))).collect();
        }
    }

    /// What the last full pass could not do about an object.
    pub fn failure_of(&self, id: &ObjectId) -> Option<Failure> {
        let object = Some(id.to_string());
        let mut failures = self.failures.iter();
        failures.find(|failure| failure.object == object).cloned()
    }

    /// The entries of the inventory in the shape in which they are stored.
    pub fn entries(&self) -> Vec<InventoryEntry> {
        self.inventory.0.values().map(entry_to).collect()
    }
}

fn entry_from(entry: &InventoryEntry) -> Entry {
    Entry {
        id: ObjectId {
            group: entry.group.clone(),
            kind: entry.kind.clone(),
            namespace: entry.namespace.clone(),
            name: entry.name.clone(),
        },
        version: entry.version.clone(),
        uid: entry.uid.clone(),
        applied: entry.applied.clone(),
        fields: entry.fields.clone(),
    }
}

fn entry_to(entry: &Entry) -> InventoryEntry {
    InventoryEntry {
        group: entry.id.group.clone(),
        version: entry.version.clone(),
        kind: entry.id.kind.clone(),
        namespace: entry.id.namespace.clone(),
        name: entry.id.name.clone(),
        uid: entry.uid.clone(),
        applied: entry.applied.clone(),
        fields: entry.fields.clone(),
    }
}

/// The ledgers of all Shipments.
#[derive(Debug, Default)]
pub struct Ledgers(SyncMutex<HashMap<Key, Arc<Mutex<Ledger>>>>);

impl Ledgers {
    /// A Shipment's ledger; an empty one for a new Shipment.
    pub fn of(&self, key: &Key) -> Arc<Mutex<Ledger>> {
        self.0
            .lock()
            .expect("nothing panics while holding it")
            .entry(key.clone())
            .or_default()
            .clone()
    }

    /// Puts a ledger there, at the start.
    pub fn put(&self, key: Key, ledger: Ledger) {
        self.0
            .lock()
            .expect("nothing panics while holding it")
            .insert(key, Arc::new(Mutex::new(ledger)));
    }

    /// Whose ledgers there are.
    pub fn keys(&self) -> Vec<Key> {
        let all = self.0.lock().expect("nothing panics while holding it");
        all.keys().cloned().collect()
    }

    /// Drops the ledger of a Shipment that is gone, which the caller holds. Where a pass of another
    /// of that name waits for it already, the caller has to leave it empty.
    pub fn remove(&self, key: &Key, held: &Arc<Mutex<Ledger>>) {
        let mut all = self.0.lock().expect("nothing panics while holding it");
        let ours = all.get(key).is_some_and(|ledger| Arc::ptr_eq(ledger, held));
        // Nobody can ask for another one while we hold the map.
        if ours && Arc::strong_count(held) == 2 {
            all.remove(key);
        }
    }
}
