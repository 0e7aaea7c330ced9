//! What has to be there before the programs start: folders, ports, keys and kubeconfigs.

use super::kubeconfig::{self, Context};
use super::launch::{self, Folder};
use super::pki::{Authority, token_keys};
use super::state::ClusterState;
use super::{ControlPlaneOptions, RealError, Servers, write_private};

/// Gives each cluster its folder and its port, and writes keys, certificates and kubeconfigs where the
/// servers do not do so by themselves.
pub(crate) fn prepare(
    folder: &Folder,
    options: &ControlPlaneOptions,
) -> Result<Vec<ClusterState>, RealError> {
    let mut clusters = Vec::new();
    for name in options.clusters.iter().chain(&options.bare) {
        let own = folder.cluster(name);
        std::fs::create_dir_all(&own)
            .map_err(RealError::io(format!("make `{}`", own.display())))?;
        let port = launch::free_port()?;
        let path = match &options.servers {
            Servers::Genuine { .. } => String::new(),
            Servers::Embedded { .. } => format!("/clusters/{name}"),
        };
        clusters.push(ClusterState {
            name: name.clone(),
            server: format!("https://127.0.0.1:{port}{path}"),
            port,
            apiserver_pid: 0,
            controller_manager_pid: None,
            audit_log: options.audit.then(|| own.join("audit.log")),
        });
    }
    if matches!(options.servers, Servers::Genuine { .. }) {
        write_keys(folder, &clusters)?;
    }
    Ok(clusters)
}

fn write_keys(folder: &Folder, clusters: &[ClusterState]) -> Result<(), RealError> {
    let authority = Authority::create()?;
    let server = authority.server()?;
    let admin = authority.client("kubernetes-admin", Some("system:masters"))?;
    let manager = authority.client("system:kube-controller-manager", None)?;
    write_private(&folder.file("ca.crt"), &authority.certificate)?;
    write_private(&folder.file("server.crt"), &server.public)?;
    write_private(&folder.file("server.key"), &server.private)?;
    write_private(&folder.file("audit-policy.yaml"), launch::AUDIT_POLICY)?;

    for cluster in clusters {
        let keys = folder.cluster(&cluster.name);
        let tokens = token_keys()?;
        write_private(&keys.join("tokens.pub"), &tokens.public)?;
        write_private(&keys.join("tokens.key"), &tokens.private)?;
        let context = [context(cluster)];
        let kubeconfig = kubeconfig::render(&context, &authority.certificate, &manager);
        write_private(&keys.join("controller-manager.kubeconfig"), &kubeconfig)?;
    }
    let contexts: Vec<_> = clusters.iter().map(context).collect();
    write_private(
        &folder.file("kubeconfig"),
        &kubeconfig::render(&contexts, &authority.certificate, &admin),
    )
}

fn context(cluster: &ClusterState) -> Context<'_> {
    Context {
        name: &cluster.name,
        server: &cluster.server,
    }
}
