//! What takes too long for every run of the suites: the embedded API server killed under load, with many
//! watchers that do not read, and fed with garbage. Each has a server of its own, as a process.

mod garbage;
mod kills;
mod watchers;

pub use garbage::garbage;
pub use kills::kills;
pub use watchers::watchers;

use kube::{Client, Config};
use testkit::real::{ControlPlane, ControlPlaneOptions, Servers};

/// What a soak returns: what it has done, or what went wrong.
pub type Outcome<T = String> = Result<T, String>;

const CLUSTER: &str = "soak";

/// A server as a process of its own, whose writes wait for the disk.
struct Subject {
    plane: ControlPlane,
}

impl Subject {
    async fn start() -> Outcome<Self> {
        // The second call finds a provider installed, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let servers = Servers::embedded(None);
        let servers = servers.map_err(|error| error.to_string())?;
        let options = ControlPlaneOptions {
            servers,
            clusters: vec![CLUSTER.to_owned()],
            bare: Vec::new(),
            fsync: true,
            audit: false,
        };
        let plane = ControlPlane::start(options).await;
        let plane = plane.map_err(|error| error.to_string())?;
        Ok(Self { plane })
    }

    async fn config(&self) -> Outcome<Config> {
        let config = self.plane.state().config(CLUSTER).await;
        let mut config = config.map_err(|error| error.to_string())?;
        config.default_retry = false;
        Ok(config)
    }

    /// A connection of its own.
    async fn client(&self) -> Outcome<Client> {
        cluster::client::connect(&self.config().await?).map_err(|error| error.to_string())
    }

    async fn kill(&mut self) -> Outcome<()> {
        let killed = self.plane.stop_apiserver(CLUSTER).await;
        killed.map_err(|error| error.to_string())
    }

    async fn start_again(&mut self) -> Outcome<()> {
        let started = self.plane.start_apiserver(CLUSTER).await;
        started.map_err(|error| error.to_string())
    }

    /// Its resident memory in MiB, now and at its peak.
    fn memory(&self) -> Outcome<[u64; 2]> {
        let pid = self.plane.state().clusters[0].apiserver_pid;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
        let status = status.map_err(|error| format!("the server is gone: {error}"))?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kibibytes / 1024)
        };
        match (field("VmRSS:"), field("VmHWM:")) {
            (Some(now), Some(peak)) => Ok([now, peak]),
            _ => Err("the kernel does not tell its memory".to_owned()),
        }
    }

    async fn stop(self) -> Outcome<()> {
        self.plane.stop().await.map_err(|error| error.to_string())
    }
}
