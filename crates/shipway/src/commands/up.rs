//! `shipway up`: the clusters that this program carries along, and their controllers.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum as _};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::controller::{ControllerArgs, Profile, control, log_into, stop_on_signal};
use crate::config::{check_merge, data_folder, merge_into, private_folder, user_kubeconfig};
use crate::duration::duration;
use crate::embedded::{CLUSTERS, Embedded};
use crate::error::CliError;
use crate::output::{note, word};
use crate::progress::Progress;

/// Where the copies of repositories are.
const GIT: &str = "git";
/// Which controllers ran last.
const PROFILE: &str = "profile";
/// How clients find the clusters.
const KUBECONFIG: &str = "kubeconfig";
/// What a server holds that uses the folder.
const LOCK: &str = "lock";
/// All that is in the folder of the data.
const DATA: [&str; 7] = ["clusters", GIT, "keys", KUBECONFIG, LOCK, "log", PROFILE];

/// Run Kubernetes clusters on this machine, with Shipway at work on each
///
/// A small Kubernetes API server of Shipway's own, for trying and testing: there are no nodes, and the
/// status of workloads is simulated. It listens on 127.0.0.1 alone, and runs until Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct UpArgs {
    /// Keep everything in this folder; another `up` goes on where this one ends
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Run clusters of these names, instead of those of the folder; an empty one gets run-qa, run-staging and run-production
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    clusters: Vec<String>,
    /// What runs on the clusters: deliveries alone, or supply chains as well; without it what ran there last, and `run` at first
    #[arg(long, value_enum)]
    profile: Option<Profile>,
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
        Some(folder) => std::path::absolute(folder).map_err(CliError::failed)?,
        None => data_folder()?.join("clusters"),
    };
    let clusters = if args.clusters.is_empty() {
        clusters_of(&folder)
    } else {
        args.clusters.clone()
    };
    // Before anything is made: a folder that was refused would remember the names of its clusters.
    let own = args.merge_kubeconfig.then(user_kubeconfig).transpose()?;
    if let Some(file) = &own {
        check_merge(file, &clusters)?;
    }
    check_own(&folder)?;
    private_folder(&folder, &DATA)?;
    let log = folder.join("log");
    log_into(&log)?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    let embedded = Embedded {
        folder: folder.clone(),
        clusters: clusters.clone(),
        port: args.port,
        lasting: true,
        settle_after: args.settle_after,
    };
    let progress = Progress::start("starting the clusters");
    let running = embedded.start().await?;
    let merged = match &own {
        Some(file) => Some(merge_into(file, running.contexts())?),
        None => None,
    };
    private_folder(&folder.join(GIT), &[])?;
    let profile = profile_of(&folder, args.profile)?;
    let mut controllers = JoinSet::new();
    for name in &clusters {
        progress.say(format!("installing definitions and roles on `{name}`"));
        running.install(name, profile).await?;
        let (cluster, stop) = (running.context(name), stop.clone());
        let own = ControllerArgs::embedded(folder.join(GIT).join(name), name, profile);
        controllers.spawn(async move { Box::pin(control(&cluster, own, stop)).await });
    }
    drop(progress);
    let names: Vec<String> = clusters.iter().map(|name| format!("`{name}`")).collect();
    note(format!(
        "Clusters on https://{}: {}; the status of workloads there is simulated",
        running.address(),
        names.join(", ")
    ));
    match merged {
        Some(file) => note(format!("Their contexts are in {}", file.display())),
        None => note(format!(
            "  export KUBECONFIG={}",
            word(&running.kubeconfig().display().to_string())
        )),
    }
    note(format!(
        "  kubectl get namespaces --context {}",
        clusters[0]
    ));
    note(format!("  shipway get -A --context {}", clusters[0]));
    let chosen = args.data_dir.as_ref();
    let here = chosen.map(|_| format!(" --data-dir {}", word(&folder.display().to_string())));
    note(format!(
        "The log is in {}. Ctrl-C ends it, and `shipway up{}` goes on with the same data.",
        log.display(),
        here.unwrap_or_default()
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

/// The clusters whose data is in a folder, in the order of promotion as far as it is known; the usual ones
/// where there are none yet.
fn clusters_of(folder: &Path) -> Vec<String> {
    let usual = CLUSTERS.map(str::to_owned);
    let entries = std::fs::read_dir(folder.join("clusters"));
    let names = entries.into_iter().flatten().filter_map(Result::ok);
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<String> = names.filter(|name| check_name(name).is_ok()).collect();
    if found.is_empty() {
        return usual.to_vec();
    }
    let place = |name: &String| usual.iter().position(|known| known == name);
    found.sort_by_key(|name| (place(name).unwrap_or(usual.len()), name.clone()));
    found
}

/// Whether a kubeconfig in the folder is ours, and may be written anew: there is a lock then.
fn check_own(folder: &Path) -> Result<(), CliError> {
    let file = folder.join(KUBECONFIG);
    if !file.exists() || folder.join(LOCK).exists() {
        return Ok(());
    }
    let why = format!("`{}` is of something else", file.display());
    Err(CliError::failed(why).hint("choose another folder with --data-dir"))
}

/// What runs on the clusters of a folder: what is wanted, which is remembered, or what ran there last.
fn profile_of(folder: &Path, wanted: Option<Profile>) -> Result<Profile, CliError> {
    let file = folder.join(PROFILE);
    if let Some(wanted) = wanted {
        let word = wanted.to_possible_value();
        let word = word.as_ref().map_or("", |word| word.get_name());
        std::fs::write(&file, format!("{word}\n")).map_err(|error| {
            CliError::failed(format!("could not write `{}`: {error}", file.display()))
        })?;
        return Ok(wanted);
    }
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let word = text.trim();
    if word.is_empty() {
        return Ok(Profile::Run);
    }
    Profile::from_str(word, false).map_err(|_| {
        CliError::failed(format!("`{}` names no profile: `{word}`", file.display()))
            .hint("say which with --profile")
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_something_else_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let write = |name| std::fs::write(folder.path().join(name), "mine").expect("it is written");
        let is_own = || check_own(folder.path()).is_ok();
        write("notes");
        assert!(is_own());
        write(KUBECONFIG);
        assert!(!is_own());
        write(LOCK);
        assert!(is_own());
    }

    #[test]
    fn the_profile_of_a_folder_is_the_one_that_was_wanted_last() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let profile = |wanted| profile_of(folder.path(), wanted).ok();
        assert_eq!(profile(None), Some(Profile::Run));
        assert_eq!(profile(Some(Profile::Full)), Some(Profile::Full));
        assert_eq!(profile(None), Some(Profile::Full));
        std::fs::write(folder.path().join(PROFILE), "other").expect("it can be written");
        assert_eq!(profile(None), None);
        assert_eq!(profile(Some(Profile::Run)), Some(Profile::Run));
    }

    #[test]
    fn the_clusters_of_a_folder_go_on_in_the_order_of_promotion() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        assert_eq!(clusters_of(folder.path()), CLUSTERS);
        for name in ["green", "run-production", "Not one", "blue", "run-qa"] {
            let made = std::fs::create_dir_all(folder.path().join("clusters").join(name));
            made.expect("a folder can be made");
        }
        assert_eq!(
            clusters_of(folder.path()),
            ["run-qa", "run-production", "blue", "green"]
        );
    }
}
