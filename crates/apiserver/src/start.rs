//! Starts a server: its keys, its clusters, and what every cluster begins with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::addresses;
use crate::api::Api;
use crate::audit::Log;
use crate::auth::pki::{Client, Pki, PkiError};
use crate::auth::rbac::bootstrap_objects;
use crate::auth::token::Issuer;
use crate::cluster::{Cluster, WriteError};
use crate::controllers;
use crate::registry::draft::Author;
use crate::registry::kind::Kind;
use crate::registry::options::WriteOptions;
use crate::registry::write::Write;
use crate::serve::serve;
use crate::status::Status;
use crate::store::{Durability, History, Key, Lock, OpenError, Store};
use crate::time::rfc3339;

/// What kind of server it is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where keys are kept, and objects below it, one folder for each cluster. No other server may use it
    /// meanwhile.
    pub folder: PathBuf,
    /// What becomes of objects; the folder of each cluster is named here.
    pub durability: fn(PathBuf) -> Durability,
    /// The clusters' names; at least one.
    pub clusters: Vec<String>,
    /// The port; 0 for a free one.
    pub port: u16,
    /// How long simulated workloads take; none for clusters without controllers, as a kube-apiserver
    /// without its kube-controller-manager.
    pub delay: Option<std::time::Duration>,
    /// Where every request is logged, if anywhere.
    pub audit_log: Option<PathBuf>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its folder cannot be used.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// Its port is not to be had.
    #[error("cannot listen on port {port} of this machine: {source}")]
    Port {
        /// The port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// Its audit log cannot be written.
    #[error("cannot write the audit log `{}`: {source}", path.display())]
    AuditLog {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its keys cannot be used.
    #[error(transparent)]
    Keys(#[from] PkiError),
    /// The objects of a cluster cannot be read.
    #[error("cannot open the data of the cluster `{cluster}`: {source}")]
    Store {
        /// The cluster.
        cluster: String,
        /// Why.
        source: OpenError,
    },
    /// What a cluster begins with cannot be stored.
    #[error("cannot set up the cluster `{cluster}`: {why}")]
    SetUp {
        /// The cluster.
        cluster: String,
        /// Why.
        why: String,
    },
}

/// A running server. It ends with [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    kubeconfig: Value,
    tasks: TaskTracker,
    stop: CancellationToken,
    _lock: Lock,
}

impl Server {
    /// Starts a server on 127.0.0.1.
    ///
    /// # Errors
    /// [`StartError`] that names the port, the file or the cluster.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        // First of all: another server on this folder has its port, too, and may be writing its keys.
        let lock = Lock::take(&options.folder)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| StartError::Port {
                port: options.port,
                source,
            })?;
        let address = listener.local_addr().map_err(|source| StartError::Port {
            port: options.port,
            source,
        })?;
        let now = Timestamp::now();
        let pki = Pki::open(&options.folder.join("keys"), now)?;
        let serving = pki.serving()?;
        let tls = pki.server_config(&serving)?;
        let admin = pki.client(
            "admin",
            Client {
                user: "kubernetes-admin",
                group: "system:masters",
            },
        )?;
        let url = format!("https://{address}");
        let issuer = Issuer {
            name: "https://kubernetes.default.svc.cluster.local".to_owned(),
            key: pki.token_key()?,
        };
        let log = match options.audit_log {
            Some(path) => {
                Some(Log::open(&path).map_err(|source| StartError::AuditLog { path, source })?)
            }
            None => None,
        };
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let mut clusters = Vec::new();
        for name in &options.clusters {
            let durability = (options.durability)(options.folder.join("clusters").join(name));
            let store =
                tokio::task::spawn_blocking(move || Store::open(&durability, History::default()));
            let store = store.await.map_err(|error| StartError::SetUp {
                cluster: name.clone(),
                why: error.to_string(),
            })?;
            let store = store.map_err(|source| StartError::Store {
                cluster: name.clone(),
                source,
            })?;
            let cluster = Arc::new(Cluster::new(name.clone(), store));
            set_up(&cluster, now)
                .await
                .map_err(|why| StartError::SetUp {
                    cluster: name.clone(),
                    why: why.message,
                })?;
            controllers::run(&cluster, pki.ca_pem(), options.delay, &tasks, &stop);
            clusters.push(cluster);
        }
        let kubeconfig = kubeconfig(&pki, &url, &options.clusters, &admin);
        let api = Arc::new(Api::new(
            clusters,
            issuer,
            address.to_string(),
            log,
            stop.clone(),
        ));
        tasks.spawn(serve(listener, Arc::new(tls), api, stop.clone()));
        Ok(Self {
            address,
            kubeconfig,
            tasks,
            stop,
            _lock: lock,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A kubeconfig with a context of its name for each cluster; the first one is the current one.
    pub fn kubeconfig(&self) -> &Value {
        &self.kubeconfig
    }

    /// Ends it: watches at once, other requests within seconds.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn kubeconfig(pki: &Pki, url: &str, clusters: &[String], admin: &crate::auth::pki::Pair) -> Value {
    let mut all: Option<Value> = None;
    for name in clusters {
        let one = pki.kubeconfig(name, &format!("{url}/clusters/{name}"), admin);
        match &mut all {
            None => all = Some(one),
            Some(all) => {
                for list in ["clusters", "users", "contexts"] {
                    let more = one[list].as_array().cloned().unwrap_or_default();
                    if let Some(list) = all[list].as_array_mut() {
                        list.extend(more);
                    }
                }
            }
        }
    }
    all.unwrap_or_default()
}

/// The priorities that Pods of the system may have.
const PRIORITIES: [(&str, i64, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];

/// What every cluster begins with.
async fn set_up(cluster: &Cluster, now: Timestamp) -> Result<(), Status> {
    let now = rfc3339(now);
    let maker = Maker { cluster, now: &now };
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        maker
            .make(
                "",
                "v1",
                "namespaces",
                "",
                json!({"metadata": {"name": name}}),
            )
            .await?;
    }
    for (kind, mut object) in bootstrap_objects() {
        let namespace = object["metadata"]["namespace"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        maker
            .make(
                "rbac.authorization.k8s.io",
                "v1",
                kind.resource(),
                &namespace,
                object,
            )
            .await?;
    }
    for (name, value, description) in PRIORITIES {
        let class = json!({"metadata": {"name": name}, "value": value, "description": description});
        let group = "scheduling.k8s.io";
        maker
            .make(group, "v1", "priorityclasses", "", class)
            .await?;
    }
    let service = json!({
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"clusterIP": addresses::FIRST.to_string(), "ports": [{"name": "https", "port": 443, "targetPort": 6443}]},
    });
    maker.make("", "v1", "services", "default", service).await?;
    Ok(())
}

struct Maker<'a> {
    cluster: &'a Cluster,
    now: &'a str,
}

impl Maker<'_> {
    /// Creates an object that may be there already.
    async fn make(
        &self,
        group: &str,
        version: &str,
        resource: &str,
        namespace: &str,
        object: Value,
    ) -> Result<(), Status> {
        let served = self.cluster.served();
        let Some(kind) = served.kind(group, version, resource) else {
            return Err(Status::internal(format!("`{resource}` is not served")));
        };
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let key = Key::new(&kind.stored, namespace, name).ok();
        if key.is_some_and(|key| self.cluster.store.get(&key).is_some()) {
            return Ok(()); // as it was left
        }
        let made = make(self.cluster, kind, namespace, object, self.now).await;
        match made {
            Err(status) if status.reason != "AlreadyExists" => Err(status),
            _ => Ok(()),
        }
    }
}

/// Creates an object as the server itself.
pub(crate) async fn make(
    cluster: &Cluster,
    kind: &Kind,
    namespace: &str,
    object: Value,
    now: &str,
) -> Result<(), Status> {
    let options = WriteOptions::default();
    let write = Write {
        user: None,
        kind,
        namespace,
        name: "",
        subresource: "",
        options: &options,
        author: Author {
            manager: "kube-apiserver",
            now,
        },
    };
    write.create(cluster, object.into()).await.map(drop)
}

/// An error of a write that nobody else makes at the same time.
pub(crate) fn failure(error: WriteError) -> Status {
    match error {
        WriteError::Failed(status) => status,
        WriteError::Stale => Status::internal("it was changed meanwhile"),
    }
}
