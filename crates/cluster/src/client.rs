//! The connection to a cluster: one HTTP/2 connection that all requests and watches share.
//!
//! kube's own stack speaks HTTP/1.1 only (a TLS connection per watch), repeats 429, 503 and 504
//! on its own for up to 20 seconds, and logs every URL; this one leaves all of that to the caller.
//! What a kubeconfig says about a connection holds all the same.

mod proxy;
mod verb;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use http::{HeaderMap, HeaderValue, Request, header};
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kube::client::middleware::AuthLayer;
use kube::client::{AuthError, Body, ConfigExt as _, RustlsTlsError};
use kube::{Client, Config};
use tokio::net::TcpStream;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer as _, Service as _, ServiceBuilder, ServiceExt as _};

use crate::caller::Meter;

/// How often an idle connection is asked whether it is still there. A server that vanished
/// without closing is noticed within twice this time.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long a connection may take to be made, TLS included.
const CONNECTING: Duration = Duration::from_secs(5);

/// What makes a connection to an address.
type Dial = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// Makes a client over one shared HTTP/2 connection. Must be called inside a tokio runtime.
///
/// # Errors
/// When the configuration's certificates, credentials or proxy cannot be used.
pub fn connect(config: &Config) -> Result<Client, kube::Error> {
    metered(config, &Arc::default())
}

/// The same, and every request is counted: also those that kube makes by itself for watches, lists and
/// discovery.
///
/// # Errors
/// As for [`connect`].
pub fn metered(config: &Config, meter: &Arc<Meter>) -> Result<Client, kube::Error> {
    // Without this each small request waits for the acknowledgement of the one before it: over one
    // connection that is ten times slower (measured).
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    let mut connector = HttpsConnectorBuilder::new()
        .with_tls_config(config.rustls_client_config()?)
        .https_or_http();
    if let Some(name) = &config.tls_server_name {
        let name = name.clone().try_into();
        let name = name
            .map_err(RustlsTlsError::InvalidServerName)
            .map_err(kube::Error::RustlsTls)?;
        connector = connector.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    let connector = connector.enable_all_versions();
    let connector: Dial = match &config.proxy_url {
        Some(url) => {
            let tunnel = proxy::through(url, tcp).map_err(kube::Error::Service)?;
            BoxCloneSyncService::new(connector.wrap_connector(tunnel))
        }
        None => BoxCloneSyncService::new(connector.wrap_connector(tcp)),
    };
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
    let given = given(config)?;
    let credentials = credentials(config)?;
    let meter = meter.clone();
    let service = ServiceBuilder::new()
        .map_request(move |request: Request<Body>| {
            meter.count(verb::verb(&request));
            request
        })
        .map_request(named)
        .map_request(move |request| with_given(request, &given))
        .layer(config.base_uri_layer())
        .map_err(|error: BoxError| match error.downcast::<AuthError>() {
            Ok(error) => BoxError::from(quiet(*error)),
            Err(error) => error,
        })
        .option_layer(credentials)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace.clone()))
}

/// Puts the credentials of the configuration on every request.
fn credentials(config: &Config) -> Result<Option<AuthLayer>, kube::Error> {
    check_tokens(config)?;
    config.auth_layer().map_err(|error| match error {
        kube::Error::Auth(error) => kube::Error::Auth(quiet(error)),
        error => error,
    })
}

/// Refuses a token that no header can hold: kube would panic over it.
fn check_tokens(config: &Config) -> Result<(), kube::Error> {
    // Written out, since what it is kept in can be opened by kube alone.
    let auth = serde_json::to_value(&config.auth_info).map_err(kube::Error::SerdeError)?;
    let provided = auth["auth-provider"]["config"].as_object();
    let provided = provided.into_iter().flat_map(serde_json::Map::values);
    for token in provided.chain([&auth["token"]]) {
        HeaderValue::from_str(token.as_str().unwrap_or_default())
            .map_err(AuthError::InvalidBearerToken)
            .map_err(kube::Error::Auth)?;
    }
    Ok(())
}

/// An error about credentials without what a plugin was called with or printed: both may hold them.
fn quiet(error: AuthError) -> AuthError {
    let what = match error {
        AuthError::AuthExecRun { out, .. } => {
            format!(
                "the plugin ended with {}, and what it printed is not shown",
                out.status
            )
        }
        AuthError::AuthExecParse(_) | AuthError::MalformedTokenExpirationDate(_) => {
            "what the plugin printed are no credentials, and is not shown".to_owned()
        }
        AuthError::ParseTokenKey(_) => "the plugin printed no token".to_owned(),
        error => return error,
    };
    AuthError::AuthExec(what)
}

/// Says who asks, also for kube's own requests: watches and discovery.
fn named(mut request: Request<Body>) -> Request<Body> {
    let name = HeaderValue::from_static(concat!("shipway/", env!("CARGO_PKG_VERSION")));
    request
        .headers_mut()
        .entry(header::USER_AGENT)
        .or_insert(name);
    request
}

/// The headers that the configuration wants on every request; as whom to act is among them.
fn given(config: &Config) -> Result<HeaderMap, kube::Error> {
    // kube alone knows how each is written, and only tells by writing them.
    let tell = |request: Request<()>| -> Ready<Result<HeaderMap, Infallible>> {
        ready(Ok(request.into_parts().0.headers))
    };
    let mut teller = config.extra_headers_layer()?.layer(tower::service_fn(tell));
    let Ok(headers) = teller.call(Request::new(())).into_inner();
    Ok(headers)
}

/// Adds the headers of the configuration. A request that acts as an account does so in place of
/// whoever the configuration acts as: the API server takes no chain of them, and groups of the one
/// beside the name of the other would make a third.
fn with_given<B>(mut request: Request<B>, given: &HeaderMap) -> Request<B> {
    let acts = request.headers().contains_key("impersonate-user");
    for (name, value) in given {
        if !(acts && name.as_str().starts_with("impersonate-")) {
            request.headers_mut().append(name, value.clone());
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::config::AuthInfo;

    /// Compares the headers of a request that has these, under a configuration that acts as `jane`
    /// of two groups.
    #[track_caller]
    fn check(own: &[(&'static str, &'static str)], seen: &str) {
        let mut config = Config::new(Uri::from_static("https://localhost"));
        config.auth_info = AuthInfo {
            impersonate: Some("jane".to_owned()),
            impersonate_groups: Some(vec!["shop".to_owned(), "desk".to_owned()]),
            ..AuthInfo::default()
        };
        config.headers = vec![(header::VIA, HeaderValue::from_static("here"))];
        let mut request = Request::new(());
        for (name, value) in own {
            request
                .headers_mut()
                .append(*name, HeaderValue::from_static(value));
        }
        let request = with_given(request, &given(&config).expect("usable headers"));
        let headers = request.headers().iter();
        let mut lines: Vec<_> = headers
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap_or_default()))
            .collect();
        lines.sort();
        assert_eq!(lines.join(" "), seen);
    }

    #[test]
    fn a_request_is_made_as_whom_the_configuration_acts_as() {
        check(
            &[],
            "impersonate-group=desk impersonate-group=shop impersonate-user=jane via=here",
        );
    }

    /// What a configuration with these credentials answers.
    fn refusal(auth_info: serde_json::Value) -> String {
        let mut config = Config::new(Uri::from_static("https://localhost"));
        config.auth_info = serde_json::from_value(auth_info).expect("they are credentials");
        credentials(&config)
            .err()
            .expect("it is refused")
            .to_string()
    }

    #[test]
    fn a_token_that_no_header_can_hold_is_refused_and_not_shown() {
        for auth in [
            serde_json::json!({"token": "hunter2\u{7}"}),
            serde_json::json!({"auth-provider": {"name": "oidc", "config": {"id-token": "hunter2\n"}}}),
        ] {
            let refused = refusal(auth);
            assert!(
                refused.contains("invalid bearer token") && !refused.contains("hunter2"),
                "{refused}"
            );
        }
    }

    #[test]
    fn what_a_plugin_of_credentials_prints_is_not_shown() {
        for script in ["echo hunter2; exit 3", "echo '{hunter2'"] {
            let refused = refusal(serde_json::json!({"exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script],
                "interactiveMode": "Never", "provideClusterInfo": false,
            }}));
            assert!(
                refused.contains("not shown") && !refused.contains("hunter2"),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_request_as_an_account_is_made_as_that_alone() {
        check(
            &[("impersonate-user", "system:serviceaccount:shop:web")],
            "impersonate-user=system:serviceaccount:shop:web via=here",
        );
    }
}
