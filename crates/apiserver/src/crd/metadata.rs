//! The metadata of objects, read as Go reads it into its struct: unknown fields and empty values go,
//! and what has the wrong type is an error.
//!
//! Custom resources have no type of their own upstream, so that this is where their metadata gets
//! one (`pkg/apiserver/schema/objectmeta/coerce.go`).

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Brings metadata into form. Paths of unknown fields are added to `unknown`, below `place`.
///
/// # Errors
/// What Go's decoder says about the first field of the wrong type.
pub(super) fn coerce(
    metadata: &mut Value,
    place: &str,
    unknown: &mut Vec<String>,
) -> Result<(), String> {
    if metadata.is_null() {
        *metadata = json!({});
    }
    let found = found(metadata);
    let Some(fields) = metadata.as_object_mut() else {
        return Err(format!(
            "json: cannot unmarshal {found} into Go value of type v1.ObjectMeta"
        ));
    };
    let mut first = None;
    fields.retain(|name, value| {
        let Some(kind) = kind(name) else {
            unknown.push(format!("{place}.{name}"));
            return false;
        };
        let place = Place {
            strukt: "ObjectMeta",
            field: name,
            text: place,
        };
        match field(kind, value, place, unknown) {
            Ok(keep) => keep,
            Err(error) => {
                first.get_or_insert(error);
                false
            }
        }
    });
    first.map_or(Ok(()), Err)
}

#[derive(Clone, Copy)]
enum Kind {
    Text(&'static str),
    Whole,
    MaybeWhole,
    Flag,
    Time,
    Texts,
    TextList,
    Owners,
    Managers,
    Raw,
}

#[derive(Clone, Copy)]
struct Place<'a> {
    strukt: &'static str,
    field: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn mismatch(&self, value: &Value, wanted: &str) -> String {
        let Self { strukt, field, .. } = self;
        let found = match value {
            Value::Number(number) if wanted == "int64" => format!("number {number}"),
            value => found(value).to_owned(),
        };
        format!(
            "json: cannot unmarshal {found} into Go struct field {strukt}.{field} of type {wanted}"
        )
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "name" | "generateName" | "namespace" | "selfLink" | "resourceVersion" => {
            Kind::Text("string")
        }
        "uid" => Kind::Text("types.UID"),
        "generation" => Kind::Whole,
        "deletionGracePeriodSeconds" => Kind::MaybeWhole,
        "creationTimestamp" | "deletionTimestamp" => Kind::Time,
        "labels" | "annotations" => Kind::Texts,
        "finalizers" => Kind::TextList,
        "ownerReferences" => Kind::Owners,
        "managedFields" => Kind::Managers,
        _ => return None,
    })
}

/// Whether the field stays: empty ones do not.
fn field(
    kind: Kind,
    value: &mut Value,
    place: Place<'_>,
    unknown: &mut Vec<String>,
) -> Result<bool, String> {
    if value.is_null() {
        return Ok(false);
    }
    match kind {
        Kind::Text(wanted) => match value.as_str() {
            Some(text) => Ok(!text.is_empty()),
            None => Err(place.mismatch(value, wanted)),
        },
        Kind::Whole => whole(value, place).map(|number| number != 0),
        Kind::MaybeWhole => whole(value, place).map(|_| true),
        Kind::Flag if value.is_boolean() => Ok(true),
        Kind::Flag => Err(place.mismatch(value, "bool")),
        Kind::Time => time(value, place).map(|()| true),
        Kind::Texts => match value {
            Value::Object(map) => texts(map.values_mut(), place).map(|()| !map.is_empty()),
            value => Err(place.mismatch(value, "map[string]string")),
        },
        Kind::TextList => match value {
            Value::Array(items) => texts(items.iter_mut(), place).map(|()| !items.is_empty()),
            value => Err(place.mismatch(value, "[]string")),
        },
        Kind::Owners => list(value, place, unknown, &OWNER).map(|count| count > 0),
        Kind::Managers => list(value, place, unknown, &MANAGER).map(|count| count > 0),
        Kind::Raw => Ok(true),
    }
}

fn texts<'a>(values: impl Iterator<Item = &'a mut Value>, place: Place<'_>) -> Result<(), String> {
    for value in values {
        match value {
            Value::String(_) => {}
            // Go leaves the text empty.
            Value::Null => *value = json!(""),
            value => return Err(place.mismatch(value, "string")),
        }
    }
    Ok(())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "only numbers without a fraction"
)]
fn whole(value: &mut Value, place: Place<'_>) -> Result<i64, String> {
    if let Some(number) = value.as_i64() {
        return Ok(number);
    }
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            *value = json!(number as i64);
            Ok(number as i64)
        }
        _ => Err(place.mismatch(value, "int64")),
    }
}

/// Times are kept to the second, in UTC.
fn time(value: &mut Value, place: Place<'_>) -> Result<(), String> {
    let Some(text) = value.as_str() else {
        return Err(place.mismatch(value, "string"));
    };
    let time = parse_time(text).map_err(|(rest, wanted)| {
        format!(
            "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {rest:?} as {wanted:?}"
        )
    })?;
    let written = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    if written != text {
        *value = json!(written);
    }
    Ok(())
}

/// Reads a time of RFC 3339; on failure what was left to read, and what should have stood there.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, (&str, &'static str)> {
    let mut rest = text;
    for wanted in [
        "2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05",
    ] {
        let digits = wanted.starts_with(|c: char| c.is_ascii_digit());
        let fits = rest.get(..wanted.len()).is_some_and(|found| {
            if digits {
                found.bytes().all(|byte| byte.is_ascii_digit())
            } else {
                found == wanted
            }
        });
        if !fits {
            return Err((rest, wanted));
        }
        rest = &rest[wanted.len()..];
    }
    let zone = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = zone.len() == 6 && zone.starts_with(['+', '-']) && zone.as_bytes()[3] == b':';
    if zone != "Z" && !offset {
        return Err((rest, "Z07:00"));
    }
    text.parse().map_err(|_| (rest, "Z07:00"))
}

struct Entry {
    name: &'static str,
    wanted: &'static str,
    fields: &'static [(&'static str, Kind)],
    /// What is written even when it is empty.
    always: &'static [&'static str],
}

static OWNER: Entry = Entry {
    name: "OwnerReference",
    wanted: "[]v1.OwnerReference",
    fields: &[
        ("apiVersion", Kind::Text("string")),
        ("kind", Kind::Text("string")),
        ("name", Kind::Text("string")),
        ("uid", Kind::Text("types.UID")),
        ("controller", Kind::Flag),
        ("blockOwnerDeletion", Kind::Flag),
    ],
    always: &["apiVersion", "kind", "name", "uid"],
};

static MANAGER: Entry = Entry {
    name: "ManagedFieldsEntry",
    wanted: "[]v1.ManagedFieldsEntry",
    fields: &[
        ("manager", Kind::Text("string")),
        ("operation", Kind::Text("v1.ManagedFieldsOperationType")),
        ("apiVersion", Kind::Text("string")),
        ("time", Kind::Time),
        ("fieldsType", Kind::Text("string")),
        ("fieldsV1", Kind::Raw),
        ("subresource", Kind::Text("string")),
    ],
    always: &[],
};

fn list(
    value: &mut Value,
    place: Place<'_>,
    unknown: &mut Vec<String>,
    entry: &Entry,
) -> Result<usize, String> {
    let Value::Array(items) = value else {
        return Err(place.mismatch(value, entry.wanted));
    };
    for (index, item) in items.iter_mut().enumerate() {
        if item.is_null() {
            *item = json!({});
        }
        let Value::Object(map) = item else {
            let wanted = entry.wanted.trim_start_matches("[]");
            return Err(place.mismatch(item, wanted));
        };
        entry_fields(map, index, place, unknown, entry)?;
    }
    Ok(items.len())
}

fn entry_fields(
    map: &mut Map<String, Value>,
    index: usize,
    place: Place<'_>,
    unknown: &mut Vec<String>,
    entry: &Entry,
) -> Result<(), String> {
    let mut first = None;
    map.retain(|name, value| {
        let Some((_, kind)) = entry.fields.iter().find(|(known, _)| known == name) else {
            let Place { text, field, .. } = place;
            unknown.push(format!("{text}.{field}[{index}].{name}"));
            return false;
        };
        let path;
        let mut here = place;
        if !fits_at_once(*kind, value) {
            path = format!("{}.{name}", place.field);
            here = Place {
                strukt: entry.name,
                field: &path,
                ..place
            };
        }
        field(*kind, value, here, unknown).unwrap_or_else(|error| {
            first.get_or_insert(error);
            false
        })
    });
    for name in entry.always {
        if !map.contains_key(*name) {
            map.insert((*name).to_owned(), json!(""));
        }
    }
    first.map_or(Ok(()), Err)
}

/// Whether no error can come of a value, so that its path need not be written.
fn fits_at_once(kind: Kind, value: &Value) -> bool {
    matches!(
        (kind, value),
        (Kind::Text(_), Value::String(_)) | (Kind::Flag, Value::Bool(_)) | (Kind::Raw, _)
    )
}
