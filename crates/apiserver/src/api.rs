//! Answers requests: finds the cluster, the caller and whether they may, and hands on to whom it concerns.

mod creating;
mod deleting;
mod documents;
mod objects;
mod pods;
mod special;
mod watching;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::answer;
use crate::audit::{Head, Log, Seen};
use crate::auth::rbac::Rules;
use crate::auth::token::Issuer;
use crate::auth::{self, Attributes, Credentials, User};
use crate::catalogue::Catalogue;
use crate::cluster::Cluster;
use crate::fields::manager_of;
use crate::request::{Query, Target};
use crate::serve::{Body, Handler};
use crate::status::Status;
use crate::store::{Key, Resource};

/// How long a request may take that is no watch.
const LONGEST: Duration = Duration::from_mins(1);

/// What is answered where a request shows a fault of ours, as upstream says it.
const PANICKED: &str = "This request caused apiserver to panic. Look in the logs for details.";

/// The API of some clusters: each below `/clusters/NAME`, the first one also without that.
#[derive(Debug)]
pub(crate) struct Api {
    clusters: BTreeMap<String, Arc<Cluster>>,
    first: String,
    issuer: Issuer,
    /// Where clients reach it (`127.0.0.1:6443`).
    address: String,
    log: Option<Log>,
    stop: CancellationToken,
}

/// A request, as far as it was read.
struct Call<'a> {
    cluster: &'a Arc<Cluster>,
    user: User,
    query: Query,
    /// What the caller calls itself, as the name of a field manager.
    agent: String,
    accept: Option<String>,
    content_type: Option<String>,
    known_tag: Option<String>,
    /// What stands before all paths of the cluster.
    prefix: String,
    now: jiff::Timestamp,
    seen: &'a Seen,
}

impl Api {
    /// An API of clusters, of which there is at least one.
    pub(crate) fn new(
        clusters: Vec<Arc<Cluster>>,
        issuer: Issuer,
        address: impl Into<String>,
        log: Option<Log>,
        stop: CancellationToken,
    ) -> Self {
        let first = clusters.first().map(|cluster| cluster.name.clone());
        let named = clusters
            .into_iter()
            .map(|cluster| (cluster.name.clone(), cluster));
        Self {
            clusters: named.collect(),
            first: first.unwrap_or_default(),
            issuer,
            address: address.into(),
            log,
            stop,
        }
    }

    /// The cluster of a path, and the rest of the path.
    fn cluster<'p>(&self, path: &'p str) -> Option<(&Arc<Cluster>, &'p str)> {
        let Some(rest) = path.strip_prefix("/clusters/") else {
            return Some((self.clusters.get(&self.first)?, path));
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let (name, rest) = rest.split_at(end);
        Some((
            self.clusters.get(name)?,
            if rest.is_empty() { "/" } else { rest },
        ))
    }

    async fn answer_to(
        self: &Arc<Self>,
        peer: Option<Arc<User>>,
        request: Request<Incoming>,
        seen: &Seen,
    ) -> Result<Response<Body>, Status> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let Some((cluster, path)) = self.cluster(&path) else {
            return Ok(not_served());
        };
        let query = Query::parse(head.uri.query().unwrap_or_default())
            .map_err(|_| Status::bad_request("the query cannot be read"))?;
        // What is no text is not overlooked: it is no token, no media type and no name that is known.
        let header = |name: &str| {
            let value = head.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let now = jiff::Timestamp::now();
        let authorization = header("authorization");
        let lookup = |namespace: &str, name: &str| stored(cluster, namespace, name);
        let shown = Credentials {
            certificate: peer.as_deref(),
            authorization: authorization.as_deref(),
        };
        let user = auth::authenticate(&self.issuer, shown, &lookup, now)
            .map_err(|_| Status::unauthorized())?;
        let user = seen.caller.get_or_init(|| user).clone();
        let target = seen
            .target
            .get_or_init(|| Target::of(&head.method, path, &query));
        let method = head.method.as_str().to_ascii_lowercase();
        let asked = match target {
            Target::Path => Attributes::path(&method, path),
            Target::Resource(target) => Attributes::of_request(target),
        };
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let user = match auth::impersonation_wanted(headers)? {
            Some(wanted) => {
                let acting =
                    cluster.with_rules(|rules: &Rules| auth::impersonate(rules, &user, &wanted))?;
                seen.impersonated.get_or_init(|| acting).clone()
            }
            None => user,
        };
        cluster.with_rules(|rules| rules.authorize(&user, &asked))?;
        let call = Call {
            cluster,
            user,
            query,
            agent: manager_of(&header("user-agent").unwrap_or_default()),
            accept: header("accept"),
            content_type: header("content-type"),
            known_tag: header("if-none-match"),
            prefix: head
                .uri
                .path()
                .strip_suffix(path)
                .unwrap_or_default()
                .to_owned(),
            now,
            seen,
        };
        match target {
            Target::Path => Ok(self.document(&call, &head.method, path)),
            Target::Resource(target) => self.objects(&call, target, body).await,
        }
    }
}

/// A ServiceAccount, as it is stored now.
fn stored(cluster: &Cluster, namespace: &str, name: &str) -> Option<Arc<Value>> {
    let key = Key::new(&Resource::new("", "serviceaccounts"), namespace, name).ok()?;
    Some(Arc::new(cluster.store.get(&key)?.value()))
}

/// That a path leads nowhere. Upstream says so in two ways, as the group is its own or not.
fn unknown_in(group: &str) -> Response<Body> {
    if Catalogue::builtin().group(group).is_some() {
        return answer::failure(&Status::not_served());
    }
    not_served()
}

fn not_served() -> Response<Body> {
    answer::text(StatusCode::NOT_FOUND, "404 page not found\n")
}

impl Handler for Api {
    type Peer = Option<Arc<User>>;

    fn meet(&self, certificate: Option<&CertificateDer<'_>>) -> Self::Peer {
        certificate
            .and_then(|certificate| auth::user_of_certificate(certificate))
            .map(Arc::new)
    }

    async fn answer(
        self: Arc<Self>,
        peer: Self::Peer,
        request: Request<Incoming>,
    ) -> Response<Body> {
        // What was begun is finished, whether or not the caller stays: a write that is stored takes effect,
        // and is logged.
        let finished = tokio::spawn(self.finish(peer, request)).await;
        finished.unwrap_or_else(|error| {
            tracing::error!(error = %error, "a request was not answered");
            answer::failure(&Status::internal(PANICKED))
        })
    }
}

impl Api {
    async fn finish(
        self: Arc<Self>,
        peer: Option<Arc<User>>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let head = self.log.is_some().then(|| {
            let path = request.uri().path();
            Head::of(&request, self.cluster(path).map_or(path, |(_, path)| path))
        });
        let seen = Seen::default();
        let answer = self.answer_to(peer, request, &seen);
        let response = match tokio::time::timeout(LONGEST, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(status)) => answer::failure(&status),
            Err(_) => answer::failure(&Status {
                code: 504,
                reason: "Timeout",
                ..Status::internal("request did not complete within the allotted timeout")
            }),
        };
        if let (Some(log), Some(head)) = (&self.log, &head) {
            let code = response.status().as_u16();
            log.write(head, &seen, code, jiff::Timestamp::now());
        }
        response
    }
}
