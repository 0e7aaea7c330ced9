//! Issues tokens: the subresource `token` of ServiceAccounts.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::object;
use super::super::user::service_account_username;
use super::{Issuer, Lookup};
use crate::registry::meta::new_uid;
use crate::status::{About, FieldError, Status};
use crate::time::rfc3339;

/// How long tokens may live, in seconds.
const MIN_SECONDS: i64 = 10 * 60;
const MAX_SECONDS: i64 = 1 << 32;
const DEFAULT_SECONDS: i64 = 60 * 60;

const ABOUT: About<'static> = About {
    group: "authentication.k8s.io",
    resource: "TokenRequest",
    kind: "TokenRequest",
};

/// A request for a token.
pub(crate) struct TokenRequest<'a> {
    /// The account's namespace, from the path.
    pub(crate) namespace: &'a str,
    /// The account's name, from the path.
    pub(crate) name: &'a str,
    /// The body, a `TokenRequest` of `authentication.k8s.io/v1`.
    pub(crate) body: &'a Value,
    /// Finds the account.
    pub(crate) lookup: Lookup<'a>,
    /// The time.
    pub(crate) now: Timestamp,
}

impl TokenRequest<'_> {
    /// Issues the token: the request with its status, as it is answered with 201.
    ///
    /// # Errors
    ///
    /// 404 if the account is not there, 422 for a time out of bounds and for another name, 400 for what this server does not
    /// do: tokens for others, and tokens that are bound to an object.
    pub(crate) fn issue(&self, issuer: &Issuer) -> Result<Value, Status> {
        self.check_place()?;
        let account = (self.lookup)(self.namespace, self.name).ok_or_else(|| {
            let about = About {
                group: "",
                resource: "serviceaccounts",
                kind: "",
            };
            Status::not_found(about, self.name)
        })?;
        let seconds = self.seconds()?;
        let spec = &self.body["spec"];
        if !spec["boundObjectRef"].is_null() {
            let why = "this server binds tokens to no object but their account";
            return Err(Status::bad_request(why));
        }
        if object::texts(spec, &["audiences"]).any(|audience| audience != issuer.name) {
            let why = format!("this server issues tokens for {} alone", issuer.name);
            return Err(Status::bad_request(why));
        }
        let uid = object::text(&account, &["metadata", "uid"]);
        let ends = self
            .now
            .checked_add(SignedDuration::from_secs(seconds))
            .map_err(|error| Status::internal(error.to_string()))?;
        let now = self.now.as_second();
        let token = issuer.key.sign(&json!({
            "aud": [issuer.name],
            "exp": now + seconds,
            "iat": now,
            "iss": issuer.name,
            "jti": new_uid(),
            "kubernetes.io": {
                "namespace": self.namespace,
                "serviceaccount": {"name": self.name, "uid": uid},
            },
            "nbf": now,
            "sub": service_account_username(self.namespace, self.name),
        }));
        let token = token.ok_or_else(|| Status::internal("failed to generate token"))?;
        Ok(json!({
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "uid": uid,
                "creationTimestamp": rfc3339(self.now),
            },
            "spec": {
                "audiences": [issuer.name],
                "expirationSeconds": seconds,
                "boundObjectRef": null,
            },
            "status": {"token": token, "expirationTimestamp": rfc3339(ends)},
        }))
    }

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
        Err(Status::invalid(ABOUT, "", &[error]))
    }

    /// Holds the caller to the account that the path names.
    fn check_place(&self) -> Result<(), Status> {
        let named = |field: &str| object::text(self.body, &["metadata", field]);
        if !["", self.namespace].contains(&named("namespace")) {
            let why = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Status::bad_request(why));
        }
        let name = named("name");
        if ["", self.name].contains(&name) {
            return Ok(());
        }
        let why = "must match the service account name if specified";
        let error = FieldError::invalid("metadata.name", json!(name), why);
        Err(Status::invalid(ABOUT, self.name, &[error]))
    }
}
