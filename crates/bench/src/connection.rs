//! One connection to the API server that makes bare requests: what the floor is measured with.
//!
//! It must stay as thin as a client can be: no cache, no repetition, no queue.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::{Client, Config};
use serde_json::Value;

use crate::Outcome;

/// How we are called in the audit log.
pub(crate) const AGENT: &str = "bench/0.1";
/// Only the metadata of what was written comes back, as for Shipway's own writes.
const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// HTTP/1.1, by kube's own client.
    One,
    /// HTTP/2, by Shipway's client.
    Two,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::One => "HTTP/1.1",
            Self::Two => "HTTP/2",
        }
    }
}

/// A connection, as the admin or as a ServiceAccount.
#[derive(Clone)]
pub(crate) struct Connection {
    client: Client,
    user: Option<HeaderValue>,
}

impl Connection {
    /// A connection of its own, opened by the first request.
    pub(crate) fn open(config: &Config, protocol: Protocol) -> Outcome<Self> {
        let client = match protocol {
            Protocol::One => Client::try_from(config.clone()),
            Protocol::Two => cluster::client::connect(config),
        };
        let client = client.map_err(|error| format!("no client: {error}"))?;
        Ok(Self { client, user: None })
    }

    /// The same connection, acting as the account `deployer` of a namespace.
    pub(crate) fn as_deployer(&self, namespace: &str) -> Outcome<Self> {
        let name = format!("system:serviceaccount:{namespace}:deployer");
        let user = HeaderValue::try_from(name).map_err(|error| error.to_string())?;
        Ok(Self {
            client: self.client.clone(),
            user: Some(user),
        })
    }

    /// A server-side apply.
    pub(crate) async fn apply(&self, path: &str, manager: &str, object: &Value) -> Outcome {
        let path = format!("{path}?fieldManager={manager}");
        self.send(
            Method::PATCH,
            &path,
            "application/apply-patch+yaml",
            object.to_string(),
        )
        .await
    }

    /// A JSON merge patch by somebody.
    pub(crate) async fn merge(&self, path: &str, manager: &str, change: &Value) -> Outcome {
        let path = format!("{path}?fieldManager={manager}");
        self.send(
            Method::PATCH,
            &path,
            "application/merge-patch+json",
            change.to_string(),
        )
        .await
    }

    /// Creates an object of a collection.
    pub(crate) async fn create(&self, path: &str, object: &Value) -> Outcome {
        self.send(Method::POST, path, "application/json", object.to_string())
            .await
    }

    /// Reads a path; tells how many bytes came.
    pub(crate) async fn get(&self, path: &str) -> Outcome<usize> {
        self.answer(Method::GET, path, "application/json", String::new())
            .await
            .map(|body| body.len())
    }

    async fn send(&self, method: Method, path: &str, content: &str, body: String) -> Outcome {
        self.answer(method, path, content, body).await.map(drop)
    }

    async fn answer(
        &self,
        method: Method,
        path: &str,
        content: &str,
        body: String,
    ) -> Outcome<Bytes> {
        let accepted = if method == Method::GET {
            "application/json"
        } else {
            METADATA
        };
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::ACCEPT, accepted)
            .header(header::USER_AGENT, AGENT)
            .header(header::CONTENT_TYPE, content);
        if let Some(user) = &self.user {
            request = request.header("impersonate-user", user.clone());
        }
        let request = request
            .body(Body::from(body.into_bytes()))
            .map_err(|error| format!("{method} {path}: {error}"))?;
        let response = self.client.send(request).await;
        let response = response.map_err(|error| format!("{method} {path}: {error}"))?;
        let code = response.status();
        let body: Bytes = response
            .into_body()
            .collect()
            .await
            .map_err(|error| format!("{method} {path}: {error}"))?
            .to_bytes();
        if code.is_success() {
            Ok(body)
        } else {
            let body = String::from_utf8_lossy(&body);
            Err(format!("{method} {path}: {code}: {body}"))
        }
    }
}
