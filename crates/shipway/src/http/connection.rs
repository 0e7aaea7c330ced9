//! The connections of the HTTP server: how many there are, and how long each may take. Whoever sends
//! a byte now and then, or nothing, gets rid of nobody else.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// What one server takes upon itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// How many connections there are at a time; others wait for their turn.
    pub(crate) connections: usize,
    /// How long the head of a request may take, also the first or the next one.
    pub(crate) head: Duration,
    /// How long the rest of a request and its answer may take.
    pub(crate) request: Duration,
    /// How long a connection is used for.
    pub(crate) connection: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 256,
            head: Duration::from_secs(10),
            request: Duration::from_secs(10),
            connection: Duration::from_mins(1),
        }
    }
}

/// Serves until `stop`, over TLS where there is an acceptor.
pub(crate) async fn serve(
    (listener, tls): (TcpListener, Option<TlsAcceptor>),
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) {
    let in_time = from_fn(move |request, next| in_time(bounds.request, request, next));
    let router = router.layer(in_time);
    let room = Arc::new(Semaphore::new(bounds.connections));
    loop {
        let next = async {
            let room = room.clone().acquire_owned().await;
            let room = room.expect("the semaphore is never closed");
            (room, listener.accept().await)
        };
        let (room, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, stop, tls) = (router.clone(), stop.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => connection(stream, router, bounds, stop).await,
                        Some(tls) => {
                            // Whoever speaks no TLS, or does not trust us, knows so.
                            if let Ok(Ok(stream)) = timeout(bounds.head, tls.accept(stream)).await {
                                connection(stream, router, bounds, stop).await;
                            }
                        }
                    }
                    drop(room);
                });
            }
            // There are too many open files, or whoever came has gone already.
            Err(error) => {
                tracing::warn!(error = %error, "a connection could not be taken");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn in_time(longest: Duration, request: Request, next: Next) -> Response {
    let answer = timeout(longest, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        let why = "the request did not come in time\n";
        (StatusCode::REQUEST_TIMEOUT, why).into_response()
    })
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) {
    let mut server = auto::Builder::new(TokioExecutor::new()).http1_only();
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return, // whatever ended it, there is nobody to tell
        () = stop.cancelled() => {}
        () = sleep(bounds.connection) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(bounds.request, connection).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use axum::routing::{get, post};
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(30);

    /// A server on loopback that ends with the value.
    async fn server(bounds: Bounds) -> (SocketAddr, tokio_util::sync::DropGuard) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let router = Router::new()
            .route("/", get(|| async { "ok\n" }))
            .route("/", post(|body: Bytes| async move { body }));
        let stop = CancellationToken::new();
        tokio::spawn(serve((listener, None), router, bounds, stop.clone()));
        (address, stop.drop_guard())
    }

    /// Sends something and tells what comes until the server ends the connection.
    async fn answer(address: SocketAddr, sent: &str) -> String {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(sent.as_bytes()).await.expect("it reads");
        let mut text = String::new();
        let read = timeout(LONG, stream.read_to_string(&mut text)).await;
        let _ = read.expect("the connection is ended"); // by whichever means
        text
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_ends_the_connection() {
        let bounds = Bounds {
            head: SHORT,
            ..Bounds::default()
        };
        let (address, _stop) = server(bounds).await;
        answer(address, "GET / HTTP/1.1\r\nHost: a\r\nA: ").await;
        answer(address, "").await;
        let kept = answer(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(kept.starts_with("HTTP/1.1 200"), "{kept}");
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_answered_and_ends_the_connection() {
        let bounds = Bounds {
            request: SHORT,
            ..Bounds::default()
        };
        let (address, _stop) = server(bounds).await;
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc";
        let text = answer(address, head).await;
        assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    }

    #[tokio::test]
    async fn a_connection_beyond_the_bound_waits_for_its_turn() {
        let bounds = Bounds {
            connections: 1,
            head: SHORT,
            ..Bounds::default()
        };
        let (address, _stop) = server(bounds).await;
        let mut first = TcpStream::connect(address).await.expect("it listens");
        first.write_all(b"GET / ").await.expect("it reads");
        let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let text = answer(address, request).await;
        assert!(text.ends_with("ok\n"), "{text}");
        let mut rest = Vec::new();
        let read = timeout(LONG, first.read_to_end(&mut rest)).await;
        let _ = read.expect("the first connection is ended"); // by whichever means
    }
}
