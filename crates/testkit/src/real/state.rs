//! What a running control plane tells the programs that use it.

use std::io;
use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::{Deserialize, Serialize};

use super::{RealError, Servers, write_private};

/// The state file: everything a suite, a benchmark or a person needs to find the clusters.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// One context per cluster, named like it; the user is in `system:masters`.
    pub kubeconfig: PathBuf,
    /// Whose servers run.
    pub servers: Servers,
    /// The `kubectl` of the same version, or whichever was found for an embedded one, if one was.
    pub kubectl: Option<PathBuf>,
    /// Logs, keys and data of this control plane.
    pub folder: PathBuf,
    /// Where the program that owns the processes takes [`super::Command`]s, if one does.
    pub control: Option<PathBuf>,
    /// The API servers' version, such as `v1.36.3`.
    pub version: String,
    /// The process id of etcd, if there is one.
    pub etcd_pid: Option<u32>,
    /// The clusters, in the order they were asked for.
    pub clusters: Vec<ClusterState>,
}

/// One cluster of a running control plane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClusterState {
    /// Its name and its context in the kubeconfig.
    pub name: String,
    /// The URL of its API server.
    pub server: String,
    /// The port of its API server; it keeps it over a restart.
    pub port: u16,
    /// The process id of its API server; of the last one while it is stopped.
    pub apiserver_pid: u32,
    /// The process id of its kube-controller-manager, if it has one.
    pub controller_manager_pid: Option<u32>,
    /// The audit log, when there is one.
    pub audit_log: Option<PathBuf>,
}

impl State {
    /// Reads a state file.
    ///
    /// # Errors
    ///
    /// When it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, RealError> {
        let attempt = || format!("read the state file `{}`", path.display());
        let text = std::fs::read_to_string(path).map_err(RealError::io(attempt()))?;
        serde_json::from_str(&text)
            .map_err(io::Error::other)
            .map_err(RealError::io(attempt()))
    }

    /// Writes the state file in one step, so that nobody reads half of it.
    ///
    /// # Errors
    ///
    /// When the folder is not writable.
    pub fn write(&self, path: &Path) -> Result<(), RealError> {
        let attempt = || format!("write the state file `{}`", path.display());
        let text = serde_json::to_string_pretty(self)
            .map_err(io::Error::other)
            .map_err(RealError::io(attempt()))?;
        let fresh = path.with_extension("new");
        write_private(&fresh, &text)?;
        std::fs::rename(&fresh, path).map_err(RealError::io(attempt()))
    }

    /// Whether the servers are Shipway's own.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.servers, Servers::Embedded { .. })
    }

    /// The cluster of this name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn cluster(&self, name: &str) -> Result<&ClusterState, RealError> {
        let found = self.clusters.iter().find(|cluster| cluster.name == name);
        found.ok_or_else(|| RealError::NoSuchCluster(name.to_owned()))
    }

    /// The configuration of an administrator's client for a cluster.
    ///
    /// # Errors
    ///
    /// When the kubeconfig is gone or has no such context.
    pub async fn config(&self, cluster: &str) -> Result<Config, RealError> {
        let failed = |err: kube::config::KubeconfigError| RealError::Client {
            cluster: cluster.to_owned(),
            why: err.to_string(),
        };
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig).map_err(failed)?;
        let options = KubeConfigOptions {
            context: Some(cluster.to_owned()),
            ..Default::default()
        };
        Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(failed)
    }

    /// An administrator's client for a cluster, for the runtime that calls.
    ///
    /// # Errors
    ///
    /// As [`Self::config`].
    pub async fn client(&self, cluster: &str) -> Result<Client, RealError> {
        // The second call finds a provider installed, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = self.config(cluster).await?;
        Client::try_from(config).map_err(|err| RealError::Client {
            cluster: cluster.to_owned(),
            why: err.to_string(),
        })
    }
}
