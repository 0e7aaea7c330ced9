//! One logical cluster: what it stores, what it serves, who may do what.

mod served;

pub(crate) use served::Served;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::Value;

use crate::addresses::Addresses;
use crate::auth::rbac::{self, RbacKind, Rules};
use crate::registry::kind::Kind;
use crate::status::Status;
use crate::store::{Change, CommitError, Draft, DraftError, Expect, Key, Record, Store};

/// A cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// Its name.
    pub(crate) name: String,
    /// What it stores.
    pub(crate) store: Store,
    served: RwLock<Arc<Served>>,
    rules: RwLock<Rules>,
    addresses: Mutex<Addresses>,
}

/// The group of definitions.
const DEFINITIONS: &str = "apiextensions.k8s.io";

impl Cluster {
    /// A cluster over what is stored. Reads its roles, its definitions and its Services.
    pub(crate) fn new(name: impl Into<String>, store: Store) -> Self {
        let served = Served::new(&store);
        let cluster = Self {
            name: name.into(),
            served: RwLock::new(Arc::new(served)),
            rules: RwLock::default(),
            addresses: Mutex::default(),
            store,
        };
        for kind in [
            "roles",
            "clusterroles",
            "rolebindings",
            "clusterrolebindings",
        ] {
            if let Some(known) = RbacKind::of_resource(kind) {
                let resource = crate::store::Resource::new(rbac::GROUP, kind);
                let snapshot = cluster.store.snapshot(&resource);
                for record in snapshot.iter(&crate::store::Scope::all()) {
                    cluster.rules_mut().set(known, &record.value());
                }
            }
        }
        let services = crate::store::Resource::new("", "services");
        let snapshot = cluster.store.snapshot(&services);
        for record in snapshot.iter(&crate::store::Scope::all()) {
            cluster.addresses().note(&record.value());
        }
        cluster
    }

    /// What is served now.
    pub(crate) fn served(&self) -> Arc<Served> {
        self.served
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Asks the rules.
    pub(crate) fn with_rules<T>(&self, ask: impl FnOnce(&Rules) -> T) -> T {
        ask(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn rules_mut(&self) -> std::sync::RwLockWriteGuard<'_, Rules> {
        self.rules.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has which address.
    pub(crate) fn addresses(&self) -> MutexGuard<'_, Addresses> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores an object. What the server itself reads of it takes effect before this returns.
    ///
    /// # Errors
    /// [`WriteError`] where it is not as expected, or cannot be stored.
    pub(crate) async fn put(
        &self,
        kind: &Kind,
        expect: Expect,
        object: &Value,
    ) -> Result<Arc<Record>, WriteError> {
        let formed = kind.formed(object);
        let stored = kind.to_stored(formed.as_ref().unwrap_or(object));
        let draft = Draft::new(&kind.stored, &stored).map_err(|error| match error {
            DraftError::TooLarge(_) => Status::too_large(format!("Request is too large: {error}")),
            _ => Status::bad_request(error.to_string()),
        })?;
        let draft = match formed {
            Some(_) => draft.unsettled(),
            None => draft,
        };
        let record = self.store.commit(expect, Change::Put(draft)).await?;
        self.take_effect(kind, record.key());
        Ok(record)
    }

    /// Deletes an object for good.
    ///
    /// # Errors
    /// [`WriteError`] where it is not as expected, or the deletion cannot be stored.
    pub(crate) async fn remove(
        &self,
        kind: &Kind,
        expect: Expect,
        key: Key,
    ) -> Result<Arc<Record>, WriteError> {
        let record = self.store.commit(expect, Change::Delete(key)).await?;
        self.take_effect(kind, record.key());
        Ok(record)
    }

    /// Reads anew what the server itself knows of an object. It looks at what is stored now, so that
    /// two changes of one object cannot overtake each other.
    fn take_effect(&self, kind: &Kind, key: &Key) {
        let group = &*kind.resource.group;
        if group == rbac::GROUP {
            if let Some(known) = RbacKind::of_resource(&kind.resource.plural) {
                let mut rules = self.rules_mut();
                match self.store.get(key) {
                    Some(record) => rules.set(known, &record.value()),
                    None => rules.remove(known, key.namespace(), key.name()),
                }
            }
        } else if group == DEFINITIONS {
            let mut served = self.served.write().unwrap_or_else(PoisonError::into_inner);
            *served = Arc::new(served.after(self.store.get(key).as_deref(), key.name()));
        }
    }
}

/// Why something was not stored.
#[derive(Clone, Debug)]
pub(crate) enum WriteError {
    /// The object is not as expected.
    Stale,
    /// Anything else.
    Failed(Status),
}

impl From<Status> for WriteError {
    fn from(status: Status) -> Self {
        Self::Failed(status)
    }
}

impl From<CommitError> for WriteError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Stale(_) => Self::Stale,
            other => Self::Failed(Status::internal(other.to_string())),
        }
    }
}
