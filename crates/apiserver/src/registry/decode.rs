//! Bodies of requests: from bytes to an object, whatever it is written in.

use serde_json::{Value, json};

use super::kind::Kind;
use super::options::FieldValidation;
use super::origin::{self, Origin};
use crate::media::Encoding;
use crate::protobuf;
use crate::schema::strict;
use crate::status::Status;

/// An object that somebody sent.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The object.
    pub object: Value,
    /// What is wrong with it but does not hinder, as warnings say it.
    pub faults: Vec<String>,
    /// Whether fields that its type does not know are gone already.
    pub is_checked: bool,
}

impl From<Value> for Incoming {
    fn from(object: Value) -> Self {
        Self {
            object,
            faults: Vec::new(),
            is_checked: false,
        }
    }
}

/// Reads an object of a kind.
///
/// # Errors
/// 400 that says what cannot be read.
pub fn object(
    encoding: Encoding,
    body: &[u8],
    kind: &Kind,
    validation: FieldValidation,
) -> Result<Incoming, Status> {
    if encoding != Encoding::Json {
        let of = protobuf::Kind::new(&*kind.api_version, &*kind.resource.kind);
        return decode(encoding, body, &of).map(Incoming::from);
    }
    let of = (!kind.is_custom()).then_some(kind.of);
    let read = strict::decode(kind.schema(), of, body);
    // What cannot be read at all names no kind.
    let named: Value = match &read {
        Ok(read) => {
            json!({"apiVersion": read.value["apiVersion"], "kind": read.value["kind"]})
        }
        Err(_) => serde_json::from_slice(body).unwrap_or_default(),
    };
    check_name(kind, &named, body, validation)?;
    let read = read.map_err(|why| Origin::Body.refuse(kind, &named, &why))?;
    Ok(Incoming {
        object: read.value,
        faults: read.faults.iter().map(ToString::to_string).collect(),
        is_checked: of.is_some(),
    })
}

/// Refuses a body whose version or kind is no text, before anything else of it is looked at.
fn check_name(
    kind: &Kind,
    named: &Value,
    body: &[u8],
    validation: FieldValidation,
) -> Result<(), Status> {
    for field in ["apiVersion", "kind"] {
        let value = named.get(field).unwrap_or(&Value::Null);
        if !value.is_string() && !value.is_null() {
            let found = strict::word(value);
            let why = format!(
                "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go struct field .{field} of type string"
            );
            return Err(origin::unrecognized(kind, &why, body));
        }
    }
    if let Some(version) = named["apiVersion"]
        .as_str()
        .filter(|text| text.matches('/').count() > 1)
    {
        let why = format!("unexpected GroupVersion string: {version}");
        return Err(origin::unrecognized(kind, &why, body));
    }
    let text = |field: &str| named[field].as_str().filter(|text| !text.is_empty());
    if !kind.is_custom() {
        let version = text("apiVersion").unwrap_or(&kind.api_version);
        let name = text("kind").unwrap_or(&kind.resource.kind);
        return match origin::unregistered(version, name) {
            Some(why) => Err(Origin::Body.refuse(kind, named, &why)),
            None => Ok(()),
        };
    }
    if named.is_object() && text("kind").is_none() {
        let shown = String::from_utf8_lossy(body);
        let why = format!("Object 'Kind' is missing in '{shown}'");
        // Upstream has two decoders, of which only the one for the careless knows which kind was asked for.
        return Err(match validation {
            FieldValidation::Ignore => Origin::Body.refuse(kind, named, &why),
            FieldValidation::Strict | FieldValidation::Warn => {
                origin::unrecognized(kind, &why, body)
            }
        });
    }
    Ok(())
}

/// Reads a body that is no object of the kind that is asked for. `kind` is what a protobuf body stands
/// for that does not name its kind.
///
/// # Errors
/// 400 that says what cannot be read.
pub fn decode(encoding: Encoding, body: &[u8], kind: &protobuf::Kind) -> Result<Value, Status> {
    match encoding {
        Encoding::Json => {
            serde_json::from_slice(body).map_err(|error| unreadable(&error.to_string()))
        }
        Encoding::Yaml => yaml(body),
        Encoding::Protobuf => {
            protobuf::decode_as(body, kind).map_err(|error| error.status(&kind.kind, body))
        }
    }
}

/// Reads a patch that is no apply.
///
/// # Errors
/// 400 that says what cannot be read.
pub fn patch(body: &[u8]) -> Result<Value, Status> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            // Go's words, which kubectl shows to whoever forgot a brace.
            return Status::bad_request("unexpected end of JSON input");
        }
        unreadable(&error.to_string())
    })
}

/// Reads YAML, of which JSON is a part.
///
/// # Errors
/// 400 that says what cannot be read.
pub fn yaml(body: &[u8]) -> Result<Value, Status> {
    let text = std::str::from_utf8(body).map_err(|error| unreadable(&error.to_string()))?;
    // Most of what is applied is JSON, which is read many times faster.
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    serde_saphyr::from_str(text).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(why: &str) -> Status {
    Status::bad_request(format!("error decoding the request body: {why}"))
}
