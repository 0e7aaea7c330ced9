//! The demo: the whole story of a delivery, on real clusters, with a real Git server, told live.
//!
//! Every step is checked. One that does not come true in time ends the demo and says which. However
//! it ends, what it made is taken away again.

mod board;
mod cluster;
mod file;
mod repository;
mod story;

use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::ClusterArgs;
use crate::embedded::{CLUSTERS, Embedded};
use crate::error::CliError;
use board::Board;
pub(crate) use cluster::apply_as;
use cluster::{Ends, Stage};
use repository::Repositories;

/// Show the whole story, on clusters of its own or on yours
///
/// Without --context it runs three clusters on this machine, which end with it; the status of
/// workloads is simulated there. With three contexts, those play QA, staging and production; with
/// one, three throw-away namespaces of it do. Then it asks first, says what it creates, and takes it
/// all away at the end, also when it fails or is interrupted. Needs the rights of `cluster-admin`, and
/// a cluster where nobody else uses Shipway.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Leave everything running at the end, however it ends, until Ctrl-C
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
    if cluster.context.is_some() {
        return Box::pin(show(cluster, args, Ground::Theirs)).await;
    }
    let folder = tempfile::tempdir()
        .map_err(|error| CliError::failed(format!("no temporary folder: {error}")))?;
    let embedded = Embedded {
        folder: folder.path().to_owned(),
        clusters: CLUSTERS.map(str::to_owned).to_vec(),
        port: 0,
        lasting: false,
    };
    let running = embedded.start().await?;
    let own = running.context(&CLUSTERS.join(","));
    let shown = Box::pin(show(&own, args, Ground::Own)).await;
    running.stop().await;
    shown
}

/// Whose clusters the demo is shown on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// Some that end with it.
    Own,
    /// The user's.
    Theirs,
}

async fn show(
    cluster: &ClusterArgs,
    args: &DemoArgs,
    ground: Ground,
) -> Result<ExitCode, CliError> {
    let mut stage = Stage::connect(cluster).await?;
    stage.check().await?;
    if ground == Ground::Theirs && !args.yes && !stage.agreed()? {
        return Err(CliError::failed("nothing was done"));
    }
    // From here on a signal ends the demo, not the process: there is something to clear up.
    let mut signals = Signals::new()?;
    let board = Board::new();
    if stage.has_leftovers() {
        board.chapter("An earlier demo was not cleared up");
        clear(&mut stage, &mut signals, &board).await?;
    }
    let mut repositories = None;
    let (ends, mut ended) = mpsc::unbounded_channel();
    let told = tokio::select! {
        told = tell(&mut stage, &mut repositories, (args, ground), &ends, &board) => Some(told),
        Some(last) = ended.recv() => {
            Some(Err(CliError::failed(format!("a controller ended; its last words were:\n  {last}"))))
        }
        () = signals.next() => None,
    };
    board.finish();
    let was_interrupted = told.is_none();
    let told = told.unwrap_or_else(|| Err(CliError::failed("interrupted")));
    if let Err(error) = &told {
        board.failed(&error.to_string());
    }
    if args.keep && !was_interrupted {
        stage.farewell(repositories.as_ref(), &board);
        signals.next().await;
    }
    let cleared = clear(&mut stage, &mut signals, &board).await;
    told.and(cleared).map(|()| ExitCode::SUCCESS)
}

async fn tell(
    stage: &mut Stage,
    repositories: &mut Option<Repositories>,
    (args, ground): (&DemoArgs, Ground),
    ends: &Ends,
    board: &Board,
) -> Result<(), CliError> {
    let began = Instant::now();
    // First, since it needs nothing of the clusters and is most likely to miss something.
    let repositories = repositories.insert(Repositories::create(stage).await?);
    if ground == Ground::Own {
        board.warn("the clusters are of Shipway's own making and have no nodes: the status of workloads is simulated");
    } else if args.simulate_kubelet {
        board.warn("no kubelet runs here: the demo writes the status of Pods, so their health is simulated");
    } else {
        stage.look_for_nodes(board).await;
    }
    stage.install(board).await?;
    stage.start_controllers(ends, board).await?;
    if args.simulate_kubelet {
        stage.simulate_kubelets();
    }
    Box::pin(story::tell(stage, repositories, board)).await?;
    board.chapter(&format!(
        "All of it came true, in {} s",
        began.elapsed().as_secs()
    ));
    Ok(())
}

/// Takes everything away, or as much as there is time for until the next signal.
async fn clear(stage: &mut Stage, signals: &mut Signals, board: &Board) -> Result<(), CliError> {
    let since = Instant::now();
    board.line("Taking everything away; this needs some seconds");
    let again = format!("{} clears up before it begins", stage.again());
    let left = tokio::select! {
        left = stage.clear() => left,
        () = signals.next() => {
            return Err(CliError::failed("interrupted again: some of it is left").hint(again));
        }
    };
    if left.is_empty() {
        board.done("nothing is left", since.elapsed());
        return Ok(());
    }
    Err(CliError::failed(format!("this is left:\n  {}", left.join("\n  "))).hint(again))
}

/// What a terminal or a supervisor ends a program with.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> Result<Self, CliError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| CliError::failed(format!("could not listen for signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// The next one of them.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
