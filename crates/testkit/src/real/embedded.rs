//! The servers that Shipway carries along: one process for each cluster, as genuine ones are.

use serde_json::Value;

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
    collected: &mut Option<Value>,
) -> Result<(), String> {
    let path = folder.cluster(name).join("kubeconfig");
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let mut one: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let Some(collected) = collected else {
        *collected = Some(one);
        return Ok(());
    };
    for list in ["clusters", "users", "contexts"] {
        let (Value::Array(all), Value::Array(more)) = (&mut collected[list], one[list].take())
        else {
            return Err(format!("`{list}` of `{}` is no list", path.display()));
        };
        all.extend(more);
    }
    Ok(())
}
