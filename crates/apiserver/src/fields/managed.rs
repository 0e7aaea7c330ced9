//! Who owns what, as `metadata.managedFields` records it.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::element::write_text;
use super::set::Set;

/// How many managers may be recorded for updates; older ones become one.
const MAX_UPDATERS: usize = 10;

/// How many entries are read: far more than anybody has.
const MAX_ENTRIES: usize = 1000;

/// What older ones become.
const ANCIENT: &str = "ancient-changes";

/// How somebody came to own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Applied them.
    Apply,
    /// Wrote them in any other way.
    Update,
}

impl Operation {
    fn text(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// What one manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The manager's name.
    pub(crate) manager: String,
    /// How it came to own them.
    pub(crate) operation: Operation,
    /// In which version the fields are meant (`apps/v1`).
    pub(crate) api_version: String,
    /// Through which subresource; empty for the object itself.
    pub(crate) subresource: String,
    /// When it last changed something: RFC 3339 in UTC with whole seconds (`2026-01-31T12:00:00Z`).
    pub(crate) time: Option<String>,
    /// The fields.
    pub(crate) fields: Set,
}

/// All managers of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Managed {
    /// The managers, each once.
    pub(crate) entries: Vec<Entry>,
}

impl Entry {
    /// Whether both are the same manager. Appliers are so in all versions.
    pub(crate) fn is_owner(&self, other: &Self) -> bool {
        self.manager == other.manager
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    /// The text that upstream sorts managers by in messages.
    pub(super) fn identity(&self) -> String {
        let mut text = String::with_capacity(96);
        let mut put = |name: &str, value: &str| {
            if !value.is_empty() {
                text.push(if text.is_empty() { '{' } else { ',' });
                write_text(&mut text, name);
                text.push(':');
                write_text(&mut text, value);
            }
        };
        put("manager", &self.manager);
        put("operation", self.operation.text());
        if self.operation == Operation::Update {
            put("apiVersion", &self.api_version);
        }
        put("subresource", &self.subresource);
        text.push('}');
        text
    }

    fn decode(value: &Value, index: usize) -> Result<Self, String> {
        let text = |name: &str| match value.get(name) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(format!(
                "{name} must be a string in managed fields entry {index}"
            )),
        };
        let operation = match text("operation")? {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err("operation must be `Apply` or `Update`".to_owned()),
        };
        let api_version = text("apiVersion")?;
        if api_version.is_empty() {
            return Err("apiVersion must not be empty".to_owned());
        }
        match text("fieldsType")? {
            "FieldsV1" => {}
            "" => {
                return Err(format!(
                    "missing fieldsType in managed fields entry {index}"
                ));
            }
            other => {
                let other = super::wording::quoted(other);
                return Err(format!(
                    "invalid fieldsType {other} in managed fields entry {index}"
                ));
            }
        }
        let fields = match value.get("fieldsV1") {
            None => Set::default(),
            Some(fields) => {
                Set::from_value(fields).map_err(|why| format!("error decoding set: {why}"))?
            }
        };
        let time = match text("time")? {
            "" => None,
            time => Some(whole_seconds(time)?),
        };
        Ok(Self {
            manager: text("manager")?.to_owned(),
            operation,
            api_version: api_version.to_owned(),
            subresource: text("subresource")?.to_owned(),
            time,
            fields,
        })
    }

    fn encode(&self) -> Value {
        let mut map = Map::new();
        let texts = [
            ("apiVersion", self.api_version.as_str()),
            ("manager", &self.manager),
            ("operation", self.operation.text()),
            ("subresource", &self.subresource),
            ("time", self.time.as_deref().unwrap_or_default()),
        ];
        for (name, text) in texts {
            if !text.is_empty() {
                map.insert(name.to_owned(), json!(text));
            }
        }
        map.insert("fieldsType".to_owned(), json!("FieldsV1"));
        map.insert("fieldsV1".to_owned(), self.fields.to_value());
        Value::Object(map)
    }

    /// The order in which managers are written.
    fn compare(&self, other: &Self) -> Ordering {
        let texts = |entry: &'_ Self| {
            (
                entry.manager.clone(),
                entry.api_version.clone(),
                entry.subresource.clone(),
            )
        };
        self.operation
            .text()
            .cmp(other.operation.text())
            .then_with(|| self.time.cmp(&other.time))
            .then_with(|| texts(self).cmp(&texts(other)))
    }
}

impl Managed {
    /// Reads `metadata.managedFields`; absent and null are nobody. Of a manager that is there twice, the
    /// last entry counts.
    ///
    /// # Errors
    /// What is wrong, in upstream's words; and more than a thousand entries.
    pub(crate) fn decode(list: Option<&Value>) -> Result<Self, String> {
        let items = match list {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err("managedFields must be a list".to_owned()),
        };
        if items.len() > MAX_ENTRIES {
            return Err(format!(
                "there may be at most {MAX_ENTRIES} managed fields entries"
            ));
        }
        let mut managed = Self {
            entries: Vec::with_capacity(items.len()),
        };
        for (index, item) in items.iter().enumerate() {
            managed.put(Entry::decode(item, index)?);
        }
        Ok(managed)
    }

    fn put(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|other| other.is_owner(&entry)) {
            Some(other) => *other = entry,
            None => self.entries.push(entry),
        }
    }

    /// Writes `metadata.managedFields`, sorted; none where there is nobody.
    pub(crate) fn encode(mut self) -> Option<Value> {
        if self.entries.is_empty() {
            return None;
        }
        self.entries.sort_by(Entry::compare);
        Some(Value::Array(
            self.entries.iter().map(Entry::encode).collect(),
        ))
    }

    /// Joins the oldest managers of updates, per version, until there are not too many.
    pub(super) fn cap(&mut self) {
        let is_updater = |entry: &&Entry| entry.operation == Operation::Update;
        let mut count = self.entries.iter().filter(is_updater).count();
        if count <= MAX_UPDATERS {
            return;
        }
        let mut updaters: Vec<Entry> = self.entries.iter().filter(is_updater).cloned().collect();
        updaters.sort_by(|left, right| {
            let age = left.time.cmp(&right.time);
            age.then_with(|| left.identity().cmp(&right.identity()))
        });
        let mut first: Vec<Entry> = Vec::new();
        for updater in updaters {
            if count <= MAX_UPDATERS {
                return;
            }
            let same_version = |entry: &&Entry| entry.api_version == updater.api_version;
            let Some(first) = first.iter().find(same_version) else {
                first.push(updater);
                continue;
            };
            self.bury(first, &updater);
            count -= 1;
        }
    }

    /// Moves what two managers own to the one that stands for old ones.
    fn bury(&mut self, first: &Entry, updater: &Entry) {
        let grave = Entry {
            manager: ANCIENT.to_owned(),
            subresource: String::new(),
            time: updater.time.clone(),
            ..first.clone()
        };
        if !self.entries.iter().any(|entry| entry.is_owner(&grave)) {
            self.entries.retain(|entry| !entry.is_owner(first));
            self.entries.push(grave.clone());
        }
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.is_owner(&grave)) {
            entry.fields.extend(&updater.fields);
            entry.time.clone_from(&updater.time);
        }
        if !updater.is_owner(&grave) {
            self.entries.retain(|entry| !entry.is_owner(updater));
        }
    }
}

/// A point in time as managers have it: RFC 3339 in UTC with whole seconds.
fn whole_seconds(time: &str) -> Result<String, String> {
    let usual = time.len() == 20
        && time
            .bytes()
            .zip(b"0000-00-00T00:00:00Z")
            .all(|(have, want)| match want {
                b'0' => have.is_ascii_digit(),
                other => have == *other,
            });
    if usual {
        return Ok(time.to_owned());
    }
    let parsed: Result<jiff::Timestamp, _> = time.parse();
    let parsed = parsed.and_then(|time| jiff::Timestamp::from_second(time.as_second()));
    match parsed {
        Ok(time) => Ok(time.to_string()),
        Err(error) => Err(format!("time must be RFC 3339: {error}")),
    }
}
