//! How a test finds the control plane that `cargo xtask` started for it.
#![expect(
    clippy::disallowed_methods,
    reason = "the environment is the only way from `cargo xtask test` to a test"
)]

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::audit::Window;
use crate::namespace::{SIMULATE, TempNamespace};
use crate::real::{Command, State, ask, ask_blocking};

/// The clusters that all suites share.
///
/// A test takes a namespace of its own with [`Self::temp_namespace`] and leaves all else alone.
#[derive(Clone, Debug)]
pub struct World {
    state: State,
}

impl World {
    /// The control plane named by the environment variable `SHIPWAY_REAL`.
    ///
    /// # Panics
    ///
    /// When there is none: a suite that quietly skips its judge proves nothing.
    #[must_use]
    pub fn shared() -> Self {
        let path = std::env::var_os("SHIPWAY_REAL").map(PathBuf::from);
        let path =
            path.expect("SHIPWAY_REAL is unset, there is no control plane: run `cargo xtask test`");
        let state = State::read(&path)
            .expect("the control plane of SHIPWAY_REAL is gone: run `cargo xtask test`");
        Self { state }
    }

    /// The same clusters, seen from the one of this name: it is the first.
    ///
    /// # Panics
    ///
    /// When there is no such cluster.
    #[must_use]
    pub fn on(mut self, name: &str) -> Self {
        let clusters = &mut self.state.clusters;
        let found = clusters.iter().position(|cluster| cluster.name == name);
        let found = found.expect("the control plane has no such cluster");
        clusters.swap(0, found);
        self
    }

    /// What runs where.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The kubeconfig with all clusters as contexts.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.state.kubeconfig
    }

    /// The first cluster's name. Tests that need one cluster use this one.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.state.clusters[0].name
    }

    /// An administrator's client for the first cluster.
    ///
    /// # Panics
    ///
    /// When the control plane is gone.
    pub async fn client(&self) -> Client {
        self.client_of(self.cluster()).await
    }

    /// An administrator's client for the cluster `name`.
    ///
    /// # Panics
    ///
    /// When there is no such cluster.
    pub async fn client_of(&self, name: &str) -> Client {
        self.state
            .client(name)
            .await
            .expect("the kubeconfig was written for this cluster")
    }

    /// A namespace in the first cluster that exists as long as the value does.
    ///
    /// # Panics
    ///
    /// When it cannot be created.
    pub async fn temp_namespace(&self, prefix: &str) -> TempNamespace {
        TempNamespace::create(&self.state, self.cluster(), prefix).await
    }

    /// Whether what a scenario is about is not here; then the scenario ends there, and it is said.
    ///
    /// Genuine clusters have everything.
    #[must_use]
    pub fn lacks(&self, need: Need) -> bool {
        let lacks = match need {
            Need::Kubectl => self.state.kubectl.is_none(),
            Need::Judge | Need::Admission | Need::Versions | Need::Pods => self.state.is_embedded(),
        };
        if lacks {
            // Past what catches the output of tests: a scenario that is left out is not to be
            // mistaken for one that came true. There is nobody to tell that it could not be said.
            let thread = std::thread::current();
            let scenario = thread.name().unwrap_or("a scenario");
            let _ = writeln!(
                std::io::stderr(),
                "left out: {scenario}, for want of {need}"
            );
        }
        lacks
    }

    /// The kubectl of the control plane, or of the machine.
    ///
    /// # Panics
    ///
    /// When there is none: a scenario that runs it asks [`Self::lacks`] first.
    #[must_use]
    pub fn kubectl(&self) -> &Path {
        let kubectl = self.state.kubectl.as_deref();
        kubectl.expect("a scenario that runs kubectl begins with `lacks(Need::Kubectl)`")
    }

    /// Lets the workloads of a namespace of the first cluster settle for as long as the value lives:
    /// they run and are ready, or are done; those with `broken` in the name of an image never are.
    ///
    /// Without it none does. On genuine clusters a played kubelet makes the difference, on embedded
    /// ones, which simulate, the word of the namespace.
    ///
    /// # Panics
    ///
    /// When the namespace is gone.
    pub async fn settle(&self, namespace: &str) -> Settling {
        let client = self.client().await;
        if !self.state.is_embedded() {
            return Settling {
                _kubelet: Some(kubelet::play(&client, namespace)),
            };
        }
        let word = json!({"metadata": {"annotations": {SIMULATE: null}}});
        let namespaces = kube::Api::<Namespace>::all(client);
        namespaces
            .patch(namespace, &PatchParams::default(), &Patch::Merge(&word))
            .await
            .expect("the namespace is there");
        Settling { _kubelet: None }
    }

    /// Begins to record the requests of the first cluster.
    ///
    /// # Panics
    ///
    /// When the control plane runs without `--audit`.
    pub async fn audit(&self) -> Window {
        let cluster = &self.state.clusters[0];
        let log = cluster
            .audit_log
            .clone()
            .expect("`cargo xtask test` starts API servers with an audit log");
        Window::open(self.client().await, log).await
    }

    /// Kills the API server of the cluster `name`, until [`Outage::end`] or the value is dropped.
    ///
    /// Assumptions: no other test uses that cluster meanwhile.
    ///
    /// # Panics
    ///
    /// When the owner of the control plane refuses.
    pub async fn outage(&self, name: &str) -> Outage {
        self.interrupt(name, Command::Stop, Command::Start).await
    }

    /// Freezes the API server of the cluster `name`: connections stay open, nothing is answered.
    ///
    /// Assumptions and panics as [`Self::outage`].
    pub async fn freeze(&self, name: &str) -> Outage {
        self.interrupt(name, Command::Pause, Command::Resume).await
    }

    async fn interrupt(&self, name: &str, begin: Command, end: Command) -> Outage {
        let socket = self
            .state
            .control
            .clone()
            .expect("the binary `real` owns the control plane");
        ask(&socket, begin, name)
            .await
            .expect("the API server could be interrupted");
        Outage {
            socket,
            cluster: name.to_owned(),
            repair: Some(end),
        }
    }
}

/// What a scenario may not find: kubectl where the machine has none, and what embedded clusters do not
/// have, see `docs/embedded-limits.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The genuine server itself, with which the embedded one is compared.
    Judge,
    /// Admission webhooks and policies.
    Admission,
    /// Definitions with more than one served version.
    Versions,
    /// ReplicaSets and Pods that come of Deployments.
    Pods,
    /// The program `kubectl`, where it is what the scenario is about.
    Kubectl,
}

impl fmt::Display for Need {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Judge => "the genuine server",
            Self::Admission => "admission webhooks and policies",
            Self::Versions => "definitions with several served versions",
            Self::Pods => "Pods that come of Deployments",
            Self::Kubectl => "kubectl",
        })
    }
}

/// Workloads that settle. Dropping it ends that for those to come on genuine clusters.
#[must_use]
#[derive(Debug)]
pub struct Settling {
    _kubelet: Option<kubelet::Kubelet>,
}

/// An API server that does not answer. Dropping it brings the server back.
#[must_use]
#[derive(Debug)]
pub struct Outage {
    socket: PathBuf,
    cluster: String,
    repair: Option<Command>,
}

impl Outage {
    /// Brings the API server back and waits until it is ready.
    ///
    /// # Panics
    ///
    /// When it does not come back.
    pub async fn end(mut self) {
        let repair = self.repair.take().expect("an outage ends once");
        ask(&self.socket, repair, &self.cluster)
            .await
            .expect("the API server came back");
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        if let Some(repair) = self.repair.take() {
            // A failure shows in the next test, and this one is failing already.
            let _ = ask_blocking(&self.socket, repair, &self.cluster);
        }
    }
}
