//! What every controller has at hand.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cluster::Caller;
use cluster::catalog::Catalog;
use cluster::events::Events;
use cluster::watch::{Report, Watches};
use kinds::{Deliverable, Environment, Runnable, Shipment, Workload};
use kube::Resource;
use kube::runtime::reflector::{self, ObjectRef, Store};
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, mpsc};

use crate::board::{Board, Key, Wait};
use crate::cartographer::Left;
use crate::ledger::Ledgers;
use crate::library::Library;
use crate::metrics::Metrics;
use crate::owner::Memories;
use crate::secret::Secrets;
use crate::source::Sources;
use crate::stamping::{Index, Seen, Selections, Stamper, StamperKind};
use crate::tracker::Tracker;
use crate::ytt::Templates;

/// The surroundings of all passes.
pub struct Ctx {
    /// Requests as the controller itself.
    pub caller: Caller,
    /// What the cluster serves.
    pub catalog: Catalog,
    /// Metadata watches.
    pub watches: Watches,
    /// Git repositories.
    pub sources: Sources,
    /// Applied objects beside what is seen of them.
    pub tracker: Tracker,
    /// What Shipments let each other know.
    pub board: Board,
    /// What passes hand on.
    pub ledgers: Ledgers,
    /// Namespaces and accounts that exist.
    pub presence: Presence,
    /// Credentials.
    pub secrets: Secrets,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Events.
    pub events: Events,
    /// All Shipments.
    pub shipments: Kept<Shipment>,
    /// All Environments.
    pub environments: Kept<Environment>,
    /// All Deliverables.
    pub deliverables: Kept<Deliverable>,
    /// Whether Cartographer's kinds are somebody else's to serve.
    pub left: Left,
    /// All Workloads, where the cluster builds.
    pub workloads: Kept<Workload>,
    /// All Runnables, where the cluster builds.
    pub runnables: Kept<Runnable>,
    /// Blueprints and templates.
    pub library: Library,
    /// ytt templates.
    pub ytt: Templates,
    /// Stamped objects.
    pub(crate) seen: Seen,
    /// Hears that something may be followed no more.
    pub(crate) unfollowed: Notify,
    /// Objects that Runnables select.
    pub(crate) selections: Selections,
    /// What passes that stamp stood on.
    pub(crate) uses: Index,
    /// What passes that stamp hand on.
    pub(crate) memories: Memories,
    /// How often kinds that may not be watched are looked at.
    pub look: Duration,
    /// How often everything is applied again.
    pub audit: Duration,
}

/// All objects of one of our own kinds, as last seen, and their passes.
pub struct Kept<K: Resource<DynamicType = ()> + 'static> {
    store: Store<K>,
    due: mpsc::UnboundedSender<ObjectRef<K>>,
}

impl<K> Kept<K>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    /// Begins to read and watch them. The second part brings those whose pass is due, beginning
    /// with all.
    pub fn of(watches: &Watches) -> (Self, mpsc::UnboundedReceiver<ObjectRef<K>>) {
        let (due, passes) = mpsc::unbounded_channel();
        let changed = due.clone();
        let store = watches.keep(move |object| {
            // If nobody listens any more the controller is stopping. So it is below.
            let _ = changed.send(object);
        });
        (Self { store, due }, passes)
    }

    /// None at all: the cluster is not for them. Nothing is ever due, whatever one of them has left behind: a pass that
    /// cannot begin would hold up the end.
    pub fn none() -> (Self, mpsc::UnboundedReceiver<ObjectRef<K>>) {
        let (due, _) = mpsc::unbounded_channel();
        let (_, passes) = mpsc::unbounded_channel();
        let (store, _) = reflector::store();
        (Self { store, due }, passes)
    }

    /// The cluster-wide one of a name.
    pub fn named(&self, name: &str) -> Option<Arc<K>> {
        self.store.get(&ObjectRef::new(name))
    }

    /// The one of a namespace and name.
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.store
            .get(&ObjectRef::new(&key.name).within(&key.namespace))
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.store.state()
    }

    /// Asks for a pass.
    pub fn wake(&self, object: ObjectRef<K>) {
        let _ = self.due.send(object);
    }

    /// Where to ask for passes.
    pub(crate) fn due(&self) -> mpsc::UnboundedSender<ObjectRef<K>> {
        self.due.clone()
    }

    /// What kube's controller reads from.
    pub fn store(&self) -> Store<K> {
        self.store.clone()
    }
}

impl Ctx {
    /// Asks for a pass of each of these Shipments.
    pub fn wake_all(&self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            let shipment = ObjectRef::new(&key.name).within(&key.namespace);
            self.shipments.wake(shipment);
        }
    }

    /// Asks for a pass of each of these.
    pub(crate) fn wake_stampers(&self, stampers: impl IntoIterator<Item = Stamper>) {
        for Stamper { kind, key } in stampers {
            match kind {
                StamperKind::Workload => self.workloads.wake(object(&key)),
                StamperKind::Deliverable => self.deliverables.wake(object(&key)),
                StamperKind::Runnable => self.runnables.wake(object(&key)),
            }
        }
    }

    /// Asks for a pass of all that wait for something.
    pub fn wake_waiting(&self, wait: &Wait) {
        self.wake_all(self.board.wake(wait));
    }
}

fn object<K: Resource<DynamicType = ()>>(key: &Key) -> ObjectRef<K> {
    ObjectRef::new(&key.name).within(&key.namespace)
}

/// Namespaces and ServiceAccounts that exist, from their metadata watches.
#[derive(Default)]
pub struct Presence(Mutex<Present>);

#[derive(Default)]
struct Present {
    /// By name, with whether it is on its way out.
    namespaces: HashMap<String, bool>,
    accounts: HashSet<(String, String)>,
}

impl Presence {
    /// Whether a namespace exists and is not on its way out.
    pub fn is_namespace_active(&self, name: &str) -> bool {
        self.lock().namespaces.get(name) == Some(&false)
    }

    /// Whether a namespace is on its way out or gone.
    pub fn is_namespace_going(&self, name: &str) -> bool {
        self.lock().namespaces.get(name) != Some(&false)
    }

    /// Whether a ServiceAccount exists.
    pub fn is_account(&self, namespace: &str, name: &str) -> bool {
        self.lock()
            .accounts
            .contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// Takes a report in; tells what may wait for it.
    pub fn take(&self, report: &Report) -> Vec<Wait> {
        let mut present = self.lock();
        match report {
            Report::Seen(sighting) if sighting.id.group.is_empty() => {
                match sighting.id.kind.as_str() {
                    "Namespace" => {
                        let name = sighting.id.name.clone();
                        let before = present.namespaces.insert(name.clone(), sighting.deleting);
                        if before == Some(sighting.deleting) {
                            Vec::new()
                        } else {
                            vec![Wait::Namespace(name)]
                        }
                    }
                    "ServiceAccount" => {
                        let account = account(&sighting.id);
                        let new = present.accounts.insert(account.clone());
                        if new {
                            vec![Wait::Account(account.0, account.1)]
                        } else {
                            Vec::new()
                        }
                    }
                    _ => Vec::new(),
                }
            }
            Report::Gone(id, _) if id.group.is_empty() => match id.kind.as_str() {
                "Namespace" => {
                    present.namespaces.remove(&id.name);
                    vec![Wait::Namespace(id.name.clone())]
                }
                "ServiceAccount" => {
                    let account = account(id);
                    present.accounts.remove(&account);
                    vec![Wait::Account(account.0, account.1)]
                }
                _ => Vec::new(),
            },
            Report::Listed(kind, ids) if kind.group.is_empty() && kind.kind == "Namespace" => {
                present
                    .namespaces
                    .retain(|name, _| ids.iter().any(|id| id.name == *name));
                Vec::new()
            }
            Report::Listed(kind, ids) if kind.group.is_empty() && kind.kind == "ServiceAccount" => {
                let accounts: HashSet<_> = ids.iter().map(account).collect();
                present.accounts.retain(|known| accounts.contains(known));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

fn account(id: &manifest::ObjectId) -> (String, String) {
    (id.namespace.clone().unwrap_or_default(), id.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_there_are_none_no_pass_is_due() {
        let (none, mut passes) = Kept::<Workload>::none();
        none.wake(object(&Key::new("dev", "left")));
        assert_eq!(passes.recv().await, None);
    }
}
