//! Objects of any kind, applied, looked for and deleted with the user's own rights.
//!
//! What the demo makes carries a mark, so that it never takes away what it did not make, and so that a
//! later demo can clear up after one that was killed.

use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, ResourceExt as _};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::error::CliError;

/// The field manager of what the demo applies.
pub(super) const MANAGER: &str = "shipway-demo";
/// How long a definition may take to be established.
const ESTABLISHING: Duration = Duration::from_secs(30);

/// How long an API server that is not ready is asked again, and how often.
const MOMENT: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(200);

/// The label of everything that a demo makes, but for what goes with its namespace.
const MARK: (&str, &str) = ("app.kubernetes.io/managed-by", "shipway-demo");

/// The interface of an object's kind and the object's name; none where the kind is not served.
async fn served(
    client: &Client,
    object: &Value,
) -> Result<Option<(Api<DynamicObject>, String)>, kube::Error> {
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
    match kube::discovery::pinned_kind(client, &gvk).await {
        Ok((resource, _)) => Ok(Some((
            interface(client, &resource, object),
            text("/metadata/name"),
        ))),
        Err(kube::Error::Discovery(_)) => Ok(None),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error),
    }
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

pub(super) fn refused(verb: &str, object: &Value, error: &kube::Error) -> CliError {
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

/// Applies an object of the demo's.
pub(super) async fn apply(client: &Client, object: &Value) -> Result<(), CliError> {
    apply_as(MANAGER, client, object).await
}

/// Applies an object.
pub(crate) async fn apply_as(
    manager: &str,
    client: &Client,
    object: &Value,
) -> Result<(), CliError> {
    let refused = |error: kube::Error| refused("apply", object, &error);
    let Some((api, name)) = served(client, object).await.map_err(refused)? else {
        return Err(CliError::failed(format!(
            "the kind {} is not served",
            object["kind"].as_str().unwrap_or_default()
        )));
    };
    let params = PatchParams::apply(manager).force();
    let applied = api.patch(&name, &params, &Patch::Apply(object)).await;
    applied.map(drop).map_err(refused)
}

/// What is there of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Whether a demo made it.
    pub(super) marked: bool,
    /// Whether it is being deleted.
    pub(super) going: bool,
}

/// Marks an object as the demo's.
pub(super) fn marked(mut object: Value) -> Value {
    object["metadata"]["labels"][MARK.0] = Value::from(MARK.1);
    object
}

/// Whether an object carries the demo's mark.
pub(super) fn is_marked(object: &impl kube::ResourceExt) -> bool {
    object.labels().get(MARK.0).is_some_and(|by| by == MARK.1)
}

/// Asks again, as often as a moment allows, where the API server says that it is not ready to answer:
/// so it does for some seconds after a definition was installed.
pub(super) async fn patiently<T, F>(ask: impl Fn() -> F) -> Result<T, kube::Error>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    let end = Instant::now() + MOMENT;
    loop {
        match ask().await {
            Err(kube::Error::Api(status))
                if matches!(status.code, 429 | 503) && Instant::now() < end =>
            {
                sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

/// Looks for an object. A kind that is not served has none.
pub(super) async fn find(client: &Client, object: &Value) -> Result<Option<Found>, CliError> {
    let refused = |error: kube::Error| refused("look for", object, &error);
    let Some((api, name)) = served(client, object).await.map_err(refused)? else {
        return Ok(None);
    };
    let found = patiently(|| api.get_metadata_opt(&name))
        .await
        .map_err(refused)?;
    Ok(found.map(|found| Found {
        marked: is_marked(&found),
        going: found.metadata.deletion_timestamp.is_some(),
    }))
}

/// Deletes an object; nobody waits until it is gone.
pub(super) async fn delete(client: &Client, object: &Value) -> Result<(), CliError> {
    let refused = |error: kube::Error| refused("delete", object, &error);
    let Some((api, name)) = served(client, object).await.map_err(refused)? else {
        return Ok(());
    };
    match api.delete(&name, &DeleteParams::background()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        deleted => deleted.map(drop).map_err(refused),
    }
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
