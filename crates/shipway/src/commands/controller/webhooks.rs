//! The webhooks by which a cluster asks before it stores blueprints, templates and owners.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use choreography::admission;
use clap::Args;
use cluster::caller::{Payload, Want};
use cluster::{Caller, Resource};
use controllers::ytt::{Evaluate, Request};
use k8s_openapi::api::admissionregistration::v1::ValidatingWebhookConfiguration;
use kinds::names;
use kube::core::ApiResource;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::Profile;
use crate::error::CliError;
use crate::http::connection::{self, Bounds};

/// The largest review that is read: an object as etcd takes it, the one before it, and what is around them.
const LARGEST_REVIEW: usize = 4 * 1024 * 1024;

/// Where a cluster asks.
#[derive(Debug, Args)]
pub(crate) struct WebhookArgs {
    /// Serve admission webhooks here, over TLS, and tell the cluster to ask there
    #[arg(id = "webhook_listen", long = "webhook-listen", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Tell the cluster to ask at this URL instead of the address itself
    #[arg(
        id = "webhook_url",
        long = "webhook-url",
        value_name = "URL",
        requires = "webhook_listen"
    )]
    url: Option<String>,
    /// Tell the cluster to ask this Service
    #[arg(
        id = "webhook_service",
        long = "webhook-service",
        value_name = "NAMESPACE/NAME[:PORT]",
        requires = "webhook_listen",
        conflicts_with = "webhook_url"
    )]
    service: Option<String>,
    /// Show the certificate `tls.crt` with its key `tls.key` in this folder, and tell the cluster nothing
    #[arg(
        id = "webhook_cert_dir",
        long = "webhook-cert-dir",
        value_name = "FOLDER",
        requires = "webhook_listen",
        conflicts_with_all = ["webhook_url", "webhook_service"]
    )]
    cert_dir: Option<PathBuf>,
}

/// How the cluster is told to reach the webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reached {
    /// The URL of `/`, without a slash at its end.
    Url(String),
    Service {
        namespace: String,
        name: String,
        port: u16,
    },
}

impl WebhookArgs {
    /// Serves until `stop`, and tells the cluster; nothing where nobody wants webhooks.
    pub(super) async fn serve(
        &self,
        profile: Profile,
        caller: &Caller,
        ytt: Arc<dyn Evaluate>,
        stop: CancellationToken,
    ) -> Result<(), CliError> {
        let Some(address) = self.listen else {
            return Ok(());
        };
        if profile == Profile::Run {
            return Err(CliError::usage(
                "--webhook-listen: on a Run cluster there is nothing to ask about",
            ));
        }
        let listener = TcpListener::bind(address).await.map_err(|error| {
            CliError::failed(format!("could not listen on `{address}`: {error}"))
                .hint("choose another address with --webhook-listen")
        })?;
        let address = listener.local_addr().map_err(CliError::failed)?;
        if let Some(folder) = &self.cert_dir {
            serve(listener, kept_certificate(folder)?, ytt, stop);
            tracing::info!(http.address = %address, "serving admission webhooks on https://{address}");
            return Ok(());
        }
        let reached = self.reached(address)?;
        let (tls, pem) = own_certificate(&reached).map_err(CliError::failed)?;
        serve(listener, tls, ytt, stop);
        tell(caller, &reached, &pem).await?;
        tracing::info!(
            http.address = %address,
            "serving admission webhooks on https://{address}; the cluster asks as `{}` says",
            names::WEBHOOKS
        );
        Ok(())
    }

    fn reached(&self, address: SocketAddr) -> Result<Reached, CliError> {
        if let Some(service) = &self.service {
            return service_of(service).ok_or_else(|| {
                CliError::usage(format!(
                    "--webhook-service `{service}`: it is NAMESPACE/NAME, or NAMESPACE/NAME:PORT"
                ))
            });
        }
        match &self.url {
            None if address.ip().is_unspecified() => Err(CliError::usage(format!(
                "--webhook-listen `{address}`: that is every address"
            ))
            .hint("say with --webhook-url or --webhook-service where the cluster should ask")),
            None => Ok(Reached::Url(format!("https://{address}"))),
            Some(url) => match host(url) {
                Some(_) => Ok(Reached::Url(url.trim_end_matches('/').to_owned())),
                None => Err(CliError::usage(format!(
                    "--webhook-url `{url}`: it is https://HOST or https://HOST:PORT"
                ))),
            },
        }
    }
}

impl Reached {
    /// The names that a certificate needs.
    fn names(&self) -> Vec<String> {
        match self {
            Self::Url(url) => host(url).into_iter().collect(),
            Self::Service {
                namespace, name, ..
            } => vec![format!("{name}.{namespace}.svc")],
        }
    }

    /// The `clientConfig` of a webhook.
    fn config(&self, path: &str, bundle: &str) -> Value {
        match self {
            Self::Url(url) => json!({"url": format!("{url}{path}"), "caBundle": bundle}),
            Self::Service {
                namespace,
                name,
                port,
            } => json!({
                "service": {"namespace": namespace, "name": name, "port": port, "path": path},
                "caBundle": bundle,
            }),
        }
    }
}

/// The host of a URL that says nothing but that and perhaps a port.
fn host(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    let is_plain = uri.scheme_str() == Some("https") && uri.path() == "/" && uri.query().is_none();
    let authority = uri.authority().filter(|_| is_plain)?;
    let host = authority.host();
    let is_whole = !host.is_empty() && !authority.as_str().contains('@');
    is_whole.then(|| host.trim_matches(['[', ']']).to_owned())
}

fn service_of(text: &str) -> Option<Reached> {
    let (namespace, rest) = text.split_once('/')?;
    let (name, port) = match rest.split_once(':') {
        Some((name, port)) => (name, port.parse().ok().filter(|port| *port != 0)?),
        None => (rest, 443),
    };
    let is_name = |part: &str| {
        let is_good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && part.bytes().all(is_good)
    };
    (is_name(namespace) && is_name(name)).then(|| Reached::Service {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        port,
    })
}

/// A certificate that vouches for itself, made anew for each process: the cluster is told to trust it.
fn own_certificate(reached: &Reached) -> Result<(TlsAcceptor, String), Box<dyn std::error::Error>> {
    let mut params = CertificateParams::new(reached.names())?;
    let name = (DnType::CommonName, "shipway webhooks");
    params.distinguished_name.push(name.0, name.1);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let secret = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let tls = acceptor(vec![certificate.der().clone()], secret)?;
    Ok((tls, certificate.pem()))
}

fn kept_certificate(folder: &Path) -> Result<TlsAcceptor, CliError> {
    let unusable = |file: &str, why: &dyn std::fmt::Display| {
        let path = folder.join(file);
        CliError::failed(format!("could not use `{}`: {why}", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(folder.join("tls.crt"))
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| unusable("tls.crt", &why))?;
    let secret = PrivateKeyDer::from_pem_file(folder.join("tls.key"))
        .map_err(|why| unusable("tls.key", &why))?;
    acceptor(chain, secret).map_err(|why| unusable("tls.crt", &why))
}

fn acceptor(
    chain: Vec<CertificateDer<'static>>,
    secret: PrivateKeyDer<'static>,
) -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, secret)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn serve(listener: TcpListener, tls: TlsAcceptor, ytt: Arc<dyn Evaluate>, stop: CancellationToken) {
    let mut router = Router::new();
    for reviewed in &admission::REVIEWED {
        router = router.route(&reviewed.path(), post(review));
    }
    let router = router
        .layer(DefaultBodyLimit::max(LARGEST_REVIEW))
        .with_state(ytt);
    let served = (listener, Some(tls));
    tokio::spawn(connection::serve(served, router, Bounds::default(), stop));
}

async fn review(State(ytt): State<Arc<dyn Evaluate>>, body: Bytes) -> Response {
    match answer(&*ytt, &body).await {
        Some(answer) => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (kind, answer.to_string()).into_response()
        }
        None => (StatusCode::BAD_REQUEST, "this is no AdmissionReview\n").into_response(),
    }
}

/// The answer to a review; none where it is no review.
async fn answer(ytt: &dyn Evaluate, body: &[u8]) -> Option<Value> {
    let review: Value = serde_json::from_slice(body).ok()?;
    if let Some(in_ytt) = admission::in_ytt(&review) {
        let request = Request {
            name: &in_ytt.name,
            template: &in_ytt.template,
            data: &in_ytt.data,
        };
        if let Err(refusal) = ytt.evaluate(request).await
            && refusal.is_certain
        {
            return admission::refusal(&review, &refusal.why);
        }
    }
    admission::answer(&review)
}

async fn tell(caller: &Caller, reached: &Reached, pem: &str) -> Result<(), CliError> {
    let bundle = BASE64_STANDARD.encode(pem);
    let object = admission::configuration(names::WEBHOOKS, |path| reached.config(path, &bundle));
    let api = ApiResource::erase::<ValidatingWebhookConfiguration>(&());
    let place = Resource::object(&api, None, names::WEBHOOKS);
    let query = format!("fieldManager={}&force=true", names::CONTROLLER_MANAGER);
    let payload = Payload::Apply(object.to_string().into());
    let told = caller.patch(&place, &query, Want::Metadata, &payload).await;
    told.map(drop).map_err(|error| {
        CliError::failed(format!("could not tell the cluster about the webhooks: {error}"))
            .hint("is everything of `shipway crds --profile full` installed? Leave out --webhook-listen where the cluster has no webhooks")
    })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn a_url_is_a_host_and_perhaps_a_port() {
        let named = |url: &str| host(url).unwrap_or_default();
        assert_eq!(named("https://example.com"), "example.com");
        assert_eq!(named("https://example.com:9443/"), "example.com");
        assert_eq!(named("https://127.0.0.1:1"), "127.0.0.1");
        assert_eq!(named("https://[::1]:1"), "::1");
        for wrong in [
            "http://a",
            "a:1",
            "https://",
            "https://a/b",
            "https://a/?c",
            "https://b@a",
        ] {
            assert_eq!(host(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_service_has_a_namespace_and_perhaps_a_port() {
        let service = |text: &str| service_of(text).map(|found| found.config("/x", "Yg=="));
        assert_eq!(
            service("tools/shipway"),
            Some(json!({
                "service": {"namespace": "tools", "name": "shipway", "port": 443, "path": "/x"},
                "caBundle": "Yg==",
            }))
        );
        assert!(service("tools/shipway:9443").is_some());
        for wrong in ["shipway", "/shipway", "tools/", "a/b:0", "a/b:x", "a/b/c"] {
            assert_eq!(service(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_certificate_is_made_for_who_is_asked() {
        for reached in [
            Reached::Url("https://127.0.0.1:9443".to_owned()),
            Reached::Url("https://hooks.example.com".to_owned()),
            service_of("tools/shipway").expect("it is a Service"),
        ] {
            let (_, pem) = own_certificate(&reached).expect("a certificate can be made");
            assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
        }
    }

    #[test]
    fn every_address_is_nobodys() {
        let args = WebhookArgs {
            listen: None,
            url: None,
            service: None,
            cert_dir: None,
        };
        let every = SocketAddr::from((IpAddr::from([0, 0, 0, 0]), 9443));
        assert!(args.reached(every).is_err());
        let one = SocketAddr::from(([127, 0, 0, 1], 9443));
        let expected = Reached::Url("https://127.0.0.1:9443".to_owned());
        assert_eq!(args.reached(one).expect("it is an address"), expected);
    }
}
