//! The command line: which commands there are, and how one is run.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    completion, confirm, controller, crds, diff, get, promote, supply_chain, suspend, sync, tree,
    up, version, workload,
};
use crate::config::ClusterArgs;
use crate::error::CliError;

/// Take applications from Git to every cluster that should run them
#[derive(Debug, Parser)]
#[command(
    name = "shipway",
    version,
    disable_help_subcommand = true,
    propagate_version = true
)]
struct Cli {
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Completion(completion::CompletionArgs),
    Confirm(confirm::ConfirmArgs),
    Controller(controller::ControllerArgs),
    Crds(crds::CrdsArgs),
    Demo(crate::demo::DemoArgs),
    Diff(diff::DiffArgs),
    Get(get::GetArgs),
    Promote(promote::PromoteArgs),
    Resume(suspend::ResumeArgs),
    SupplyChain(supply_chain::SupplyChainArgs),
    Suspend(suspend::SuspendArgs),
    Sync(sync::SyncArgs),
    Tree(tree::TreeArgs),
    Up(up::UpArgs),
    Version(version::VersionArgs),
    Workload(Box<workload::WorkloadArgs>),
}

/// The command line, for completions.
pub(crate) fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the command line of this process.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // If the terminal is gone there is nobody to tell.
            let _ = error.print();
            return match error.exit_code() {
                0 => ExitCode::SUCCESS, // what was asked for was help
                _ => CliError::usage(error).exit_code(),
            };
        }
    };
    let runtime = tokio::runtime::Runtime::new().expect("the operating system gives threads");
    let result = runtime.block_on(run(cli));
    // A blocking Git transfer must not hold the process up: it is bounded, and stopped by then.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match result {
        Ok(code) => code,
        Err(error) => {
            error.print();
            error.exit_code()
        }
    }
}

/// Refuses flags that a command could only pass over: whoever gives them means something by them.
fn refuse_idle_flags(cli: &Cli) -> Result<(), CliError> {
    let given = [
        ("--kubeconfig", cli.cluster.kubeconfig.is_some()),
        ("--context", cli.cluster.context.is_some()),
        ("--namespace", cli.cluster.namespace.is_some()),
    ];
    let given = given.into_iter().find(|(_, given)| *given);
    let given = given.map(|(flag, _)| flag);
    let (command, idle) = match &cli.command {
        Command::Demo(_) => (
            "demo",
            cli.cluster.namespace.as_ref().map(|_| "--namespace"),
        ),
        Command::SupplyChain(args) if args.is_offline() => ("supply-chain test", given),
        Command::Up(_) => ("up", given),
        _ => return Ok(()),
    };
    match idle {
        Some(flag) => Err(CliError::usage(format!(
            "`{command}` has no use for {flag}"
        ))),
        None => Ok(()),
    }
}

async fn run(cli: Cli) -> Result<ExitCode, CliError> {
    refuse_idle_flags(&cli)?;
    match cli.command {
        Command::Completion(args) => Ok(completion::cmd_completion(&args)),
        Command::Confirm(args) => confirm::cmd_confirm(&cli.cluster, &args).await,
        Command::Controller(args) => controller::cmd_controller(&cli.cluster, args).await,
        Command::Crds(args) => crds::cmd_crds(&args),
        Command::Demo(args) => Box::pin(crate::demo::cmd_demo(&cli.cluster, &args)).await,
        Command::Diff(args) => diff::cmd_diff(&cli.cluster, &args).await,
        Command::Get(args) => get::cmd_get(&cli.cluster, &args).await,
        Command::Promote(args) => promote::cmd_promote(&cli.cluster, &args).await,
        Command::Resume(args) => suspend::cmd_resume(&cli.cluster, &args).await,
        Command::SupplyChain(args) => supply_chain::cmd_supply_chain(&cli.cluster, &args).await,
        Command::Suspend(args) => suspend::cmd_suspend(&cli.cluster, &args).await,
        Command::Sync(args) => sync::cmd_sync(&cli.cluster, &args).await,
        Command::Tree(args) => tree::cmd_tree(&cli.cluster, &args).await,
        Command::Up(args) => Box::pin(up::cmd_up(&args)).await,
        Command::Version(args) => version::cmd_version(&args),
        Command::Workload(args) => workload::cmd_workload(&cli.cluster, *args).await,
    }
}

#[cfg(test)]
mod documented;
