//! What a client really sends, of which an API server logs only a part: headers.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::kubeconfig;

/// A door before an API server, in the clear on loopback: whoever comes in by it is whom a kubeconfig
/// names, and what they ask for is noted. It is closed when the value is dropped.
pub struct Recorder {
    /// A kubeconfig that leads here.
    pub kubeconfig: PathBuf,
    noted: Noted,
    accepting: JoinHandle<()>,
    _folder: TempDir,
}

/// The heads of requests, in the order in which they came.
type Noted = Arc<Mutex<Vec<Parts>>>;

impl Recorder {
    /// Opens a door before the cluster that a kubeconfig names.
    pub async fn open(before: &Value) -> Self {
        let config: Kubeconfig =
            serde_json::from_value(before.clone()).expect("it is a kubeconfig");
        let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await;
        let config = config.expect("it can be used");
        let client = cluster::client::connect(&config).expect("it is an address");
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let mut here = before.clone();
        here["clusters"][0]["cluster"] = json!({"server": format!("http://{address}")});
        here["users"][0]["user"] = json!({});
        let (folder, kubeconfig) = kubeconfig::write(&here);
        let noted = Noted::default();
        let accepting = tokio::spawn(accept(listener, client, noted.clone()));
        Self {
            kubeconfig,
            noted,
            accepting,
            _folder: folder,
        }
    }

    /// What was asked for so far.
    pub fn noted(&self) -> Vec<Parts> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Takes connections until it is aborted, which aborts them too: they live in its set.
async fn accept(listener: TcpListener, client: Client, noted: Noted) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((tcp, _)) = accepted else { continue };
                // Small answers in several writes: without this each waits 40 ms for the other side.
                let _ = tcp.set_nodelay(true);
                connections.spawn(connection(tcp, client.clone(), noted.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(tcp: TcpStream, client: Client, noted: Noted) {
    let service = tower::service_fn(move |request: Request<_>| {
        let (client, noted) = (client.clone(), noted.clone());
        async move { Ok::<_, Infallible>(pass_on(request, client, noted).await) }
    });
    // A connection that ends early is the business of who made it.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(tcp), TowerToHyperService::new(service))
        .await;
}

async fn pass_on(request: Request<Incoming>, client: Client, noted: Noted) -> Response<Body> {
    let (mut head, body) = request.into_parts();
    noted
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(head.clone());
    for ours in [header::HOST, header::CONNECTION, header::CONTENT_LENGTH] {
        head.headers.remove(ours);
    }
    let refused = || {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    };
    let Ok(body) = body.collect().await else {
        return refused();
    };
    let body = Body::from(body.to_bytes().to_vec());
    let answered = client.send(Request::from_parts(head, body)).await;
    let Ok(mut answer) = answered else {
        return refused();
    };
    // Of the connection behind, which may be of another version of HTTP.
    answer.headers_mut().remove(header::CONNECTION);
    *answer.version_mut() = http::Version::default();
    answer
}
