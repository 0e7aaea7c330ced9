//! The stage of the scenarios with one Shipment of one ConfigMap.

use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use serde_json::json;
use suite::Controller;

use crate::Outcome;
use crate::floor;
use crate::sight::Sight;
use crate::specification;
use crate::stage::{Repository, Stage};

/// The Shipment's, the ConfigMap's and the folder's name.
pub(crate) const NAME: &str = "web";
/// How long one change may take before the scenario gives up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// One Shipment that was delivered.
pub(crate) struct Single {
    pub(crate) controller: Controller,
    pub(crate) repository: Repository,
    pub(crate) namespace: String,
    /// Shows the ConfigMap's value.
    pub(crate) sight: Sight,
}

impl Single {
    /// Delivers a ConfigMap, and waits until it is there. The source is looked up by push events
    /// alone, so that no look-up by the interval makes a number better.
    pub(crate) async fn deliver(stage: &Stage, namespace: &str, value: &str) -> Outcome<Self> {
        stage.namespace(namespace).await?;
        let repository = stage.repository(namespace)?;
        write(&repository, value)?;
        repository.commit()?;
        repository.push()?;
        let controller = stage.controller().await;
        let api: Api<ConfigMap> = Api::namespaced(stage.client.clone(), namespace);
        let mut sight = Sight::follow(api, NAME, floor::value_of);
        let mut shipment = repository.shipment(namespace, NAME, NAME);
        shipment["spec"]["interval"] = json!("1h");
        let collection = format!("/apis/shipway.run/v1alpha1/namespaces/{namespace}/shipments");
        stage.apply(&collection, &shipment).await?;
        sight.until(value, PATIENCE).await?;
        stage.rest().await?;
        Ok(Self {
            controller,
            repository,
            namespace: namespace.to_owned(),
            sight,
        })
    }

    /// Takes everything away again, with the controller still at work.
    pub(crate) async fn remove(self, stage: &Stage) -> Outcome {
        stage.remove_namespace(&self.namespace).await
    }
}

/// Writes the ConfigMap's file with a value.
pub(crate) fn write(repository: &Repository, value: &str) -> Outcome {
    let text = specification::yaml(&specification::config_map(NAME, value))?;
    repository.write(&format!("{NAME}/config.yaml"), &text)
}
