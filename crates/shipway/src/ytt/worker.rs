//! The worker's side: it reads a template and its data, and writes the object, again and again.
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use ytt::{Answer, Limits, Reason, Request};

use super::frame::{self, Refused, Reply};

/// How much time of a core a template may take before it is stopped where it looks at the clock. What others take
/// on a busy machine is not its fault.
const TIME: Duration = Duration::from_secs(4);
/// How much it may take at all: an operation that does not look at the clock ends with the worker.
const LATEST: Duration = Duration::from_secs(5);
/// How much memory a worker may take: what values need, and the stack of a template that calls deep.
const MEMORY: u64 = (256 + 64) << 20;

/// Works until the input ends, or a template runs on.
pub(crate) fn work() -> ExitCode {
    bound(Resource::Data, MEMORY);
    bound(Resource::Core, 0);
    // Where memory gets short, workers go before the controller does. Only Linux knows that.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    loop {
        match turn(&mut input, &mut output) {
            Ok(true) => {}
            Ok(false) => return ExitCode::SUCCESS,
            // Whoever asked sees the end, and says what it means.
            Err(_) => return ExitCode::FAILURE,
        }
    }
}

/// Answers one request; tells whether another one may come.
fn turn(input: &mut impl Read, output: &mut impl Write) -> std::io::Result<bool> {
    let mut length = [0; 4];
    if input.read_exact(&mut length).is_err() {
        return Ok(false); // nobody asks any more
    }
    let mut text = vec![0; frame::length(length, frame::LARGEST_REQUEST)?];
    input.read_exact(&mut text)?;
    let request: Request = serde_json::from_slice(&text)?;
    drop(text);
    let name = request.name.clone();
    let mut reply = match evaluate(request) {
        Ok(object) => Reply::Object(object),
        Err(refused) => Reply::Refused(refused),
    };
    let mut text = serde_json::to_vec(&reply)?;
    if text.len() > frame::LARGEST_ANSWER {
        let most = frame::LARGEST_ANSWER >> 20;
        reply = Reply::Refused(Refused {
            why: format!("{name}: the template makes an object of more than {most} MiB"),
            is_late: false,
            is_certain: false,
            is_last: true,
        });
        text = serde_json::to_vec(&reply)?;
    }
    output.write_all(&frame::of(&text)?)?;
    output.flush()?;
    Ok(!matches!(
        reply,
        Reply::Refused(Refused { is_last: true, .. })
    ))
}

/// Evaluates in a thread of its own, and waits no longer than it may.
fn evaluate(request: Request) -> Result<Value, Refused> {
    let (name, line) = (request.name.clone(), Arc::new(AtomicU32::new(0)));
    let has_code = request.template.contains("#@");
    let start = used();
    let spent = move || used().saturating_sub(start);
    let (told, outcome) = mpsc::sync_channel(1);
    let seen = line.clone();
    let thread = std::thread::Builder::new().spawn(move || {
        let answer = request.answer(&Limits::default(), |line| {
            seen.store(line, Ordering::Relaxed);
            spent() >= TIME
        });
        // It is dropped where it comes too late.
        let _ = told.send(answer);
    });
    let answer = match thread {
        Ok(_) => loop {
            let left = LATEST.saturating_sub(spent());
            match outcome.recv_timeout(left) {
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                answer => break answer,
            }
        },
        Err(_) => Err(RecvTimeoutError::Disconnected),
    };
    let refused = |why, is_late, is_last| Refused {
        why,
        is_late,
        is_certain: false,
        is_last,
    };
    Err(match answer {
        Ok(Answer::Object(object)) => return Ok(object),
        Ok(Answer::Refused(error)) => {
            let is_limit = error.reason == Reason::Limit;
            // Steps, nodes and memory are the same at each time; how long they take is not.
            let is_late = is_limit && spent() >= TIME;
            Refused {
                is_certain: match error.reason {
                    Reason::Syntax | Reason::Unsupported => true,
                    Reason::Object => !has_code,
                    Reason::Failed | Reason::Limit | Reason::Crashed => false,
                },
                ..refused(error.to_string(), is_late, is_limit)
            }
        }
        Err(RecvTimeoutError::Timeout) => {
            let place = match line.load(Ordering::Relaxed) {
                0 => name,
                line => format!("{name}:{line}"),
            };
            refused(format!("{place}: the template takes too long"), true, true)
        }
        Err(RecvTimeoutError::Disconnected) => {
            refused(format!("{name}: no thread for the template"), true, true)
        }
    })
}

/// How much time of a core this process has had.
fn used() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.try_into().unwrap_or_default() // which is never negative
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
