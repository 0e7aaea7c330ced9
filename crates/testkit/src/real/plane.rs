//! The running control plane: starts in the order of need, and owns every process.

use std::collections::BTreeMap;
use std::future::ready;
use std::time::Duration;

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::config::Kubeconfig;
use kube::{Api, Client};
use tempfile::TempDir;

use super::launch::{self, Folder, Server};
use super::prepare::prepare;
use super::process::{Process, signal};
use super::state::{ClusterState, State};
use super::{ControlPlaneOptions, RealError, Servers, embedded, write_private};
use crate::poll;

/// How long a start may take on a machine that compiles at the same time.
const PATIENCE: Duration = Duration::from_mins(2);

/// A control plane that answers.
///
/// Guarantees: all processes are children of this one and are killed by their ids when it is
/// stopped or dropped; its folder, with data and keys, goes with it unless [`Self::keep_folder`]
/// was called.
pub struct ControlPlane {
    options: ControlPlaneOptions,
    state: State,
    etcd_port: u16,
    // Fields are dropped in this order: first the programs, then the folder they write to.
    managers: BTreeMap<String, Process>,
    apiservers: BTreeMap<String, Process>,
    etcd: Option<Process>,
    folder: TempDir,
}

impl ControlPlane {
    /// Starts everything and waits until every cluster is usable: its API server is ready, and its
    /// controllers, if it has some, have made the ServiceAccount `default`.
    ///
    /// # Errors
    ///
    /// When a program is missing, dies, or is not ready in time; then nothing is left running.
    pub async fn start(options: ControlPlaneOptions) -> Result<Self, RealError> {
        let temp = tempfile::Builder::new()
            .prefix("shipway-real-")
            .tempdir()
            .map_err(RealError::io("make a folder for the control plane"))?;
        let folder = Folder(temp.path().to_owned());
        let clusters = prepare(&folder, &options)?;

        let etcd_port = launch::free_port()?;
        let (etcd, kubectl) = match &options.servers {
            Servers::Genuine { binaries } => {
                let args = launch::etcd(&folder, etcd_port, launch::free_port()?, options.fsync);
                let program = binaries.join("etcd");
                let etcd = Process::start("etcd", &program, &args, folder.file("etcd.log"))?;
                (Some(etcd), Some(binaries.join("kubectl")))
            }
            Servers::Embedded { kubectl, .. } => (None, kubectl.clone()),
        };
        let state = State {
            kubeconfig: folder.file("kubeconfig"),
            servers: options.servers.clone(),
            kubectl,
            folder: temp.path().to_owned(),
            control: None,
            version: String::new(),
            etcd_pid: etcd.as_ref().map(Process::pid),
            clusters,
        };
        let mut plane = Self {
            options,
            state,
            etcd_port,
            managers: BTreeMap::new(),
            apiservers: BTreeMap::new(),
            etcd,
            folder: temp,
        };
        plane.launch_clusters().await?;
        Ok(plane)
    }

    /// What runs where.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Tells users of the state where commands are taken, see [`super::serve`].
    pub fn set_control(&mut self, socket: std::path::PathBuf) {
        self.state.control = Some(socket);
    }

    /// Kills one cluster's API server; its controllers and its data stay.
    ///
    /// # Errors
    ///
    /// When there is no such cluster, or it is stopped already.
    pub async fn stop_apiserver(&mut self, cluster: &str) -> Result<(), RealError> {
        self.state.cluster(cluster)?;
        let running = self
            .apiservers
            .remove(cluster)
            .ok_or_else(|| RealError::Already {
                cluster: cluster.to_owned(),
                state: "stopped",
            })?;
        running.kill().await
    }

    /// Starts a stopped API server again, on its port, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// When there is no such cluster, it runs already, or it does not become ready.
    pub async fn start_apiserver(&mut self, cluster: &str) -> Result<(), RealError> {
        if self.apiservers.contains_key(cluster) {
            let cluster = cluster.to_owned();
            return Err(RealError::Already {
                cluster,
                state: "running",
            });
        }
        self.launch_apiserver(cluster)?;
        self.wait_until_ready(cluster).await
    }

    /// Freezes one cluster's API server: connections stay open and nothing is answered.
    ///
    /// # Errors
    ///
    /// When there is no such cluster or process.
    pub fn pause_apiserver(&self, cluster: &str) -> Result<(), RealError> {
        signal(self.state.cluster(cluster)?.apiserver_pid, "STOP")
    }

    /// Lets a frozen API server go on.
    ///
    /// # Errors
    ///
    /// When there is no such cluster or process.
    pub fn resume_apiserver(&self, cluster: &str) -> Result<(), RealError> {
        signal(self.state.cluster(cluster)?.apiserver_pid, "CONT")
    }

    /// Leaves logs, keys and data behind when the control plane stops, for someone to look at.
    pub fn keep_folder(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// Kills every process and waits until all are gone.
    ///
    /// # Errors
    ///
    /// When a process cannot be killed; the others are killed all the same.
    pub async fn stop(self) -> Result<(), RealError> {
        let Self {
            managers,
            apiservers,
            etcd,
            folder,
            ..
        } = self;
        // Clients first: the other way round each of them fills its log with complaints.
        let processes = managers
            .into_values()
            .chain(apiservers.into_values())
            .chain(etcd);
        let mut outcome = Ok(());
        for process in processes {
            outcome = outcome.and(process.kill().await);
        }
        drop(folder);
        outcome
    }

    async fn launch_clusters(&mut self) -> Result<(), RealError> {
        let names: Vec<_> = self
            .state
            .clusters
            .iter()
            .map(|cluster| cluster.name.clone())
            .collect();
        // An API server dies when it does not find its storage within a few seconds.
        self.wait_for_etcd().await?;
        for name in &names {
            self.launch_apiserver(name)?;
        }
        if self.state.is_embedded() {
            self.collect_kubeconfigs(&names).await?;
        }
        for name in &names {
            self.wait_until_ready(name).await?;
            if !self.options.bare.contains(name) {
                // A controller manager that meets no API server gives up after ten seconds.
                self.launch_manager(name)?;
            }
        }
        for name in self.options.clusters.clone() {
            self.wait_for_controllers(&name).await?;
        }
        let version = self
            .state
            .client(&names[0])
            .await?
            .apiserver_version()
            .await;
        self.state.version = version.map_or_else(|err| err.to_string(), |info| info.git_version);
        Ok(())
    }

    fn launch_apiserver(&mut self, name: &str) -> Result<(), RealError> {
        let folder = Folder(self.state.folder.clone());
        let cluster = self.state.cluster(name)?;
        let (program, args) = match &self.options.servers {
            Servers::Genuine { binaries } => {
                let server = Server {
                    cluster: name,
                    port: cluster.port,
                    etcd: self.etcd_port,
                    audit_log: cluster.audit_log.as_deref(),
                };
                let args = launch::apiserver(&folder, &server);
                (binaries.join("kube-apiserver"), args)
            }
            Servers::Embedded { program, .. } => {
                let args = embedded::arguments(&folder, cluster, self.options.fsync);
                (program.clone(), args)
            }
        };
        let process = Process::start(
            &format!("the API server of `{name}`"),
            &program,
            &args,
            folder.cluster(name).join("apiserver.log"),
        )?;
        self.cluster_mut(name)?.apiserver_pid = process.pid();
        self.apiservers.insert(name.to_owned(), process);
        Ok(())
    }

    /// Makes one kubeconfig of those that embedded servers write.
    async fn collect_kubeconfigs(&mut self, names: &[String]) -> Result<(), RealError> {
        let folder = Folder(self.state.folder.clone());
        let mut collected = Kubeconfig::default();
        for name in names {
            let process = self
                .apiservers
                .get_mut(name)
                .expect("it was started just now");
            wait_for(process, "the kubeconfig", || {
                ready(embedded::collect(&folder, name, &mut collected))
            })
            .await?;
        }
        let collected = serde_json::to_string(&collected)
            .map_err(std::io::Error::other)
            .map_err(RealError::io("write the kubeconfig"))?;
        write_private(&folder.file("kubeconfig"), &collected)
    }

    fn launch_manager(&mut self, name: &str) -> Result<(), RealError> {
        let Servers::Genuine { binaries } = &self.options.servers else {
            return Ok(()); // the embedded server has its controllers inside
        };
        let folder = Folder(self.state.folder.clone());
        let process = Process::start(
            &format!("kube-controller-manager of `{name}`"),
            &binaries.join("kube-controller-manager"),
            &launch::controller_manager(&folder, name),
            folder.cluster(name).join("controller-manager.log"),
        )?;
        self.cluster_mut(name)?.controller_manager_pid = Some(process.pid());
        self.managers.insert(name.to_owned(), process);
        Ok(())
    }

    fn cluster_mut(&mut self, name: &str) -> Result<&mut ClusterState, RealError> {
        let found = self
            .state
            .clusters
            .iter_mut()
            .find(|cluster| cluster.name == name);
        found.ok_or_else(|| RealError::NoSuchCluster(name.to_owned()))
    }

    async fn wait_for_etcd(&mut self) -> Result<(), RealError> {
        let address = format!("127.0.0.1:{}", self.etcd_port);
        let Some(etcd) = &mut self.etcd else {
            return Ok(());
        };
        wait_for(etcd, "etcd", || {
            let address = address.clone();
            async move { tokio::net::TcpStream::connect(address).await.map(drop) }
        })
        .await
    }

    async fn wait_until_ready(&mut self, name: &str) -> Result<(), RealError> {
        let client = self.state.client(name).await?;
        let process = self
            .apiservers
            .get_mut(name)
            .expect("it was started just now");
        wait_for(process, "the API server", || readyz(client.clone())).await
    }

    async fn wait_for_controllers(&mut self, name: &str) -> Result<(), RealError> {
        let client = self.state.client(name).await?;
        let accounts = Api::<ServiceAccount>::namespaced(client, "default");
        let process = self
            .managers
            .get_mut(name)
            .or_else(|| self.apiservers.get_mut(name))
            .expect("it was started just now");
        wait_for(process, "the ServiceAccount `default`", || {
            accounts.get("default")
        })
        .await
    }
}

/// Repeats `attempt` until it succeeds, unless `process` dies before.
async fn wait_for<T, E, F>(
    process: &mut Process,
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> Result<(), RealError>
where
    E: std::fmt::Display,
    F: Future<Output = Result<T, E>>,
{
    let mut died = None;
    let answer = poll(PATIENCE, || {
        // A dead process ends the waiting: the outer result is what is polled for.
        died = process.check().err();
        let gone = died.is_some();
        let next = (!gone).then(&mut attempt);
        async move {
            match next {
                None => ready(Ok(())).await,
                Some(next) => next.await.map(drop).map_err(|err| err.to_string()),
            }
        }
    })
    .await;
    if let Some(died) = died {
        return Err(died);
    }
    answer.map_err(|last| RealError::NotReady {
        what: format!("{what} ({})", process.name()),
        seconds: PATIENCE.as_secs(),
        last,
        tail: process.tail(),
    })
}

async fn readyz(client: Client) -> Result<(), String> {
    let request = http::Request::get("/readyz")
        .body(Vec::new())
        .expect("a constant request is valid");
    client
        .request_text(request)
        .await
        .map(drop)
        .map_err(|err| err.to_string())
}
