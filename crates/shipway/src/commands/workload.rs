//! `shipway workload`: applications as their developers describe them.

mod delete;
mod edit;
mod file;
mod get;
mod list;
mod put;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kinds::Workload;
use kube::api::Api;

use super::target::Target;
use crate::config::ClusterArgs;
use crate::error::CliError;

/// Describe applications, and see what their supply chains make of them
#[derive(Debug, Args)]
pub(crate) struct WorkloadArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Apply(put::ApplyArgs),
    Create(put::CreateArgs),
    Delete(delete::DeleteArgs),
    Get(get::GetArgs),
    List(list::ListArgs),
}

pub(crate) async fn cmd_workload(
    cluster: &ClusterArgs,
    args: WorkloadArgs,
) -> Result<ExitCode, CliError> {
    match args.command {
        Command::Apply(args) => put::apply(cluster, &args).await,
        Command::Create(args) => put::create(cluster, &args).await,
        Command::Delete(args) => delete::delete(cluster, &args).await,
        Command::Get(args) => get::get(cluster, &args).await,
        Command::List(args) => list::list(cluster, &args).await,
    }
}

/// The Workloads of the namespace.
fn workloads(target: &Target) -> Api<Workload> {
    Api::namespaced(target.client.clone(), &target.namespace)
}

/// The API server's refusal of a request about Workloads.
fn refused(target: &Target, error: &kube::Error) -> CliError {
    target.refused_of("Workloads", error)
}

/// A Workload as kubectl names it.
fn named(name: &str) -> String {
    format!("workload.carto.run/{name}")
}
