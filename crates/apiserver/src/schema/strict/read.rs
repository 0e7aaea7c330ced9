//! The reader that is led by a type.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{FaultKind, State, names, scalar};
use crate::schema::{Field, Scalar, Shape, Struct, TypeId};

/// The only key of what serde_json makes of a number that is not whole, where a crate of the program has it keep
/// the text of numbers.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads one value; without a type anything.
pub(super) struct Seed<'a, 's> {
    pub(super) state: &'a mut State<'s>,
    pub(super) of: Option<TypeId>,
}

/// What the type of a value says about it.
enum Wanted<'s> {
    /// Anything, of which only what comes twice is told: an object without a type.
    Untyped,
    /// Anything, taken as it is, as Go's raw types do.
    Raw,
    /// What the shape says.
    Typed(&'s Shape, TypeId),
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let schema = self.state.schema;
        let wanted = match self.of {
            None => Wanted::Untyped,
            Some(of) => match &schema.get(of).shape {
                Shape::Any => Wanted::Raw,
                Shape::Map {
                    value,
                    atomic: true,
                } if schema.get(*value).shape == Shape::Any => Wanted::Raw,
                shape => Wanted::Typed(shape, of),
            },
        };
        if let Wanted::Raw = wanted {
            return serde::Deserialize::deserialize(deserializer);
        }
        deserializer.deserialize_any(Reader {
            state: self.state,
            wanted,
        })
    }
}

struct Reader<'a, 's> {
    state: &'a mut State<'s>,
    wanted: Wanted<'s>,
}

impl<'s> Reader<'_, 's> {
    fn is_open(&self) -> bool {
        !matches!(self.wanted, Wanted::Typed(..))
    }

    /// A value that is neither list nor object.
    fn scalar<E: Error>(self, value: Value) -> Result<Value, E> {
        let (shape, of) = match self.wanted {
            Wanted::Typed(shape, of) => (shape, of),
            Wanted::Untyped | Wanted::Raw => return Ok(value),
        };
        let Shape::Scalar(wanted) = shape else {
            self.state.mistyped(scalar::word(&value), of);
            return Ok(Value::Null);
        };
        match scalar::check(*wanted, value) {
            scalar::Checked::Fits(value) => Ok(value),
            scalar::Checked::Mistyped(value) => {
                self.state.mistyped(&value, of);
                Ok(Value::Null)
            }
            scalar::Checked::Wrong(why) => {
                self.state.wrong.get_or_insert(why);
                Ok(Value::Null)
            }
            scalar::Checked::RefusedAs(value, wanted) => {
                self.state.refused = Some(self.state.cannot_unmarshal(&value, wanted));
                Err(E::custom("refused"))
            }
            scalar::Checked::Refused(why) => {
                self.state.refused = Some(why);
                Err(E::custom("refused"))
            }
        }
    }

    fn structure<'de, A: MapAccess<'de>>(
        state: &mut State<'s>,
        of: TypeId,
        shape: &'s Struct,
        mut map: A,
    ) -> Result<Value, A::Error> {
        let outside = state.inside;
        let name = scalar::go_name(state.schema, of);
        let mut object = Map::new();
        let mut nulls: Vec<&str> = Vec::new();
        while let Some(key) = map.next_key_seed(KnownKey(shape))? {
            let (name_of_field, field) = match key {
                Key::Known(name, field) => (name, field),
                Key::Unknown(key) => {
                    if key == NUMBER {
                        map.next_value::<IgnoredAny>()?;
                        state.mistyped("number", of);
                        return Ok(Value::Null);
                    }
                    if shape.open {
                        let value = map.next_value_seed(Seed { state, of: None })?;
                        object.insert(key, value);
                    } else {
                        state.fault(FaultKind::Unknown, &key);
                        map.next_value::<IgnoredAny>()?;
                    }
                    continue;
                }
            };
            if object.contains_key(name_of_field) || nulls.contains(&name_of_field) {
                state.fault(FaultKind::Duplicate, name_of_field);
            }
            state.inside = name;
            let depth = state.fields.len();
            state.fields.extend(names::embedded(name, name_of_field));
            state.fields.push(name_of_field);
            let before = state.enter(name_of_field);
            let value = map.next_value_seed(Seed {
                state,
                of: Some(field.of),
            });
            // An error ends all reading: nobody looks at the state's path again.
            let value = value?;
            state.leave(before);
            state.fields.truncate(depth);
            if value.is_null() {
                nulls.push(name_of_field);
                object.remove(name_of_field);
            } else {
                object.insert(name_of_field.to_owned(), value);
            }
        }
        state.inside = outside;
        Ok(Value::Object(object))
    }

    fn keys<'de, A: MapAccess<'de>>(
        state: &mut State<'s>,
        of: Option<TypeId>,
        mut map: A,
    ) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == NUMBER {
                let number = number(&map.next_value::<String>()?)?;
                // Of a type it is none: this is a map then.
                return Ok(match of {
                    None => number,
                    Some(of) => {
                        state.mistyped("number", of);
                        Value::Null
                    }
                });
            }
            if object.contains_key(&key) {
                state.fault(FaultKind::Duplicate, &key);
            }
            let before = state.enter(&key);
            let mut value = map.next_value_seed(Seed { state, of })?;
            state.leave(before);
            if value.is_null() {
                value = scalar::zero(state.schema, of);
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

impl<'de> Visitor<'de> for Reader<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.scalar(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.scalar(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        if self.is_open() && i64::try_from(value).is_err() {
            #[expect(
                clippy::cast_precision_loss,
                reason = "Go keeps what exceeds 64 bits as a float"
            )]
            return self.scalar(Value::from(value as f64));
        }
        self.scalar(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map_or(Value::Null, Value::Number);
        self.scalar(number)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.scalar(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        self.scalar(Value::from(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        // To Go, null is no value at all.
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let Self { state, wanted } = self;
        let item = match wanted {
            Wanted::Typed(Shape::List { item, .. }, _) => Some(*item),
            Wanted::Typed(_, of) => {
                let first = list.next_element::<Value>()?;
                match first {
                    // Go reads a list of bytes, of which it has a text in mind.
                    Some(first)
                        if state.schema.get(of).shape == Shape::Scalar(Scalar::Bytes)
                            && !first.is_number() =>
                    {
                        let why = state.cannot_unmarshal(scalar::word(&first), "uint8");
                        state.wrong.get_or_insert(why);
                    }
                    _ => state.mistyped("array", of),
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(Value::Null);
            }
            Wanted::Untyped | Wanted::Raw => None,
        };
        let mut items = Vec::new();
        let before = state.path.len();
        loop {
            use std::fmt::Write as _;
            // Writing to a String does not fail.
            let _ = write!(state.path, "[{}]", items.len());
            let next = list.next_element_seed(Seed { state, of: item })?;
            state.leave(before);
            match next {
                Some(Value::Null) => items.push(scalar::zero(state.schema, item)),
                Some(value) => items.push(value),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Self { state, wanted } = self;
        match wanted {
            Wanted::Typed(Shape::Struct(shape), of) => Self::structure(state, of, shape, map),
            Wanted::Typed(Shape::Map { value, .. }, _) => Self::keys(state, Some(*value), map),
            Wanted::Typed(_, of) => {
                if map.next_key::<String>()?.as_deref() == Some(NUMBER) {
                    let number = number(&map.next_value::<String>()?)?;
                    return Self { state, wanted }.scalar(number);
                }
                state.mistyped("object", of);
                map.next_value::<IgnoredAny>().ok();
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Value::Null)
            }
            Wanted::Untyped | Wanted::Raw => Self::keys(state, None, map),
        }
    }
}

/// A number that is not whole, or does not fit into 64 bits.
fn number<E: Error>(text: &str) -> Result<Value, E> {
    let number: Value = serde_json::from_str(text).map_err(E::custom)?;
    if number.as_f64().is_none() {
        let why = format!("json: cannot unmarshal number {text} into Go value of type float64");
        return Err(E::custom(why));
    }
    Ok(number)
}

/// Looks a key up where it lies, so that keys of known fields are not copied.
struct KnownKey<'s>(&'s Struct);

enum Key<'s> {
    Known(&'s str, &'s Field),
    Unknown(String),
}

impl<'de, 's> DeserializeSeed<'de> for KnownKey<'s> {
    type Value = Key<'s>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key<'s>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'s> Visitor<'_> for KnownKey<'s> {
    type Value = Key<'s>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key<'s>, E> {
        Ok(match self.0.fields.get_key_value(key) {
            Some((name, field)) => Key::Known(name, field),
            None => Key::Unknown(key.to_owned()),
        })
    }
}
