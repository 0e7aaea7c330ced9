//! The clusters that this program carries along: a small Kubernetes API server of its own, and what its
//! clusters begin with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use apiserver::start::{Options, Server, StartError};
use apiserver::store::{Durability, Sync};

use crate::commands::controller::Profile;
use crate::commands::crds;
use crate::config::{ClusterArgs, write_private};
use crate::demo::apply_as;
use crate::error::CliError;

/// The Run clusters, in the order of promotion.
pub(crate) const CLUSTERS: [&str; 3] = ["run-qa", "run-staging", "run-production"];
/// The field manager of what is installed.
const MANAGER: &str = "shipway";
/// How long simulated workloads take where nobody says.
pub(crate) const SETTLE_AFTER: Duration = Duration::from_millis(500);
/// After how many bytes of changes all objects are written anew.
const SNAPSHOT_AFTER: u64 = 64 << 20;

/// What is to run.
pub(crate) struct Embedded {
    /// Where keys and objects are.
    pub(crate) folder: PathBuf,
    /// The clusters' names.
    pub(crate) clusters: Vec<String>,
    /// The port; 0 for a free one.
    pub(crate) port: u16,
    /// Whether objects outlive the process.
    pub(crate) lasting: bool,
    /// How long simulated workloads take.
    pub(crate) settle_after: Duration,
}

/// A server that runs.
pub(crate) struct Running {
    server: Server,
    kubeconfig: PathBuf,
}

impl Embedded {
    /// Starts it, and writes its kubeconfig.
    pub(crate) async fn start(self) -> Result<Running, CliError> {
        let durability = if self.lasting { lasting } else { fleeting };
        let options = Options {
            folder: self.folder.clone(),
            durability,
            clusters: self.clusters.clone(),
            port: self.port,
            delay: Some(self.settle_after),
            audit_log: None,
        };
        let server = Server::start(options).await.map_err(explained)?;
        let kubeconfig = self.folder.join("kubeconfig");
        write_private(&kubeconfig, &server.kubeconfig().to_string())?;
        Ok(Running { server, kubeconfig })
    }
}

impl Running {
    /// What is in its kubeconfig.
    pub(crate) fn contexts(&self) -> &serde_json::Value {
        self.server.kubeconfig()
    }

    /// Its kubeconfig.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// The flags with which a command works on one of its clusters, or on several, with commas.
    pub(crate) fn context(&self, name: &str) -> ClusterArgs {
        ClusterArgs {
            kubeconfig: Some(self.kubeconfig.clone()),
            context: Some(name.to_owned()),
            namespace: None,
        }
    }

    /// Installs what controllers need.
    pub(crate) async fn install(&self, name: &str, profile: Profile) -> Result<(), CliError> {
        let client = self.context(name).connect().await?;
        for object in crds::objects(profile)?.into_iter().chain(crds::delivery()) {
            apply_as(MANAGER, &client, &object).await?;
        }
        Ok(())
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

fn lasting(path: PathBuf) -> Durability {
    Durability::Folder {
        path,
        sync: Sync::Always,
        snapshot_after: SNAPSHOT_AFTER,
    }
}

fn fleeting(_: PathBuf) -> Durability {
    Durability::Memory
}

fn explained(error: StartError) -> CliError {
    let hint = match &error {
        StartError::Port { .. } => Some("choose another one with --port, or 0 for a free one"),
        StartError::Folder(_) | StartError::Store { .. } => {
            Some("choose another folder with --data-dir")
        }
        _ => None,
    };
    let failed = CliError::failed(error);
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}
