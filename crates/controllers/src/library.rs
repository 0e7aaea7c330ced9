//! What the operators of a platform provide for all: blueprints and templates, kept whole.

use std::fmt::Debug;
use std::sync::Arc;

use cluster::watch::Watches;
use kinds::cartographer::template::{Template, TemplateKind};
use kinds::{
    ClusterConfigTemplate, ClusterDelivery, ClusterDeploymentTemplate, ClusterImageTemplate,
    ClusterRunTemplate, ClusterSourceTemplate, ClusterSupplyChain, ClusterTemplate,
};
use kube::Resource;
use kube::core::ApiResource;
use kube::runtime::reflector::ObjectRef;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::context::Kept;

/// Blueprints and templates.
pub struct Library {
    /// What serves Workloads.
    pub supply_chains: Kept<ClusterSupplyChain>,
    /// What serves Deliverables.
    pub deliveries: Kept<ClusterDelivery>,
    sources: Kept<ClusterSourceTemplate>,
    images: Kept<ClusterImageTemplate>,
    configs: Kept<ClusterConfigTemplate>,
    plain: Kept<ClusterTemplate>,
    deployments: Kept<ClusterDeploymentTemplate>,
    runs: Kept<ClusterRunTemplate>,
}

/// Blueprints whose pass is due.
pub(crate) struct Due {
    pub(crate) supply_chains: mpsc::UnboundedReceiver<ObjectRef<ClusterSupplyChain>>,
    pub(crate) deliveries: mpsc::UnboundedReceiver<ObjectRef<ClusterDelivery>>,
}

impl Library {
    /// Begins to read and watch what a cluster of this profile has.
    pub(crate) fn of(watches: &Watches, builds: bool) -> (Self, Due) {
        let (supply_chains, chains_due) = kept(watches, builds);
        let (deliveries, deliveries_due) = Kept::of(watches);
        let library = Self {
            supply_chains,
            deliveries,
            sources: Kept::of(watches).0,
            images: kept(watches, builds).0,
            configs: Kept::of(watches).0,
            plain: Kept::of(watches).0,
            deployments: Kept::of(watches).0,
            runs: kept(watches, builds).0,
        };
        let due = Due {
            supply_chains: chains_due,
            deliveries: deliveries_due,
        };
        (library, due)
    }

    /// The template of a kind and name.
    pub fn template(&self, kind: TemplateKind, name: &str) -> Option<Template> {
        match kind {
            TemplateKind::ClusterSourceTemplate => get(&self.sources, name),
            TemplateKind::ClusterImageTemplate => get(&self.images, name),
            TemplateKind::ClusterConfigTemplate => get(&self.configs, name),
            TemplateKind::ClusterTemplate => get(&self.plain, name),
            TemplateKind::ClusterDeploymentTemplate => get(&self.deployments, name),
        }
    }

    /// The run template of a name.
    pub(crate) fn run_template(&self, name: &str) -> Option<Arc<ClusterRunTemplate>> {
        self.runs.named(name)
    }
}

/// Those that a cluster of this profile has: a pass that does not know them would say that they are missing.
pub(crate) fn kinds(builds: bool) -> Vec<ApiResource> {
    let mut kinds = vec![
        ApiResource::erase::<ClusterDelivery>(&()),
        ApiResource::erase::<ClusterSourceTemplate>(&()),
        ApiResource::erase::<ClusterConfigTemplate>(&()),
        ApiResource::erase::<ClusterTemplate>(&()),
        ApiResource::erase::<ClusterDeploymentTemplate>(&()),
    ];
    if builds {
        kinds.extend([
            ApiResource::erase::<ClusterSupplyChain>(&()),
            ApiResource::erase::<ClusterImageTemplate>(&()),
            ApiResource::erase::<ClusterRunTemplate>(&()),
        ]);
    }
    kinds
}

/// Those of a kind, or none where the cluster is not for them.
pub(crate) fn kept<K>(
    watches: &Watches,
    wanted: bool,
) -> (Kept<K>, mpsc::UnboundedReceiver<ObjectRef<K>>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    if wanted {
        Kept::of(watches)
    } else {
        Kept::none()
    }
}

fn get<K>(kept: &Kept<K>, name: &str) -> Option<Template>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    Template: From<K>,
{
    kept.named(name)
        .map(|found| Template::from(Arc::unwrap_or_clone(found)))
}
