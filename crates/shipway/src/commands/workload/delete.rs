//! `delete`: a Workload goes, and with it what was stamped for it.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use kinds::Workload;
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams, Preconditions};
use kube::runtime::wait::{await_condition, conditions};

use super::{named, refused, workloads};
use crate::commands::target::Target;
use crate::config::ClusterArgs;
use crate::duration::duration;
use crate::error::CliError;
use crate::output::{ask, lines, note, print_text};
use crate::progress::Progress;

/// Delete Workloads, and what was stamped for them
///
/// What their supply chains wrote elsewhere, such as to Git, stays.
#[derive(Debug, Args)]
pub(super) struct DeleteArgs {
    /// The Workloads
    #[arg(value_parser = crate::commands::target::name, required_unless_present = "all", value_name = "NAME")]
    names: Vec<String>,
    /// Delete all of the namespace
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Wait until they are gone
    #[arg(short, long)]
    wait: bool,
    /// Wait no longer than this
    #[arg(long, default_value = "1m", value_name = "DURATION", value_parser = duration)]
    wait_timeout: Duration,
}

pub(super) async fn delete(cluster: &ClusterArgs, args: &DeleteArgs) -> Result<ExitCode, CliError> {
    let target = Target::connect(cluster).await?;
    let api = workloads(&target);
    let found = find(&target, &api, args).await?;
    if found.is_empty() {
        note(format!("No Workloads in namespace `{}`", target.namespace));
        return Ok(ExitCode::SUCCESS);
    }
    let list: Vec<String> = found.iter().map(|one| named(&one.name_any())).collect();
    if !args.yes {
        if !std::io::stdin().is_terminal() {
            return Err(CliError::failed(
                "there is no terminal to ask on, and nothing was deleted",
            )
            .hint("--yes does not ask"));
        }
        note(lines(&list).trim_end());
        let these = if list.len() == 1 { "this" } else { "these" };
        let question = format!("Delete {these}, and what was stamped for it? [y/N] ");
        if !ask(&question)? {
            return Err(CliError::failed("nothing was deleted"));
        }
    }
    for workload in &found {
        let name = workload.name_any();
        // What was shown is deleted, not what came in its place meanwhile.
        let params = DeleteParams::background().preconditions(Preconditions {
            uid: workload.uid(),
            resource_version: None,
        });
        let deleted = api.delete(&name, &params).await;
        deleted.map_err(|error| refused(&target, &error))?;
        print_text(&format!("{} deleted\n", named(&name)));
    }
    if args.wait {
        let progress = Progress::start("waiting until they are gone");
        let gone = async {
            for workload in &found {
                let uid = workload.uid().unwrap_or_default();
                let gone = conditions::is_deleted(&uid);
                let waited = await_condition(api.clone(), &workload.name_any(), gone).await;
                waited.map_err(CliError::failed)?;
            }
            Ok(())
        };
        let gone = tokio::time::timeout(args.wait_timeout, gone).await;
        drop(progress);
        gone.map_err(|_| {
            CliError::failed("they are not gone in time")
                .hint("`kubectl get workload -o yaml` shows whose finalizers hold them")
        })??;
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(
    target: &Target,
    api: &Api<Workload>,
    args: &DeleteArgs,
) -> Result<Vec<Workload>, CliError> {
    if args.all {
        let list = api.list(&ListParams::default()).await;
        return Ok(list.map_err(|error| refused(target, &error))?.items);
    }
    let mut found = Vec::new();
    for name in &args.names {
        let workload = api.get(name).await;
        found.push(workload.map_err(|error| refused(target, &error))?);
    }
    Ok(found)
}
