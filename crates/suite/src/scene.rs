//! One scenario's stage: what is set up, and what a scenario does.

mod see;
mod write;

pub use see::{Namespaced, until_status};
pub use write::apply;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use gitserver::{Auth, GitServer, ServerOptions, WorkTree};
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use serde_json::{Value, json};
use testkit::{Settling, TempNamespace, World};

use crate::controller::{Controller, program};

/// How long a scenario waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a stage is set up.
#[derive(Clone, Debug)]
pub struct SceneOptions {
    /// The ClusterRole that the account `deployer` has in the scene's namespace.
    pub role: &'static str,
    /// Whether the account has that role in the whole cluster.
    pub everywhere: bool,
    /// Whether the scene uses the controller that all share.
    pub controller: bool,
    /// The cluster, where it is not the one that all share.
    pub cluster: Option<&'static str>,
}

impl Default for SceneOptions {
    fn default() -> Self {
        Self {
            role: "cluster-admin",
            everywhere: false,
            controller: true,
            cluster: None,
        }
    }
}

/// A namespace with an account `deployer`, a Git repository over TLS, and the shared controller.
pub struct Scene {
    /// The admin's client.
    pub client: Client,
    /// The world around.
    pub world: World,
    /// The Git server.
    pub git: GitServer,
    /// A clone of the repository.
    pub work: WorkTree,
    namespace: TempNamespace,
    _folder: tempfile::TempDir,
}

impl Scene {
    /// The usual stage.
    pub async fn new(name: &str) -> Self {
        Self::with(name, SceneOptions::default()).await
    }

    /// A stage of its own kind.
    pub async fn with(name: &str, options: SceneOptions) -> Self {
        // A second provider cannot be installed; the first one is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = match options.cluster {
            Some(name) => World::shared().on(name),
            None => World::shared(),
        };
        if options.controller {
            Controller::shared(&world).await;
        }
        let client = world.client().await;
        let namespace = world.temp_namespace(name).await;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let served = ServerOptions {
            tls: true,
            ..ServerOptions::new(folder.path().join("served"))
        };
        let git = GitServer::start(served)
            .await
            .expect("the Git server starts");
        git.create_repository("app.git")
            .expect("the repository can be made");
        let (url, ca) = (git.url("app.git"), git.ca_pem().map(str::to_owned));
        let dir = folder.path().join("work");
        let work = tokio::task::spawn_blocking(move || {
            WorkTree::clone(&url, ca.as_deref(), &Auth::None, &dir)
        })
        .await
        .expect("cloning does not panic")
        .expect("the repository can be cloned");
        let scene = Self {
            client,
            world,
            git,
            work,
            namespace,
            _folder: folder,
        };
        scene.prepare(&options).await;
        scene
    }

    /// The scene's namespace.
    pub fn ns(&self) -> &str {
        self.namespace.name()
    }

    /// Lets the workloads of the scene's namespace settle for as long as the value lives; without it
    /// none gets healthy. One with `broken` in the name of an image never does.
    pub async fn settle(&self) -> Settling {
        self.world.settle(self.ns()).await
    }

    async fn prepare(&self, options: &SceneOptions) {
        let ns = self.ns();
        self.apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "deployer", "namespace": ns}})).await;
        let kind = if options.everywhere {
            "ClusterRoleBinding"
        } else {
            "RoleBinding"
        };
        let mut binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": format!("deployer-{ns}"), "namespace": ns},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": options.role},
            "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": ns}],
        });
        if options.everywhere {
            binding["metadata"]
                .as_object_mut()
                .expect("metadata is a map")
                .remove("namespace");
        }
        self.apply(&binding).await;
        let ca = self.git.ca_pem().unwrap_or_default().as_bytes();
        let ca = base64::engine::general_purpose::STANDARD.encode(ca);
        self.apply(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "git", "namespace": ns}, "data": {"caFile": ca}})).await;
    }

    /// Writes a file of the repository.
    pub fn write(&self, path: &str, text: &str) {
        self.work
            .write(path, text)
            .expect("the file can be written");
    }

    /// Removes a file of the repository.
    pub fn remove(&self, path: &str) {
        self.work.remove(path).expect("the file can be removed");
    }

    /// Commits and pushes; tells the commit.
    #[expect(
        clippy::unused_async,
        reason = "a scenario waits for a push as for everything else"
    )]
    pub async fn push(&self) -> String {
        // The git program must not hold the runtime's only thread: the server runs on it too.
        tokio::task::block_in_place(|| self.work.push()).expect("the push goes through")
    }

    /// A Shipment of a folder of the repository, following `main`, looked up every second.
    pub fn shipment(&self, name: &str, path: &str) -> Value {
        json!({
            "apiVersion": "shipway.run/v1alpha1", "kind": "Shipment",
            "metadata": {"name": name, "namespace": self.ns()},
            "spec": {
                "source": {"git": {"url": self.git.url("app.git"), "secretRef": {"name": "git"}}},
                "path": path, "serviceAccountName": "deployer", "interval": "1s",
            },
        })
    }

    /// Runs kubectl in the scene's namespace; tells what it printed. For scenarios that are about
    /// kubectl: it is not on every machine, see `Need::Kubectl`.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let output = tokio::task::block_in_place(|| {
            Command::new(self.world.kubectl())
                .args(["--context", self.world.cluster(), "-n", self.ns()])
                .arg("--kubeconfig")
                .arg(self.world.kubeconfig())
                .args(arguments)
                .output()
                .expect("kubectl runs")
        });
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Runs the shipway program against the scene's namespace: exit code, output, errors.
    pub fn shipway(&self, arguments: &[&str]) -> (i32, String, String) {
        shipway(
            self.world.kubeconfig(),
            self.world.cluster(),
            self.ns(),
            arguments,
        )
    }

    /// Runs the shipway program against the scene's namespace as whoever a kubeconfig names.
    pub fn shipway_as(&self, kubeconfig: &Path, arguments: &[&str]) -> (i32, String, String) {
        shipway(kubeconfig, self.world.cluster(), self.ns(), arguments)
    }

    /// A kind that is known by its apiVersion, kind and plural alone.
    pub fn dynamic(&self, api: &ApiResource) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), self.ns(), api)
    }
}

/// Whatever a scenario is about, the controller that all share has no fault when it ends. One of
/// its own is asked when that ends.
impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            Controller::assert_shared_is_sound();
        }
    }
}

/// Runs the program in a cluster's namespace: exit code, output, errors.
pub fn shipway(
    kubeconfig: &Path,
    context: &str,
    ns: &str,
    arguments: &[&str],
) -> (i32, String, String) {
    let output = tokio::task::block_in_place(|| {
        Command::new(program())
            .args(arguments)
            .args(["--context", context, "-n", ns, "--kubeconfig"])
            .arg(kubeconfig)
            .output()
            .expect("the program runs")
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap_or(-1),
        text(&output.stdout),
        text(&output.stderr),
    )
}
