//! The connection to a cluster: one HTTP/2 connection that all requests and watches share.
//!
//! kube's own stack speaks HTTP/1.1 only (a TLS connection per watch), repeats 429, 503 and 504
//! on its own for up to 20 seconds, and logs every URL; this one leaves all of that to the caller.

use std::pin::Pin;
use std::time::Duration;

use http::Uri;
use http::{HeaderValue, Request, header};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ConfigExt as _};
use kube::{Client, Config};
use tower::{BoxError, ServiceBuilder, ServiceExt as _};

/// How often an idle connection is asked whether it is still there. A server that vanished
/// without closing is noticed within twice this time.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long a connection may take to be made, TLS included.
const CONNECTING: Duration = Duration::from_secs(5);

/// Makes a client over one shared HTTP/2 connection. Must be called inside a tokio runtime.
///
/// # Errors
/// When the configuration's certificates or credentials cannot be used.
pub fn connect(config: &Config) -> Result<Client, kube::Error> {
    // Without this each small request waits for the acknowledgement of the one before it: over one
    // connection that is ten times slower (measured).
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config.rustls_client_config()?)
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(tcp);
    // An API server that is just starting accepts connections long before it answers on them.
    let connector = tower::service_fn(move |uri: Uri| {
        let connecting = tokio::time::timeout(CONNECTING, connector.clone().oneshot(uri));
        let connected = async { connecting.await.map_err(BoxError::from)? };
        Box::pin(connected) as Pin<Box<dyn Future<Output = Result<_, BoxError>> + Send>>
    });
    let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .http2_keep_alive_interval(KEEP_ALIVE)
        .http2_keep_alive_timeout(KEEP_ALIVE)
        .http2_keep_alive_while_idle(true)
        .http2_adaptive_window(true)
        .build(connector);
    let service = ServiceBuilder::new()
        .map_request(named)
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace.clone()))
}

/// Says who asks, also for kube's own requests: watches, discovery, events.
fn named(mut request: Request<Body>) -> Request<Body> {
    let name = HeaderValue::from_static(concat!("shipway/", env!("CARGO_PKG_VERSION")));
    request
        .headers_mut()
        .entry(header::USER_AGENT)
        .or_insert(name);
    request
}
