//! Listens, speaks TLS and HTTP, and hands each request to a handler together with what is known of the
//! caller.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The body of an answer.
pub(crate) type Body = BoxBody<Bytes, Infallible>;

/// Who answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// What is known of whoever a connection is with.
    type Peer: Clone + Send + Sync + 'static;

    /// Learns who a new connection is with, from the certificate that was shown, if any; an authority
    /// of ours has signed it.
    fn meet(&self, certificate: Option<&CertificateDer<'_>>) -> Self::Peer;

    /// Answers one request.
    fn answer(
        self: Arc<Self>,
        peer: Self::Peer,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// How long a caller may take to shake hands, and to send the head of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long running requests may take once everything is to stop. Watches end at once.
const PARTING: Duration = Duration::from_secs(5);
/// How many requests one connection may carry at a time. Each watch is one, and a client keeps one
/// for each kind.
const STREAMS: u32 = 2_000;

/// Serves until `stop`.
pub(crate) async fn serve<H: Handler>(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    handler: Arc<H>,
    stop: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(tls);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (acceptor, handler) = (acceptor.clone(), handler.clone());
                connections.spawn(connection(stream, acceptor, handler, stop.clone()));
            }
            // Out of descriptors, most likely: some will be free again soon.
            Err(error) => {
                tracing::warn!(error = %error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    connections.close();
    let _ = tokio::time::timeout(PARTING, connections.wait()).await;
}

async fn connection<H: Handler>(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    handler: Arc<H>,
    stop: CancellationToken,
) {
    // Answers are written whole: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await else {
        return; // no TLS, or not in time: nobody is there to be told
    };
    let certificates = stream.get_ref().1.peer_certificates();
    let peer = handler.meet(certificates.and_then(|all| all.first()));
    let service = service_fn(move |request| {
        let (handler, peer) = (handler.clone(), peer.clone());
        async move { Ok::<_, Infallible>(handler.answer(peer, request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS);
    let served = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = %error, "a connection broke off");
    }
}
