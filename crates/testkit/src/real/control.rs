//! Commands from a suite to the program that owns the control plane.
//!
//! Only the parent of a process can wait for it, so a suite that wants an API server gone asks the
//! parent: one line over a Unix socket, one line back.

use std::io::{self, BufRead, Write};
use std::path::Path;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::{ControlPlane, RealError};

/// What can be done to one cluster's API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Kill it.
    Stop,
    /// Start it again and wait until it is ready.
    Start,
    /// Freeze it with its connections open.
    Pause,
    /// Let it go on.
    Resume,
}

const WORDS: [(Command, &str); 4] = [
    (Command::Stop, "stop"),
    (Command::Start, "start"),
    (Command::Pause, "pause"),
    (Command::Resume, "resume"),
];

impl Command {
    fn word(self) -> &'static str {
        WORDS
            .iter()
            .find(|(command, _)| *command == self)
            .map_or("", |(_, word)| word)
    }

    fn parse(word: &str) -> Option<Self> {
        WORDS
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(command, _)| *command)
    }
}

/// Answers commands for `plane` until the future is dropped; keeps the state file up to date, since
/// a restarted API server has a new process id.
///
/// Cancellation: a command that is being carried out may be left half done; the plane itself stays
/// usable and can be stopped.
pub async fn serve(plane: &mut ControlPlane, listener: &UnixListener, state_file: &Path) {
    // One at a time: the plane is one thing, and its users wait for their answer anyway.
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        if stream.read_line(&mut line).await.is_err() {
            continue;
        }
        let answer = match execute(plane, line.trim(), state_file).await {
            Ok(()) => "ok\n".to_owned(),
            Err(why) => format!("{}\n", why.replace('\n', " | ")),
        };
        // Who does not wait for the answer does not want it.
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

async fn execute(plane: &mut ControlPlane, line: &str, state_file: &Path) -> Result<(), String> {
    let (word, cluster) = line
        .split_once(' ')
        .ok_or_else(|| format!("no command: `{line}`"))?;
    let command = Command::parse(word).ok_or_else(|| format!("no such command: `{word}`"))?;
    let done = match command {
        Command::Stop => plane.stop_apiserver(cluster).await,
        Command::Start => plane.start_apiserver(cluster).await,
        Command::Pause => plane.pause_apiserver(cluster),
        Command::Resume => plane.resume_apiserver(cluster),
    };
    done.and_then(|()| plane.state().write(state_file))
        .map_err(|err| err.to_string())
}

/// Has a command carried out on a cluster by the owner of the control plane.
///
/// # Errors
///
/// When the owner is gone or says no.
pub async fn ask(socket: &Path, command: Command, cluster: &str) -> Result<(), RealError> {
    let mut answer = String::new();
    let exchange = async {
        let mut stream = BufReader::new(UnixStream::connect(socket).await?);
        stream.write_all(line(command, cluster).as_bytes()).await?;
        stream.read_line(&mut answer).await
    };
    let done = exchange.await;
    judge(done, &answer, command, cluster)
}

/// As [`ask`], for destructors, where nothing can be awaited.
///
/// # Errors
///
/// As [`ask`].
pub fn ask_blocking(socket: &Path, command: Command, cluster: &str) -> Result<(), RealError> {
    let mut answer = String::new();
    let done = std::os::unix::net::UnixStream::connect(socket).and_then(|mut stream| {
        stream.write_all(line(command, cluster).as_bytes())?;
        io::BufReader::new(stream).read_line(&mut answer)
    });
    judge(done, &answer, command, cluster)
}

fn line(command: Command, cluster: &str) -> String {
    format!("{} {cluster}\n", command.word())
}

fn judge(
    done: io::Result<usize>,
    answer: &str,
    command: Command,
    cluster: &str,
) -> Result<(), RealError> {
    let attempt = format!("{} the API server of `{cluster}`", command.word());
    done.map_err(RealError::io(attempt.clone()))?;
    match answer.trim() {
        "ok" => Ok(()),
        why => Err(RealError::Io {
            attempt,
            source: io::Error::other(why.to_owned()),
        }),
    }
}
