//! The command lines of the programs. What is not set here is the genuine default.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use super::RealError;

/// Requests are logged once they are answered; long ones also when they begin, or a watch that is
/// still open would not be seen.
pub(crate) const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
";

/// Controllers that have nothing to do without nodes and clouds.
const CONTROLLERS: &str = "*,-node-ipam-controller,-node-lifecycle-controller,\
-persistentvolume-attach-detach-controller,-persistentvolume-expander-controller,\
-certificatesigningrequest-signing-controller,-certificatesigningrequest-approving-controller,\
-certificatesigningrequest-cleaner-controller,-taint-eviction-controller,-ttl-controller";

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16, RealError> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(RealError::io("find a free port"))
}

/// Where the files of the whole control plane are.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The folder of one cluster.
    pub(crate) fn cluster(&self, name: &str) -> PathBuf {
        self.0.join("clusters").join(name)
    }

    fn arg(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }
}

pub(crate) fn etcd(folder: &Folder, client: u16, peer: u16, fsync: bool) -> Vec<String> {
    let client = format!("http://127.0.0.1:{client}");
    let peer = format!("http://127.0.0.1:{peer}");
    let mut args = vec![
        "--name=etcd".to_owned(),
        format!("--data-dir={}", folder.arg("etcd")),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=etcd={peer}"),
        "--log-level=warn".to_owned(),
        // A benchmark fills more than the default of 2 GiB between two compactions.
        "--quota-backend-bytes=8589934592".to_owned(),
    ];
    if !fsync {
        args.push("--unsafe-no-fsync=true".to_owned());
    }
    args
}

/// What an API server must be told about its cluster.
pub(crate) struct Server<'a> {
    pub(crate) cluster: &'a str,
    pub(crate) port: u16,
    pub(crate) etcd: u16,
    pub(crate) audit_log: Option<&'a Path>,
}

pub(crate) fn apiserver(folder: &Folder, server: &Server<'_>) -> Vec<String> {
    let keys = folder.cluster(server.cluster);
    let mut args = vec![
        format!("--etcd-servers=http://127.0.0.1:{}", server.etcd),
        format!("--etcd-prefix=/{}", server.cluster),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", server.port),
        // Nobody reaches the Service `kubernetes`; a loopback address would be refused for it.
        "--endpoint-reconciler-type=none".to_owned(),
        "--advertise-address=192.0.2.1".to_owned(),
        "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
        format!("--cert-dir={}", keys.display()),
        format!("--tls-cert-file={}", folder.arg("server.crt")),
        format!("--tls-private-key-file={}", folder.arg("server.key")),
        format!("--client-ca-file={}", folder.arg("ca.crt")),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        format!(
            "--service-account-key-file={}",
            keys.join("tokens.pub").display()
        ),
        format!(
            "--service-account-signing-key-file={}",
            keys.join("tokens.key").display()
        ),
    ];
    if let Some(log) = server.audit_log {
        args.push(format!(
            "--audit-policy-file={}",
            folder.arg("audit-policy.yaml")
        ));
        args.push(format!("--audit-log-path={}", log.display()));
        // In megabytes. Without it the log is rotated away from under its reader at 100.
        args.push("--audit-log-maxsize=100000".to_owned());
    }
    args
}

pub(crate) fn controller_manager(folder: &Folder, cluster: &str) -> Vec<String> {
    let keys = folder.cluster(cluster);
    let kubeconfig = keys
        .join("controller-manager.kubeconfig")
        .display()
        .to_string();
    vec![
        format!("--kubeconfig={kubeconfig}"),
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        "--secure-port=0".to_owned(),
        "--leader-elect=false".to_owned(),
        "--use-service-account-credentials=true".to_owned(),
        format!(
            "--service-account-private-key-file={}",
            keys.join("tokens.key").display()
        ),
        format!("--root-ca-file={}", folder.arg("ca.crt")),
        format!("--controllers={CONTROLLERS}"),
        // The default of 20 requests a second makes a suite wait for the client, not the server.
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
        "--profiling=false".to_owned(),
    ]
}
