//! The controller's own HTTP server: health, metrics and push events.

pub(crate) mod connection;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use cluster::{Contact, Meter};
use controllers::{Engine, Metrics};
use prometheus_client::registry::Registry;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use connection::Bounds;

/// The largest push event that is read.
const LARGEST_EVENT: usize = 64 * 1024;

/// What the handlers need.
pub(crate) struct Site {
    /// Set as soon as the controllers run.
    pub(crate) engine: OnceCell<Engine>,
    /// Whether the API server answers.
    pub(crate) contact: Arc<Contact>,
    pub(crate) metrics: Arc<Metrics>,
    /// Counts the requests to the API server, from the first one on.
    pub(crate) meter: Arc<Meter>,
    /// The key that push events are signed with; without one they are refused.
    pub(crate) hook_key: Option<Vec<u8>>,
}

/// Serves until `stop`. Tells the address it listens on.
pub(crate) async fn serve(
    address: SocketAddr,
    site: Arc<Site>,
    stop: CancellationToken,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/hooks/git", post(git_pushed))
        .layer(DefaultBodyLimit::max(LARGEST_EVENT))
        .with_state(site);
    tokio::spawn(connection::serve(
        (listener, None),
        router,
        Bounds::default(),
        stop,
    ));
    Ok(bound)
}

async fn readyz(State(site): State<Arc<Site>>) -> impl IntoResponse {
    let is_running = site.engine.initialized();
    match site.contact.loss() {
        Some((lasted, why)) => {
            let seconds = lasted.as_secs();
            let text = format!("out of touch with the API server for {seconds} s: {why}\n");
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
        None if is_running => (StatusCode::OK, "ok\n".to_owned()),
        None => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the controllers are not running (yet): another one may hold the Lease\n".to_owned(),
        ),
    }
}

async fn metrics(State(site): State<Arc<Site>>) -> impl IntoResponse {
    site.metrics.take_calls(&site.meter);
    let mut registry = Registry::default();
    site.metrics.register(&mut registry);
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &registry) {
        Ok(()) => (
            StatusCode::OK,
            [(
                header::CONTENT_TYPE,
                "application/openmetrics-text; version=1.0.0",
            )],
            text,
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What a push event says.
#[derive(Deserialize)]
struct Pushed {
    url: String,
    #[serde(default, rename = "ref")]
    reference: Option<String>,
}

async fn git_pushed(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let Some(key) = &site.hook_key else {
        return (
            StatusCode::NOT_FOUND,
            "push events are not switched on: start the controller with --hook-secret\n".to_owned(),
        );
    };
    let signature = headers
        .get("x-signature")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !is_signed(key, &body, signature) {
        return (
            StatusCode::UNAUTHORIZED,
            "X-Signature is not the HMAC-SHA256 of the body\n".to_owned(),
        );
    }
    let Ok(pushed) = serde_json::from_slice::<Pushed>(&body) else {
        return (
            StatusCode::BAD_REQUEST,
            "the body is not {\"url\": …, \"ref\": …}\n".to_owned(),
        );
    };
    let Some(engine) = site.engine.get() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the controllers are not running (yet)\n".to_owned(),
        );
    };
    let followed = engine.sources.pushed(&pushed.url);
    tracing::debug!(
        source.reference = pushed.reference.as_deref().unwrap_or("-"),
        "a push event concerns {followed} sources"
    );
    (
        StatusCode::ACCEPTED,
        format!("{followed} sources are looked up\n"),
    )
}

/// Compares in constant time. The signature may carry the prefix `sha256=`.
fn is_signed(key: &[u8], body: &[u8], signature: &str) -> bool {
    let hex = signature.strip_prefix("sha256=").unwrap_or(signature);
    let Some(tag) = decode_hex(hex) else {
        return false;
    };
    ring::hmac::verify(
        &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key),
        body,
        &tag,
    )
    .is_ok()
}

/// The signature of a push event: the HMAC-SHA256 of its body, in hexadecimal.
pub(crate) fn signature(key: &[u8], body: &[u8]) -> String {
    let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key), body);
    let digits: Vec<String> = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.concat()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_key_signs_a_push_event() {
        let body = b"{\"url\":\"https://git.example/shop\"}";
        let hex = signature(b"key", body);
        assert!(is_signed(b"key", body, &hex));
        assert!(is_signed(b"key", body, &format!("sha256={hex}")));
        assert!(!is_signed(b"other", body, &hex));
        assert!(!is_signed(b"key", b"{}", &hex));
        assert!(!is_signed(b"key", body, ""));
    }
}
