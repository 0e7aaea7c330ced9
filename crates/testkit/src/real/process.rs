//! One program of the control plane: a child process with its log file.
#![expect(
    clippy::disallowed_methods,
    reason = "the control plane is made of programs, and testkit may start some"
)]

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::RealError;

/// How much of a log an error shows.
const TAIL_BYTES: u64 = 3_000;

/// A running program. Dropping it kills it.
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    pid: u32,
    child: Child,
}

impl Process {
    /// Starts `program`; what it prints is appended to `log`.
    pub(crate) fn start(
        name: &str,
        program: &Path,
        args: &[impl AsRef<OsStr>],
        log: PathBuf,
    ) -> Result<Self, RealError> {
        let attempt = || format!("start {name} (`{}`)", program.display());
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(RealError::io(attempt()))?;
        let errors = output.try_clone().map_err(RealError::io(attempt()))?;
        let child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .map_err(RealError::io(attempt()))?;
        let pid = child
            .id()
            .expect("a child that was not waited for has an id");
        Ok(Self {
            name: name.to_owned(),
            log,
            pid,
            child,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Why the program no longer runs, if so.
    pub(crate) fn check(&mut self) -> Result<(), RealError> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(RealError::Died {
                program: self.name.clone(),
                status: status.to_string(),
                log: self.log.clone(),
                tail: self.tail(),
            }),
            Err(source) => Err(RealError::Io {
                attempt: format!("look after {}", self.name),
                source,
            }),
        }
    }

    /// The last lines of the log.
    pub(crate) fn tail(&self) -> String {
        tail(&self.log).unwrap_or_else(|err| format!("(no log: {err})"))
    }

    /// Kills the program by its id and waits until it is gone.
    ///
    /// There is no gentle way here on purpose: an API server takes up to a minute to drain its
    /// watches, and nothing of a control plane outlives its folder.
    pub(crate) async fn kill(mut self) -> Result<(), RealError> {
        self.child
            .kill()
            .await
            .map_err(RealError::io(format!("stop {}", self.name)))
    }
}

/// Sends `STOP` or `CONT` to a process.
///
/// By the shell's builtin: the standard library knows no other signal than KILL, a system call
/// would need unsafe code, and the program `kill` is missing on slim machines.
pub(crate) fn signal(pid: u32, signal: &str) -> Result<(), RealError> {
    let attempt = || format!("send {signal} to process {pid}");
    let status = std::process::Command::new("sh")
        .args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid.to_string()])
        .status()
        .map_err(RealError::io(attempt()))?;
    if status.success() {
        return Ok(());
    }
    Err(RealError::Io {
        attempt: attempt(),
        source: io::Error::other(status.to_string()),
    })
}

fn tail(log: &Path) -> io::Result<String> {
    let length = fs::metadata(log)?.len();
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line is cut in the middle when the log is longer than the window.
    let whole = text.split_once('\n').filter(|_| length > TAIL_BYTES);
    Ok(whole.map_or_else(|| text.clone().into_owned(), |(_, rest)| rest.to_owned()))
}
