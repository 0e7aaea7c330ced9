//! An embedded API server within this process, as it is without a program around it.

use std::time::Duration;

use apiserver::start::{Options, Server};
use apiserver::store::Durability;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tempfile::TempDir;

/// An embedded server that keeps its objects in memory.
pub struct Embedded {
    /// The server.
    pub server: Server,
    _folder: TempDir,
}

impl Embedded {
    /// The name of its first cluster, of which is also what has no cluster in its path.
    pub const FIRST: &str = "first";
    /// The name of its second cluster.
    pub const SECOND: &str = "second";

    /// Starts a server whose simulated workloads take so long; without a time it has no controllers.
    pub async fn start(delay: Option<Duration>) -> Self {
        // The second call finds a provider installed, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let options = Options {
            folder: folder.path().to_owned(),
            durability: |_| Durability::Memory,
            clusters: [Self::FIRST, Self::SECOND].map(str::to_owned).to_vec(),
            port: 0,
            delay,
            audit_log: None,
        };
        let server = Server::start(options).await.expect("it starts");
        Self {
            server,
            _folder: folder,
        }
    }

    /// A kubeconfig with one of its clusters alone.
    pub fn kubeconfig(&self, cluster: &str) -> Value {
        let mut config = self.server.kubeconfig().clone();
        for list in ["clusters", "users", "contexts"] {
            if let Some(list) = config[list].as_array_mut() {
                list.retain(|item| item["name"] == cluster);
            }
        }
        config["current-context"] = json!(cluster);
        config
    }

    /// A connection to its second cluster.
    pub async fn client(&self) -> Client {
        let config: Kubeconfig =
            serde_json::from_value(self.kubeconfig(Self::SECOND)).expect("it is a kubeconfig");
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(config, &options).await;
        let config = config.expect("it can be used");
        cluster::client::connect(&config).expect("it is an address")
    }

    /// Ends it.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
