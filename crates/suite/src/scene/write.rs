//! What a scenario writes into the cluster, in the name of whoever a field manager names.
//!
//! A person with kubectl is a manager such as `kubectl-patch`: Shipway knows others by nothing else.

use std::fmt::Debug;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::serde::Serialize;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::ClusterResourceScope;
use kube::{Client, Resource, ResourceExt as _};
use serde_json::{Value, json};
use testkit::poll;

use super::see::Namespaced;
use super::{PATIENCE, Scene};

impl Scene {
    /// The objects of a kind in the scene's namespace.
    pub fn all<K: Namespaced>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), self.ns())
    }

    /// The names of all objects of a kind.
    pub async fn names<K: Namespaced>(&self) -> Vec<String> {
        let found = self.all::<K>().list(&ListParams::default()).await;
        let found = found.unwrap_or_else(|error| panic!("nothing can be listed: {error}"));
        found.iter().map(K::name_any).collect()
    }

    /// Applies an object as the admin.
    pub async fn apply(&self, object: &Value) -> DynamicObject {
        apply(&self.client, "scenario", object).await
    }

    /// Creates an object, as `kubectl create` does.
    pub async fn create<K: Namespaced + Serialize>(&self, object: Value) -> K {
        let object: K =
            serde_json::from_value(object).expect("the scenario's object is of the kind");
        let params = PostParams {
            field_manager: Some("kubectl-create".to_owned()),
            ..PostParams::default()
        };
        let created = self.all().create(&params, &object).await;
        created.unwrap_or_else(|error| panic!("`{}`: {error}", object.name_any()))
    }

    /// Merges a change into an object, as `kubectl patch` does.
    pub async fn patch<K: Namespaced>(&self, name: &str, change: Value) -> K {
        self.patch_as("kubectl-patch", name, change).await
    }

    /// Merges a change into an object in the name of a manager.
    pub async fn patch_as<K: Namespaced>(&self, manager: &str, name: &str, change: Value) -> K {
        let patch = Patch::Merge(change);
        let patched = self.all().patch(name, &named(manager), &patch).await;
        patched.unwrap_or_else(|error| panic!("`{name}` cannot be patched: {error}"))
    }

    /// Sets an annotation or takes it away, as `kubectl annotate` does.
    pub async fn annotate<K: Namespaced>(&self, name: &str, key: &str, value: Option<&str>) -> K {
        let change = json!({"metadata": {"annotations": {key: value}}});
        self.patch_as("kubectl-annotate", name, change).await
    }

    /// Sets a label or takes it away, as `kubectl label` does.
    pub async fn label<K: Namespaced>(&self, name: &str, key: &str, value: Option<&str>) -> K {
        let change = json!({"metadata": {"labels": {key: value}}});
        self.patch_as("kubectl-label", name, change).await
    }

    /// Scales a Deployment in the name of a manager: `kubectl`, or an autoscaler.
    pub async fn scale(&self, manager: &str, name: &str, replicas: i32) {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        let api = self.all::<Deployment>();
        let scaled = api.patch_scale(name, &named(manager), &patch).await;
        scaled.unwrap_or_else(|error| panic!("`{name}` cannot be scaled: {error}"));
    }

    /// Deletes an object that is there. Whoever wants it gone waits: finalizers may hold it.
    pub async fn delete<K: Namespaced>(&self, name: &str) {
        let deleted = self.all::<K>().delete(name, &DeleteParams::default()).await;
        deleted.unwrap_or_else(|error| panic!("`{name}` cannot be deleted: {error}"));
    }

    /// Deletes a cluster-wide object when a scenario ends, from a `drop`, if it is still there.
    pub fn clear_away<K>(&self, name: &str)
    where
        K: Resource<Scope = ClusterResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Debug,
    {
        let api: Api<K> = Api::all(self.client.clone());
        // A failure would hide the one that ends the scenario; the name is never used again.
        let _ = tokio::task::block_in_place(|| {
            let params = DeleteParams::default();
            tokio::runtime::Handle::current().block_on(api.delete(name, &params))
        });
    }
}

/// Applies an object, as soon as its kind is served, and takes what others have of it.
pub async fn apply(client: &Client, manager: &str, object: &Value) -> DynamicObject {
    let object: DynamicObject =
        serde_json::from_value(object.clone()).expect("the scenario's object has a kind");
    let applied = poll(PATIENCE, || async {
        let api = api_of(client, &object).await?;
        let params = PatchParams::apply(manager).force();
        api.patch(
            object.metadata.name.as_deref().unwrap_or_default(),
            &params,
            &Patch::Apply(&object),
        )
        .await
        .map_err(|error| error.to_string())
    });
    applied.await.unwrap_or_else(|last| {
        panic!(
            "could not apply {:?} {:?}: {last}",
            object.types, object.metadata.name
        )
    })
}

async fn api_of(client: &Client, object: &DynamicObject) -> Result<Api<DynamicObject>, String> {
    let types = object.types.as_ref().ok_or("no kind")?;
    let (group, version) = types
        .api_version
        .split_once('/')
        .unwrap_or(("", &types.api_version));
    let gvk = kube::core::GroupVersionKind::gvk(group, version, &types.kind);
    let (api, _) = kube::discovery::pinned_kind(client, &gvk)
        .await
        .map_err(|error| error.to_string())?;
    Ok(match object.metadata.namespace.as_deref() {
        Some(ns) => Api::namespaced_with(client.clone(), ns, &api),
        None => Api::all_with(client.clone(), &api),
    })
}

fn named(manager: &str) -> PatchParams {
    PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    }
}
