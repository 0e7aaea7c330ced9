//! Elements of paths: how a field or an item is told apart from those beside it.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::sync::Arc;

use serde_json::{Number, Value};

use super::{order, wording};

/// What a field or an item is told apart by. Cheap to clone.
///
/// The order is upstream's `PathElement.Compare`: fields, keys, values, indexes.
#[derive(Clone, Debug)]
pub(crate) enum Element {
    /// The name of a field or the key of a map (`f:spec`).
    Field(Arc<str>),
    /// The fields that tell an item of a list apart, sorted by name (`k:{"name":"web"}`).
    Key(Arc<[(Arc<str>, Value)]>),
    /// The value of an item of a set (`v:"x"`).
    Value(Arc<Value>),
    /// The position of an item (`i:0`).
    Index(i64),
}

/// Why a text is no element.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// It is of a kind that is not known: to be passed over.
    Unknown,
    /// It is broken.
    Broken(String),
}

impl Element {
    /// The element of a field's name.
    pub(crate) fn field(name: &str) -> Self {
        Self::Field(name.into())
    }

    /// The element of an item with these fields, in any order.
    pub(crate) fn key(mut fields: Vec<(Arc<str>, Value)>) -> Self {
        fields.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self::Key(fields.into())
    }

    /// Reads what [`Element::write`] writes. Numbers become floats, as upstream reads them.
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        let broken = |error: &dyn fmt::Display| Malformed::Broken(error.to_string());
        let bytes = text.as_bytes();
        if bytes.len() < 2 {
            return Err(broken(&"key must be 2 characters long:"));
        }
        if bytes[1] != b':' {
            return Err(broken(&format_args!("missing colon: {text}")));
        }
        let rest = text.get(2..).unwrap_or_default();
        match bytes[0] {
            b'f' => Ok(Self::field(rest)),
            b'v' => {
                let mut value: Value =
                    serde_json::from_str(rest).map_err(|error| broken(&error))?;
                floats(&mut value);
                Ok(Self::Value(Arc::new(value)))
            }
            b'k' => {
                let fields: serde_json::Map<String, Value> =
                    serde_json::from_str(rest).map_err(|error| broken(&error))?;
                let fields = fields.into_iter().map(|(name, mut value)| {
                    floats(&mut value);
                    (name.into(), value)
                });
                Ok(Self::Key(fields.collect()))
            }
            b'i' => rest
                .parse()
                .map(Self::Index)
                .map_err(|error| broken(&error)),
            _ => Err(Malformed::Unknown),
        }
    }

    /// Appends the text that stands for this element in FieldsV1.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Field(name) => {
                out.push_str("f:");
                out.push_str(name);
            }
            Self::Key(fields) => {
                out.push_str("k:{");
                for (index, (name, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_key(out, name);
                    out.push(':');
                    write_value(out, value);
                }
                out.push('}');
            }
            Self::Value(value) => {
                out.push_str("v:");
                write_value(out, value);
            }
            Self::Index(index) => {
                out.push_str("i:");
                out.push_str(&index.to_string());
            }
        }
    }
}

/// What upstream's reader knows are floats alone; what is above 2^53 is rounded by it, and so here.
fn floats(value: &mut Value) {
    match value {
        Value::Number(number) if !number.is_f64() => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(floats),
        Value::Object(map) => map.values_mut().for_each(floats),
        _ => {}
    }
}

/// Writes JSON as upstream's writer does: Go's numbers, and `<`, `>`, `&` escaped.
pub(super) fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => write_number(out, number),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(out, key);
                out.push(':');
                write_value(out, value);
            }
            out.push('}');
        }
    }
}

fn write_number(out: &mut String, number: &Number) {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        out.push_str(&number.to_string());
        return;
    };
    let size = float.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{float:e}");
        match text.split_once('e') {
            Some((digits, exponent)) => {
                let (sign, exponent) = match exponent.strip_prefix('-') {
                    Some(exponent) => ('-', exponent),
                    None => ('+', exponent),
                };
                out.push_str(digits);
                out.push('e');
                out.push(sign);
                if exponent.len() < 2 {
                    out.push('0');
                }
                out.push_str(exponent);
            }
            None => out.push_str(&text),
        }
    } else {
        out.push_str(&float.to_string());
    }
}

/// Writes a JSON string as Go does, which keeps HTML out of it.
pub(super) fn write_text(out: &mut String, text: &str) {
    write_string(out, text, true);
}

/// Writes the name of a field as upstream does, which escapes no more than it has to.
pub(super) fn write_key(out: &mut String, text: &str) {
    write_string(out, text, false);
}

fn write_string(out: &mut String, text: &str, html: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' => escape(out, c),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => escape(out, c),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn escape(out: &mut String, c: char) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\\u{:04x}", u32::from(c));
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(left), Self::Field(right)) => left.cmp(right),
            (Self::Key(left), Self::Key(right)) => {
                for ((left_name, left), (right_name, right)) in left.iter().zip(right.iter()) {
                    let step = left_name
                        .cmp(right_name)
                        .then_with(|| order::compare(left, right));
                    if step != Ordering::Equal {
                        return step;
                    }
                }
                left.len().cmp(&right.len())
            }
            (Self::Value(left), Self::Value(right)) => order::compare(left, right),
            (Self::Index(left), Self::Index(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl Element {
    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Element {}

/// As messages write it: `.spec`, `[name="web"]`, `[="x"]`, `[0]`.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                f.write_str("[")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{name}=")?;
                    wording::plain(f, value)?;
                }
                f.write_str("]")
            }
            Self::Value(value) => {
                f.write_str("[=")?;
                wording::plain(f, value)?;
                f.write_str("]")
            }
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}
