//! Whether an object is of its type, as far as server-side apply asks: kinds of values, known fields, and
//! items that can be told apart.

use std::fmt;

use serde_json::{Map, Value};

use super::atom::{self, Atom, Class, Fields, List, Ty};
use super::element::Element;
use super::wording;
use crate::schema::{ListKind, Schema};

/// How deep an object may be.
pub(super) const MAX_DEPTH: usize = 200;

/// How many faults are told of.
const MAX_FAULTS: usize = 100;

/// Whether items of a list may be there twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duplicates {
    /// As in objects that others wrote.
    Allowed,
    /// As in what is applied.
    Refused,
}

/// What is wrong with a value, each with its path, in upstream's words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Faults(Vec<(String, String)>);

impl Faults {
    pub(super) fn of(message: String) -> Self {
        Self(vec![(String::new(), message)])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds others, which are about what is at this element.
    pub(super) fn add(&mut self, element: &dyn fmt::Display, others: Self) {
        let room = MAX_FAULTS.saturating_sub(self.0.len());
        for (path, message) in others.0.into_iter().take(room) {
            self.0.push((format!("{element}{path}"), message));
        }
    }

    fn say(&mut self, message: String) {
        if self.0.len() < MAX_FAULTS {
            self.0.push((String::new(), message));
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |(path, message): &(String, String)| match path.as_str() {
            "" => message.clone(),
            path => format!("{path}: {message}"),
        };
        if let [only] = self.0.as_slice() {
            return f.write_str(&line(only));
        }
        f.write_str("errors:")?;
        self.0
            .iter()
            .try_for_each(|fault| write!(f, "\n  {}", line(fault)))
    }
}

/// A field's element without an allocation, for paths of faults.
struct FieldText<'a>(&'a str);

impl fmt::Display for FieldText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ".{}", self.0)
    }
}

/// Checks a value against its type.
///
/// # Errors
/// All that is wrong, except that a map tells of its first unknown field only.
pub(super) fn validate(
    schema: &Schema,
    ty: Ty,
    value: &Value,
    duplicates: Duplicates,
) -> Result<(), Faults> {
    let walk = Walk { schema, duplicates };
    let faults = walk.value(ty, value, MAX_DEPTH);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

#[derive(Clone, Copy)]
struct Walk<'s> {
    schema: &'s Schema,
    duplicates: Duplicates,
}

impl Walk<'_> {
    fn value(self, ty: Ty, value: &Value, depth: usize) -> Faults {
        let Some(depth) = depth.checked_sub(1) else {
            return Faults::of("exceeded max depth".to_owned());
        };
        match atom::resolve(self.schema, ty, Some(value)) {
            Atom::Scalar(class) => scalar(class, value, "").err().unwrap_or_default(),
            Atom::List(list) => match value {
                Value::Null => Faults::default(),
                Value::Array(items) => self.items(list, items, depth),
                other => Faults::of(format!("expected list, got {}", wording::shown(other))),
            },
            Atom::Map(fields) => match value {
                Value::Null => Faults::default(),
                Value::Object(map) => self.entries(fields, map, depth),
                other => Faults::of(format!("expected map, got {}", wording::shown(other))),
            },
        }
    }

    fn entries(self, fields: Fields<'_>, map: &Map<String, Value>, depth: usize) -> Faults {
        let mut faults = Faults::default();
        for (key, value) in map {
            let Some((ty, _)) = fields.field(key) else {
                let fault = Faults::of("field not declared in schema".to_owned());
                // Upstream leaves the map here, whose order is chance: it may tell fewer of the others.
                faults.add(&FieldText(key), fault);
                continue;
            };
            faults.add(&FieldText(key), self.value(ty, value, depth));
        }
        faults
    }

    fn items(self, list: List<'_>, items: &[Value], depth: usize) -> Faults {
        let mut faults = Faults::default();
        if *list.kind == ListKind::Atomic {
            for (item, index) in items.iter().zip(0..) {
                let below = self.value(list.item, item, depth);
                if !below.is_empty() {
                    faults.add(&Element::Index(index), below);
                }
            }
            return faults;
        }
        let mut seen = Vec::with_capacity(items.len());
        let mut stop = None;
        for (index, item) in items.iter().enumerate() {
            match atom::identify(self.schema, list, item) {
                Ok(element) => seen.push((element, index)),
                Err(why) => {
                    stop = Some(format!("element {index}: {why}"));
                    break;
                }
            }
        }
        let twice = match self.duplicates {
            Duplicates::Allowed => Vec::new(),
            Duplicates::Refused => repeated(&mut seen),
        };
        for (element, index) in &seen {
            if twice.get(*index).copied().unwrap_or(false) {
                faults.say(format!("duplicate entries for key {element}"));
            }
            let below = self.value(list.item, &items[*index], depth);
            if !below.is_empty() {
                faults.add(element, below);
            }
        }
        if let Some(why) = stop {
            faults.say(why);
        }
        faults
    }
}

/// Which positions hold what an earlier one holds; none for none at all.
pub(super) fn repeated(seen: &mut [(Element, usize)]) -> Vec<bool> {
    seen.sort();
    let mut twice = Vec::new();
    for pair in seen.windows(2) {
        if pair[0].0 == pair[1].0 {
            twice.resize(seen.len(), false);
            twice[pair[1].1] = true;
        }
    }
    seen.sort_by_key(|(_, index)| *index);
    twice
}

/// Checks a scalar; null is one of any kind.
pub(super) fn scalar(class: Class, value: &Value, side: &str) -> Result<(), Faults> {
    let fits = match (class, value) {
        (_, Value::Null) => true,
        (Class::Text, value) => value.is_string(),
        (Class::Number, value) => value.is_number(),
        (Class::Boolean, value) => value.is_boolean(),
        (Class::Any, value) => !value.is_array() && !value.is_object(),
    };
    if fits {
        return Ok(());
    }
    Err(Faults::of(match class {
        Class::Text => format!("{side}expected string, got {}", wording::syntax(value)),
        Class::Number => {
            let kind = wording::go_type(value);
            format!("{side}expected numeric (int or float), got {kind}")
        }
        Class::Boolean => format!("{side}expected boolean, got {}", wording::shown(value)),
        Class::Any => format!("{side}expected any scalar, got {}", wording::shown(value)),
    }))
}
