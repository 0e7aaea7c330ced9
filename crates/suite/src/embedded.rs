//! An embedded API server within this process, as it is without a program around it.

use std::time::Duration;

use apiserver::start::{Options, Server};
use apiserver::store::Durability;
use tempfile::TempDir;

/// The name of its cluster.
const CLUSTER: &str = "main";

/// An embedded server that keeps its objects in memory. Its kubeconfig has one context.
pub struct Embedded {
    /// The server.
    pub server: Server,
    _folder: TempDir,
}

impl Embedded {
    /// Starts a server whose simulated workloads take so long; without a time it has no controllers.
    pub async fn start(delay: Option<Duration>) -> Self {
        // The second call finds a provider installed, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let options = Options {
            folder: folder.path().to_owned(),
            durability: |_| Durability::Memory,
            clusters: vec![CLUSTER.to_owned()],
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
}
