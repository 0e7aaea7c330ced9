//! Reads bodies of `application/vnd.kubernetes.protobuf` into the JSON objects that the same client
//! would have sent as JSON.
//!
//! Go clients send protobuf for the built-in kinds and do not fall back to JSON. Replies may be JSON,
//! so nothing is written here. The messages are data (`data/protobuf.txt`, written by the generator);
//! the rules are those of upstream: gogo's generated `Unmarshal`, then `json.Marshal` of the struct.

mod form;
mod message;
mod table;
mod wire;

use std::fmt;

use serde_json::{Map, Value};

use crate::status::Status;
use message::Decoder;
use table::Table;
use wire::{Reader, WireType};

/// What every body begins with.
pub(crate) const MAGIC: [u8; 4] = *b"k8s\0";

/// How deep the JSON form may be: what a JSON body may be, too.
const MAX_DEPTH: usize = 127;

/// What kind of object a body holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The apiVersion (`apps/v1`); may be empty.
    pub(crate) api_version: String,
    /// The kind (`Deployment`); may be empty.
    pub(crate) kind: String,
}

impl Kind {
    /// A kind of object.
    pub(crate) fn new(api_version: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            api_version: api_version.into(),
            kind: kind.into(),
        }
    }

    fn version(&self) -> &str {
        self.api_version
            .rsplit_once('/')
            .map_or(self.api_version.as_str(), |(_, version)| version)
    }
}

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Undecodable {
    /// What is wrong, in upstream's words as far as clients see them.
    pub(crate) why: String,
    /// What the body says that it is; empty where it was not read so far.
    pub(crate) of: Kind,
    /// Whether it is only too much.
    pub(crate) too_large: bool,
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Undecodable {}

impl Undecodable {
    fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            of: Kind::default(),
            too_large: false,
        }
    }

    fn too_large() -> Self {
        Self {
            too_large: true,
            ..Self::new("the object has too many fields")
        }
    }

    fn of(self, of: Kind) -> Self {
        Self { of, ..self }
    }

    /// The answer to the client: 400 as upstream's `transformDecodeError` writes it, or 413.
    ///
    /// `wanted` is the kind that the resource stores, `body` the whole body.
    pub(crate) fn status(&self, wanted: &str, body: &[u8]) -> Status {
        let Self { why, of, too_large } = self;
        if *too_large {
            return Status::too_large(format!("Request entity too large: {why}"));
        }
        Status::bad_request(if of.kind.is_empty() {
            let summary = summary(body);
            format!(
                "the object provided is unrecognized (must be of type {wanted}): {why} ({summary})"
            )
        } else {
            let (kind, version) = (&of.kind, of.version());
            format!("{kind} in version \"{version}\" cannot be handled as a {wanted}: {why}")
        })
    }
}

/// The beginning of a body as messages show it (`summarizeData`): JSON as it is, the rest in
/// hexadecimal.
pub(crate) fn summary(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    if body.is_empty() {
        return "<empty>".to_owned();
    }
    let beginning = &body[..body.len().min(SHOWN)];
    let mut text = if body[0] == b'{' {
        String::from_utf8_lossy(beginning).into_owned()
    } else {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('?');
        let digits = beginning.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.map(digit).collect()
    };
    if body.len() > SHOWN {
        text.push_str(" ...");
    }
    text
}

/// Reads a body. What it does not say about its kind is taken from `default`, the kind that the
/// request is about.
///
/// # Errors
/// When it is not an object of a known kind, or more than what is read here: deeper than JSON may
/// be, or so many fields that they would take far more memory than the body.
pub(crate) fn decode_as(body: &[u8], default: &Kind) -> Result<Value, Undecodable> {
    if body.is_empty() {
        return Err(Undecodable::new("empty data"));
    }
    let Some(data) = body.strip_prefix(&MAGIC) else {
        let why = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
        return Err(Undecodable::new(why));
    };
    if data.is_empty() {
        return Err(Undecodable::new("empty body"));
    }
    let Envelope { mut of, raw } = envelope(data)?;
    let said = format!(
        "runtime.TypeMeta{{APIVersion:{:?}, Kind:{:?}}}",
        of.api_version, of.kind
    );
    if of.kind.is_empty() {
        of.kind.clone_from(&default.kind);
    }
    if of.api_version.is_empty() {
        of.api_version.clone_from(&default.api_version);
    }
    if of.kind.is_empty() {
        let why = format!("Object 'Kind' is missing in '{said}'");
        return Err(Undecodable::new(why).of(of));
    }
    if of.api_version.is_empty() {
        let why = format!("Object 'apiVersion' is missing in '{said}'");
        return Err(Undecodable::new(why).of(of));
    }
    let table = Table::get();
    let Some(message) = table.kind(&of.api_version, &of.kind) else {
        let Kind { api_version, kind } = &of;
        let why = format!(
            "no kind \"{kind}\" is registered for version \"{api_version}\" in scheme \"pkg/runtime/scheme.go:111\""
        );
        return Err(Undecodable::new(why).of(of));
    };
    let mut object = Map::new();
    if let Err(why) = Decoder::new(table).read(message, raw, &mut object, 1) {
        return Err(why.of(of));
    }
    object.insert("apiVersion".to_owned(), Value::String(of.api_version));
    object.insert("kind".to_owned(), Value::String(of.kind));
    Ok(Value::Object(object))
}

/// What is around each object (`runtime.Unknown`). Its content type and encoding are not looked at,
/// as upstream does not.
#[derive(Default)]
struct Envelope<'a> {
    of: Kind,
    raw: &'a [u8],
}

fn envelope(data: &[u8]) -> Result<Envelope<'_>, Undecodable> {
    let mut envelope = Envelope::default();
    let mut reader = Reader::new(data);
    while let Some((number, wire)) = reader.tag("Unknown")? {
        match (number, wire) {
            (1, WireType::Bytes) => {
                let mut inner = Reader::new(reader.bytes()?);
                while let Some((number, wire)) = inner.tag("TypeMeta")? {
                    match (number, wire) {
                        (1, WireType::Bytes) => envelope.of.api_version = inner.text()?,
                        (2, WireType::Bytes) => envelope.of.kind = inner.text()?,
                        (1, _) => return Err(wire.wrong("apiVersion")),
                        (2, _) => return Err(wire.wrong("kind")),
                        _ => inner.skip(wire)?,
                    }
                }
            }
            (2, WireType::Bytes) => envelope.raw = reader.bytes()?,
            (1, _) => return Err(wire.wrong("typeMeta")),
            (2, _) => return Err(wire.wrong("raw")),
            _ => reader.skip(wire)?,
        }
    }
    Ok(envelope)
}

#[cfg(test)]
mod tests;
