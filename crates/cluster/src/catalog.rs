//! Which kinds the cluster serves, in which versions and scopes: discovery, read in two requests
//! and kept until somebody says that it changed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use delivery::scope::{Scope, Served};
use kube::Client;
use kube::core::ApiResource;
use kube::discovery::{Discovery, Scope as KubeScope, verbs};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::ApiError;

/// One served kind at one version.
#[derive(Clone, Debug)]
struct Kind {
    api: ApiResource,
    scope: Scope,
}

type Index = HashMap<(String, String), Vec<Kind>>;

/// What the cluster serves.
pub struct Catalog {
    client: Client,
    index: RwLock<Arc<Index>>,
    /// When it was last read; held while it is being read, so that many callers cost one look.
    read_at: Mutex<Option<Instant>>,
}

impl Catalog {
    /// A catalogue that knows nothing yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            index: RwLock::default(),
            read_at: Mutex::new(None),
        }
    }

    /// Reads discovery again, unless that was done within `no_older_than`.
    ///
    /// # Errors
    /// [`ApiError::Unreachable`] when discovery fails; what was known stays known.
    pub async fn refresh(&self, no_older_than: Duration) -> Result<(), ApiError> {
        let mut read_at = self.read_at.lock().await;
        if read_at.is_some_and(|at| at.elapsed() < no_older_than) {
            return Ok(());
        }
        let discovery = Discovery::new(self.client.clone())
            .run_aggregated()
            .await
            .map_err(|e| ApiError::Unreachable(format!("discovery: {e}")))?;
        let mut index = Index::new();
        for group in discovery.groups() {
            let preferred = group.preferred_version_or_latest().to_owned();
            let versions: Vec<String> = group.versions().map(str::to_owned).collect();
            for version in versions {
                for (api, capabilities) in group.versioned_resources(&version) {
                    if !capabilities.supports_operation(verbs::PATCH) {
                        continue;
                    }
                    let scope = match capabilities.scope {
                        KubeScope::Cluster => Scope::Cluster,
                        KubeScope::Namespaced => Scope::Namespaced,
                    };
                    let kinds = index
                        .entry((api.group.clone(), api.kind.clone()))
                        .or_default();
                    let kind = Kind { api, scope };
                    if version == preferred {
                        kinds.insert(0, kind);
                    } else {
                        kinds.push(kind);
                    }
                }
            }
        }
        *self.index.write().expect("nothing panics while holding it") = Arc::new(index);
        *read_at = Some(Instant::now());
        Ok(())
    }

    fn index(&self) -> Arc<Index> {
        self.index
            .read()
            .expect("nothing panics while holding it")
            .clone()
    }

    /// Whether a kind is served at a version, and in which scope.
    pub fn served(&self, group: &str, version: &str, kind: &str) -> Served {
        let index = self.index();
        let Some(kinds) = index.get(&(group.to_owned(), kind.to_owned())) else {
            return Served::Unknown;
        };
        match kinds.iter().find(|kind| kind.api.version == version) {
            Some(kind) => Served::Yes(kind.scope),
            None => {
                Served::OtherVersions(kinds.iter().map(|kind| kind.api.version.clone()).collect())
            }
        }
    }

    /// Where a kind is served at a version.
    pub fn api(&self, group: &str, version: &str, kind: &str) -> Option<ApiResource> {
        let index = self.index();
        let kinds = index.get(&(group.to_owned(), kind.to_owned()))?;
        kinds
            .iter()
            .find(|kind| kind.api.version == version)
            .map(|kind| kind.api.clone())
    }

    /// Where a kind is served at the version that the cluster prefers.
    pub fn preferred_api(&self, group: &str, kind: &str) -> Option<(ApiResource, Scope)> {
        let index = self.index();
        let first = index.get(&(group.to_owned(), kind.to_owned()))?.first()?;
        Some((first.api.clone(), first.scope))
    }

    /// Tells two states of the catalogue apart.
    pub fn fingerprint(&self) -> u64 {
        let index = self.index();
        let entries = index.iter().map(|((group, kind), served)| {
            let mut hasher = DefaultHasher::new();
            (group, kind).hash(&mut hasher);
            for kind in served {
                (&kind.api.version, &kind.api.plural).hash(&mut hasher);
                (kind.scope == Scope::Cluster).hash(&mut hasher);
            }
            hasher.finish()
        });
        // The order of the entries means nothing.
        entries.fold(0, u64::wrapping_add)
    }

    /// Whether a resource such as `widgets` of a group is served at all.
    pub fn serves_resource(&self, group: &str, plural: &str) -> bool {
        self.index()
            .iter()
            .any(|((g, _), kinds)| g == group && kinds.iter().any(|kind| kind.api.plural == plural))
    }
}
