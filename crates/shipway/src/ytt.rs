//! ytt templates, evaluated in processes of their own.
//!
//! The evaluator cannot be bounded from within: a hostile template may take memory, a stack or time that nobody
//! gives back. So it runs in workers, which are this very program, and its death costs the template alone.
//! Workers are started when they are needed, used again, and end after a while without work.

mod frame;
mod worker;

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use controllers::ytt::{Evaluate, Refusal, Request};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{sleep, timeout};
use ytt::Comments;

use frame::{Refused, Reply};
pub(crate) use worker::work;

/// The first argument that makes this program a worker. It is no command: people have no use for it.
pub(crate) const NAME: &str = "ytt-worker";

/// How many workers there are at most.
const PLACES: usize = 4;
/// How long a worker is waited for, its start included. It bounds the time of a core that it takes, and answers long
/// before, unless it gets none.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a worker stays without work.
const IDLE: Duration = Duration::from_mins(1);
/// How many templates are remembered for having run on.
const MOST_SLOW: usize = 1024;

/// The workers of this process.
#[derive(Debug)]
pub(crate) struct Workers {
    idle: Mutex<Vec<Seat>>,
    places: Semaphore,
    /// What was said of templates that ran on, by their hashes.
    slow: Mutex<HashMap<u64, String>>,
    /// One of them runs at a time: the other places are for those that do not.
    turn: Semaphore,
    hasher: RandomState,
}

impl Workers {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            idle: Mutex::default(),
            places: Semaphore::new(PLACES),
            slow: Mutex::default(),
            turn: Semaphore::new(1),
            hasher: RandomState::new(),
        }
    }

    /// The object that a file makes of data values. In a file plain comments may be, which in a `spec.ytt`
    /// are mistakes.
    pub(crate) async fn preprocess(&self, request: Request<'_>) -> Result<Value, Refusal> {
        self.answer(request, Comments::Ignored).await
    }

    async fn answer(&self, request: Request<'_>, comments: Comments) -> Result<Value, Refusal> {
        let refused = |why: String, may_pass| {
            Err(Refusal {
                why,
                may_pass,
                is_certain: false,
            })
        };
        let sent = Sent { request, comments };
        let text = serde_json::to_vec(&sent).expect("a request is plain data");
        if text.len() > frame::LARGEST_REQUEST {
            return refused(format!("{}: its data are too large", request.name), false);
        }
        let frame = frame::of(&text).expect("its length was looked at").into();
        let template = self.hasher.hash_one((request.name, request.template));
        let place = self.places.acquire().await;
        // Whoever waited for its turn would hold up a pass, and who else is there to be served.
        let turn = match self.told(template) {
            None => None,
            Some(why) => match self.turn.try_acquire() {
                Ok(turn) => Some(turn),
                Err(_) => return refused(why, true),
            },
        };
        let outcome = self.ask(&frame).await;
        drop((turn, place));
        let (why, is_late, is_certain) = match outcome {
            Ok(Reply::Object(object)) => {
                self.remember(template, None);
                return Ok(object);
            }
            Ok(Reply::Refused(said)) => (said.why, said.is_late, said.is_certain),
            Err(why) => (format!("{}: {why}", request.name), true, false),
        };
        self.remember(template, is_late.then(|| why.clone()));
        Err(Refusal {
            why,
            may_pass: is_late,
            is_certain,
        })
    }

    /// What was said of a template that ran on.
    fn told(&self, template: u64) -> Option<String> {
        lock(&self.slow).get(&template).cloned()
    }

    fn remember(&self, template: u64, ran_on: Option<String>) {
        let mut slow = lock(&self.slow);
        let Some(why) = ran_on else {
            slow.remove(&template);
            return;
        };
        if slow.len() >= MOST_SLOW {
            slow.clear();
        }
        slow.insert(template, why);
    }

    /// Lets a worker answer: an idle one, or a new one.
    async fn ask(&self, frame: &Bytes) -> Result<Reply, Ended> {
        loop {
            let idle = lock(&self.idle).pop();
            let is_new = idle.is_none();
            let seat = match idle {
                Some(seat) => seat,
                None => Seat::new(Worker::start()?),
            };
            let (reply, answer) = oneshot::channel();
            let job = Job {
                frame: frame.clone(),
                reply,
            };
            // One that was idle may have ended just now. Then there is another one.
            if seat.jobs.send(job).await.is_err() && !is_new {
                continue;
            }
            let ended = || Err(Ended::Died("its process ended".to_owned()));
            let reply = answer.await.unwrap_or_else(|_| ended())?;
            if !matches!(reply, Reply::Refused(Refused { is_last: true, .. })) {
                lock(&self.idle).push(seat);
            }
            return Ok(reply);
        }
    }
}

impl Evaluate for Workers {
    fn evaluate<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Value, Refusal>> {
        self.answer(request, Comments::Refused).boxed()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while holding it")
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Ended {
    /// There was no worker.
    #[error("no process could be started for it: {0}")]
    NotStarted(#[from] std::io::Error),
    /// It died, of this.
    #[error("{0}")]
    Died(String),
    /// It has not answered in time.
    #[error("the template takes too long")]
    Late,
}

/// A request as a worker reads it.
#[derive(Serialize)]
struct Sent<'a> {
    #[serde(flatten)]
    request: Request<'a>,
    comments: Comments,
}

/// What a worker is to do, and for whom.
struct Job {
    frame: Bytes,
    reply: oneshot::Sender<Result<Reply, Ended>>,
}

/// Whoever has it may give a worker something to do. Without it the worker ends.
#[derive(Debug)]
struct Seat {
    jobs: mpsc::Sender<Job>,
}

impl Seat {
    fn new(worker: Worker) -> Self {
        let (jobs, given) = mpsc::channel(1);
        tokio::spawn(worker.live(given));
        Self { jobs }
    }
}

/// One worker.
struct Worker {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Worker {
    #[expect(
        clippy::disallowed_methods,
        reason = "templates are evaluated in processes of their own"
    )]
    fn start() -> std::io::Result<Self> {
        // The very file that runs, also where another one has taken its place.
        let program = if cfg!(target_os = "linux") {
            "/proc/self/exe".into()
        } else {
            std::env::current_exe()?
        };
        let mut process = Command::new(program)
            .arg0("shipway")
            .arg(NAME)
            .env_clear()
            .current_dir("/")
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
            process,
        })
    }

    /// Does what it is given, until there is nothing to do for a while, nobody can give it anything, or it
    /// fails. It is waited for in the end, so that nothing is left of it.
    async fn live(mut self, mut given: mpsc::Receiver<Job>) {
        loop {
            let job = tokio::select! {
                job = given.recv() => job,
                () = sleep(IDLE) => None,
                _ = self.process.wait() => None,
            };
            let Some(Job { frame, mut reply }) = job else {
                break;
            };
            let answer = tokio::select! {
                answer = timeout(PATIENCE, self.answer(&frame)) => answer,
                // Nobody wants to know any more: the template may be the reason.
                () = reply.closed() => break,
            };
            let outcome = match answer {
                Ok(Ok(reply)) => Ok(reply),
                Ok(Err(why)) => Err(Ended::Died(self.cause(&why).await)),
                Err(_) => Err(Ended::Late),
            };
            let goes_on = outcome.is_ok();
            let _ = reply.send(outcome);
            if !goes_on {
                break;
            }
        }
        drop(given);
        let _ = self.process.kill().await; // it may be dead already
    }

    /// Of what it died, once it does not answer properly any more.
    async fn cause(&mut self, why: &std::io::Error) -> String {
        // It goes by itself, at its own pace; what does not is killed soon.
        match timeout(Duration::from_secs(1), self.process.wait()).await {
            // An allocation that fails and a stack that ends abort; the operating system kills.
            Ok(Ok(status)) if status.signal().is_some() => {
                "the template uses too much memory, or nests too deep".to_owned()
            }
            Ok(Ok(status)) => format!("its process ended: {status}"),
            Ok(Err(why)) => format!("its process was lost: {why}"),
            Err(_) => format!("its process does not answer properly: {why}"),
        }
    }

    async fn answer(&mut self, frame: &[u8]) -> std::io::Result<Reply> {
        self.input.write_all(frame).await?;
        self.input.flush().await?;
        let mut length = [0; 4];
        self.output.read_exact(&mut length).await?;
        let mut text = vec![0; frame::length(length, frame::LARGEST_ANSWER)?];
        self.output.read_exact(&mut text).await?;
        Ok(serde_json::from_slice(&text)?)
    }
}
