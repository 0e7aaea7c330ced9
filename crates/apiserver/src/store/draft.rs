//! How an object is written out before the store has a revision for it.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::DraftError;
use super::record::{Key, MAX_DIGITS, Meta, Record, Resource, decimal};

/// How large an object's text may be: what etcd takes of one request
/// (`--max-request-bytes`, 1.5 MiB).
pub(crate) const MAX_OBJECT_BYTES: usize = 1_572_864;

/// How deep lists and objects may be nested in an object. What reads JSON here takes 127 levels, and a line of the
/// log is one around the object: what is acknowledged can be read again.
pub(crate) const MAX_OBJECT_DEPTH: usize = 126;

/// An object on its way into the store: written out but for its resource version, which only the
/// store knows.
#[derive(Debug)]
pub(crate) struct Draft {
    key: Key,
    /// The text with nothing between the quotes of `resourceVersion`.
    text: Vec<u8>,
    /// Where the digits go.
    hole: usize,
    metadata: Range<usize>,
    meta: Meta,
    unsettled: bool,
}

impl Draft {
    /// Writes an object out. Its name and namespace are those in its metadata; a resource version
    /// in it is replaced.
    ///
    /// # Errors
    /// [`DraftError`] for what is no object with metadata and a name, and for what is too large or too deep.
    pub(crate) fn new(resource: &Resource, object: &Value) -> Result<Self, DraftError> {
        let deep = depth(object);
        if deep > MAX_OBJECT_DEPTH {
            return Err(DraftError::TooDeep(deep));
        }
        let object = object.as_object().ok_or(DraftError::Shape)?;
        let metadata = object.get("metadata").and_then(Value::as_object);
        let metadata = metadata.ok_or(DraftError::Shape)?;
        let text = |key| metadata.get(key).and_then(Value::as_str);
        let name = text("name").unwrap_or_default();
        let key = Key::new(resource, text("namespace").unwrap_or_default(), name)?;
        let mut writer = Writer::default();
        writer.object(object, metadata)?;
        let Writer {
            mut text,
            hole,
            metadata: range,
        } = writer;
        if text.len() > MAX_OBJECT_BYTES {
            return Err(DraftError::TooLarge(text.len()));
        }
        // Room for the digits and no more: this very buffer is what stays in memory.
        text.shrink_to(text.len() + MAX_DIGITS);
        Ok(Self {
            key,
            text,
            hole,
            metadata: range,
            meta: Meta::of(metadata),
            unsettled: false,
        })
    }

    /// The same, written in another form: see [`Record::is_unsettled`].
    #[must_use]
    pub(crate) fn unsettled(self) -> Self {
        Self {
            unsettled: true,
            ..self
        }
    }

    /// Where the object goes.
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// The record as it was stored before.
    pub(super) fn restored(self, created: u64, revision: u64) -> Record {
        Record {
            created,
            ..self.finish(None, revision)
        }
    }

    /// The record at a revision. The key of an earlier record is shared, as is its creation.
    pub(super) fn finish(self, current: Option<&Record>, revision: u64) -> Record {
        let mut text = self.text;
        let mut digits = [0; MAX_DIGITS];
        let digits = decimal(revision, &mut digits);
        text.extend_from_slice(digits);
        if let Some(tail) = text.get_mut(self.hole..) {
            tail.rotate_right(digits.len());
        }
        let key = match current {
            Some(current) => Arc::clone(&current.key),
            None => Arc::new(self.key),
        };
        Record {
            key,
            json: Bytes::from(text),
            version: self.hole..self.hole + digits.len(),
            metadata: self.metadata.start..self.metadata.end + digits.len(),
            meta: Arc::new(self.meta),
            created: current.map_or(revision, |current| current.created),
            modified: revision,
            unsettled: self.unsettled,
        }
    }
}

/// How deep lists and objects are nested.
fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut rest = vec![(value, 0)];
    while let Some((value, above)) = rest.pop() {
        let here = above + 1;
        match value {
            Value::Array(items) => rest.extend(items.iter().map(|item| (item, here))),
            Value::Object(map) => rest.extend(map.values().map(|value| (value, here))),
            _ => continue,
        }
        deepest = deepest.max(here);
    }
    deepest
}

#[derive(Default)]
struct Writer {
    text: Vec<u8>,
    hole: usize,
    metadata: Range<usize>,
}

impl Writer {
    fn object(
        &mut self,
        object: &Map<String, Value>,
        metadata: &Map<String, Value>,
    ) -> Result<(), DraftError> {
        self.text.reserve(1024);
        self.text.push(b'{');
        for (index, (key, value)) in object.iter().enumerate() {
            self.key(index, key)?;
            if key == "metadata" {
                let start = self.text.len();
                self.metadata(metadata)?;
                self.metadata = start..self.text.len();
            } else {
                self.value(value)?;
            }
        }
        self.text.push(b'}');
        Ok(())
    }

    /// The metadata with the resource version where the order of keys puts it.
    fn metadata(&mut self, metadata: &Map<String, Value>) -> Result<(), DraftError> {
        const VERSION: &str = "resourceVersion";
        self.text.push(b'{');
        let mut index = 0;
        let mut written = false;
        for (key, value) in metadata {
            let order = key.as_str().cmp(VERSION);
            if order != Ordering::Less && !written {
                self.version(index, VERSION)?;
                written = true;
                index += 1;
            }
            if order != Ordering::Equal {
                self.key(index, key)?;
                self.value(value)?;
                index += 1;
            }
        }
        if !written {
            self.version(index, VERSION)?;
        }
        self.text.push(b'}');
        Ok(())
    }

    fn version(&mut self, index: usize, key: &str) -> Result<(), DraftError> {
        self.key(index, key)?;
        self.text.extend_from_slice(b"\"\"");
        self.hole = self.text.len() - 1;
        Ok(())
    }

    fn key(&mut self, index: usize, key: &str) -> Result<(), DraftError> {
        if index > 0 {
            self.text.push(b',');
        }
        serde_json::to_writer(&mut self.text, key).map_err(|_| DraftError::Shape)?;
        self.text.push(b':');
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<(), DraftError> {
        serde_json::to_writer(&mut self.text, value).map_err(|_| DraftError::Shape)
    }
}
