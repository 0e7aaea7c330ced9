//! ytt templates, evaluated in processes of their own.
//!
//! The evaluator cannot be bounded from within: a hostile template may take memory or a stack that nobody gives
//! back. So it runs in workers, which are this very program, and its death costs the template alone. Workers
//! are started when they are needed, at most one for each core, and used again.

mod worker;

use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use controllers::ytt::{Evaluate, Request};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::timeout;

pub(crate) use worker::{NAME, work};
use worker::{Answer, MAX_FRAME, MEMORY};

/// How long a worker may take, from the start of the process on; it ends itself before.
const PATIENCE: Duration = Duration::from_secs(8);

/// The workers of this process.
pub(crate) struct Workers {
    idle: Mutex<Vec<Worker>>,
    places: Semaphore,
}

impl Workers {
    /// None yet.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            idle: Mutex::default(),
            places: Semaphore::new(cores),
        }
    }

    async fn ask(&self, request: Request<'_>) -> Result<Value, String> {
        let place = self.places.acquire().await;
        let _place = place.expect("it is never closed");
        let frame = serde_json::to_vec(&request).map_err(|why| why.to_string())?;
        let idle = self.idle.lock().expect("nothing panics while holding it").pop();
        let mut worker = match idle {
            Some(worker) => worker,
            None => Worker::start().map_err(|why| format!("no worker could be started: {why}"))?,
        };
        match timeout(PATIENCE, worker.ask(&frame)).await {
            Ok(Ok(answer)) => {
                let mut idle = self.idle.lock().expect("nothing panics while holding it");
                idle.push(worker);
                answer.into()
            }
            // It is dropped, and killed by that.
            Ok(Err(_)) => Err(format!(
                "{}: the template takes more than {} MiB of memory, or too much time",
                request.name,
                MEMORY >> 20
            )),
            Err(_) => Err(format!("{}: the template takes too much time", request.name)),
        }
    }
}

impl Evaluate for Workers {
    fn evaluate<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Value, String>> {
        self.ask(request).boxed()
    }
}

/// One worker.
struct Worker {
    _process: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Worker {
    fn start() -> std::io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(NAME)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let input = process.stdin.take();
        let output = process.stdout.take();
        Ok(Self {
            input: input.expect("it is piped"),
            output: output.expect("it is piped"),
            _process: process,
        })
    }

    async fn ask(&mut self, frame: &[u8]) -> std::io::Result<Answer> {
        let length = u32::try_from(frame.len()).map_err(std::io::Error::other)?;
        self.input.write_all(&length.to_le_bytes()).await?;
        self.input.write_all(frame).await?;
        self.input.flush().await?;
        let length = self.output.read_u32_le().await? as usize;
        if length > MAX_FRAME {
            return Err(std::io::Error::other("the answer is too large"));
        }
        let mut answer = vec![0; length];
        self.output.read_exact(&mut answer).await?;
        Ok(serde_json::from_slice(&answer)?)
    }
}
