//! The servers that Shipway carries along: one process for each cluster, as genuine ones are.

use kube::config::Kubeconfig;

use super::launch::Folder;
use super::state::ClusterState;

/// The command line of the example `serve`.
pub(crate) fn arguments(folder: &Folder, cluster: &ClusterState, fsync: bool) -> Vec<String> {
    let own = folder.cluster(&cluster.name).display().to_string();
    let lasting = if fsync { "--synced" } else { "--lasting" };
    let mut args = vec![own, lasting.to_owned()];
    args.extend(["--cluster".to_owned(), cluster.name.clone()]);
    args.extend(["--port".to_owned(), cluster.port.to_string()]);
    if let Some(log) = &cluster.audit_log {
        args.extend(["--audit-log".to_owned(), log.display().to_string()]);
    }
    args
}

/// Adds the kubeconfig that a server has written to what was collected.
pub(crate) fn collect(
    folder: &Folder,
    name: &str,
    collected: &mut Kubeconfig,
) -> Result<(), String> {
    let path = folder.cluster(name).join("kubeconfig");
    let one = Kubeconfig::read_from(&path).map_err(|error| error.to_string())?;
    let merged = std::mem::take(collected).merge(one);
    *collected = merged.map_err(|error| error.to_string())?;
    Ok(())
}
