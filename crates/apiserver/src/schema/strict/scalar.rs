//! Single values: whether they are of a type, and how Go names both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::schema::{Scalar, Schema, Shape, TypeId};

/// What Go says of a text that is no quantity.
pub(super) const NO_QUANTITY: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/// What became of a value.
pub(super) enum Checked {
    /// It is of the type, perhaps written otherwise.
    Fits(Value),
    /// It is of another type, which Go names so.
    Mistyped(String),
    /// It is of the type but cannot be used; the reading goes on.
    Wrong(String),
    /// The type's own decoder ends the reading.
    Refused(String),
    /// The same, since it wanted another type.
    RefusedAs(String, &'static str),
}

/// Whether a value, which is not null, is of a type.
pub(super) fn check(wanted: Scalar, value: Value) -> Checked {
    let fits = match (wanted, &value) {
        (Scalar::Boolean, Value::Bool(_))
        | (Scalar::String | Scalar::Formatted, Value::String(_))
        | (Scalar::Number, Value::Number(_)) => true,
        (Scalar::Int32, Value::Number(number)) => number
            .as_i64()
            .is_some_and(|number| i32::try_from(number).is_ok()),
        (Scalar::Int64, Value::Number(number)) => number.is_i64(),
        (Scalar::IntOrString, _) => return int_or_string(value),
        (Scalar::Quantity, Value::String(text)) => return quantity(text.trim()),
        (Scalar::Quantity, Value::Number(number)) => return quantity(&number.to_string()),
        (Scalar::Time | Scalar::MicroTime, Value::String(text)) => {
            return time(wanted, text.clone());
        }
        (Scalar::Bytes, Value::String(_)) => return bytes(value),
        _ => false,
    };
    if fits {
        return Checked::Fits(value);
    }
    if let Scalar::Time | Scalar::MicroTime = wanted {
        return Checked::RefusedAs(word(&value).to_owned(), "string");
    }
    Checked::Mistyped(match (wanted, &value) {
        // A number that does not fit is shown.
        (Scalar::Int32 | Scalar::Int64, Value::Number(number)) => format!("number {number}"),
        _ => word(&value).to_owned(),
    })
}

fn int_or_string(value: Value) -> Checked {
    let small = |number: i64| i32::try_from(number).is_ok();
    match &value {
        Value::String(_) => Checked::Fits(value),
        Value::Number(number) if number.as_i64().is_some_and(small) => Checked::Fits(value),
        Value::Number(number) => Checked::RefusedAs(format!("number {number}"), "int32"),
        other => Checked::RefusedAs(word(other).to_owned(), "int32"),
    }
}

/// Text of the shape `[+-]digits[.digits][suffix]`.
fn quantity(text: &str) -> Checked {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (digits, suffix) = digits.split_at(end.unwrap_or(digits.len()));
    let dots = digits.bytes().filter(|byte| *byte == b'.').count();
    let letters = suffix.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let number = letters.strip_prefix(['+', '-']).unwrap_or(letters);
    if dots > 1 || dots == digits.len() || number.bytes().any(|byte| !byte.is_ascii_digit()) {
        return Checked::Refused(NO_QUANTITY.to_owned());
    }
    let exponent = |text: &str| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let known = matches!(
        suffix,
        "" | "n"
            | "u"
            | "m"
            | "k"
            | "M"
            | "G"
            | "T"
            | "P"
            | "E"
            | "Ki"
            | "Mi"
            | "Gi"
            | "Ti"
            | "Pi"
            | "Ei"
    );
    if known || suffix.strip_prefix(['e', 'E']).is_some_and(exponent) {
        Checked::Fits(Value::from(text))
    } else {
        Checked::Refused("unable to parse quantity's suffix".to_owned())
    }
}

/// RFC 3339, as far as its shape goes; microseconds are written with exactly six digits.
fn time(wanted: Scalar, text: String) -> Checked {
    let (layout, micro) = match wanted {
        Scalar::MicroTime => ("2006-01-02T15:04:05.000000Z07:00", true),
        _ => ("2006-01-02T15:04:05Z07:00", false),
    };
    let (rest, missing) = match after_seconds(text.as_bytes(), micro) {
        Ok(()) => return Checked::Fits(Value::String(text)),
        // Go names the part of the layout that it stopped at; of the first one the year stands for all.
        Err(0) => (&*text, "2006"),
        Err(at) => (&text[at..], if micro { ".000000" } else { "Z07:00" }),
    };
    Checked::Refused(format!(
        "parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {missing:?}"
    ))
}

/// Where a text is no point in time: at its begin, or behind its seconds.
fn after_seconds(text: &[u8], micro: bool) -> Result<(), usize> {
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        other => byte == other,
    };
    let (head, mut rest) = text.split_at_checked(shape.len()).ok_or(0_usize)?;
    if !head.iter().zip(shape).all(fits) {
        return Err(0);
    }
    let wrong = Err(shape.len());
    let mut digits = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        digits = fraction
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        rest = &fraction[digits..];
        if digits == 0 {
            return wrong;
        }
    }
    if micro && digits != 6 {
        return wrong;
    }
    match rest {
        b"Z" => Ok(()),
        [b'+' | b'-', zone @ ..] if zone.len() == 5 && zone.iter().zip(b"dd:dd").all(fits) => {
            Ok(())
        }
        _ => wrong,
    }
}

/// Go leaves line breaks out and writes what remains.
fn bytes(value: Value) -> Checked {
    let Value::String(text) = value else {
        return Checked::Fits(value);
    };
    let text = if text.contains(['\n', '\r']) {
        text.replace(['\n', '\r'], "")
    } else {
        text
    };
    match STANDARD.decode(&text) {
        Ok(_) => Checked::Fits(Value::String(text)),
        Err(
            base64::DecodeError::InvalidByte(at, _)
            | base64::DecodeError::InvalidLastSymbol { offset: at, .. },
        ) => Checked::Wrong(format!("illegal base64 data at input byte {at}")),
        // Too short: its last group of four is at fault.
        Err(_) => Checked::Wrong(format!(
            "illegal base64 data at input byte {}",
            text.len() / 4 * 4
        )),
    }
}

/// What Go has in a list or a map for `null`: the zero value of a text or a structure.
pub(super) fn zero(schema: &Schema, of: Option<TypeId>) -> Value {
    match of.map(|of| &schema.get(of).shape) {
        Some(Shape::Struct(_)) => Value::Object(serde_json::Map::new()),
        Some(Shape::Scalar(Scalar::String | Scalar::Formatted)) => Value::from(""),
        _ => Value::Null,
    }
}

/// How Go calls a JSON value.
pub(crate) fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The name that a struct has in Go, without its package (`PodSpec`).
pub(super) fn go_name(schema: &Schema, of: TypeId) -> &str {
    let name = schema.get(of).name.as_deref().unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default()
}

/// How Go writes a type (`[]v1.Container`).
pub(super) fn go_type(schema: &Schema, of: TypeId) -> String {
    let ty = schema.get(of);
    if let Some(name) = &ty.name {
        let mut parts = name.rsplit('.');
        let last = parts.next().unwrap_or_default();
        return match parts.next() {
            Some(package) => format!("{package}.{last}"),
            None => last.to_owned(),
        };
    }
    match &ty.shape {
        Shape::Any | Shape::Struct(_) => "interface {}".to_owned(),
        Shape::List { item, .. } => format!("[]{}", go_type(schema, *item)),
        Shape::Map { value, .. } => format!("map[string]{}", go_type(schema, *value)),
        Shape::Scalar(scalar) => match scalar {
            // The decoder of times reads a text first.
            Scalar::String | Scalar::Formatted | Scalar::Time | Scalar::MicroTime => "string",
            // The decoder of what may be either reads a number first.
            Scalar::Int32 | Scalar::IntOrString => "int32",
            Scalar::Int64 => "int64",
            Scalar::Number => "float64",
            Scalar::Boolean => "bool",
            Scalar::Quantity => "resource.Quantity",
            Scalar::Bytes => "[]uint8",
        }
        .to_owned(),
    }
}
