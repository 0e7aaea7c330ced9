//! Issues tokens: the subresource `token` of ServiceAccounts.

use jiff::{SignedDuration, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value, json};

use super::super::object;
use super::super::quote::Quoted;
use super::super::user::service_account_username;
use super::{Issuer, Lookup, Reference, claims};
use crate::status::{About, FieldError, Status};
use crate::time::rfc3339;

/// The API group of `TokenRequest`.
const GROUP: &str = "authentication.k8s.io";
/// The shortest time that may be asked for, in seconds.
const MIN_SECONDS: i64 = 10 * 60;
/// The longest time that may be asked for, in seconds.
const MAX_SECONDS: i64 = 1 << 32;
/// The time of tokens for which none is asked for, in seconds.
const DEFAULT_SECONDS: i64 = 60 * 60;
/// The time that the kubelet asks for, in seconds, by which a server knows a pod whose client may not
/// read its token anew.
const EXTENDED_WHEN_SECONDS: i64 = 60 * 60 + 7;
/// The time that such a token gets.
const EXTENDED_SECONDS: i64 = 365 * 24 * 60 * 60;

/// A request for a token.
pub struct TokenRequest<'a> {
    /// The namespace in the path.
    pub namespace: &'a str,
    /// The ServiceAccount in the path.
    pub name: &'a str,
    /// The body.
    pub body: &'a Value,
    /// Finds the account, and what the token is to be bound to.
    pub lookup: Lookup<'a>,
    /// The time.
    pub now: Timestamp,
}

/// A token that was issued.
#[derive(Clone, Debug, PartialEq)]
pub struct Issued {
    /// The `TokenRequest` with its status, as it is answered with 201.
    pub object: Value,
    /// What the token's uses can be told by, for the audit annotation
    /// `authentication.kubernetes.io/issued-credential-id`.
    pub credential_id: String,
}

/// What a token is bound to, as its claims name it.
#[derive(Default)]
struct Binding {
    claims: Map<String, Value>,
    is_pod: bool,
}

impl TokenRequest<'_> {
    /// Issues the token. Draws an id, and for ES256 a nonce, from the system's randomness.
    ///
    /// # Errors
    ///
    /// 404 if the account or the object to bind to is not there, 409 if it is another by its uid, 422 for a
    /// time out of bounds or a name that is not the path's, 400 for objects that nothing is bound to.
    pub fn issue(&self, issuer: &Issuer) -> Result<Issued, Status> {
        let own = |field: &str| object::text(self.body, &["metadata", field]);
        if !own("name").is_empty() && own("name") != self.name {
            let why = "must match the service account name if specified";
            let error = FieldError::invalid("metadata.name", json!(own("name")), why);
            return Err(Status::invalid(about_request(), self.name, &[error]));
        }
        if !own("namespace").is_empty() && own("namespace") != self.namespace {
            let why = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Status::bad_request(why));
        }
        let account = (self.lookup)(Reference::ServiceAccount(self.namespace, self.name))
            .ok_or_else(|| Status::not_found(core("serviceaccounts"), self.name))?;
        let uid = object::text(&account, &["metadata", "uid"]);
        if !own("uid").is_empty() && own("uid") != uid {
            let why = format!(
                "the UID in the token request ({}) does not match the UID of the service account ({uid})",
                own("uid")
            );
            return Err(Status::conflict(about_request(), self.name, &why));
        }
        let seconds = self.seconds()?;
        let mut audiences: Vec<&str> = object::texts(self.body, &["spec", "audiences"]).collect();
        if audiences.is_empty() {
            audiences = issuer.audiences.iter().map(String::as_str).collect();
        }
        let binding = self.binding()?;

        let ours = |audience: &&str| issuer.audiences.iter().any(|own| own == audience);
        let extends =
            binding.is_pod && seconds == EXTENDED_WHEN_SECONDS && audiences.iter().all(ours);
        let now = self.now.as_second();
        let mut bound = binding.claims;
        bound.insert("namespace".to_owned(), json!(self.namespace));
        bound.insert(
            "serviceaccount".to_owned(),
            json!({"name": self.name, "uid": uid}),
        );
        if extends {
            bound.insert("warnafter".to_owned(), json!(now + seconds));
        }
        let id = token_id()?;
        let payload = json!({
            "aud": audiences,
            "exp": now + if extends { EXTENDED_SECONDS } else { seconds },
            "iat": now,
            "iss": issuer.name,
            "jti": id,
            "kubernetes.io": bound,
            "nbf": now,
            "sub": service_account_username(self.namespace, self.name),
        });
        let token = claims::signed(&issuer.key, &payload)
            .map_err(|error| Status::internal(format!("failed to generate token: {error}")))?;
        Ok(Issued {
            object: self.answer(uid, &audiences, seconds, &token)?,
            credential_id: format!("JTI={id}"),
        })
    }

    /// For how long the token is asked for.
    fn seconds(&self) -> Result<i64, Status> {
        let asked = object::at(self.body, &["spec", "expirationSeconds"]);
        let seconds = asked.as_i64().unwrap_or(DEFAULT_SECONDS);
        let why = if seconds < MIN_SECONDS {
            "may not specify a duration less than 10 minutes"
        } else if seconds > MAX_SECONDS {
            "may not specify a duration larger than 2^32 seconds"
        } else {
            return Ok(seconds);
        };
        let error = FieldError::invalid("spec.expirationSeconds", json!(seconds), why);
        Err(Status::invalid(about_request(), "", &[error]))
    }

    /// What the token is to be bound to, as it is now.
    fn binding(&self) -> Result<Binding, Status> {
        let wanted = object::at(self.body, &["spec", "boundObjectRef"]);
        if wanted.is_null() {
            return Ok(Binding::default());
        }
        let field = |field: &str| object::text(wanted, &[field]);
        let (kind, name) = (field("kind"), field("name"));
        let (group, version) = match field("apiVersion").split_once('/') {
            Some((group, version)) => (group, version),
            None => ("", field("apiVersion")),
        };
        let (claim, resource, reference) = match (group, kind) {
            ("", "Pod") => ("pod", "pods", Reference::Pod(self.namespace, name)),
            ("", "Secret") => ("secret", "secrets", Reference::Secret(self.namespace, name)),
            ("", "Node") => ("node", "nodes", Reference::Node(name)),
            _ => {
                let kind = format!("{group}/{version}, Kind={kind}");
                let why = format!("cannot bind token to object of type {kind}");
                return Err(Status::bad_request(why));
            }
        };
        let found =
            (self.lookup)(reference).ok_or_else(|| Status::not_found(core(resource), name))?;
        let is_pod = claim == "pod";
        let mut claims = Map::new();
        if is_pod {
            if object::text(&found, &["spec", "serviceAccountName"]) != self.name {
                return Err(Status::bad_request(format!(
                    "cannot bind token for serviceaccount {} to pod running with different serviceaccount name.",
                    Quoted(self.name)
                )));
            }
            if let Some(node) = self.node_of(&found) {
                claims.insert("node".to_owned(), node);
            }
        }
        let uid = object::text(&found, &["metadata", "uid"]);
        if !field("uid").is_empty() && field("uid") != uid {
            let why = format!(
                "the UID in the bound object reference ({}) does not match the UID in record. \
                 The object might have been deleted and then recreated",
                field("uid")
            );
            let about = About {
                group,
                resource: kind,
                kind,
            };
            return Err(Status::conflict(about, name, &why));
        }
        claims.insert(claim.to_owned(), json!({"name": name, "uid": uid}));
        Ok(Binding { claims, is_pod })
    }

    /// The node that a pod is on, by name alone if there is no such node.
    fn node_of(&self, pod: &Value) -> Option<Value> {
        let name = object::text(pod, &["spec", "nodeName"]);
        if name.is_empty() {
            return None;
        }
        Some(match (self.lookup)(Reference::Node(name)) {
            Some(node) => json!({"name": name, "uid": object::text(&node, &["metadata", "uid"])}),
            None => json!({"name": name}),
        })
    }

    fn answer(
        &self,
        uid: &str,
        audiences: &[&str],
        seconds: i64,
        token: &str,
    ) -> Result<Value, Status> {
        let ends = self
            .now
            .checked_add(SignedDuration::from_secs(seconds))
            .map_err(|error| Status::internal(error.to_string()))?;
        let mut metadata = match &self.body["metadata"] {
            Value::Object(metadata) => metadata.clone(),
            _ => Map::new(),
        };
        for (field, text) in [
            ("name", self.name.to_owned()),
            ("namespace", self.namespace.to_owned()),
            ("uid", uid.to_owned()),
            ("creationTimestamp", rfc3339(self.now)),
        ] {
            metadata.insert(field.to_owned(), Value::String(text));
        }
        Ok(json!({
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": metadata,
            "spec": {
                "audiences": audiences,
                "expirationSeconds": seconds,
                "boundObjectRef": self.body["spec"]["boundObjectRef"],
            },
            "status": {"token": token, "expirationTimestamp": rfc3339(ends)},
        }))
    }
}

/// A time as objects hold it: whole seconds.
fn about_request() -> About<'static> {
    About {
        group: GROUP,
        resource: "TokenRequest",
        kind: "TokenRequest",
    }
}

fn core(resource: &str) -> About<'_> {
    About {
        group: "",
        resource,
        kind: "",
    }
}

/// A random UUID (RFC 9562, version 4).
fn token_id() -> Result<String, Status> {
    use std::fmt::Write;
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Status::internal("failed to generate token: no randomness"))?;
    bytes[6] = 0x40 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let mut id = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        write!(id, "{byte:02x}").map_err(|error| Status::internal(error.to_string()))?;
    }
    Ok(id)
}
