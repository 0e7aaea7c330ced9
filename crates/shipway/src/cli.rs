//! The command line: which commands there are, and how one is run.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{controller, crds, get, version};
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
    Controller(controller::ControllerArgs),
    Crds(crds::CrdsArgs),
    Demo(crate::demo::DemoArgs),
    Get(get::GetArgs),
    Version(version::VersionArgs),
}

/// Runs the command line of this process.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
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

async fn run(cli: Cli) -> Result<ExitCode, CliError> {
    match cli.command {
        Command::Controller(args) => controller::cmd_controller(&cli.cluster, args).await,
        Command::Crds(args) => crds::cmd_crds(&args),
        Command::Demo(args) => crate::demo::cmd_demo(&cli.cluster, &args).await,
        Command::Get(args) => get::cmd_get(&cli.cluster, &args).await,
        Command::Version(args) => version::cmd_version(&args),
    }
}
