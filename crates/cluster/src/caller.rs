//! One request to the API server as somebody: the only place where requests are made, counted,
//! bounded and slowed down. Watches are kube's; see `watch`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use kube::Client;
use kube::client::Body;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::sleep;

use crate::error::{ApiError, Refusal, causes};
use crate::limiter::Limiter;
use crate::resource::{Resource, encode};
use crate::term::Term;

/// The largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// How long one request may take. The API server itself gives up a write after 34 s.
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// How often a request that was answered 429 is made in all.
const TRIES: u32 = 6;
/// How long a kind is waited for at first whose store is being opened. The server says 1 s, and takes some 50 ms.
const FIRST_OPENING: Duration = Duration::from_millis(50);
/// And how long at most, each time.
const LONGEST_OPENING: Duration = Duration::from_secs(1);

/// Counts requests by verb.
#[derive(Debug, Default)]
pub struct Meter(Mutex<BTreeMap<&'static str, u64>>);

impl Meter {
    pub(crate) fn count(&self, verb: &'static str) {
        *self
            .0
            .lock()
            .expect("nothing panics while holding it")
            .entry(verb)
            .or_default() += 1;
    }

    /// The requests so far, by verb.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0
            .lock()
            .expect("nothing panics while holding it")
            .clone()
    }
}

/// How much of an object the answer should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// The whole object.
    Whole,
    /// Only its metadata (`PartialObjectMetadata`), which is all that most writes need.
    Metadata,
}

impl Want {
    fn accept(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Whole => "application/json",
            Self::Metadata => {
                "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
            }
        })
    }
}

/// What is sent along.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Nothing.
    None,
    /// A JSON object to create or a request to post.
    Json(Bytes),
    /// A server-side apply.
    Apply(Bytes),
    /// A JSON merge patch.
    Merge(Bytes),
    /// A JSON patch.
    JsonPatch(Bytes),
}

/// An answer that is not a refusal.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code: 201 tells that an apply created the object.
    pub code: u16,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`ApiError::Undecodable`] when it is not what is expected.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|e| ApiError::Undecodable(e.to_string()))
    }
}

/// Somebody who makes requests: the controller itself, or a ServiceAccount by impersonation.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    acting_as: Option<HeaderValue>,
    limiter: Arc<Limiter>,
    meter: Arc<Meter>,
    term: Option<Arc<Term>>,
}

impl Caller {
    /// The controller itself.
    pub fn new(client: Client, limiter: Arc<Limiter>, meter: Arc<Meter>) -> Self {
        Self {
            client,
            acting_as: None,
            limiter,
            meter,
            term: None,
        }
    }

    /// The same, but no write leaves unless the term of the Lease surely runs.
    #[must_use]
    pub fn within(self, term: Arc<Term>) -> Self {
        Self {
            term: Some(term),
            ..self
        }
    }

    /// The same connection, acting as a ServiceAccount.
    ///
    /// Only the user is sent: the API server derives a ServiceAccount's groups itself, and with
    /// group headers the controller would have to be allowed to impersonate groups as well.
    pub fn acting_as(&self, namespace: &str, service_account: &str) -> Result<Self, ApiError> {
        let user = HeaderValue::try_from(format!(
            "system:serviceaccount:{namespace}:{service_account}"
        ))
        .map_err(|_| {
            ApiError::Undecodable("the ServiceAccount's name is no header value".to_owned())
        })?;
        Ok(Self {
            acting_as: Some(user),
            ..self.clone()
        })
    }

    /// The kube client underneath, for watches and discovery.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Reads an object.
    ///
    /// # Errors
    /// [`ApiError`], as for every request.
    pub async fn get(&self, resource: &Resource, want: Want) -> Result<Answer, ApiError> {
        self.send("get", Method::GET, resource, "", want, &Payload::None)
            .await
    }

    /// Lists what of a collection a label selector, such as `app=web`, selects.
    ///
    /// # Errors
    /// [`ApiError`], as for every request.
    pub async fn list(
        &self,
        resource: &Resource,
        selector: &str,
        want: Want,
    ) -> Result<Answer, ApiError> {
        let query = &format!("labelSelector={}", encode(selector));
        let accept = match want {
            Want::Whole => "application/json",
            Want::Metadata => {
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
            }
        };
        self.send_accepting("list", Method::GET, resource, query, accept, &Payload::None)
            .await
    }

    /// Creates an object in a collection, or posts a review.
    ///
    /// # Errors
    /// [`ApiError`], as for every request.
    pub async fn create(&self, resource: &Resource, object: &Value) -> Result<Answer, ApiError> {
        let body = Payload::Json(Bytes::from(object.to_string()));
        self.send("create", Method::POST, resource, "", Want::Whole, &body)
            .await
    }

    /// Patches an object. `query` is a raw query string without `?`.
    ///
    /// # Errors
    /// [`ApiError`], as for every request.
    pub async fn patch(
        &self,
        resource: &Resource,
        query: &str,
        want: Want,
        payload: &Payload,
    ) -> Result<Answer, ApiError> {
        let verb = if matches!(payload, Payload::Apply(_)) {
            "apply"
        } else {
            "patch"
        };
        self.send(verb, Method::PATCH, resource, query, want, payload)
            .await
    }

    /// Deletes an object, with `DeleteOptions`.
    ///
    /// # Errors
    /// [`ApiError`], as for every request.
    pub async fn delete(&self, resource: &Resource, options: &Value) -> Result<Answer, ApiError> {
        let body = Payload::Json(Bytes::from(options.to_string()));
        self.send(
            "delete",
            Method::DELETE,
            resource,
            "",
            Want::Metadata,
            &body,
        )
        .await
    }

    async fn send(
        &self,
        verb: &'static str,
        method: Method,
        resource: &Resource,
        query: &str,
        want: Want,
        payload: &Payload,
    ) -> Result<Answer, ApiError> {
        let accept = want.accept();
        let accept = accept.to_str().expect("both values are ASCII");
        self.send_accepting(verb, method, resource, query, accept, payload)
            .await
    }

    async fn send_accepting(
        &self,
        verb: &'static str,
        method: Method,
        resource: &Resource,
        query: &str,
        accept: &str,
        payload: &Payload,
    ) -> Result<Answer, ApiError> {
        let uri = if query.is_empty() {
            resource.path().to_owned()
        } else {
            format!("{}?{query}", resource.path())
        };
        let (mut tries, mut opening) = (0, FIRST_OPENING);
        loop {
            tries += 1;
            let request = self.request(method.clone(), &uri, accept, payload)?;
            // Kept until a pause is asked for, so that nobody slips in before it.
            let permit = self.limiter.enter().await;
            let term = self.term.as_ref().filter(|_| method != Method::GET);
            if term.is_some_and(|term| !term.runs()) {
                return Err(ApiError::OutOfTerm);
            }
            self.meter.count(verb);
            let exchange = tokio::time::timeout(TIME_LIMIT, self.exchange(request));
            let answer = tokio::select! {
                biased;
                answer = exchange => answer.unwrap_or_else(|_| {
                    Err(ApiError::Unreachable("no answer within 60 s".to_owned()))
                }),
                // Broken off, so that the API server does not carry it out later.
                () = out_of(term) => Err(ApiError::OutOfTerm),
            };
            match answer {
                // Nobody else has to wait: this kind has never been read before.
                Err(ApiError::Refused(refusal)) if refusal.is_opening() && tries < TRIES => {
                    drop(permit);
                    sleep(opening).await;
                    opening = (opening * 3).min(LONGEST_OPENING);
                }
                Err(ApiError::Refused(refusal)) if refusal.code == 429 && tries < TRIES => {
                    // Everybody waits, not just this request: the server is overloaded as a whole.
                    self.limiter.pause(Duration::from_secs(
                        refusal.details.retry_after_seconds.max(1),
                    ));
                }
                answer => return answer,
            }
        }
    }

    fn request(
        &self,
        method: Method,
        uri: &str,
        accept: &str,
        payload: &Payload,
    ) -> Result<Request<Body>, ApiError> {
        let (content_type, body) = match payload {
            Payload::None => (None, Bytes::new()),
            Payload::Json(body) => (Some("application/json"), body.clone()),
            Payload::Apply(body) => (Some("application/apply-patch+yaml"), body.clone()),
            Payload::Merge(body) => (Some("application/merge-patch+json"), body.clone()),
            Payload::JsonPatch(body) => (Some("application/json-patch+json"), body.clone()),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::ACCEPT, accept);
        request = request.header(
            header::USER_AGENT,
            concat!("shipway/", env!("CARGO_PKG_VERSION")),
        );
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(user) = &self.acting_as {
            request = request.header("impersonate-user", user.clone());
        }
        request
            .body(Body::from(body.to_vec()))
            .map_err(|e| ApiError::Undecodable(e.to_string()))
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Answer, ApiError> {
        let response = self
            .client
            .send(request)
            .await
            .map_err(|e| ApiError::Unreachable(causes(&e)))?;
        let code = response.status();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let body = Limited::new(response.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|e| ApiError::Unreachable(e.to_string()))?
            .to_bytes();
        if code.is_success() {
            return Ok(Answer {
                code: code.as_u16(),
                body,
            });
        }
        Err(ApiError::Refused(refusal(code, retry_after, &body)))
    }
}

/// Waits for the end of a term; for ever where there is none.
async fn out_of(term: Option<&Arc<Term>>) {
    match term {
        Some(term) => term.ended().await,
        None => std::future::pending().await,
    }
}

/// Reads a `Status`; a proxy's or a dying server's answer may be none.
fn refusal(code: StatusCode, retry_after: Option<u64>, body: &[u8]) -> Refusal {
    let mut refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    refusal.code = code.as_u16();
    if refusal.message.is_empty() {
        refusal.message = format!("the API server answered {code}");
    }
    if let Some(seconds) = retry_after {
        refusal.details.retry_after_seconds = seconds;
    }
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    use futures::future::join_all;
    use http::Response;
    use k8s_openapi::api::core::v1::Namespace;
    use kube::core::ApiResource;
    use tokio::time::Instant;

    /// How long the API server asks for a pause.
    const ASKED: Duration = Duration::from_secs(1);

    /// An API server that refuses its first request with a text, and notes when each one came.
    fn refusing(text: &'static str, came: &Arc<Mutex<Vec<(String, Instant)>>>) -> Client {
        let came = came.clone();
        let answer = move |request: Request<Body>| {
            let mut came = came.lock().expect("nothing panics while holding it");
            let name = request.uri().path().rsplit('/').next().unwrap_or_default();
            came.push((name.to_owned(), Instant::now()));
            let mut answer = Response::builder();
            let mut body = "{}";
            if came.len() == 1 {
                answer = answer.status(429).header("retry-after", ASKED.as_secs());
                body = text;
            }
            let answer = answer.body(Body::from(body.as_bytes().to_vec()));
            std::future::ready(Ok::<_, Infallible>(answer.expect("it is well formed")))
        };
        Client::new(tower::service_fn(answer), "default")
    }

    /// How long after the first request, of `a`, which is refused with a text, the others came, and whose they were.
    async fn pauses(text: &'static str) -> Vec<(String, Duration)> {
        let came = Arc::default();
        let limiter = Arc::new(Limiter::new(1));
        let caller = Caller::new(refusing(text, &came), limiter, Arc::default());
        let api = ApiResource::erase::<Namespace>(&());
        let names = ["a", "b", "c"].map(|name| Resource::object(&api, None, name));
        let answers = names.iter().map(|name| caller.get(name, Want::Whole));
        for answer in join_all(answers).await {
            assert_eq!(answer.expect("it is asked again").code, 200);
        }
        let came = came.lock().expect("nothing panics while holding it");
        let pauses = came[1..]
            .iter()
            .map(|(name, at)| (name.clone(), at.duration_since(came[0].1)));
        assert_eq!(came.len(), 4, "one for each, and one again");
        pauses.collect()
    }

    #[tokio::test]
    async fn everybody_waits_as_long_as_an_overloaded_server_asks() {
        let pauses = pauses("Too many requests, please try again later.").await;
        assert!(
            pauses.iter().all(|(_, pause)| *pause >= ASKED),
            "{pauses:?}"
        );
    }

    #[tokio::test]
    async fn a_kind_that_is_being_opened_is_waited_for_by_who_asks_for_it_alone() {
        let text = r#"{"kind":"Status","code":429,"message":"storage is (re)initializing"}"#;
        let came = pauses(text).await;
        let names: Vec<&str> = came.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "c", "a"], "the others go on meanwhile");
        assert!(came[2].1 >= FIRST_OPENING, "{came:?}");
    }
}
