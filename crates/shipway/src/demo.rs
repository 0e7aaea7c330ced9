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
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::ClusterArgs;
use crate::duration::duration;
use crate::embedded::{CLUSTERS, Embedded, SETTLE_AFTER};
use crate::error::CliError;
use crate::output::note;
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
    /// Give one step so long, and the first delivery, for which an image is pulled, three times so long
    #[arg(long, default_value = "1m", value_name = "DURATION", value_parser = duration)]
    patience: Duration,
}

/// Runs `shipway demo`. The contexts come from the flag `--context`, separated by commas.
pub(crate) async fn cmd_demo(cluster: &ClusterArgs, args: &DemoArgs) -> Result<ExitCode, CliError> {
    // First, since without it nothing of the demo can be shown.
    tokio::task::spawn_blocking(gitserver::check)
        .await
        .map_err(CliError::failed)?
        .map_err(|_| CliError::failed("the demo needs the program `git`").hint("install Git"))?;
    if cluster.context.is_some() {
        let mut stage = Stage::connect(cluster, args.patience).await?;
        stage.check().await?;
        let barren = if args.simulate_kubelet {
            Vec::new()
        } else {
            stage.barren().await
        };
        if let Some(first) = barren.first().filter(|_| args.yes) {
            return Err(CliError::failed(no_nodes(first))
                .hint("pass --simulate-kubelet to play the kubelet there"));
        }
        for context in &barren {
            note(format!(
                "{}, so that the demo fails; --simulate-kubelet plays the kubelet",
                no_nodes(context)
            ));
        }
        if !args.yes && !stage.agreed()? {
            return Err(CliError::failed("nothing was done"));
        }
        // From here on a signal ends the demo, not the process: there is something to clear up.
        let mut signals = Signals::new()?;
        return Box::pin(show(stage, args, Ground::Theirs, &mut signals)).await;
    }
    let mut signals = Signals::new()?; // its clusters have to be taken away as well
    let folder = tempfile::tempdir()
        .map_err(|error| CliError::failed(format!("no temporary folder: {error}")))?;
    let embedded = Embedded {
        folder: folder.path().to_owned(),
        clusters: CLUSTERS.map(str::to_owned).to_vec(),
        port: 0,
        lasting: false,
        settle_after: SETTLE_AFTER,
    };
    let running = embedded.start().await?;
    let own = running.context(&CLUSTERS.join(","));
    let shown = async {
        let mut stage = Stage::connect(&own, args.patience).await?;
        stage.check().await?;
        show(stage, args, Ground::Own, &mut signals).await
    };
    let shown = Box::pin(shown).await;
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
    mut stage: Stage,
    args: &DemoArgs,
    ground: Ground,
    signals: &mut Signals,
) -> Result<ExitCode, CliError> {
    let board = Board::new();
    if stage.has_leftovers() {
        board.chapter("An earlier demo was not cleared up");
        clear(&mut stage, ground, signals, &board).await?;
    }
    let mut repositories = None;
    let (ends, mut ended) = mpsc::unbounded_channel();
    let mut was_interrupted = false;
    let told = tokio::select! {
        told = tell(&mut stage, &mut repositories, (args, ground), &ends, &board) => told,
        Some(last) = ended.recv() => {
            Err(CliError::failed(format!("a controller ended; its last words were:\n  {last}")))
        }
        signal = signals.next() => {
            was_interrupted = true;
            Err(CliError::interrupted(signal, "interrupted"))
        }
    };
    board.finish();
    if let Err(error) = &told {
        error.print(); // at once, since clearing up takes a while
    }
    if args.keep && !was_interrupted {
        stage.farewell(repositories.as_ref(), &board);
        signals.next().await;
    }
    let cleared = clear(&mut stage, ground, signals, &board).await;
    if let Err(failed) = told {
        if let Err(left) = cleared {
            left.print();
        }
        return Ok(failed.exit_code());
    }
    cleared?;
    if !args.keep {
        Stage::what_next(ground == Ground::Own, &board);
    }
    Ok(ExitCode::SUCCESS)
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
        for context in stage.barren().await {
            board.warn(&no_nodes(&context));
        }
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

fn no_nodes(context: &str) -> String {
    format!("the context `{context}` has no nodes: no Pod gets healthy there")
}

/// Takes everything away, or as much as there is time for until the next signal.
async fn clear(
    stage: &mut Stage,
    ground: Ground,
    signals: &mut Signals,
    board: &Board,
) -> Result<(), CliError> {
    let since = Instant::now();
    board.line("Taking everything away; this needs some seconds");
    let again = format!("{} clears up before it begins", stage.again());
    let left = tokio::select! {
        left = stage.clear() => left,
        signal = signals.next() => {
            if ground == Ground::Own {
                return Ok(()); // what is left of clusters of its own ends with them
            }
            let why = format!(
                "interrupted while it was taken away; of this some is left:\n  {}",
                stage.traces().join("\n  ")
            );
            return Err(CliError::interrupted(signal, why)
                .hint(again)
                .hint("the controllers that were left count as at work for another 15 s"));
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

    /// The number of the next one of them.
    async fn next(&mut self) -> u8 {
        let kind = tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hang_up.recv() => SignalKind::hangup(),
        };
        u8::try_from(kind.as_raw_value()).unwrap_or_default()
    }
}
