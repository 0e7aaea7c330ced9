//! A value without behaviour: what YAML, JSON and Kubernetes know.

use serde_json::{Map, Number, Value};

use crate::number;

/// A value of YAML. Maps keep their order, and their keys may be any scalar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plain {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer between the smallest `i64` and the largest `u64`.
    Int(i128),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Plain>),
    /// A map.
    Map(Vec<(Plain, Plain)>),
    /// Several documents.
    Documents(Vec<Plain>),
}

impl Plain {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "map",
            Self::Documents(_) => "document set",
        }
    }

    /// Whether ytt drops a document with this root.
    pub(crate) fn is_empty_document(&self) -> bool {
        match self {
            Self::Null => true,
            Self::List(items) => items.is_empty(),
            Self::Map(items) => items.is_empty(),
            _ => false,
        }
    }

    /// The JSON that Kubernetes makes of the printed YAML.
    ///
    /// # Errors
    ///
    /// A key is no scalar or null, a number is not finite.
    pub(crate) fn into_json(self) -> Result<Value, String> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => int(value),
            Self::Float(value) => float(value)?,
            Self::Text(text) => Value::String(text),
            Self::List(items) => Value::Array(
                items
                    .into_iter()
                    .map(Self::into_json)
                    .collect::<Result<_, _>>()?,
            ),
            Self::Map(items) => {
                let mut map = Map::new();
                for (key, value) in items {
                    map.insert(key.into_key()?, value.into_json()?);
                }
                Value::Object(map)
            }
            Self::Documents(_) => return Err("a value is a document set".to_owned()),
        })
    }

    fn into_key(self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Bool(value) => Ok(value.to_string()),
            Self::Int(value) => Ok(value.to_string()),
            Self::Float(value) => Ok(number::shortest(value)),
            other => Err(format!("a map has a key that is {}", other.kind())),
        }
    }
}

fn int(value: i128) -> Value {
    if let Ok(value) = i64::try_from(value) {
        return Value::from(value);
    }
    u64::try_from(value).map_or_else(|_| Value::from(number::approximate(value)), Value::from)
}

/// Whole numbers become integers, up to where Go prints an exponent.
fn float(value: f64) -> Result<Value, String> {
    if let Some(whole) = number::whole(value)
        && i64::try_from(whole).is_ok()
    {
        return Ok(int(whole));
    }
    Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| "a number is not finite".to_owned())
}
