//! Cartographer's choreography: where its scenarios take place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kinds::{ClusterSourceTemplate, names};
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use suite::{Controller, install_file, install_of};
use testkit::{Settling, TempNamespace, World, eventually};
use tokio::sync::{Mutex, MutexGuard};

/// How long a step may take. A pass takes milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The cluster on which supply chains run.
const CLUSTER: &str = "chains";

/// There is one cluster for them, and one controller at a time.
static TURN: Mutex<()> = Mutex::const_new(());

/// The cluster with a controller at work and a namespace of one's own, until it is dropped.
pub(crate) struct Chains {
    world: World,
    namespace: TempNamespace,
    controller: Option<Controller>,
    _turn: MutexGuard<'static, ()>,
}

impl Chains {
    pub(crate) async fn begin() -> Self {
        let (turn, world, controller) = chains().await;
        let namespace = world.temp_namespace("chains").await;
        let_accounts(&world.client().await, namespace.name()).await;
        Self {
            world,
            namespace,
            controller: Some(controller),
            _turn: turn,
        }
    }

    /// The namespace.
    pub(crate) fn ns(&self) -> &str {
        self.namespace.name()
    }

    /// An administrator's client.
    pub(crate) async fn client(&self) -> Client {
        self.world.client().await
    }

    /// Ends the controller.
    pub(crate) fn stop(&mut self) {
        self.controller = None;
    }

    /// Lets a controller begin anew.
    pub(crate) async fn start(&mut self) {
        self.controller = Some(again(&self.world).await);
    }

    /// Lets workloads of the namespace get healthy.
    pub(crate) async fn settle(&self) -> Settling {
        self.world.settle(self.ns()).await
    }

    /// Applies an object as an admin, in the namespace where its kind is in one.
    pub(crate) async fn apply(&self, object: &serde_json::Value) {
        suite::apply(&self.world.client().await, "kubectl", object).await;
    }

    /// Deletes an object by its path. One that is not there is no fault.
    pub(crate) async fn remove(&self, path: &str) {
        let request = http::Request::delete(path).body(Vec::new());
        let request = request.expect("the scenario's path is one");
        let _ = self.world.client().await.request_text(request).await;
    }

    /// Runs the program in the namespace: exit code, output, errors.
    pub(crate) fn shipway(&self, arguments: &[&str]) -> (i32, String, String) {
        let kubeconfig = self.world.kubeconfig();
        suite::shipway(kubeconfig, CLUSTER, self.namespace.name(), arguments)
    }
}

/// A controller of supply chains on their cluster, with what the cases stamp. Others wait until the guard goes.
pub(crate) async fn chains() -> (MutexGuard<'static, ()>, World, Controller) {
    let turn = TURN.lock().await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::shared().on(CLUSTER);
    install_of(&world, "full").await;
    install_file(&world, &ours("kinds.yaml")).await;
    let controller = again(&world).await;
    (turn, world, controller)
}

/// A controller that begins anew.
pub(crate) async fn again(world: &World) -> Controller {
    let identity = suite::identity(world).await;
    Controller::start_as("full", &identity, world.cluster()).await
}

/// Lets all accounts of a namespace do everything in it: upstream's cases have accounts without any right.
pub(crate) async fn let_accounts(client: &Client, namespace: &str) {
    let everybody = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "accounts-may-everything-here"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts"}],
    });
    let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
    let params = PatchParams::apply("suite").force();
    let name = "accounts-may-everything-here";
    let made = bindings
        .patch(name, &params, &Patch::Apply(&everybody))
        .await;
    made.expect("the binding can be made");
}

pub(crate) fn ours(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/kuttl")
        .join(name)
}

/// A controller that the cluster asks before it stores something, once it does.
pub(crate) async fn asked(world: &World) -> Controller {
    let identity = suite::identity(world).await;
    let more = ["--webhook-listen", "127.0.0.1:0"];
    let controller = Controller::start_with("full", &identity, world.cluster(), &more).await;
    let templates: Api<ClusterSourceTemplate> = Api::all(world.client().await);
    let template: ClusterSourceTemplate = serde_json::from_value(json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSourceTemplate",
        "metadata": {"name": "neither-nor"},
        "spec": {"urlPath": ".data.url", "revisionPath": ".data.revision"},
    }))
    .expect("the template has the right shape");
    let only_asked = only_asked();
    let refused = "admission webhook \"source-template-validator.cartographer.com\" denied the request: \
                   invalid template: must specify one of template or ytt, found neither";
    // The API server takes a while to know a new configuration.
    eventually("the template to be refused", PATIENCE, || async {
        match templates.create(&only_asked, &template).await {
            Err(kube::Error::Api(status)) if status.message == refused => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    controller
}

/// Parameters of a request that changes nothing.
pub(crate) fn only_asked() -> PostParams {
    PostParams {
        dry_run: true,
        ..PostParams::default()
    }
}

/// The cluster asks nobody any more.
pub(crate) async fn unasked(world: &World) {
    let asks: Api<ValidatingWebhookConfiguration> = Api::all(world.client().await);
    let deleted = asks.delete(names::WEBHOOKS, &DeleteParams::default()).await;
    deleted.expect("the configuration is there");
}
