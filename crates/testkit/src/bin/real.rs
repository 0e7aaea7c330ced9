//! `real`: runs a control plane until its standard input closes or a signal arrives.
//!
//! `cargo xtask` holds the other end of the input: whatever happens to it, this program notices and
//! takes its children down.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program"
)]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use testkit::real::{self, ControlPlane, ControlPlaneOptions, Servers};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

const USAGE: &str = "\
usage: real --binaries DIR | --embedded [--kubectl FILE]
            --clusters a,b --state FILE [--bare c,d] [--fsync] [--audit] [--keep]

  --binaries DIR   etcd, kube-apiserver, kube-controller-manager and kubectl
  --embedded       Shipway's own servers instead; the example `serve` lies beside this program
  --kubectl FILE   the kubectl for scenarios about it
  --clusters a,b   one API server for each
  --bare c,d       genuine ones without a controller manager
  --state FILE     where to write what runs where, as JSON
  --fsync          let writes wait for the disk
  --audit          have every request logged
  --keep           leave the folder with logs and data behind";

struct Args {
    options: ControlPlaneOptions,
    state: PathBuf,
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("error: {why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), String> {
    let ended = end()?;
    tokio::pin!(ended);
    let mut plane = tokio::select! {
        // Dropping a start that is under way kills what it has started.
        () = &mut ended => return Ok(()),
        plane = ControlPlane::start(args.options) => plane.map_err(|err| err.to_string())?,
    };
    if args.keep {
        plane.keep_folder();
    }
    let outcome = attend(&mut plane, &args.state, ended).await;
    let stopped = plane.stop().await.map_err(|err| err.to_string());
    // The state describes nothing any more, and a stale one misleads.
    let _ = std::fs::remove_file(&args.state);
    outcome.and(stopped)
}

async fn attend(
    plane: &mut ControlPlane,
    state_file: &Path,
    ended: impl Future<Output = ()>,
) -> Result<(), String> {
    let socket = plane.state().folder.join("control.sock");
    let listener = UnixListener::bind(&socket).map_err(|err| format!("could not listen: {err}"))?;
    plane.set_control(socket);
    plane
        .state()
        .write(state_file)
        .map_err(|err| err.to_string())?;
    println!("ready: {}", state_file.display());
    tokio::select! {
        () = ended => {}
        () = real::serve(plane, &listener, state_file) => {}
    }
    Ok(())
}

/// Resolves when the standard input closes, or on SIGINT or SIGTERM.
fn end() -> Result<impl Future<Output = ()>, String> {
    let listen = |kind| signal(kind).map_err(|err| format!("could not listen for signals: {err}"));
    let mut interrupted = listen(SignalKind::interrupt())?;
    let mut terminated = listen(SignalKind::terminate())?;
    let (closed, input) = oneshot::channel::<()>();
    // A thread of its own: reading from a terminal cannot be cancelled.
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while std::io::stdin()
            .read(&mut buffer)
            .is_ok_and(|count| count > 0)
        {}
        let _ = closed.send(());
    });
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
            _ = input => {}
        }
    })
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Args, String> {
    let (mut binaries, mut clusters, mut bare, mut state) = (None, Vec::new(), Vec::new(), None);
    let (mut fsync, mut audit, mut keep) = (false, false, false);
    let (mut is_embedded, mut kubectl) = (false, None);
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .ok_or_else(|| format!("`{word}` needs a value"))
        };
        match word.as_str() {
            "--binaries" => binaries = Some(PathBuf::from(value()?)),
            "--embedded" => is_embedded = true,
            "--kubectl" => kubectl = Some(PathBuf::from(value()?)),
            "--clusters" => clusters = value()?.split(',').map(str::to_owned).collect(),
            "--bare" => bare = value()?.split(',').map(str::to_owned).collect(),
            "--state" => state = Some(PathBuf::from(value()?)),
            "--fsync" => fsync = true,
            "--audit" => audit = true,
            "--keep" => keep = true,
            _ => return Err(format!("unknown argument `{word}`")),
        }
    }
    let mut names = clusters.iter().chain(&bare).peekable();
    if names.peek().is_none() || !names.all(|name| is_name(name)) {
        let why = "`--clusters` and `--bare` take names of lower-case letters, digits and `-`";
        return Err(format!("{why}, at least one"));
    }
    let servers = if is_embedded {
        Servers::embedded(kubectl).map_err(|error| error.to_string())?
    } else {
        let binaries = binaries.ok_or("`--binaries` is missing")?;
        Servers::Genuine { binaries }
    };
    Ok(Args {
        options: ControlPlaneOptions {
            servers,
            clusters,
            bare,
            fsync,
            audit,
        },
        state: state.ok_or("`--state` is missing")?,
        keep,
    })
}

/// A name goes into paths, etcd keys and YAML as it is.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
