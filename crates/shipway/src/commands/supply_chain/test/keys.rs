//! The mappings of an `info.yaml`, read key by key: what is wrong is told with file and key, and what
//! nobody has read is unknown.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::wrong::Wrong;

/// A mapping that is being read.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    file: &'a str,
    /// Where it stands, with a dot behind it; empty at the top.
    place: String,
    /// The keys that were asked for.
    known: Vec<&'static str>,
    left: Map<String, Value>,
}

impl<'a> Keys<'a> {
    /// The whole file.
    pub(super) fn of(file: &'a str, value: Value) -> Result<Self, Wrong> {
        Self::at(file, "", value)
    }

    fn at(file: &'a str, place: &str, value: Value) -> Result<Self, Wrong> {
        let left = match value {
            Value::Null => Map::new(),
            Value::Object(map) => map,
            _ => {
                return Err(Wrong::new(format!(
                    "`{file}`: {}is no mapping",
                    said(place)
                )));
            }
        };
        let dot = if place.is_empty() { "" } else { "." };
        Ok(Self {
            file,
            place: format!("{place}{dot}"),
            known: Vec::new(),
            left,
        })
    }

    /// What names a value in messages.
    pub(super) fn name(&self, key: &str) -> String {
        format!("`{}`, `{}{key}`", self.file, self.place)
    }

    /// What names the mapping itself.
    pub(super) fn here(&self) -> String {
        format!("`{}`: `{}`", self.file, self.place.trim_end_matches('.'))
    }

    /// Whether no key has a value.
    pub(super) fn is_empty(&self) -> bool {
        self.left.values().all(Value::is_null)
    }

    /// The value of a key, whatever it is. What is `null` is not there.
    pub(super) fn value(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.left.remove(key).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, Wrong> {
        self.typed(key, "a text")
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, Wrong> {
        self.typed(key, "true or false")
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>, Wrong> {
        self.typed(key, "a list of texts")
    }

    /// The mapping of a key.
    pub(super) fn mapping(&mut self, key: &'static str) -> Result<Option<Self>, Wrong> {
        let place = format!("{}{key}", self.place);
        let value = self.value(key);
        value
            .map(|value| Self::at(self.file, &place, value))
            .transpose()
    }

    /// The mapping of a key; an empty one where there is none.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Self, Wrong> {
        match self.mapping(key)? {
            Some(keys) => Ok(keys),
            None => Self::at(self.file, &format!("{}{key}", self.place), Value::Null),
        }
    }

    /// The mappings of a key by names that somebody has chosen.
    pub(super) fn entries(
        &mut self,
        key: &'static str,
    ) -> Result<Option<Vec<(String, Self)>>, Wrong> {
        let Some(Self {
            file, place, left, ..
        }) = self.mapping(key)?
        else {
            return Ok(None);
        };
        let mut entries = Vec::new();
        for (name, value) in left {
            let entry = Self::at(file, &format!("{place}{name}"), value)?;
            entries.push((name, entry));
        }
        Ok(Some(entries))
    }

    /// The mappings of a list.
    pub(super) fn items(&mut self, key: &'static str) -> Result<Option<Vec<Self>>, Wrong> {
        let Some(list) = self.typed::<Vec<Value>>(key, "a list")? else {
            return Ok(None);
        };
        let mut items = Vec::new();
        for (index, value) in list.into_iter().enumerate() {
            let place = format!("{}{key}[{index}]", self.place);
            items.push(Self::at(self.file, &place, value)?);
        }
        Ok(Some(items))
    }

    /// Refuses what was not asked for.
    pub(super) fn end(self) -> Result<(), Wrong> {
        let Some(key) = self.left.keys().next() else {
            return Ok(());
        };
        let Self { file, place, .. } = &self;
        Err(Wrong::new(format!("`{file}`: unknown key `{place}{key}`"))
            .hint(format!("what can stand there: {}", self.known.join(", "))))
    }

    fn typed<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        what: &str,
    ) -> Result<Option<T>, Wrong> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        serde_json::from_value(value).map(Some).map_err(|_| {
            let Self { file, place, .. } = self;
            Wrong::new(format!("`{file}`: `{place}{key}` is not {what}"))
        })
    }
}

fn said(place: &str) -> String {
    if place.is_empty() {
        "it ".to_owned()
    } else {
        format!("`{place}` ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check<T: std::fmt::Debug>(read: Result<T, Wrong>, why: &str) {
        assert_eq!(read.expect_err("it is wrong").why, why);
    }

    #[test]
    fn what_nobody_asked_for_is_unknown() {
        let mut keys = Keys::of("info.yaml", json!({"given": {"pth": "a"}})).expect("a mapping");
        let mut given = keys.section("given").expect("a mapping");
        assert_eq!(given.text("path"), Ok(None));
        let wrong = given.end().expect_err("it is unknown");
        assert_eq!(wrong.why, "`info.yaml`: unknown key `given.pth`");
        assert_eq!(wrong.hint.as_deref(), Some("what can stand there: path"));
        assert_eq!(keys.end(), Ok(()));
    }

    #[test]
    fn a_value_of_another_type_is_told_with_its_place() {
        check(
            Keys::of("info.yaml", json!([])),
            "`info.yaml`: it is no mapping",
        );
        let value =
            json!({"focus": "no", "given": {"paths": ["a", 1]}, "list": [{}, 1], "map": {"a": 1}});
        let mut keys = Keys::of("info.yaml", value).expect("a mapping");
        check(
            keys.flag("focus"),
            "`info.yaml`: `focus` is not true or false",
        );
        let mut given = keys.section("given").expect("a mapping");
        check(
            given.texts("paths"),
            "`info.yaml`: `given.paths` is not a list of texts",
        );
        check(keys.items("list"), "`info.yaml`: `list[1]` is no mapping");
        check(keys.entries("map"), "`info.yaml`: `map.a` is no mapping");
    }

    #[test]
    fn null_is_as_if_it_were_not_there() {
        let value = json!({"given": null, "focus": null});
        let mut keys = Keys::of("info.yaml", value).expect("a mapping");
        assert!(keys.is_empty() && keys.value("given").is_none());
        assert_eq!(keys.flag("focus"), Ok(None));
        assert!(keys.section("given").expect("an empty one").is_empty());
    }
}
