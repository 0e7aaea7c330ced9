//! One request and its answer as the three streams gix handles: upload, headers, body.
//!
//! gix writes the upload first and reads afterwards, so a request is sent by the first read.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::Client;
use super::answer::Answer;
use super::exchange::{self, Watch};
use crate::GitError;

const RESULT: &str = "application/x-git-upload-pack-result";
/// The most we ever have to say: wants, haves and the shallow boundary.
const UPLOAD_BYTES: usize = 16 << 20;

enum State {
    /// The upload is being written.
    Asking {
        place: Url,
        headers: HeaderMap,
        upload: Vec<u8>,
    },
    /// The answer is being read.
    Answered(Answer),
    /// It went wrong; the watch knows how.
    Failed,
}

#[derive(Clone)]
struct Message<'a> {
    client: &'a Client,
    watch: &'a Watch<'a>,
    state: Arc<Mutex<State>>,
}

/// Streams of an answer that is already there.
pub(super) fn answered<'a>(
    client: &'a Client,
    watch: &'a Watch<'a>,
    answer: Answer,
) -> (Upload<'a>, Headers<'a>, Body<'a>) {
    streams(client, watch, State::Answered(answer))
}

/// Streams of a request that is still to be written.
pub(super) fn asked<'a>(
    client: &'a Client,
    watch: &'a Watch<'a>,
    place: Url,
    headers: HeaderMap,
) -> (Upload<'a>, Headers<'a>, Body<'a>) {
    streams(
        client,
        watch,
        State::Asking {
            place,
            headers,
            upload: Vec::new(),
        },
    )
}

fn streams<'a>(
    client: &'a Client,
    watch: &'a Watch<'a>,
    state: State,
) -> (Upload<'a>, Headers<'a>, Body<'a>) {
    let message = Message {
        client,
        watch,
        state: Arc::new(Mutex::new(state)),
    };
    let headers = Headers {
        message: message.clone(),
        lines: None,
    };
    let body = BufReader::with_capacity(32 << 10, RawBody(message.clone()));
    (Upload(message), headers, body)
}

impl Message<'_> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what was written, if that did not happen yet.
    fn sent(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        if let State::Asking {
            place,
            headers,
            upload,
        } = &mut *state
        {
            let request = self
                .client
                .http
                .post(place.clone())
                .headers(std::mem::take(headers))
                .body(std::mem::take(upload));
            let answer = exchange::send(self.client, self.watch, request, place)
                .and_then(|(answer, sent)| exchange::check(self.watch, answer, sent, RESULT));
            match answer {
                Ok(answer) => *state = State::Answered(answer),
                Err(error) => {
                    *state = State::Failed;
                    return Err(self.watch.fail(error));
                }
            }
        }
        Ok(state)
    }

    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.sent()?;
        let State::Answered(answer) = &mut *state else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let step = answer.read(buffer, self.watch);
        step.map_err(|error| {
            *state = State::Failed;
            self.watch.fail(error)
        })
    }
}

/// Where gix writes a request.
pub(crate) struct Upload<'a>(Message<'a>);

impl Write for Upload<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        let State::Asking { upload, .. } = &mut *state else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        if upload.len() + bytes.len() > UPLOAD_BYTES {
            let what = "the request to the server".to_owned();
            return Err(self.0.watch.fail(GitError::TooLarge {
                what,
                limit: UPLOAD_BYTES as u64,
            }));
        }
        upload.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The one header gix looks at, as the line it looks for.
pub(crate) struct Headers<'a> {
    message: Message<'a>,
    lines: Option<Cursor<Vec<u8>>>,
}

impl Headers<'_> {
    fn lines(&mut self) -> io::Result<&mut Cursor<Vec<u8>>> {
        if self.lines.is_none() {
            let mut lines = Vec::new();
            if let State::Answered(answer) = &*self.message.sent()?
                && let Some(content_type) = answer.header(CONTENT_TYPE)
            {
                lines.extend_from_slice(format!("content-type:{content_type}\n").as_bytes());
            }
            self.lines = Some(Cursor::new(lines));
        }
        Ok(self.lines.get_or_insert_default())
    }
}

impl Read for Headers<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lines()?.read(buffer)
    }
}

impl BufRead for Headers<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.lines()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(lines) = &mut self.lines {
            lines.consume(amount);
        }
    }
}

/// The answer, counted and watched.
pub(crate) struct RawBody<'a>(Message<'a>);

impl Read for RawBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// The answer as gix reads it.
pub(crate) type Body<'a> = BufReader<RawBody<'a>>;
