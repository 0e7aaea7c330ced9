//! A controller of the demo: this very program, as a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::error::CliError;

/// How long it may take to start.
const STARTING: Duration = Duration::from_secs(30);
/// The key that the demo signs its push events with.
pub(super) const HOOK_KEY: &str = "demo-push-events";

/// Where a controller that ends says so, with the last words of its log.
pub(in crate::demo) type Ends = mpsc::UnboundedSender<String>;

/// A running controller.
pub(super) struct Controller {
    child: Child,
    pub(super) pid: u32,
    address: String,
}

impl Controller {
    /// Starts a controller for a context and waits until it works.
    pub(super) async fn start(
        context: &str,
        kubeconfig: Option<&Path>,
        secret: &str,
        log: PathBuf,
        ends: Ends,
    ) -> Result<Self, CliError> {
        let program = std::env::current_exe()
            .map_err(|error| CliError::failed(format!("no program to start: {error}")))?;
        let mut command = Command::new(program);
        command.args([
            "controller",
            "--profile",
            "run",
            "--listen",
            "127.0.0.1:0",
            "--context",
            context,
            "--hook-secret",
            secret,
        ]);
        if let Some(kubeconfig) = kubeconfig {
            command.arg("--kubeconfig").arg(kubeconfig);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C on a terminal reaches all of its group. Controllers are ended by the demo alone,
            // and not under a step that is being told.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|error| CliError::failed(format!("could not start a controller: {error}")))?;
        let pid = child.id().unwrap_or_default();
        let stderr = child.stderr.take().expect("it was piped");
        let started = tokio::time::timeout(STARTING, follow(stderr, log, ends)).await;
        let address = match started {
            Ok(Ok(address)) => address,
            Ok(Err(error)) => {
                return Err(CliError::failed(format!(
                    "the controller of `{context}` ended: {error}"
                )));
            }
            Err(_) => {
                return Err(CliError::failed(format!(
                    "the controller of `{context}` did not start within {} s",
                    STARTING.as_secs()
                )));
            }
        };
        Ok(Self {
            child,
            pid,
            address,
        })
    }

    /// Tells it of a push, as a Git server's hook would.
    pub(super) async fn pushed(&self, url: &str) -> Result<(), CliError> {
        let body = format!("{{\"url\":\"{url}\",\"ref\":\"refs/heads/main\"}}");
        let signature = crate::http::signature(HOOK_KEY.as_bytes(), body.as_bytes());
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}/hooks/git", self.address))
            .header("x-signature", signature)
            .body(Full::new(Bytes::from(body)))
            .map_err(CliError::failed)?;
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let answer = client
            .request(request)
            .await
            .map_err(|error| CliError::failed(format!("the push event did not arrive: {error}")))?;
        if answer.status() == StatusCode::ACCEPTED {
            return Ok(());
        }
        Err(CliError::failed(format!(
            "the push event was answered with {}",
            answer.status()
        )))
    }

    /// Ends it as an operator would, and waits until it has given its Lease back.
    pub(super) async fn stop(mut self) {
        let terminated = Command::new("kill")
            .arg(self.pid.to_string())
            .status()
            .await;
        if terminated.is_err()
            || tokio::time::timeout(Duration::from_secs(10), self.child.wait())
                .await
                .is_err()
        {
            let _ = self.child.kill().await;
        }
    }
}

/// Copies the log into a file; returns where the controller serves as soon as it works, and goes
/// on copying.
async fn follow(
    stderr: tokio::process::ChildStderr,
    log: PathBuf,
    ends: Ends,
) -> Result<String, String> {
    let mut file = tokio::fs::File::create(&log)
        .await
        .map_err(|error| error.to_string())?;
    let mut lines = BufReader::new(stderr).lines();
    let mut address = None;
    let mut last = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        let _ = file.write_all(format!("{line}\n").as_bytes()).await;
        if let Some(found) = line
            .split("on http://")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next())
        {
            address = Some(found.to_owned());
        }
        if line.contains("the controllers run") {
            tokio::spawn(async move {
                let mut last = line;
                while let Ok(Some(line)) = lines.next_line().await {
                    let _ = file.write_all(format!("{line}\n").as_bytes()).await;
                    last = line;
                }
                // Nobody listens any more where the demo itself ended it.
                let _ = ends.send(last);
            });
            return address.ok_or_else(|| "it serves nothing".to_owned());
        }
        last = line;
    }
    Err(last)
}
