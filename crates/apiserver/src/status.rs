//! How requests fail: the `Status` objects that clients depend on, word for word as the genuine
//! server writes them.

mod field;

pub(crate) use field::{FieldError, FieldErrorKind};
pub(crate) use field::{go_float, go_plain, go_quote};

use std::collections::HashSet;

use serde_json::{Map, Value, json};

/// Why a request was not served.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Status {
    /// The HTTP status.
    pub(crate) code: u16,
    /// The class, in one word; empty where the genuine server names none.
    pub(crate) reason: &'static str,
    /// For people.
    pub(crate) message: String,
    /// What it is about.
    pub(crate) details: Option<Box<Details>>,
    /// What the caller should know besides.
    pub(crate) warnings: Vec<String>,
}

/// What a failure is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Details {
    /// The object's name.
    pub(crate) name: String,
    /// The API group.
    pub(crate) group: String,
    /// The resource (`deployments`) or, for invalid objects, the kind.
    pub(crate) kind: String,
    /// The object's uid.
    pub(crate) uid: String,
    /// The single faults.
    pub(crate) causes: Vec<Cause>,
    /// After how many seconds to try again; 0 for none.
    pub(crate) retry_after_seconds: u32,
}

/// One fault among several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// The class (`FieldValueInvalid`, `FieldManagerConflict`).
    pub(crate) reason: String,
    /// For people.
    pub(crate) message: String,
    /// The field's path.
    pub(crate) field: String,
}

/// A kind of resource, as far as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct About<'a> {
    /// The API group; empty for the core group.
    pub(crate) group: &'a str,
    /// The resource in the plural (`deployments`).
    pub(crate) resource: &'a str,
    /// The kind (`Deployment`).
    pub(crate) kind: &'a str,
}

impl About<'_> {
    /// The resource with its group, as messages write it (`deployments.apps`).
    pub(crate) fn resource_in_group(&self) -> String {
        in_group(self.resource, self.group)
    }

    fn details(&self, name: &str) -> Details {
        Details {
            name: name.to_owned(),
            group: self.group.to_owned(),
            kind: self.resource.to_owned(),
            ..Details::default()
        }
    }
}

fn in_group(name: &str, group: &str) -> String {
    if group.is_empty() {
        name.to_owned()
    } else {
        format!("{name}.{group}")
    }
}

impl Status {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: None,
            warnings: Vec::new(),
        }
    }

    /// The same, with what the caller should know besides.
    #[must_use]
    pub(crate) fn warned(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    fn about(self, details: Details) -> Self {
        Self {
            details: Some(Box::new(details)),
            ..self
        }
    }

    /// 404: there is no such object.
    pub(crate) fn not_found(about: About<'_>, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", about.resource_in_group());
        Self::new(404, "NotFound", message).about(about.details(name))
    }

    /// 409: there is such an object already.
    pub(crate) fn already_exists(about: About<'_>, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", about.resource_in_group());
        Self::new(409, "AlreadyExists", message).about(about.details(name))
    }

    /// 409: the object is not as the caller believes.
    pub(crate) fn conflict(about: About<'_>, name: &str, why: &str) -> Self {
        let resource = about.resource_in_group();
        let message = format!("Operation cannot be fulfilled on {resource} \"{name}\": {why}");
        Self::new(409, "Conflict", message).about(about.details(name))
    }

    /// 409: the object was changed since the caller read it.
    pub(crate) fn modified(about: About<'_>, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(about, name, why)
    }

    /// 409: other managers own fields that an apply would change.
    pub(crate) fn apply_conflict(message: impl Into<String>, causes: Vec<Cause>) -> Self {
        Self::new(409, "Conflict", message).about(Details {
            causes,
            ..Details::default()
        })
    }

    /// 422: the object breaks rules.
    pub(crate) fn invalid(about: About<'_>, name: &str, errors: &[FieldError]) -> Self {
        let mut seen = HashSet::with_capacity(errors.len());
        let mut texts: Vec<String> = Vec::with_capacity(errors.len());
        for error in errors {
            // What is found twice is said once, and is a cause twice.
            let text = error.to_string();
            if seen.insert(text.clone()) {
                texts.push(text);
            }
        }
        let why = match texts.as_slice() {
            [only] => only.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let kind = in_group(about.kind, about.group);
        let details = Details {
            name: name.to_owned(),
            group: about.group.to_owned(),
            kind: about.kind.to_owned(),
            causes: errors.iter().map(FieldError::cause).collect(),
            ..Details::default()
        };
        Self::new(
            422,
            "Invalid",
            format!("{kind} \"{name}\" is invalid: {why}"),
        )
        .about(details)
    }

    /// 400: the request makes no sense.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 401: nobody knows who asks.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// 403: the caller may not.
    pub(crate) fn forbidden(about: About<'_>, name: &str, why: &str) -> Self {
        let resource = about.resource_in_group();
        let message = if name.is_empty() {
            format!("{resource} is forbidden: {why}")
        } else {
            format!("{resource} \"{name}\" is forbidden: {why}")
        };
        Self::new(403, "Forbidden", message).about(about.details(name))
    }

    /// 404: the resource has nothing of this name below its objects.
    pub(crate) fn not_served() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(404, "NotFound", message).about(Details::default())
    }

    /// 405: the resource does not know this verb.
    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).about(Details::default())
    }

    /// 406: none of the accepted media types can be written.
    pub(crate) fn not_acceptable(message: impl Into<String>) -> Self {
        Self::new(406, "NotAcceptable", message)
    }

    /// 410: that revision is gone.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// 413: the body is larger than anything that is stored.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(413, "RequestEntityTooLarge", message)
    }

    /// 415: the body's media type is not understood.
    pub(crate) fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 415: no kind of patch that built-in kinds take.
    pub(crate) fn unsupported_patch() -> Self {
        let message = "415: Unsupported Media Type";
        Self::new(415, "UnsupportedMediaType", message).about(Details::default())
    }

    /// 500 without a reason, as the genuine server answers where nothing better is known.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "", message)
    }

    /// 504: that revision has not been reached yet.
    pub(crate) fn too_large_resource_version(wanted: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {wanted}, current: {current}");
        Self::new(504, "Timeout", message).about(Details {
            causes: vec![Cause {
                reason: "ResourceVersionTooLarge".to_owned(),
                message: "Too large resource version".to_owned(),
                field: String::new(),
            }],
            retry_after_seconds: 1,
            ..Details::default()
        })
    }

    /// The object that a client reads.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("kind".to_owned(), json!("Status"));
        object.insert("apiVersion".to_owned(), json!("v1"));
        object.insert("metadata".to_owned(), json!({}));
        object.insert("status".to_owned(), json!("Failure"));
        object.insert("message".to_owned(), json!(self.message));
        if !self.reason.is_empty() {
            object.insert("reason".to_owned(), json!(self.reason));
        }
        if let Some(details) = &self.details {
            object.insert("details".to_owned(), details.to_json());
        }
        object.insert("code".to_owned(), json!(self.code));
        Value::Object(object)
    }
}

impl From<Box<Status>> for Status {
    fn from(status: Box<Status>) -> Self {
        *status
    }
}

impl Details {
    fn to_json(&self) -> Value {
        let mut object = Map::new();
        let texts = [
            ("name", &self.name),
            ("group", &self.group),
            ("kind", &self.kind),
            ("uid", &self.uid),
        ];
        for (key, text) in texts {
            if !text.is_empty() {
                object.insert(key.to_owned(), json!(text));
            }
        }
        if !self.causes.is_empty() {
            let causes: Vec<Value> = self.causes.iter().map(Cause::to_json).collect();
            object.insert("causes".to_owned(), Value::Array(causes));
        }
        if self.retry_after_seconds > 0 {
            let seconds = json!(self.retry_after_seconds);
            object.insert("retryAfterSeconds".to_owned(), seconds);
        }
        Value::Object(object)
    }
}

impl Cause {
    fn to_json(&self) -> Value {
        let mut object = Map::new();
        let texts = [
            ("reason", &self.reason),
            ("message", &self.message),
            ("field", &self.field),
        ];
        for (key, text) in texts {
            if !text.is_empty() {
                object.insert(key.to_owned(), json!(text));
            }
        }
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: About<'static> = About {
        group: "apps",
        resource: "deployments",
        kind: "Deployment",
    };

    #[test]
    fn messages_are_those_of_the_genuine_server() {
        let errors = [
            FieldError::invalid(
                "spec.replicas",
                json!(-1),
                "must be greater than or equal to 0",
            ),
            FieldError::required("spec.selector", ""),
        ];
        for (status, message) in [
            (
                Status::not_found(ABOUT, "web"),
                "deployments.apps \"web\" not found",
            ),
            (
                Status::invalid(ABOUT, "web", &errors[1..]),
                "Deployment.apps \"web\" is invalid: spec.selector: Required value",
            ),
            (
                Status::invalid(ABOUT, "web", &errors),
                "Deployment.apps \"web\" is invalid: [spec.replicas: Invalid value: -1: must be greater than or equal to 0, spec.selector: Required value]",
            ),
            (
                Status::forbidden(ABOUT, "", "User \"u\" cannot list resource"),
                "deployments.apps is forbidden: User \"u\" cannot list resource",
            ),
        ] {
            assert_eq!(status.message, message);
        }
    }

    #[test]
    fn an_object_leaves_out_what_is_empty() {
        let status = Status::not_found(ABOUT, "web").to_json();
        let wanted = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "deployments.apps \"web\" not found", "reason": "NotFound",
            "details": {"name": "web", "group": "apps", "kind": "deployments"}, "code": 404,
        });
        assert_eq!(status, wanted);
        assert_eq!(Status::internal("x").to_json().get("reason"), None);
    }
}
