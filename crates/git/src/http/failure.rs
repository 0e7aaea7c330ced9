//! Turns what the HTTP client and a server's status say into our error.
//!
//! Must not send anything.

use std::error::Error;
use std::io;

use reqwest::StatusCode;

use super::exchange::Watch;
use crate::error::printable;
use crate::{GitError, Refusal};

/// The last source of an error: the one that names the cause instead of the circumstances.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    printable(&last.to_string())
}

/// An error of sending, or of the connection below it.
pub(super) fn of_request(watch: &Watch<'_>, error: reqwest::Error) -> GitError {
    let error = error.without_url();
    if error.is_timeout() {
        return watch.out_of_time();
    }
    of_chain(watch, &error)
}

/// An error in the middle of an answer.
pub(super) fn of_read(watch: &Watch<'_>, error: &io::Error) -> GitError {
    let timeout = error.kind() == io::ErrorKind::TimedOut
        || error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<reqwest::Error>())
            .is_some_and(reqwest::Error::is_timeout);
    if timeout {
        return watch.out_of_time();
    }
    of_chain(watch, error)
}

fn of_chain(watch: &Watch<'_>, error: &(dyn Error + 'static)) -> GitError {
    let url = watch.url.clone();
    match tls(error) {
        Some(why) => GitError::Tls { url, why },
        None => GitError::Unreachable {
            url,
            why: innermost(error),
        },
    }
}

fn tls(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<rustls::Error>() {
            return Some(printable(&found.to_string()));
        }
        // An `io::Error` shows the source of what it wraps, but not what it wraps.
        next = match current
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    None
}

/// What a status other than success means.
pub(super) fn of_status(watch: &Watch<'_>, status: StatusCode, sent: Sent) -> GitError {
    let url = watch.url.clone();
    match status {
        StatusCode::UNAUTHORIZED => {
            let refusal = match sent {
                Sent::Credentials => Refusal::NotAccepted,
                Sent::Nothing => Refusal::Missing,
                Sent::Withheld(host) => Refusal::OtherHost(host),
            };
            GitError::Unauthorized { url, refusal }
        }
        StatusCode::FORBIDDEN => GitError::Unauthorized {
            url,
            refusal: Refusal::Forbidden,
        },
        StatusCode::NOT_FOUND | StatusCode::GONE => GitError::RepositoryMissing { url },
        other => GitError::Status {
            url,
            status: other.as_u16(),
        },
    }
}

/// What a request carried to prove who asks.
pub(super) enum Sent {
    /// There are no credentials.
    Nothing,
    /// The credentials.
    Credentials,
    /// There are credentials, for another host than this one.
    Withheld(String),
}
