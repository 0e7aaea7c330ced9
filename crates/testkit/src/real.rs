//! Starts and stops a Kubernetes control plane. A genuine one is one etcd, and for each cluster a
//! kube-apiserver and, unless it is bare, a kube-controller-manager; an embedded one is Shipway's own
//! server for each cluster.
//!
//! Genuine clusters share the etcd, each below its own key prefix, because a second etcd would cost
//! memory and judge nothing. Everything listens on loopback, on ports that were free. There is no
//! scheduler and no node.

mod control;
mod embedded;
mod kubeconfig;
mod launch;
mod pki;
mod plane;
mod prepare;
mod process;
mod state;

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use control::{Command, ask, ask_blocking, serve};
pub use plane::ControlPlane;
pub use state::{ClusterState, State};

/// What to start.
#[derive(Clone, Debug)]
pub struct ControlPlaneOptions {
    /// Whose servers.
    pub servers: Servers,
    /// The clusters' names; they are the contexts of the kubeconfig.
    pub clusters: Vec<String>,
    /// More clusters, genuine ones without controllers: nothing is written there but by clients and the
    /// API server.
    pub bare: Vec<String>,
    /// Whether writes wait for the disk. Tests do without, benchmarks may not.
    pub fsync: bool,
    /// Whether each API server writes one line per request, see [`crate::audit`].
    pub audit: bool,
}

/// Whose servers run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Servers {
    /// Those of Kubernetes.
    Genuine {
        /// The folder with `etcd`, `kube-apiserver`, `kube-controller-manager` and `kubectl`.
        binaries: PathBuf,
    },
    /// The one that Shipway carries along.
    Embedded {
        /// The example `serve` of the crate `apiserver`.
        program: PathBuf,
        /// Any kubectl, where the machine has one.
        kubectl: Option<PathBuf>,
    },
}

impl Servers {
    /// The one that Shipway carries along, as cargo has built it beside the program that asks.
    ///
    /// # Errors
    ///
    /// When it is not there: the examples have to be built as well.
    pub fn embedded(kubectl: Option<PathBuf>) -> Result<Self, RealError> {
        let ours = std::env::current_exe().map_err(RealError::io("find this program"))?;
        let program = ours.with_file_name("examples").join("serve");
        std::fs::metadata(&program).map_err(RealError::io(format!(
            "find the example `{}`",
            program.display()
        )))?;
        Ok(Self::Embedded { program, kubectl })
    }
}

/// Why a control plane is not running.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// A file, folder, port or program could not be had.
    #[error("could not {attempt}: {source}")]
    Io {
        /// What was tried.
        attempt: String,
        /// What the operating system answered.
        source: io::Error,
    },
    /// A key or a certificate could not be made.
    #[error("could not make certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A program ended before it was useful.
    #[error("{program} ended with {status}; the end of its log `{}`:\n{tail}", log.display())]
    Died {
        /// The program and its cluster.
        program: String,
        /// How it ended.
        status: String,
        /// Where its log is; gone with the control plane unless the folder is kept.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// Everything runs, but nothing is usable in time.
    #[error("{what} is not ready after {seconds} s, last answer: {last}\n{tail}")]
    NotReady {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// The last answer.
        last: String,
        /// The last lines of the log.
        tail: String,
    },
    /// The kubeconfig that was just written does not make a client.
    #[error("could not make a client for cluster `{cluster}`: {why}")]
    Client {
        /// The cluster.
        cluster: String,
        /// What the kube client answered.
        why: String,
    },
    /// The name is none of the running clusters'.
    #[error("there is no cluster `{0}`")]
    NoSuchCluster(String),
    /// The cluster's API server is already in the state asked for.
    #[error("the API server of `{cluster}` is {state}")]
    Already {
        /// The cluster.
        cluster: String,
        /// `running` or `stopped`.
        state: &'static str,
    },
}

impl RealError {
    /// An IO error with what was tried, for `map_err`.
    pub(crate) fn io(attempt: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let attempt = attempt.into();
        move |source| Self::Io { attempt, source }
    }
}

/// Writes a file that only its owner reads: half of these are keys.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<(), RealError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(RealError::io(format!("write `{}`", path.display())))
}
