//! The listening side: connections, credentials, counters, faults.
//!
//! Must not know the Git protocol beyond the names of its requests.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use base64::Engine;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::{Fault, GitFailed, backend, certificate, work_tree};

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is taken, or the folder cannot be used.
    #[error("the Git server cannot listen or use its folder")]
    Io(#[from] io::Error),
    /// No certificate could be made.
    #[error("the Git server has no certificate")]
    Certificate(#[from] rcgen::Error),
    /// The certificate was refused.
    #[error("the Git server cannot use its certificate")]
    Tls(#[from] rustls::Error),
}

/// Who may come in.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Auth {
    /// Everybody.
    #[default]
    None,
    /// One user.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// Whoever has this token.
    Bearer(String),
}

impl Auth {
    /// The header that opens the door.
    pub(crate) fn header(&self) -> Option<String> {
        match self {
            Auth::None => None,
            Auth::Basic { username, password } => {
                let pair = base64::engine::general_purpose::STANDARD
                    .encode(format!("{username}:{password}"));
                Some(format!("Basic {pair}"))
            }
            Auth::Bearer(token) => Some(format!("Bearer {token}")),
        }
    }
}

/// What kind of server it is to be.
#[derive(Clone)]
pub struct ServerOptions {
    /// The folder of the bare repositories; made if it is not there.
    pub root: PathBuf,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Who may come in.
    pub auth: Auth,
    /// Whether it understands protocol version 2; old servers do not.
    pub protocol_v2: bool,
    /// The port, for a restart; otherwise a free one.
    pub port: Option<u16>,
}

impl ServerOptions {
    /// An open, plain, modern server on a free port.
    pub fn new(root: impl Into<PathBuf>) -> ServerOptions {
        ServerOptions {
            root: root.into(),
            tls: false,
            auth: Auth::None,
            protocol_v2: true,
            port: None,
        }
    }
}

/// What has been asked so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// First pages of a read (`GET info/refs?service=git-upload-pack`).
    pub info_refs: usize,
    /// Lists of references (protocol 2 alone; before, the first page is the list).
    pub ls_refs: usize,
    /// Requests for objects.
    pub fetches: usize,
    /// Packs pushed.
    pub pushes: usize,
    /// Requests of any kind that carried credentials.
    pub with_credentials: usize,
    /// All requests.
    pub all: usize,
}

struct Shared {
    options: ServerOptions,
    expected: Option<String>,
    requests: Mutex<Requests>,
    fault: Mutex<Fault>,
    fault_once: Mutex<Option<Fault>>,
    // HTTP/2 runs requests beside their connection, so that ending connections is not enough.
    stopping: CancellationToken,
}

/// A running server.
pub struct GitServer {
    shared: Arc<Shared>,
    port: u16,
    ca_pem: Option<String>,
    accepting: JoinHandle<()>,
}

impl GitServer {
    /// Starts a server on 127.0.0.1.
    pub async fn start(options: ServerOptions) -> Result<GitServer, ServerError> {
        tokio::fs::create_dir_all(&options.root).await?;
        let identity = if options.tls {
            Some(certificate::identity()?)
        } else {
            None
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port.unwrap_or(0)));
        let listener = TcpListener::bind(address).await?;
        let port = listener.local_addr()?.port();
        let (ca_pem, acceptor) = match identity {
            Some(identity) => (
                Some(identity.ca_pem),
                Some(TlsAcceptor::from(identity.config)),
            ),
            None => (None, None),
        };
        let shared = Arc::new(Shared {
            expected: options.auth.header(),
            options,
            requests: Mutex::default(),
            fault: Mutex::default(),
            fault_once: Mutex::default(),
            stopping: CancellationToken::new(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let accepting = tokio::spawn(accept(listener, acceptor, router));
        tracing::debug!(git.port = port, "a Git server listens on port {port}");
        Ok(GitServer {
            shared,
            port,
            ca_pem,
            accepting,
        })
    }

    /// The URL of a repository (`shop` or `team/shop`).
    pub fn url(&self, repository: &str) -> String {
        let scheme = if self.shared.options.tls {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://localhost:{}/{repository}.git", self.port)
    }

    /// The port, for a restart.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The authority to trust, if the server speaks TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Where a repository lies on disk.
    pub fn path(&self, repository: &str) -> PathBuf {
        self.shared.options.root.join(format!("{repository}.git"))
    }

    /// What has been asked so far.
    pub fn requests(&self) -> Requests {
        *lock(&self.shared.requests)
    }

    /// Breaks the server, or repairs it with [`Fault::None`]; requests that run are not touched.
    pub fn set_fault(&self, fault: Fault) {
        *lock(&self.shared.fault) = fault;
    }

    /// Breaks the server for the next request alone.
    pub fn set_fault_once(&self, fault: Fault) {
        *lock(&self.shared.fault_once) = Some(fault);
    }

    /// Makes an empty repository with the default branch `main`; one that is there stays. Blocks.
    pub fn create_repository(&self, name: &str) -> Result<(), GitFailed> {
        let path = self.path(name);
        if path.join("HEAD").exists() {
            return Ok(());
        }
        let path = path.to_string_lossy();
        work_tree::git(
            Path::new("."),
            &[],
            &["init", "--quiet", "--bare", "--initial-branch=main", &path],
        )?;
        // A push starts no housekeeping that would outlive the server.
        for (key, value) in [("http.receivepack", "true"), ("receive.autogc", "false")] {
            work_tree::git(Path::new("."), &[], &["-C", &path, "config", key, value])?;
        }
        Ok(())
    }

    /// Ends the server with its connections and programs; the port is free afterwards.
    pub async fn stop(mut self) {
        self.shared.stopping.cancel();
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
        self.accepting.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes connections until it is aborted, which aborts them too: they live in its set.
async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((tcp, _)) = accepted else { continue };
                // Small answers in several writes: without this each waits 40 ms for the other side.
                let _ = tcp.set_nodelay(true);
                connections.spawn(connection(tcp, acceptor.clone(), router.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(tcp: TcpStream, acceptor: Option<TlsAcceptor>, router: Router) {
    let Some(acceptor) = acceptor else {
        return http(tcp, router).await;
    };
    if let Ok(Ok(tls)) = tokio::time::timeout(Duration::from_secs(10), acceptor.accept(tcp)).await {
        http(tls, router).await;
    }
}

async fn http(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let builder = auto::Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(router);
    if let Err(error) = builder
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(error = %error, "a connection ended early");
    }
}

/// Answers until the server stops, which drops the answer and the program in it.
async fn answer(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let stopping = shared.stopping.clone();
    let response = tokio::select! {
        response = serve(shared, request) => response,
        () = stopping.cancelled() => return status(StatusCode::SERVICE_UNAVAILABLE),
    };
    response.map(|body| {
        Body::from_stream(
            body.into_data_stream()
                .take_until(stopping.cancelled_owned()),
        )
    })
}

async fn serve(shared: Arc<Shared>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let mut body = body.into_data_stream();
    let first = body.next().await;
    let beginning: &[u8] = match &first {
        Some(Ok(chunk)) => chunk,
        _ => &[],
    };
    shared.count(&parts.method, &parts.uri, &parts.headers, beginning);
    let once = lock(&shared.fault_once).take();
    let fault = once.unwrap_or_else(|| lock(&shared.fault).clone());
    if let Some(broken) = fault.answer(&parts.uri).await {
        return broken;
    }
    if !shared.lets_in(&parts.headers) {
        let mut response = status(StatusCode::UNAUTHORIZED);
        let asks = HeaderValue::from_static("Basic realm=\"gitserver\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, asks);
        return response;
    }
    if parts.uri.path().split('/').any(|part| part == "..") {
        return status(StatusCode::NOT_FOUND);
    }
    let whole = whole(first, body);
    match backend::serve(
        &shared.options.root,
        shared.options.protocol_v2,
        &parts,
        whole,
    )
    .await
    {
        Ok(response) => fault.delay(response),
        Err(error) => {
            tracing::warn!(error = %error, "`git http-backend` failed");
            status(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// Puts the chunk that was looked at back before the others.
fn whole(
    first: Option<Result<Bytes, axum::Error>>,
    rest: axum::body::BodyDataStream,
) -> impl Stream<Item = Result<Bytes, axum::Error>> + Send + Unpin + 'static {
    futures::stream::iter(first).chain(rest)
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

impl Shared {
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = &self.expected else {
            return true;
        };
        headers
            .get(header::AUTHORIZATION)
            .is_some_and(|value| value.as_bytes() == expected.as_bytes())
    }

    fn count(&self, method: &Method, uri: &http::Uri, headers: &HeaderMap, body: &[u8]) {
        let mut requests = lock(&self.requests);
        requests.all += 1;
        if headers.contains_key(header::AUTHORIZATION) {
            requests.with_credentials += 1;
        }
        let path = uri.path();
        let reads = uri
            .query()
            .is_some_and(|query| query.contains("service=git-upload-pack"));
        if *method == Method::GET && path.ends_with("/info/refs") && reads {
            requests.info_refs += 1;
        } else if path.ends_with("/git-upload-pack") {
            let lists = body.windows(15).any(|window| window == b"command=ls-refs");
            *(if lists {
                &mut requests.ls_refs
            } else {
                &mut requests.fetches
            }) += 1;
        } else if path.ends_with("/git-receive-pack") && *method == Method::POST {
            requests.pushes += 1;
        }
    }
}
