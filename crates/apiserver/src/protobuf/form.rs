//! Messages whose JSON form is no object: times, quantities, JSON in JSON. Each follows upstream's
//! `Unmarshal` and `MarshalJSON` of the type.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::table::Form;
use super::wire::{Reader, WireType};
use super::{MAX_DEPTH, Undecodable};

/// The JSON form of a value that was never set.
pub(super) fn zero(form: Form) -> Value {
    match form {
        Form::Quantity => Value::String("0".to_owned()),
        Form::IntOrString => Value::Number(0.into()),
        Form::SchemaOrBool => Value::Bool(false),
        _ => Value::Null,
    }
}

/// Takes apart a message whose fields were read like those of any other.
pub(super) fn unwrap(form: Form, mut fields: Map<String, Value>) -> Value {
    let several = match form {
        Form::List => fields.remove("items"),
        Form::SchemaOrArray => fields.remove("jSONSchemas"),
        Form::SchemaOrStrings => fields.remove("property"),
        _ => None,
    };
    let chosen = several.filter(|value| !value.is_null());
    let chosen = chosen.or_else(|| fields.remove("schema").filter(|value| !value.is_null()));
    match (chosen, form) {
        (Some(value), _) => value,
        (None, Form::SchemaOrBool) => fields.remove("allows").unwrap_or(Value::Bool(false)),
        (None, _) => Value::Null,
    }
}

/// Reads a message that has nothing in common with others. `depth` is that of the value.
pub(super) fn read(form: Form, data: &[u8], depth: usize) -> Result<Value, Undecodable> {
    match form {
        Form::Raw => raw(data, depth),
        Form::Time => time(data),
        Form::MicroTime => micro_time(data),
        Form::IntOrString => int_or_string(data),
        _ => quantity(data),
    }
}

/// JSON text in a field of bytes (`RawExtension`, `FieldsV1`, `JSON`).
fn raw(data: &[u8], depth: usize) -> Result<Value, Undecodable> {
    let mut text = None;
    let mut reader = Reader::new(data);
    while let Some((number, wire)) = reader.tag("RawExtension")? {
        match (number, wire) {
            (1, WireType::Bytes) => text = Some(reader.bytes()?),
            (1, _) => return Err(wire.wrong("raw")),
            _ => reader.skip(wire)?,
        }
    }
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(Value::Null);
    };
    let value = serde_json::from_slice(text)
        .map_err(|why| Undecodable::new(format!("a field holds no JSON: {why}")))?;
    if is_deeper(&value, MAX_DEPTH.saturating_sub(depth) + 1) {
        return Err(Undecodable::new("exceeded max depth"));
    }
    Ok(value)
}

/// Whether lists and maps nest deeper than that.
fn is_deeper(value: &Value, limit: usize) -> bool {
    let mut children: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(list) => Box::new(list.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => return false,
    };
    limit == 0 || children.any(|child| is_deeper(child, limit - 1))
}

/// Seconds and nanoseconds since 1970; none for a message without fields, which is the zero time.
fn seconds_and_nanos(data: &[u8]) -> Result<Option<(i64, i32)>, Undecodable> {
    if data.is_empty() {
        return Ok(None);
    }
    let (mut seconds, mut nanos) = (0, 0);
    let mut reader = Reader::new(data);
    while let Some((number, wire)) = reader.tag("Timestamp")? {
        match (number, wire) {
            (1, WireType::Varint) => seconds = reader.varint()?.cast_signed(),
            #[expect(clippy::cast_possible_truncation, reason = "as upstream")]
            (2, WireType::Varint) => nanos = reader.varint()? as i32,
            (1, _) => return Err(wire.wrong("seconds")),
            (2, _) => return Err(wire.wrong("nanos")),
            _ => reader.skip(wire)?,
        }
    }
    Ok(Some((seconds, nanos)))
}

/// The year 1, which Go takes for no time at all.
const ZERO_TIME: i64 = -62_135_596_800;
/// A point in time in UTC, if RFC 3339 can write it.
fn point(seconds: i64, nanos: i32) -> Result<DateTime, Undecodable> {
    let since =
        SignedDuration::from_secs(seconds).checked_add(SignedDuration::from_nanos(nanos.into()));
    let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let point = since.and_then(|since| epoch.checked_add(since).ok());
    let point = point.filter(|point| point.year() >= 0);
    point.ok_or_else(|| Undecodable::new("a time is not between the years 0 and 9999"))
}

fn time(data: &[u8]) -> Result<Value, Undecodable> {
    match seconds_and_nanos(data)? {
        None | Some((ZERO_TIME, _)) => Ok(Value::Null),
        Some((seconds, _)) => Ok(Value::String(format!("{:.0}Z", point(seconds, 0)?))),
    }
}

fn micro_time(data: &[u8]) -> Result<Value, Undecodable> {
    match seconds_and_nanos(data)? {
        None | Some((ZERO_TIME, -999..=999)) => Ok(Value::Null),
        Some((seconds, nanos)) => {
            let point = point(seconds, nanos / 1000 * 1000)?;
            Ok(Value::String(format!("{point:.6}Z")))
        }
    }
}

/// A quantity stays as it is written: whoever checks those of JSON bodies checks these.
fn quantity(data: &[u8]) -> Result<Value, Undecodable> {
    let mut text = None;
    let mut reader = Reader::new(data);
    while let Some((number, wire)) = reader.tag("Quantity")? {
        match (number, wire) {
            (1, WireType::Bytes) => text = Some(reader.text()?),
            (1, _) => return Err(wire.wrong("string_")),
            _ => reader.skip(wire)?,
        }
    }
    Ok(text.map_or_else(|| zero(Form::Quantity), Value::String))
}

fn int_or_string(data: &[u8]) -> Result<Value, Undecodable> {
    let (mut ty, mut number_value, mut text) = (0, 0, String::new());
    let mut reader = Reader::new(data);
    while let Some((number, wire)) = reader.tag("IntOrString")? {
        match (number, wire) {
            (1, WireType::Varint) => ty = reader.varint()?,
            #[expect(clippy::cast_possible_truncation, reason = "as upstream")]
            (2, WireType::Varint) => number_value = reader.varint()? as i32,
            (3, WireType::Bytes) => text = reader.text()?,
            (1, _) => return Err(wire.wrong("type")),
            (2, _) => return Err(wire.wrong("intVal")),
            (3, _) => return Err(wire.wrong("strVal")),
            _ => reader.skip(wire)?,
        }
    }
    match ty {
        0 => Ok(Value::from(number_value)),
        1 => Ok(Value::String(text)),
        _ => Err(Undecodable::new("impossible IntOrString.Type")),
    }
}
