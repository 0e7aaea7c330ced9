//! What the steps of a path walk over: plain JSON, or an owner as Go holds it.

use serde_json::Value;

use crate::notation::float;
use crate::typed::Typed;

/// A place in the data, or a value that the path itself holds.
#[derive(Clone, Debug)]
pub enum Item<'v> {
    /// Plain JSON.
    Json(&'v Value),
    /// A value of Go.
    Typed(&'v Typed),
    /// A text or a number of the path.
    Literal(Value),
}

impl<'v> From<&'v Value> for Item<'v> {
    fn from(value: &'v Value) -> Self {
        Self::Json(value)
    }
}

impl<'v> From<&'v Typed> for Item<'v> {
    fn from(value: &'v Typed) -> Self {
        match value {
            Typed::Json(value) => Self::Json(value),
            _ => Self::Typed(value),
        }
    }
}

impl Item<'_> {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Json(value) => (*value).clone(),
            Self::Typed(value) => value.json(),
            Self::Literal(value) => value.clone(),
        }
    }

    /// The value, if it is a scalar.
    pub(super) fn scalar(&self) -> Option<&Value> {
        let value = match self {
            Self::Json(value) => *value,
            Self::Literal(value) => value,
            Self::Typed(_) => return None,
        };
        (!value.is_null() && !value.is_array() && !value.is_object()).then_some(value)
    }

    pub(super) fn is_nil(&self) -> bool {
        matches!(
            self,
            Self::Json(Value::Null)
                | Self::Literal(Value::Null)
                | Self::Typed(Typed::Json(Value::Null))
        )
    }

    pub(super) fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Json(Value::Object(object)) => object.get(name).map(Self::Json),
            Self::Typed(Typed::Struct(members)) => members
                .iter()
                .find(|member| member.name == name)
                .map(|member| Self::from(&member.value)),
            _ => None,
        }
    }

    /// The names of what is directly below.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Json(Value::Object(object)) => object.keys().cloned().collect(),
            Self::Typed(Typed::Struct(members)) => {
                members.iter().map(|member| member.name.clone()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The items of a list; an unset list has none.
    pub(super) fn list(&self) -> Option<Vec<Self>> {
        match self {
            Self::Json(Value::Array(items)) => Some(items.iter().map(Self::Json).collect()),
            Self::Typed(Typed::List(items)) => Some(items.iter().map(Self::from).collect()),
            Self::Typed(Typed::UnsetList) => Some(Vec::new()),
            _ => None,
        }
    }

    /// All that is directly below. Of a text these are its bytes, as in Go.
    pub(super) fn children(&self) -> Vec<Self> {
        match self {
            Self::Json(Value::Object(object)) => {
                let mut members: Vec<_> = object.iter().collect();
                members.sort_by_key(|(name, _)| *name);
                members
                    .into_iter()
                    .map(|(_, value)| Self::Json(value))
                    .collect()
            }
            Self::Typed(Typed::Struct(members)) => members
                .iter()
                .map(|member| Self::from(&member.value))
                .collect(),
            Self::Json(Value::String(text)) | Self::Literal(Value::String(text)) => bytes(text),
            _ => self.list().unwrap_or_default(),
        }
    }

    /// The type as Go prints it.
    pub(super) fn go_type(&self) -> &'static str {
        let value = match self {
            Self::Json(value) => *value,
            Self::Literal(value) => value,
            Self::Typed(Typed::Struct(_)) => return "struct",
            Self::Typed(_) => return "[]interface {}",
        };
        match value {
            Value::Null => "<nil>",
            Value::Bool(_) => "bool",
            Value::Number(number) if number.is_f64() => "float64",
            Value::Number(_) => "int64",
            Value::String(_) => "string",
            Value::Array(_) => "[]interface {}",
            Value::Object(_) => "map[string]interface {}",
        }
    }
}

fn bytes<'v>(text: &str) -> Vec<Item<'v>> {
    text.bytes()
        .map(|byte| Item::Literal(Value::from(byte)))
        .collect()
}

/// The number of a scalar, if it is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(float(number)),
        _ => None,
    }
}
