//! The demo: the whole story of a delivery, on real clusters, with a real Git server, told live.
//!
//! Every step is checked. One that does not come true in time ends the demo and says which.

mod board;
mod cluster;
mod file;
mod repository;
mod story;

use std::process::ExitCode;

use clap::Args;

use crate::config::ClusterArgs;
use crate::error::CliError;
use board::Board;
use cluster::Stage;
use repository::Repositories;

/// Show the whole story on clusters that you have
///
/// With three contexts they play QA, staging and production; with one, three throw-away
/// namespaces of it do. Asks first, says what it creates, and takes it all away at the end.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave everything running at the end, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Play the kubelet, where the clusters have no nodes; the health that comes of it is simulated
    #[arg(long)]
    simulate_kubelet: bool,
}

/// Runs `shipway demo`. The contexts come from the flag `--context`, separated by commas.
pub(crate) async fn cmd_demo(cluster: &ClusterArgs, args: &DemoArgs) -> Result<ExitCode, CliError> {
    let mut stage = Stage::connect(cluster).await?;
    stage.check_free().await?;
    if !args.yes && !stage.agreed()? {
        return Err(CliError::failed("nothing was done"));
    }
    let board = Board::new();
    let told = tokio::select! {
        told = tell(&mut stage, args, &board) => told,
        _ = tokio::signal::ctrl_c() => Err(CliError::failed("interrupted")),
    };
    board.finish();
    if told.is_ok() && args.keep {
        board.line("everything is left running; Ctrl-C ends and clears it");
        // If signals cannot be taken there is nothing to wait for.
        let _ = tokio::signal::ctrl_c().await;
    }
    board.line("clearing up");
    stage.clear().await;
    told.map(|()| ExitCode::SUCCESS)
}

async fn tell(stage: &mut Stage, args: &DemoArgs, board: &Board) -> Result<(), CliError> {
    if args.simulate_kubelet {
        board.line("no kubelet runs here: the demo writes the status of Pods, so their health is simulated");
    }
    stage.install(board).await?;
    let repositories = Repositories::create(stage).await?;
    stage.start_controllers(board).await?;
    if args.simulate_kubelet {
        stage.simulate_kubelets();
    }
    Box::pin(story::tell(stage, &repositories, board)).await?;
    stage.farewell(&repositories, board);
    Ok(())
}
