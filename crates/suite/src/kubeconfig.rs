//! Kubeconfigs of a world's first cluster, for whoever is to be somebody else there.

use std::path::PathBuf;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::World;

/// How long a token is good: longer than the tests run.
const VALID: i64 = 24 * 60 * 60;

/// The administrator's kubeconfig with the first cluster alone. Each of its lists has one entry.
#[must_use]
pub fn admin(world: &World) -> Value {
    let mut config = Kubeconfig::read_from(world.kubeconfig()).expect("the world has one");
    config
        .contexts
        .retain(|context| context.name == world.cluster());
    let context = config.contexts[0].context.clone();
    let context = context.expect("it was written with its context");
    config
        .clusters
        .retain(|cluster| cluster.name == context.cluster);
    config
        .auth_infos
        .retain(|user| Some(&user.name) == context.user.as_ref());
    config.current_context = Some(world.cluster().to_owned());
    serde_json::to_value(config).expect("it was read")
}

/// The same as a ServiceAccount.
pub async fn account(world: &World, namespace: &str, name: &str) -> Value {
    let api: Api<ServiceAccount> = Api::namespaced(world.client().await, namespace);
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(VALID),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let given = api
        .create_token_request(name, &PostParams::default(), &request)
        .await;
    let given = given.unwrap_or_else(|error| panic!("`{name}` gets no token: {error}"));
    let token = given.status.expect("a token is in the status").token;
    let mut config = admin(world);
    config["users"][0]["user"] = json!({"token": token});
    config
}

/// Writes a kubeconfig into a folder of its own, which ends with the value.
#[must_use]
pub fn write(config: &Value) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("kubeconfig");
    std::fs::write(&file, config.to_string()).expect("the file can be written");
    (folder, file)
}
