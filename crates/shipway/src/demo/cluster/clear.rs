//! Takes away what a demo made: whatever of its names is there and carries its mark. What was made
//! is not remembered, so that it goes as well after a crash, by the next demo.

use std::time::Duration;

use futures::future::join_all;
use k8s_openapi::api::coordination::v1::Lease;
use kinds::{Inventory, Shipment};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::access::{delete, find};
use super::controller::Controller;
use super::{Context, LEASE, Stage, named};
use crate::commands::controller::Profile;
use crate::commands::crds;
use crate::error::CliError;

/// How long what is deleted may take to be gone; Pods have 30 s to end.
const GOING: Duration = Duration::from_secs(90);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(200);

impl Stage {
    /// Takes everything away again, within bounded time. Tells what is left, and why.
    pub(in crate::demo) async fn clear(&mut self) -> Vec<String> {
        for environment in &mut self.environments {
            environment.stop_watching();
        }
        let controllers: Vec<_> = self.controllers.drain(..).collect();
        join_all(controllers.into_iter().map(Controller::stop)).await;
        self.kubelets.clear();
        let contexts = self.contexts.iter().map(|context| self.clear_one(context));
        let left = join_all(contexts).await.concat();
        self.leftovers = !left.is_empty();
        left
    }

    async fn clear_one(&self, context: &Context) -> Vec<String> {
        self.try_clear(context)
            .await
            .unwrap_or_else(|error| vec![format!("in the context `{}`: {error}", context.name)])
    }

    async fn try_clear(&self, context: &Context) -> Result<Vec<String>, CliError> {
        let is_definition = |object: &Value| object["kind"] == "CustomResourceDefinition";
        let objects = crds::objects(Profile::Run)?
            .into_iter()
            .chain(crds::delivery());
        let (definitions, roles): (Vec<_>, Vec<_>) = objects.partition(is_definition);
        for namespace in self.namespaces(context) {
            let object =
                json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
            if is_ours(context, &object).await? {
                let_go(&context.client, namespace).await;
            }
        }
        let mut first = self.own(context);
        let other = self.of_others(context).await?.into_iter().next();
        if let Some(other) = other {
            let mut left = told(context, &remove(context, first).await?);
            if is_ours(context, &definitions[0]).await? {
                left.push(format!(
                    "Shipway's definitions and roles in the context `{}`, since there is {other} now",
                    context.name
                ));
            }
            return Ok(left);
        }
        // Namespaces at one go: each takes the cluster some seconds.
        first.extend(roles);
        let left = remove(context, first).await?;
        if !left.is_empty() {
            // Without its definition nothing of what is left could be looked at.
            return Ok(told(context, &left));
        }
        let left = remove(context, definitions).await?;
        if !context.leased {
            let api: Api<Lease> = Api::namespaced(context.client.clone(), LEASE.0);
            // It mostly went with its namespace. One that stays is nobody's, and in nobody's way.
            let _ = api.delete(LEASE.1, &DeleteParams::default()).await;
        }
        Ok(told(context, &left))
    }
}

/// Whether an object is there and carries the mark.
async fn is_ours(context: &Context, object: &Value) -> Result<bool, CliError> {
    let found = find(&context.client, object).await?;
    Ok(found.is_some_and(|found| found.marked))
}

/// Deletes those that carry the mark, and waits until they are gone. Tells which are not.
async fn remove(context: &Context, objects: Vec<Value>) -> Result<Vec<Value>, CliError> {
    let end = Instant::now() + GOING;
    let mut wanted = objects;
    loop {
        let mut left = Vec::new();
        for object in wanted {
            match find(&context.client, &object).await? {
                Some(found) if found.marked => {
                    if !found.going {
                        delete(&context.client, &object).await?;
                    }
                    left.push(object);
                }
                _ => {}
            }
        }
        if left.is_empty() || Instant::now() >= end {
            return Ok(left);
        }
        wanted = left;
        sleep(LOOK).await;
    }
}

/// Takes the finalizers off. The controllers have ended, so that nobody would; and what they would
/// delete is in this namespace, or goes by its name. It comes before the namespace is deleted: else
/// the cluster finds it held, and looks again only seconds later.
async fn let_go(client: &Client, namespace: &str) {
    let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let params = PatchParams::default();
    // Whatever does not go is found right after, and said.
    let shipments: Api<Shipment> = Api::namespaced(client.clone(), namespace);
    if let Ok(found) = shipments.list_metadata(&ListParams::default()).await {
        for one in found {
            let _ = shipments
                .patch_metadata(&one.name_any(), &params, &patch)
                .await;
        }
    }
    let inventories: Api<Inventory> = Api::namespaced(client.clone(), namespace);
    if let Ok(found) = inventories.list_metadata(&ListParams::default()).await {
        for one in found {
            let _ = inventories
                .patch_metadata(&one.name_any(), &params, &patch)
                .await;
        }
    }
}

fn told(context: &Context, left: &[Value]) -> Vec<String> {
    left.iter()
        .map(|object| format!("{} in the context `{}`", named(object), context.name))
        .collect()
}
