//! Finds values in lists without looking at each pair.

use std::collections::HashMap;

use serde_json::Value;

/// Where values stand in a list: of equal ones the first. Long lists are hashed, since a patch may
/// have as many items as its sender likes.
#[derive(Clone, Default)]
pub(super) struct Places {
    values: Vec<Value>,
    hashed: HashMap<Value, usize>,
}

impl Places {
    /// How many values are compared one by one.
    const SHORT: usize = 16;

    /// The places of values.
    pub(super) fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        Self::of_items(values, None)
    }

    /// The places of items by a field; what lacks it counts as `null`.
    pub(super) fn of_items<'a>(items: impl Iterator<Item = &'a Value>, key: Option<&str>) -> Self {
        let mut places = Self::default();
        for item in items {
            places.add(
                key.map_or(Some(item), |key| item.get(key))
                    .unwrap_or(&Value::Null),
            );
        }
        places
    }

    /// Adds a value at the end.
    pub(super) fn add(&mut self, value: &Value) {
        self.values.push(value.clone());
        match self.values.len() {
            0..=Self::SHORT => {}
            length if self.hashed.is_empty() => {
                for (value, place) in self.values.iter().zip(0..length) {
                    self.hashed.entry(value.clone()).or_insert(place);
                }
            }
            length => {
                self.hashed.entry(value.clone()).or_insert(length - 1);
            }
        }
    }

    /// Adds a value unless it is there; whether it was not.
    pub(super) fn add_new(&mut self, value: &Value) -> bool {
        let new = self.find(value).is_none();
        if new {
            self.add(value);
        }
        new
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Where the value stands.
    pub(super) fn find(&self, value: &Value) -> Option<usize> {
        if self.values.len() <= Self::SHORT {
            return self.values.iter().position(|other| other == value);
        }
        self.hashed.get(value).copied()
    }
}
