//! The worker's side: it reads a template and its data, and writes the object, again and again.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ytt::Limits;

/// The first argument that makes this program a worker. It is no command: people have no use for it.
pub(crate) const NAME: &str = "ytt-worker";
/// The longest request or answer: a template, what it reads, and some more.
pub(super) const MAX_FRAME: usize = 32 << 20;
/// How much memory a worker may take.
pub(super) const MEMORY: u64 = 512 << 20;
/// How long one template may take, and how much of a processor's time where it does not look at the clock.
const TIME: Duration = Duration::from_secs(4);
const CPU_SECONDS: u64 = 5;
/// Templates may call themselves a thousand deep.
const STACK: usize = 64 << 20;

#[derive(Deserialize)]
struct Asked {
    name: String,
    template: String,
    data: Map<String, Value>,
}

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Answer {
    Object(Value),
    Error(String),
}

impl From<Answer> for Result<Value, String> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Object(object) => Ok(object),
            Answer::Error(why) => Err(why),
        }
    }
}

/// Works until the input ends.
pub(crate) fn work() -> ExitCode {
    bound(Resource::As, MEMORY);
    bound(Resource::Core, 0);
    let worker = std::thread::Builder::new().stack_size(STACK);
    let done = worker.spawn(serve).map(std::thread::JoinHandle::join);
    match done {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE, // whoever asked sees the end, and says what it means
    }
}

fn serve() -> std::io::Result<()> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    loop {
        let mut length = [0; 4];
        if input.read_exact(&mut length).is_err() {
            return Ok(()); // nobody asks any more
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > MAX_FRAME {
            return Err(std::io::Error::other("the request is too large"));
        }
        let mut frame = vec![0; length];
        input.read_exact(&mut frame)?;
        let asked: Asked = serde_json::from_slice(&frame)?;
        let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec;
        bound(Resource::Cpu, u64::try_from(used).unwrap_or(0) + CPU_SECONDS);
        let answer = serde_json::to_vec(&evaluate(&asked))?;
        let length = u32::try_from(answer.len()).map_err(std::io::Error::other)?;
        output.write_all(&length.to_le_bytes())?;
        output.write_all(&answer)?;
        output.flush()?;
    }
}

fn evaluate(asked: &Asked) -> Answer {
    let limits = Limits::default();
    let end = Instant::now() + TIME;
    let object = ytt::compile(&asked.name, &asked.template, &limits)
        .and_then(|template| template.evaluate(&asked.data, &limits, || Instant::now() >= end));
    match object {
        Ok(object) => Answer::Object(object),
        Err(why) => Answer::Error(why.to_string()),
    }
}

/// Lowers the soft limit of a resource. Where that is not possible the limits of the evaluator itself hold.
fn bound(resource: Resource, most: u64) {
    let maximum = getrlimit(resource).maximum;
    let limit = Rlimit {
        current: Some(maximum.map_or(most, |maximum| most.min(maximum))),
        maximum,
    };
    let _ = setrlimit(resource, limit);
}
