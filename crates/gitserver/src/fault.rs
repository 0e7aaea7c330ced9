//! The ways in which a server can be broken, for tests to choose from.
//!
//! Must not know Git.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::{Response, StatusCode, Uri, header};

/// How the server misbehaves from now on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fault {
    /// It does not.
    #[default]
    None,
    /// Takes requests and never answers.
    Hang,
    /// Answers with a web page.
    Garbage,
    /// Answers with the right content type and bytes that make no sense.
    Nonsense,
    /// Answers with this HTTP status.
    Status(u16),
    /// Redirects to the same request below this URL (scheme, host, perhaps a path).
    RedirectTo(String),
    /// Redirects to exactly this URL.
    RedirectExactly(String),
    /// Answers correctly, a byte at a time, ten times a second.
    Slow,
}

impl Fault {
    /// The broken answer; none if the real one is to be given.
    pub(crate) async fn answer(&self, uri: &Uri) -> Option<Response<Body>> {
        let (status, content_type, location, body) = match self {
            Fault::None | Fault::Slow => return None,
            Fault::Hang => std::future::pending().await,
            Fault::Garbage => (200, "text/html", None, "<html>Sign in</html>"),
            Fault::Nonsense => (
                200,
                smart_type(uri),
                None,
                "00zzfoo\u{0}bar 0000 this is no pkt-line",
            ),
            Fault::Status(status) => (*status, "text/plain", None, "out of order"),
            Fault::RedirectTo(base) => {
                let rest = uri.path_and_query().map_or("/", |rest| rest.as_str());
                (
                    302,
                    "text/plain",
                    Some(format!("{}{rest}", base.trim_end_matches('/'))),
                    "",
                )
            }
            Fault::RedirectExactly(target) => (302, "text/plain", Some(target.clone()), ""),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            http::HeaderValue::from_static(content_type),
        );
        if let Some(location) = location.and_then(|location| location.parse().ok()) {
            headers.insert(header::LOCATION, location);
        }
        Some(response)
    }

    /// The real answer, slowed down where that is the fault.
    pub(crate) fn delay(&self, response: Response<Body>) -> Response<Body> {
        if *self != Fault::Slow {
            return response;
        }
        response.map(|body| {
            let bytes = body.into_data_stream().flat_map(|chunk| {
                let chunk = chunk.unwrap_or_default();
                futures::stream::iter((0..chunk.len()).map(move |at| chunk.slice(at..=at)))
            });
            Body::from_stream(bytes.then(|byte: Bytes| async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Ok::<_, std::io::Error>(byte)
            }))
        })
    }
}

fn smart_type(uri: &Uri) -> &'static str {
    if uri.path().ends_with("/info/refs") {
        "application/x-git-upload-pack-advertisement"
    } else {
        "application/x-git-upload-pack-result"
    }
}
