//! Faults of single fields, written as upstream's `field.Error`.

use std::fmt::{self, Write as _};

use serde_json::Value;

use super::Cause;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldError {
    /// The class.
    pub(crate) kind: FieldErrorKind,
    /// The field's path (`spec.ports[0].name`); `<nil>` for the object as a whole.
    pub(crate) field: String,
    /// The value, where the class shows it.
    pub(crate) value: Value,
    /// What else is to be said.
    pub(crate) detail: String,
}

/// The classes of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldErrorKind {
    /// Has to be there.
    Required,
    /// Breaks a rule.
    Invalid,
    /// Is there twice.
    Duplicate,
    /// Names something that is not there.
    NotFound,
    /// May not be there.
    Forbidden,
    /// Is none of the known values.
    NotSupported,
    /// Is of another type.
    TypeInvalid,
    /// Is too long.
    TooLong,
    /// Has too many items.
    TooMany,
}

impl FieldErrorKind {
    /// The class as a cause names it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::Duplicate => "FieldValueDuplicate",
            Self::NotFound => "FieldValueNotFound",
            Self::Forbidden => "FieldValueForbidden",
            Self::NotSupported => "FieldValueNotSupported",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::Duplicate => "Duplicate value",
            Self::NotFound => "Not found",
            Self::Forbidden => "Forbidden",
            Self::NotSupported => "Unsupported value",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
        }
    }

    fn shows_value(self) -> bool {
        !matches!(self, Self::Required | Self::Forbidden | Self::TooLong)
    }
}

impl FieldError {
    /// A field that breaks a rule.
    pub(crate) fn invalid(
        field: impl Into<String>,
        value: Value,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: FieldErrorKind::Invalid,
            field: field.into(),
            value,
            detail: detail.into(),
        }
    }

    /// A field that is missing.
    pub(crate) fn required(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: FieldErrorKind::Required,
            field: field.into(),
            value: Value::Null,
            detail: detail.into(),
        }
    }

    /// A field that may not be there.
    pub(crate) fn forbidden(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: FieldErrorKind::Forbidden,
            field: field.into(),
            value: Value::Null,
            detail: detail.into(),
        }
    }

    /// An item that is there twice.
    pub(crate) fn duplicate(field: impl Into<String>, value: Value) -> Self {
        Self {
            kind: FieldErrorKind::Duplicate,
            field: field.into(),
            value,
            detail: String::new(),
        }
    }

    /// A value that is none of the known ones.
    pub(crate) fn not_supported(field: impl Into<String>, value: Value, known: &[&str]) -> Self {
        let known: Vec<String> = known.iter().map(|value| go_quote(value)).collect();
        Self {
            kind: FieldErrorKind::NotSupported,
            field: field.into(),
            value,
            detail: format!("supported values: {}", known.join(", ")),
        }
    }

    /// A value of another type than the field's.
    pub(crate) fn type_invalid(
        field: impl Into<String>,
        value: Value,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: FieldErrorKind::TypeInvalid,
            ..Self::invalid(field, value, detail)
        }
    }

    /// A text of more than `most` bytes.
    pub(crate) fn too_long(field: impl Into<String>, most: u64) -> Self {
        let unit = if most == 1 { "byte" } else { "bytes" };
        Self {
            kind: FieldErrorKind::TooLong,
            field: field.into(),
            value: Value::Null,
            detail: format!("may not be more than {most} {unit}"),
        }
    }

    /// A list or a map of `count` items where `most` are allowed.
    pub(crate) fn too_many(field: impl Into<String>, count: usize, most: u64) -> Self {
        let unit = if most == 1 { "item" } else { "items" };
        Self {
            kind: FieldErrorKind::TooMany,
            field: field.into(),
            value: Value::from(count),
            detail: format!("must have at most {most} {unit}"),
        }
    }

    /// What is wrong, without the field.
    pub(crate) fn body(&self) -> String {
        let words = self.kind.words();
        let shown = if self.kind.shows_value() {
            format!("{words}: {}", shown(&self.value))
        } else {
            words.to_owned()
        };
        if self.detail.is_empty() {
            shown
        } else {
            format!("{shown}: {}", self.detail)
        }
    }

    pub(super) fn cause(&self) -> Cause {
        Cause {
            reason: self.kind.reason().to_owned(),
            message: self.body(),
            field: self.field.clone(),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// A value as Go writes it into the message: text quoted, the rest as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => go_quote(text),
        Value::Number(number) if !number.is_i64() => go_float(number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

/// A text as Go quotes it with `%q`.
pub(crate) fn go_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        let letter = match c {
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{b}' => 'v',
            '"' | '\\' => c,
            c if is_printable(c) => {
                quoted.push(c);
                continue;
            }
            c => {
                let code = u32::from(c);
                // Writing to a text does not fail.
                let _ = match code {
                    ..0x80 => write!(quoted, "\\x{code:02x}"),
                    0x80..0x1_0000 => write!(quoted, "\\u{code:04x}"),
                    _ => write!(quoted, "\\U{code:08x}"),
                };
                continue;
            }
        };
        quoted.extend(['\\', letter]);
    }
    quoted.push('"');
    quoted
}

/// What Go calls printable: about what Rust would not escape.
fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{7f}' => false,
        c => !c.is_whitespace() && (c.escape_debug().len() == 1 || c.is_alphanumeric()),
    }
}

/// A value as Go writes it with `%v`.
pub(crate) fn go_plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => go_float(number.as_f64().unwrap_or_default()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_plain).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(map) => {
            let entries = map.iter();
            let entries = entries.map(|(key, value)| format!("{key}:{}", go_plain(value)));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
        other => other.to_string(),
    }
}

/// A number as Go writes it with `%v`: without `.0`, from 10^6 on and below 10^-4 with an exponent.
pub(crate) fn go_float(number: f64) -> String {
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => number.to_string(),
    }
}
