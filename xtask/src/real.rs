//! A control plane for as long as a value lives, run by the testkit binary `real`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::run::{Outcome, target};

/// Whose servers run.
pub(crate) enum Servers {
    /// Those of Kubernetes, in this folder.
    Genuine(PathBuf),
    /// The one that Shipway carries along, with this kubectl where there is one.
    Embedded(Option<PathBuf>),
}

impl Servers {
    fn word(&self) -> &'static str {
        match self {
            Self::Genuine(_) => "genuine",
            Self::Embedded(_) => "embedded",
        }
    }
}

/// What to start.
pub(crate) struct Options<'a> {
    pub(crate) servers: &'a Servers,
    /// Clusters with controllers; bare ones are a flag.
    pub(crate) clusters: &'a str,
    /// Flags of the binary `real`, such as `--audit`.
    pub(crate) flags: &'a [&'a str],
    /// `debug` or `release`.
    pub(crate) profile: &'a str,
    /// Whether Ctrl-C on the terminal does not reach it: whoever holds its input ends it.
    pub(crate) is_apart: bool,
}

/// A running control plane.
///
/// The child stops when its input closes. We hold the other end, so it also stops when this process
/// is killed, by whatever signal: no handler is needed here.
pub(crate) struct Real {
    child: Child,
    state: PathBuf,
}

impl Real {
    /// Starts the control plane and waits until it is usable. The workspace must be built.
    pub(crate) fn start(options: &Options<'_>) -> Outcome<Self> {
        let folder = target().join("real");
        fs::create_dir_all(&folder)
            .map_err(|err| format!("could not make `{}`: {err}", folder.display()))?;
        let state = folder.join(format!("state-{}.json", std::process::id()));
        let started = Instant::now();
        let program = target().join(options.profile).join("real");
        let mut command = Command::new(&program);
        if options.is_apart {
            command.process_group(0);
        }
        match options.servers {
            Servers::Genuine(binaries) => command.arg("--binaries").arg(binaries),
            Servers::Embedded(None) => command.arg("--embedded"),
            Servers::Embedded(Some(kubectl)) => {
                command.args(["--embedded", "--kubectl"]).arg(kubectl)
            }
        };
        if !options.clusters.is_empty() {
            command.args(["--clusters", options.clusters]);
        }
        let child = command
            .arg("--state")
            .arg(&state)
            .args(options.flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|err| format!("could not start `{}`: {err}", program.display()))?;
        // From here on, every way out stops the child.
        let mut real = Self { child, state };
        real.wait_until_ready()?;
        eprintln!(
            "{} control plane ready in {:.1} s: {}",
            options.servers.word(),
            started.elapsed().as_secs_f32(),
            options.clusters
        );
        Ok(real)
    }

    /// The state file, for SHIPWAY_REAL.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// A string out of the state file's top level.
    pub(crate) fn field(&self, name: &str) -> Outcome<String> {
        let text = fs::read_to_string(&self.state)
            .map_err(|err| format!("could not read the state file: {err}"))?;
        field(&text, name).ok_or_else(|| format!("the state file has no `{name}`"))
    }

    /// Waits until the control plane stops by itself: somebody interrupted it.
    pub(crate) fn wait(mut self) -> Outcome {
        // The input stays open while we wait, hence not `Child::wait`, which closes it.
        let input = self.child.stdin.take();
        let status = self
            .child
            .wait()
            .map_err(|err| format!("could not wait for the control plane: {err}"))?;
        drop(input);
        if status.success() {
            Ok(())
        } else {
            Err(format!("the control plane stopped: {status}"))
        }
    }

    /// The child's input, for somebody else to hold and close.
    pub(crate) fn take_input(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    fn wait_until_ready(&mut self) -> Outcome {
        let output = self.child.stdout.take().expect("the output is a pipe");
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        match read {
            Ok(_) if line.starts_with("ready:") => Ok(()),
            // It has said why on standard error, which is ours.
            _ => Err("the control plane did not start".to_owned()),
        }
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The value of `"name": "value"` in pretty-printed JSON of our own making.
fn field(text: &str, name: &str) -> Option<String> {
    let key = format!("\"{name}\": \"");
    let (value, _) = text.split_once(&key)?.1.split_once('"')?;
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn reads_a_field_of_the_state_file() {
        let text = "{\n  \"kubeconfig\": \"/tmp/a/kubeconfig\",\n  \"version\": \"v1.36.3\"\n}";
        assert_eq!(
            field(text, "kubeconfig").as_deref(),
            Some("/tmp/a/kubeconfig")
        );
        assert_eq!(field(text, "version").as_deref(), Some("v1.36.3"));
        assert_eq!(field(text, "other"), None);
    }
}
