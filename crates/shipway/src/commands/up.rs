//! `shipway up`: the clusters that this program carries along, and their controllers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::controller::{ControllerArgs, control, log_into, stop_on_signal};
use crate::config::{data_folder, merge_into, user_kubeconfig};
use crate::duration::duration;
use crate::embedded::{CLUSTERS, Embedded};
use crate::error::CliError;
use crate::output::note;

/// Run Kubernetes clusters on this machine, with Shipway at work on each
///
/// A small Kubernetes API server of Shipway's own, for trying and testing: there are no nodes, and the
/// status of workloads is simulated. It listens on 127.0.0.1 alone, and runs until Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Keep everything in this folder; another `up` goes on where this one ends
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Run clusters of these names
    #[arg(long, value_delimiter = ',', default_values = CLUSTERS, value_name = "NAME,…")]
    clusters: Vec<String>,
    /// Listen on this port; 0 takes a free one
    #[arg(long, default_value_t = 7443)]
    port: u16,
    /// Let workloads get their simulated status so long after they changed
    #[arg(long, default_value = "500ms", value_name = "DURATION", value_parser = duration)]
    settle_after: Duration,
    /// Add their contexts to your own kubeconfig: the first of $KUBECONFIG, or ~/.kube/config
    #[arg(long)]
    merge_kubeconfig: bool,
}

pub(crate) async fn cmd_up(args: &UpArgs) -> Result<ExitCode, CliError> {
    for (place, name) in args.clusters.iter().enumerate() {
        check_name(name)?;
        if args.clusters[..place].contains(name) {
            return Err(CliError::usage(format!(
                "`--clusters` names the cluster `{name}` twice"
            )));
        }
    }
    let folder = match &args.data_dir {
        Some(folder) => folder.clone(),
        None => data_folder()?.join("clusters"),
    };
    std::fs::create_dir_all(&folder).map_err(|error| {
        CliError::failed(format!(
            "could not make the folder `{}`: {error}",
            folder.display()
        ))
    })?;
    let log = folder.join("log");
    log_into(&log)?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    let embedded = Embedded {
        folder: folder.clone(),
        clusters: args.clusters.clone(),
        port: args.port,
        lasting: true,
        settle_after: args.settle_after,
    };
    let running = embedded.start().await?;
    let merged = if args.merge_kubeconfig {
        Some(merge_into(&user_kubeconfig()?, running.contexts())?)
    } else {
        None
    };
    let mut controllers = JoinSet::new();
    for name in &args.clusters {
        running.install(name).await?;
        let (cluster, stop) = (running.context(name), stop.clone());
        let own = ControllerArgs::embedded(folder.join("git").join(name));
        controllers.spawn(async move { Box::pin(control(&cluster, own, stop)).await });
    }
    let names: Vec<String> = args
        .clusters
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    note(format!(
        "Clusters on https://{}: {}; the status of workloads there is simulated",
        running.address(),
        names.join(", ")
    ));
    match merged {
        Some(file) => note(format!("Their contexts are in {}", file.display())),
        None => note(format!(
            "  export KUBECONFIG={}",
            running.kubeconfig().display()
        )),
    }
    note(format!(
        "  kubectl get namespaces --context {}",
        args.clusters[0]
    ));
    note(format!("  shipway get -A --context {}", args.clusters[0]));
    note(format!(
        "The log is in {}. Ctrl-C ends it, and `shipway up` goes on with the same data.",
        log.display()
    ));
    let mut ended = Ok(ExitCode::SUCCESS);
    while let Some(controller) = controllers.join_next().await {
        let result = controller
            .map_err(CliError::failed)
            .and_then(|result| result);
        if result.is_err() {
            stop.cancel();
            ended = result;
        }
    }
    running.stop().await;
    ended
}

/// A name that is a part of a URL, of a folder's name and of a context's.
fn check_name(name: &str) -> Result<(), CliError> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 63 || !name.chars().all(good) {
        return Err(CliError::usage(format!(
            "`{name}` is no name for a cluster: use lower-case letters, digits and `-`"
        )));
    }
    Ok(())
}
