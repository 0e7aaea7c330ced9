//! Reading what clients send as the genuine server does: fields that a type does not know are dropped
//! and told, so are fields that come twice, and values of another type are refused.
//!
//! External rules: sigs.k8s.io/json (paths, order, the limit of 100) and Go's encoding/json, whose
//! words on wrong types are repeated as far as our schema, and a table of what it lacks, know Go's types.

mod names;
mod read;
mod restore;
mod scalar;

use std::collections::HashSet;
use std::fmt;

use serde::de::DeserializeSeed;
use serde_json::Value;

pub(crate) use restore::refusal;
pub(crate) use scalar::word;

use super::{Scalar, Schema, Shape, TypeId};
use read::Seed;

/// More are not told.
const MAX_FAULTS: usize = 100;

/// An object that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decoded {
    /// The object, with fields of its type alone. Fields that were `null` are gone.
    pub(crate) value: Value,
    /// What is wrong with it but does not hinder, in the order of the text. At most 100, each once.
    pub(crate) faults: Vec<Fault>,
}

/// A field that was dropped or overwritten.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fault {
    /// What is wrong.
    pub(crate) kind: FaultKind,
    /// The field's path (`spec.containers[0].imagee`).
    pub(crate) path: String,
}

/// What is wrong with a field that does not hinder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FaultKind {
    /// The type does not know it.
    Unknown,
    /// It is there more than once; the last one counts.
    Duplicate,
}

impl fmt::Display for Fault {
    /// As warnings say it: `unknown field "spec.x"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.kind {
            FaultKind::Unknown => "unknown field",
            FaultKind::Duplicate => "duplicate field",
        };
        write!(f, "{words} {:?}", self.path)
    }
}

/// Reads JSON as an object of a type; without a type, such as a custom resource, only fields that come
/// twice are told.
///
/// # Errors
/// What is wrong with the text or with a value. Texts that are nested more than 128 levels deep are
/// refused.
pub(crate) fn decode(schema: &Schema, of: Option<TypeId>, text: &[u8]) -> Result<Decoded, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    run(schema, of, |seed| {
        let value = seed.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(value)
    })
}

/// Reads what was JSON or YAML before.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_value(
    schema: &Schema,
    of: Option<TypeId>,
    value: Value,
) -> Result<Decoded, String> {
    run(schema, of, |seed| seed.deserialize(value))
}

fn run(
    schema: &Schema,
    of: Option<TypeId>,
    read: impl FnOnce(Seed<'_, '_>) -> Result<Value, serde_json::Error>,
) -> Result<Decoded, String> {
    let mut state = State {
        schema,
        path: String::new(),
        inside: "",
        fields: Vec::new(),
        faults: Vec::new(),
        seen: HashSet::new(),
        wrong: None,
        refused: None,
    };
    let value = read(Seed {
        state: &mut state,
        of,
    });
    // What Go's own decoders of single types refuse ends the reading, as broken texts do.
    if let Some(refused) = state.refused {
        return Err(refused);
    }
    let value = value.map_err(|why| why.to_string())?;
    match state.wrong {
        Some(wrong) => Err(wrong),
        None => Ok(Decoded {
            value,
            faults: state.faults,
        }),
    }
}

/// Where the reader is, and what it found.
struct State<'s> {
    schema: &'s Schema,
    /// The path for faults.
    path: String,
    /// The struct around, as Go names it (`DeploymentSpec`).
    inside: &'s str,
    /// The fields down to here, as Go lists them: without indexes and keys of maps.
    fields: Vec<&'s str>,
    faults: Vec<Fault>,
    seen: HashSet<Fault>,
    /// The first value of another type.
    wrong: Option<String>,
    /// Why the reading ended.
    refused: Option<String>,
}

impl State<'_> {
    /// Notes a fault of a field of the object at the current path.
    fn fault(&mut self, kind: FaultKind, field: &str) {
        if self.faults.len() >= MAX_FAULTS {
            return;
        }
        let path = if self.path.is_empty() {
            field.to_owned()
        } else {
            format!("{}.{field}", self.path)
        };
        let fault = Fault { kind, path };
        if self.seen.insert(fault.clone()) {
            self.faults.push(fault);
        }
    }

    /// Goes down to a field or key; [`State::leave`] with the result goes back.
    fn enter(&mut self, key: &str) -> usize {
        let before = self.path.len();
        if before > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        before
    }

    fn leave(&mut self, before: usize) {
        self.path.truncate(before);
    }

    /// Notes that a value is of another type.
    fn mistyped(&mut self, value: &str, of: TypeId) {
        if self.wrong.is_none() {
            if self.schema.get(of).shape == Shape::Scalar(Scalar::Quantity) {
                // Its decoder reads whatever there is as the text of a number.
                self.wrong = Some(scalar::NO_QUANTITY.to_owned());
                return;
            }
            let own = self
                .fields
                .last()
                .and_then(|field| names::text(self.inside, field));
            let wanted = match (own, &self.schema.get(of).shape) {
                (Some(own), Shape::Scalar(_) | Shape::Map { .. }) => own.to_owned(),
                (Some(own), Shape::List { .. }) => format!("[]{own}"),
                _ => scalar::go_type(self.schema, of),
            };
            self.wrong = Some(self.cannot_unmarshal(value, &wanted));
        }
    }

    fn cannot_unmarshal(&self, value: &str, wanted: &str) -> String {
        if self.fields.is_empty() {
            format!("json: cannot unmarshal {value} into Go value of type {wanted}")
        } else {
            format!(
                "json: cannot unmarshal {value} into Go struct field {}.{} of type {wanted}",
                self.inside,
                self.fields.join(".")
            )
        }
    }
}

#[cfg(test)]
mod tests;
