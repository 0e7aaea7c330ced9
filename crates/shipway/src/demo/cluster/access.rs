//! Objects of any kind, applied, looked for and deleted with the user's own rights.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, ResourceExt as _};
use serde_json::Value;

use crate::error::CliError;

/// How long a definition may take to be established.
const ESTABLISHING: Duration = Duration::from_secs(30);

async fn api_of(client: &Client, object: &Value) -> Result<(Api<DynamicObject>, String), CliError> {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let version = text("/apiVersion");
    let (group, version) = version.split_once('/').unwrap_or(("", &version));
    let gvk = GroupVersionKind::gvk(group, version, &text("/kind"));
    let (resource, _) = kube::discovery::pinned_kind(client, &gvk)
        .await
        .map_err(|error| refused("look up", object, &error))?;
    Ok((interface(client, &resource, object), text("/metadata/name")))
}

fn interface(client: &Client, resource: &ApiResource, object: &Value) -> Api<DynamicObject> {
    match object
        .pointer("/metadata/namespace")
        .and_then(Value::as_str)
    {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
        None => Api::all_with(client.clone(), resource),
    }
}

fn refused(verb: &str, object: &Value, error: &kube::Error) -> CliError {
    let why = match error {
        kube::Error::Api(status) => status.message.clone(),
        error => error.to_string(),
    };
    CliError::failed(format!(
        "could not {verb} {} `{}`: {why}",
        object["kind"].as_str().unwrap_or_default(),
        object["metadata"]["name"].as_str().unwrap_or_default()
    ))
}

/// Applies an object.
pub(super) async fn apply(client: &Client, object: &Value) -> Result<(), CliError> {
    let (api, name) = api_of(client, object).await?;
    let params = PatchParams::apply("shipway-demo").force();
    let applied = api.patch(&name, &params, &Patch::Apply(object)).await;
    applied
        .map(drop)
        .map_err(|error| refused("apply", object, &error))
}

/// Whether an object is there.
pub(super) async fn exists(client: &Client, object: &Value) -> Result<bool, CliError> {
    let Ok((api, name)) = api_of(client, object).await else {
        return Ok(false);
    };
    api.get_metadata_opt(&name)
        .await
        .map(|found| found.is_some())
        .map_err(|error| refused("look for", object, &error))
}

/// Deletes an object, and waits so long until it is gone.
pub(super) async fn delete(
    client: &Client,
    object: &Value,
    wait: Duration,
) -> Result<(), CliError> {
    let (api, name) = api_of(client, object).await?;
    let Some(found) = api
        .get_metadata_opt(&name)
        .await
        .map_err(|error| refused("look for", object, &error))?
    else {
        return Ok(());
    };
    match api.delete(&name, &DeleteParams::background()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        deleted => drop(deleted.map_err(|error| refused("delete", object, &error))?),
    }
    if !wait.is_zero() {
        let uid = found.uid().unwrap_or_default();
        // What is still there after that time is left to the cluster.
        let _ = tokio::time::timeout(
            wait,
            await_condition(api, &name, conditions::is_deleted(&uid)),
        )
        .await;
    }
    Ok(())
}

/// Waits until Shipway's own definitions are served.
pub(super) async fn established(client: &Client) -> Result<(), CliError> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in kinds::crd::all() {
        let name = crd.name_any();
        let wait = await_condition(api.clone(), &name, conditions::is_crd_established());
        tokio::time::timeout(ESTABLISHING, wait)
            .await
            .map_err(|_| {
                CliError::failed(format!(
                    "the definition `{name}` is not established after {} s",
                    ESTABLISHING.as_secs()
                ))
            })?
            .map_err(CliError::failed)?;
    }
    Ok(())
}

/// Who holds the Lease of a cluster's controller, if anybody renewed it lately.
pub(super) async fn lease_holder(client: &Client) -> Result<Option<String>, CliError> {
    let api: Api<Lease> = Api::namespaced(client.clone(), "shipway-system");
    let lease = api
        .get_opt("shipway-controller")
        .await
        .map_err(|error| CliError::failed(format!("could not reach the cluster: {error}")))?;
    let Some(spec) = lease.and_then(|lease| lease.spec) else {
        return Ok(None);
    };
    let term = i64::from(spec.lease_duration_seconds.unwrap_or(0));
    let now = k8s_openapi::jiff::Timestamp::now();
    let alive = spec
        .renew_time
        .is_some_and(|renewed| now.duration_since(renewed.0).as_secs() < term);
    Ok(spec
        .holder_identity
        .filter(|holder| !holder.is_empty() && alive))
}
