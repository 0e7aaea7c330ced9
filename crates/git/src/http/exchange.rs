//! One look-up or one fetch as HTTP: sends the requests, follows redirects, watches the limits.
//!
//! # Guarantees
//!
//! Credentials go to the origin (scheme, host, port) of the configured URL and to nothing else.
//! A redirect is followed for the first request alone, at most five times, never from https to
//! http, and only if the new address ends in the same request. No call outlasts the deadline.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};

use super::answer::Answer;
use super::failure::{self, Sent};
use super::{Client, message, now};
use crate::error::printable;
use crate::remote::Session;
use crate::{GitError, GitUrl};
use gix::protocol::transport::client::blocking_io::http as transport;

const REDIRECTS: usize = 5;

/// The limits of one operation, and the first thing that went wrong in it.
///
/// gix wraps errors in words of its own; what happened is kept here and read afterwards.
pub(crate) struct Watch<'a> {
    pub(super) url: GitUrl,
    stop: &'a AtomicBool,
    deadline: Instant,
    limit: Duration,
    pub(super) idle: Duration,
    what: &'static str,
    bytes: u64,
    received: AtomicU64,
    failure: Mutex<Option<GitError>>,
}

impl<'a> Watch<'a> {
    /// Watches the next step of an operation, which may receive `bytes` of `what`.
    pub(crate) fn start(session: &Session<'a>, what: &'static str, bytes: u64) -> Watch<'a> {
        Watch {
            url: session.client.url.clone(),
            stop: session.stop,
            deadline: session.deadline(),
            limit: session.client.limits.timeout,
            idle: session.client.limits.idle,
            what,
            bytes,
            received: AtomicU64::new(0),
            failure: Mutex::new(None),
        }
    }

    /// What went wrong first, if anything did.
    pub(crate) fn take_failure(&self) -> Option<GitError> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// How much came in.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// The most that may come in.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The address for messages.
    pub(crate) fn url(&self) -> &GitUrl {
        &self.url
    }

    /// The error of a wait that reached `limit`.
    pub(super) fn timed_out(&self, limit: Duration) -> GitError {
        GitError::TimedOut {
            url: self.url.clone(),
            limit,
        }
    }

    /// The error of an operation that took too long as a whole.
    pub(super) fn out_of_time(&self) -> GitError {
        self.timed_out(self.limit)
    }

    /// Keeps the first failure and returns the error gix is to see.
    pub(super) fn fail(&self, error: GitError) -> std::io::Error {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = std::io::Error::other(error.to_string());
        failure.get_or_insert(error);
        shown
    }

    /// The time that is left.
    pub(super) fn remaining(&self) -> Result<Duration, GitError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(GitError::Stopped);
        }
        match self.deadline.checked_duration_since(now()) {
            Some(left) if !left.is_zero() => Ok(left),
            _ => Err(self.out_of_time()),
        }
    }

    /// Counts what came in.
    pub(super) fn count(&self, bytes: usize) -> Result<(), GitError> {
        let before = self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        if before + bytes as u64 > self.bytes {
            let what = format!("{} of `{}`", self.what, self.url);
            return Err(GitError::TooLarge {
                what,
                limit: self.bytes,
            });
        }
        Ok(())
    }
}

/// The HTTP side of one operation, in the shape gix asks for.
pub(crate) struct Exchange<'a> {
    client: &'a Client,
    watch: &'a Watch<'a>,
    redirected: Option<String>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(client: &'a Client, watch: &'a Watch<'a>) -> Exchange<'a> {
        Exchange {
            client,
            watch,
            redirected: None,
        }
    }

    /// Asks for the first page, wherever it has moved to.
    fn first(&mut self, url: &str, base: &str, headers: &HeaderMap) -> Result<Answer, GitError> {
        let tail = url.strip_prefix(base).unwrap_or_default();
        let mut place = self.parse(url)?;
        for _ in 0..=REDIRECTS {
            let request = self.client.http.get(place.clone()).headers(headers.clone());
            let (answer, sent) = send(self.client, self.watch, request, &place)?;
            if answer.status.is_redirection() {
                place = self.follow(&place, &answer, tail)?;
                continue;
            }
            let answer = check(
                self.watch,
                answer,
                sent,
                "application/x-git-upload-pack-advertisement",
            )?;
            if place.as_str() != url {
                self.redirected = place.as_str().strip_suffix(tail).map(str::to_owned);
            }
            return Ok(answer);
        }
        Err(self.redirects("there are too many redirects"))
    }

    fn follow(&self, from: &Url, answer: &Answer, tail: &str) -> Result<Url, GitError> {
        let target = answer
            .header(LOCATION)
            .and_then(|value| from.join(value).ok())
            .ok_or_else(|| self.redirects("it does not say where to"))?;
        if !matches!(target.scheme(), "http" | "https")
            || (from.scheme() == "https" && target.scheme() != "https")
        {
            return Err(self.redirects("it leaves https"));
        }
        if !target.username().is_empty() || target.password().is_some() {
            return Err(self.redirects("the address holds credentials"));
        }
        if !target.as_str().ends_with(tail) {
            return Err(
                self.redirects("it is not the same request elsewhere (a login page, perhaps)")
            );
        }
        tracing::debug!(
            git.host = target.host_str(),
            "following a redirect of `{}`",
            self.watch.url
        );
        Ok(target)
    }

    fn redirects(&self, why: &str) -> GitError {
        GitError::Redirected {
            url: self.watch.url.clone(),
            why: why.to_owned(),
        }
    }

    fn parse(&self, url: &str) -> Result<Url, GitError> {
        Url::parse(url).map_err(|_| GitError::Garbage {
            url: self.watch.url.clone(),
            why: "it has a part that makes no URL".to_owned(),
        })
    }
}

/// Sends a request with the credentials that may go there and all the time that is left.
pub(super) fn send(
    client: &Client,
    watch: &Watch<'_>,
    request: reqwest::blocking::RequestBuilder,
    place: &Url,
) -> Result<(Answer, Sent), GitError> {
    let mut request = request;
    let home = client.home.origin() == place.origin();
    let sent = match &client.authorization {
        None => Sent::Nothing,
        Some(_) if !home => Sent::Withheld(printable(place.host_str().unwrap_or_default())),
        Some(value) => {
            request = request.header(AUTHORIZATION, value.clone());
            Sent::Credentials
        }
    };
    Ok((Answer::to(request, watch)?, sent))
}

/// Lets only an answer pass that says it is one of the Git protocol.
pub(super) fn check(
    watch: &Watch<'_>,
    answer: Answer,
    sent: Sent,
    content_type: &str,
) -> Result<Answer, GitError> {
    let url = || watch.url.clone();
    if answer.status.is_redirection() {
        return Err(GitError::Redirected {
            url: url(),
            why: "it does so in mid-conversation".to_owned(),
        });
    }
    if !answer.status.is_success() {
        return Err(failure::of_status(watch, answer.status, sent));
    }
    let found = answer.header(CONTENT_TYPE).unwrap_or("none");
    if found.trim() != content_type {
        let found: String = printable(found).chars().take(60).collect();
        return Err(GitError::Garbage {
            url: url(),
            why: format!("its answer is of type `{found}`"),
        });
    }
    Ok(answer)
}

/// The header lines gix wants sent, which are about the protocol alone.
fn header_map(lines: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((name, value)) = line.as_ref().split_once(':') else {
            continue;
        };
        let name = HeaderName::try_from(name.trim());
        let value = HeaderValue::try_from(value.trim());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

impl<'a> transport::Http for Exchange<'a> {
    type Headers = message::Headers<'a>;
    type ResponseBody = message::Body<'a>;
    type PostBody = message::Upload<'a>;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<transport::GetResponse<Self::Headers, Self::ResponseBody>> {
        let answer = match self.first(url, base_url, &header_map(headers)) {
            Ok(answer) => answer,
            Err(error) => return Err(gix::Error::from_error(self.watch.fail(error))),
        };
        let (_, headers, body) = message::answered(self.client, self.watch, answer);
        Ok(transport::GetResponse { headers, body })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _kind: transport::PostBodyDataKind,
    ) -> gix::Result<transport::PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>>
    {
        let place = match self.parse(url) {
            Ok(place) => place,
            Err(error) => return Err(gix::Error::from_error(self.watch.fail(error))),
        };
        let (post_body, headers, body) =
            message::asked(self.client, self.watch, place, header_map(headers));
        Ok(transport::PostResponse {
            post_body,
            headers,
            body,
        })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> gix::Result {
        // What gix read from Git configuration; ours came through the constructor.
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.redirected.clone()
    }
}
