//! Where an object that is to be written comes from, which decides in which words it is refused when it is
//! none of its kind.

use serde_json::{Value, json};

use super::kind::Kind;
use crate::protobuf;
use crate::schema::builtin::Builtin;
use crate::schema::strict;
use crate::status::{About, FieldError, Status};

/// How upstream names the place in its own code where kinds are registered.
const SCHEME: &str = "pkg/runtime/scheme.go:111";

/// Where an object comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin<'a> {
    /// Somebody sent it.
    Body,
    /// A patch made it of what was there.
    Patched(&'a Value),
    /// A strategic merge patch did.
    Merged(&'a Value),
}

impl Origin<'_> {
    /// Why an object is none of a kind, or not of a version that is served.
    ///
    /// # Errors
    /// 400 for what was sent, 422 for what a patch made.
    pub(super) fn check(self, kind: &Kind, object: &Value) -> Result<(), Status> {
        if let Self::Merged(_) = self {
            return Ok(()); // its type is that of what was there
        }
        for field in ["apiVersion", "kind"] {
            let value = &object[field];
            if !value.is_string() && !value.is_null() {
                let found = strict::word(value);
                let why = format!(
                    "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go struct field .{field} of type string"
                );
                return Err(self.refuse(kind, object, &why));
            }
        }
        let resource = &kind.resource;
        let text = |field: &str, default: &str| match object[field].as_str() {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => default.to_owned(),
        };
        if kind.is_custom() {
            if object.get("apiVersion") != Some(&Value::Null) {
                return Ok(());
            }
            let why = ".apiVersion accessor error: <nil> is of the type <nil>, expected string";
            return Err(self.refuse(
                kind,
                &json!({"kind": object["kind"], "apiVersion": ""}),
                why,
            ));
        }
        let version = text("apiVersion", &kind.api_version);
        let name = text("kind", &resource.kind);
        if version == kind.api_version && name == *resource.kind {
            return Ok(());
        }
        let why = if let Some(why) = unregistered(&version, &name) {
            why
        } else if name == *resource.kind {
            return Err(other_version(kind, &version));
        } else {
            format!(
                "converting ({name}) to ({}): unknown conversion",
                resource.kind
            )
        };
        Err(self.refuse(kind, object, &why))
    }

    /// Refuses an object that cannot be read.
    pub(super) fn refuse(self, kind: &Kind, object: &Value, why: &str) -> Status {
        match self {
            Self::Body => {
                let named = object["kind"].as_str().unwrap_or(&kind.resource.kind);
                let version = object["apiVersion"].as_str().unwrap_or(&kind.api_version);
                let version = version.rsplit('/').next().unwrap_or_default();
                let wanted = &kind.resource.kind;
                Status::bad_request(format!(
                    "{named} in version {version:?} cannot be handled as a {wanted}: {why}"
                ))
            }
            Self::Patched(object) => unpatched(&object.to_string(), why),
            Self::Merged(patch) => unpatched(&crate::status::go_plain(patch), why),
        }
    }
}

/// 400 for an object of another version.
pub(super) fn other_version(kind: &Kind, version: &str) -> Status {
    Status::bad_request(format!(
        "the API version in the data ({version}) does not match the expected API version ({})",
        kind.api_version
    ))
}

/// Why an object is of no kind that there is.
pub(super) fn unregistered(version: &str, name: &str) -> Option<String> {
    let (group, number) = version.rsplit_once('/').unwrap_or(("", version));
    let is_known = Builtin::load().by_gvk(group, number, name).is_some();
    (!is_known).then(|| no_kind(version, name))
}

/// That nobody knows a kind.
pub(super) fn no_kind(version: &str, name: &str) -> String {
    format!("no kind {name:?} is registered for version {version:?} in scheme {SCHEME:?}")
}

/// 400 for a body whose kind cannot even be read.
pub(super) fn unrecognized(kind: &Kind, why: &str, body: &[u8]) -> Status {
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {}): {why} ({})",
        kind.resource.kind,
        protobuf::summary(body)
    ))
}

/// 422 for what a patch made, which upstream says of no object in particular.
fn unpatched(made: &str, why: &str) -> Status {
    let about = About {
        group: "",
        resource: "",
        kind: "",
    };
    let error = FieldError::invalid("patch", json!(made), why);
    Status::invalid(about, "", &[error])
}
