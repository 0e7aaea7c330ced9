//! The answer to one request, waited for only as long as its watch allows.
//!
//! The blocking client can limit a whole transfer, but neither a silence nor the wait of a caller
//! who wants to stop. So a thread of its own waits for the network, and this side waits for the
//! thread. A thread that is given up ends by itself when the client's own limit is reached, which
//! is the same deadline. Must not know the Git protocol.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::RequestBuilder;
use reqwest::header::{HeaderMap, HeaderName};

use super::exchange::Watch;
use super::{failure, now};
use crate::GitError;

/// How soon a raised stop flag is seen.
const GLANCE: Duration = Duration::from_millis(50);
const CHUNK: usize = 64 << 10;

enum Event {
    Head(StatusCode, HeaderMap),
    Chunk(Vec<u8>),
    End,
    NotSent(reqwest::Error),
    Broken(io::Error),
}

/// A status, headers, and a body that is still coming.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    events: Receiver<Event>,
    chunk: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl Answer {
    /// Sends a request and waits for the head of its answer.
    pub(super) fn to(request: RequestBuilder, watch: &Watch<'_>) -> Result<Answer, GitError> {
        // Of a request, this is the limit up to the last byte of the answer.
        let request = request.timeout(watch.remaining()?);
        let (sender, events) = sync_channel(4);
        std::thread::Builder::new()
            .name("git-http".to_owned())
            .spawn(move || carry(request, &sender))
            .map_err(GitError::local)?;
        match wait(&events, watch)? {
            Event::Head(status, headers) => Ok(Answer {
                status,
                headers,
                events,
                chunk: io::Cursor::default(),
                ended: false,
            }),
            Event::NotSent(error) => Err(failure::of_request(watch, error)),
            Event::Chunk(_) | Event::End | Event::Broken(_) => Err(cut(watch)),
        }
    }

    /// A header, if it is text.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Reads on; 0 is the end.
    pub(super) fn read(&mut self, buffer: &mut [u8], watch: &Watch<'_>) -> Result<usize, GitError> {
        loop {
            watch.remaining()?;
            let count = self.chunk.read(buffer).map_err(GitError::local)?;
            if count > 0 || self.ended || buffer.is_empty() {
                return Ok(count);
            }
            match wait(&self.events, watch)? {
                Event::Chunk(bytes) => {
                    watch.count(bytes.len())?;
                    self.chunk = io::Cursor::new(bytes);
                }
                Event::End => self.ended = true,
                Event::Broken(error) => return Err(failure::of_read(watch, &error)),
                Event::Head(..) | Event::NotSent(_) => return Err(cut(watch)),
            }
        }
    }
}

fn cut(watch: &Watch<'_>) -> GitError {
    GitError::Unreachable {
        url: watch.url().clone(),
        why: "the connection was given up".to_owned(),
    }
}

fn wait(events: &Receiver<Event>, watch: &Watch<'_>) -> Result<Event, GitError> {
    let silent = now();
    loop {
        let left = watch.remaining()?;
        let Some(patience) = watch.idle.checked_sub(silent.elapsed()) else {
            return Err(watch.timed_out(watch.idle));
        };
        match events.recv_timeout(left.min(patience).min(GLANCE)) {
            Ok(event) => return Ok(event),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(cut(watch)),
        }
    }
}

/// The network's side. Ends when nobody listens any more.
fn carry(request: RequestBuilder, events: &SyncSender<Event>) {
    let mut response = match request.send() {
        Ok(response) => response,
        Err(error) => {
            let _ = events.send(Event::NotSent(error));
            return;
        }
    };
    let mut event = Event::Head(response.status(), std::mem::take(response.headers_mut()));
    while events.send(event).is_ok() {
        let mut chunk = vec![0; CHUNK];
        event = match response.read(&mut chunk) {
            Ok(0) => Event::End,
            Ok(count) => {
                chunk.truncate(count);
                Event::Chunk(chunk)
            }
            Err(error) => Event::Broken(error),
        };
        if matches!(event, Event::End | Event::Broken(_)) {
            let _ = events.send(event);
            return;
        }
    }
}
