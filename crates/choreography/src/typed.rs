//! An owner as Go holds it: a struct with zero values, and not the JSON that it came from.
//!
//! Cartographer's template expressions walk the Go struct. A field that nobody set is therefore
//! there: `null` for what Go points to, `""` for a text, `{}` for a struct; and a list that nobody
//! set is `null` when it is read, but is indexed and filtered like an empty one. What is inserted
//! into a template is the JSON of the place again, without what nobody set.
//!
//! What Go keeps as raw JSON (a parameter's value, an input of a Runnable) is opaque to
//! Cartographer's paths. Here paths go on into it: what failed there works here.

mod quantity;
mod shape;

use serde_json::{Map, Value};

use shape::Shape;

/// A value as Go holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    /// Plain JSON; `null` is a nil pointer or a nil map.
    Json(Value),
    /// A list that nobody set.
    UnsetList,
    /// A list of structs.
    List(Vec<Typed>),
    /// A struct, or a map with values of Go.
    Struct(Vec<Member>),
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name in JSON.
    pub name: String,
    /// Its value.
    pub value: Typed,
    /// Whether the struct's JSON leaves it out, since nobody set it.
    pub unset: bool,
}

impl Member {
    /// A member that somebody set.
    pub fn new(name: impl Into<String>, value: Typed) -> Self {
        Self {
            name: name.into(),
            value,
            unset: false,
        }
    }
}

impl Typed {
    /// A Workload, read from its JSON.
    pub fn workload(owner: &Value) -> Self {
        shape::WORKLOAD.fill(owner)
    }

    /// A Deliverable, read from its JSON.
    pub fn deliverable(owner: &Value) -> Self {
        shape::DELIVERABLE.fill(owner)
    }

    /// A Runnable, read from its JSON.
    pub fn runnable(owner: &Value) -> Self {
        shape::RUNNABLE.fill(owner)
    }

    /// The JSON that Go writes of the value.
    pub fn json(&self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::UnsetList => Value::Null,
            Self::List(items) => Value::Array(items.iter().map(Self::json).collect()),
            Self::Struct(members) => {
                let mut object = Map::new();
                for member in members.iter().filter(|member| !member.unset) {
                    object.insert(member.name.clone(), member.value.json());
                }
                Value::Object(object)
            }
        }
    }
}

impl From<Value> for Typed {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl Shape {
    /// The value of this shape that a JSON value decodes to. JSON of another shape is kept as it
    /// is: the API server has refused what does not fit.
    fn fill(&self, json: &Value) -> Typed {
        match (self, json) {
            (Self::Pointer(inner), json) if !json.is_null() => inner.fill(json),
            (Self::List(inner), Value::Array(items)) => {
                Typed::List(items.iter().map(|item| inner.fill(item)).collect())
            }
            (Self::Struct(fields), Value::Object(object)) => {
                let mut members: Vec<_> = fields
                    .iter()
                    .map(|(name, shape)| match object.get(*name) {
                        None | Some(Value::Null) => Member {
                            unset: !shape.is_always_written(),
                            ..Member::new(*name, shape.zero())
                        },
                        Some(value) => Member {
                            unset: shape.is_empty(value),
                            ..Member::new(*name, shape.fill(value))
                        },
                    })
                    .collect();
                for (name, value) in object {
                    if !fields.iter().any(|(field, _)| field == name) {
                        members.push(Member::new(name, Typed::Json(value.clone())));
                    }
                }
                Typed::Struct(members)
            }
            (Self::Quantities, Value::Object(object)) => {
                let entries = object
                    .iter()
                    .map(|(name, value)| (name.clone(), quantity::canonical(value)));
                Typed::Json(Value::Object(entries.collect()))
            }
            (_, Value::Null) => self.zero(),
            _ => Typed::Json(json.clone()),
        }
    }

    /// What Go has where nobody set anything.
    fn zero(&self) -> Typed {
        match self {
            Self::Raw | Self::Map | Self::Pointer(_) | Self::Quantities => Typed::Json(Value::Null),
            Self::Text => Typed::Json(Value::from("")),
            Self::Integer => Typed::Json(Value::from(0)),
            Self::List(_) => Typed::UnsetList,
            Self::Struct(_) => self.fill(&Value::Object(Map::new())),
        }
    }

    /// Whether Go's `omitempty` omits the value: it tells `""` and `[]` from nothing no better than
    /// the struct does.
    fn is_empty(&self, json: &Value) -> bool {
        match (self, json) {
            (Self::Text, Value::String(text)) => text.is_empty(),
            (Self::Integer, Value::Number(number)) => number.as_i64() == Some(0),
            (Self::List(_), Value::Array(items)) => items.is_empty(),
            (Self::Map | Self::Quantities, Value::Object(object)) => object.is_empty(),
            _ => false,
        }
    }

    /// Whether the field is in the JSON even if nobody set it: Go's `omitempty` omits no struct.
    fn is_always_written(&self) -> bool {
        matches!(self, Self::Struct(_))
    }
}

#[cfg(test)]
mod tests;
