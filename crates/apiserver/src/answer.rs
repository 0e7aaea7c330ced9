//! Writes answers: objects, lists, failures, warnings.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, HeaderValue, RETRY_AFTER, VARY, WARNING};
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use serde_json::Value;

use crate::media::{Syntax, Written};
use crate::serve::Body;
use crate::status::Status;

/// How many warnings an answer carries; upstream cuts them by size.
const WARNINGS: usize = 64;

/// A body that is there already.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed()
}

/// A body of pieces that are there already.
pub(crate) fn pieces(pieces: Vec<Bytes>) -> Body {
    let frames = pieces
        .into_iter()
        .map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
    StreamBody::new(futures::stream::iter(frames)).boxed()
}

/// An answer of plain text, as health checks and unknown paths get.
pub(crate) fn text(code: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    with_type(code, "text/plain; charset=utf-8", whole(text))
}

/// An answer with a media type.
pub(crate) fn with_type(code: StatusCode, kind: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    if let Ok(kind) = HeaderValue::from_str(kind) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    let headers = response.headers_mut();
    headers.insert(
        "cache-control",
        HeaderValue::from_static("no-cache, private"),
    );
    response
}

/// An object in the syntax that was asked for.
pub(crate) fn object(code: StatusCode, written: Written, object: &Value) -> Response<Body> {
    match written.syntax {
        Syntax::Json => json(code, serde_json::to_vec(object).unwrap_or_default()),
        Syntax::Yaml => {
            let text = serde_saphyr::to_string(object).unwrap_or_default();
            with_type(code, written.content_type(), whole(text))
        }
    }
}

/// An object that is written already.
pub(crate) fn json(code: StatusCode, bytes: impl Into<Bytes>) -> Response<Body> {
    with_type(code, "application/json", whole(bytes))
}

/// A failure.
pub(crate) fn failure(status: &Status) -> Response<Body> {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = object(code, Written::JSON, &status.to_json());
    let seconds = status
        .details
        .as_ref()
        .map_or(0, |details| details.retry_after_seconds);
    if seconds > 0 {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    warn(&mut response, &status.warnings);
    response
}

/// A document that clients keep and ask for again by its tag, which stands in quotes.
pub(crate) fn tagged(kind: &str, tag: &str, known: Option<&str>, bytes: Bytes) -> Response<Body> {
    let is_known = known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag));
    let mut response = if is_known {
        with_type(StatusCode::NOT_MODIFIED, kind, whole(Bytes::new()))
    } else {
        with_type(StatusCode::OK, kind, whole(bytes))
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, tag);
    }
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert("cache-control", HeaderValue::from_static("public"));
    response
}

/// Adds warnings, as RFC 7234 has them with code 299.
pub(crate) fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings.iter().take(WARNINGS) {
        let text: String = warning
            .chars()
            .filter(|c| !c.is_control())
            .flat_map(|c| match c {
                '"' => vec!['\\', '"'],
                '\\' => vec!['\\', '\\'],
                other => vec![other],
            })
            .collect();
        if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{text}\"").as_bytes()) {
            response.headers_mut().append(WARNING, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_quoted() {
        let mut response = text(StatusCode::OK, "ok");
        warn(&mut response, &["unknown field \"spec.x\"".to_owned()]);
        let header = response.headers().get(WARNING).expect("it is there");
        assert_eq!(header, "299 - \"unknown field \\\"spec.x\\\"\"");
    }

    #[test]
    fn a_document_that_is_known_is_not_sent_again() {
        let known = tagged(
            "application/json",
            "\"AB\"",
            Some("\"AB\""),
            Bytes::from("{}"),
        );
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        let unknown = tagged(
            "application/json",
            "\"AB\"",
            Some("\"CD\""),
            Bytes::from("{}"),
        );
        assert_eq!(unknown.status(), StatusCode::OK);
    }
}
