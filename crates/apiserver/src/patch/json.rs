//! JSON patches, as `evanphx/json-patch` v4 applies them.
//!
//! Upstream answers all that fails here with the same 422, which does not name the operation. So
//! faults have no text.

use std::io;

use serde_json::{Map, Value};

use super::{MAX_DEPTH, depth, rejected};
use crate::schema::strict;
use crate::status::Status;

/// How many operations one patch may have (`maxJSONPatchOperations`).
const MAX_OPERATIONS: usize = 10_000;

/// How much JSON text all copies of one patch may add (`JSONPatchMaxCopyBytes`).
const MAX_COPIED: usize = 3 << 20;

/// An operation that cannot be applied.
struct Fault;

/// Applies a patch.
pub(super) fn apply(doc: &Value, patch: &Value) -> Result<Value, Status> {
    let operations = match patch {
        Value::Array(operations) => operations.as_slice(),
        // Upstream reads `null` as a list without items.
        Value::Null => &[],
        other => return Err(undecodable(other, "value of type []handlers.jsonPatchOp")),
    };
    for operation in operations {
        check(operation)?;
    }
    let count = operations.len();
    if count > MAX_OPERATIONS {
        return Err(Status::too_large(format!(
            "Request entity too large: The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}"
        )));
    }
    let mut document = Document {
        depth: depth(doc),
        root: doc.clone(),
        copied: 0,
    };
    for operation in operations {
        let operation = operation.as_object().ok_or_else(rejected)?;
        document.run(operation).map_err(|Fault| rejected())?;
    }
    Ok(document.root)
}

/// Refuses what is no operation by its types.
fn check(operation: &Value) -> Result<(), Status> {
    let fields = match operation {
        Value::Object(fields) => fields,
        Value::Null => return Ok(()),
        other => return Err(undecodable(other, "value of type handlers.jsonPatchOp")),
    };
    for name in ["op", "path", "from"] {
        match fields.get(name) {
            None | Some(Value::Null | Value::String(_)) => {}
            Some(other) => {
                let into = format!("struct field jsonPatchOp.{name} of type string");
                return Err(undecodable(other, &into));
            }
        }
    }
    Ok(())
}

fn undecodable(value: &Value, into: &str) -> Status {
    let what = strict::word(value);
    Status::bad_request(format!(
        "error decoding patch: json: cannot unmarshal {what} into Go {into}"
    ))
}

/// The document while it changes.
struct Document {
    root: Value,
    /// At least how deep it is.
    depth: usize,
    /// How much JSON text copies have added.
    copied: usize,
}

/// A place in the document: what it is in, and its key there.
struct Place<'a> {
    parent: &'a mut Value,
    key: String,
}

impl Document {
    fn run(&mut self, operation: &Map<String, Value>) -> Result<(), Fault> {
        const NULL: &Value = &Value::Null;
        let text = |name| operation.get(name).and_then(Value::as_str).ok_or(Fault);
        let (op, path) = (text("op")?, text("path")?);
        // An operation without a value is one with `null`.
        let value = operation.get("value").unwrap_or(NULL);
        match op {
            "add" => self.add(path, value.clone(), depth(value)),
            "remove" => self.place(path)?.remove().map(drop),
            "replace" if path.is_empty() => {
                if !matches!(value, Value::Array(_) | Value::Object(_)) {
                    return Err(Fault);
                }
                self.depth = depth(value);
                self.root = value.clone();
                Ok(())
            }
            "replace" => {
                self.deepen(path, value, depth(value))?;
                self.place(path)?.replace(value.clone())
            }
            "move" => {
                let from = text("from")?;
                let value = self.place(from)?.remove()?;
                let deep = self.depth.saturating_sub(parts(from));
                self.add(path, value, deep)
            }
            "copy" => {
                let from = text("from")?;
                let left = MAX_COPIED.saturating_sub(self.copied);
                let deep = self.depth.saturating_sub(parts(from));
                let source = self.place(from)?.get()?;
                let size = size(source, left)?;
                let copy = source.clone();
                self.copied += size;
                self.add(path, copy, deep)
            }
            "test" => {
                let equal = match path {
                    "" => self.root == *value,
                    path => self.place(path)?.get()? == value,
                };
                if equal { Ok(()) } else { Err(Fault) }
            }
            _ => Err(Fault),
        }
    }

    fn add(&mut self, path: &str, value: Value, deep: usize) -> Result<(), Fault> {
        self.deepen(path, &value, deep)?;
        self.place(path)?.add(value)
    }

    /// Notes how deep the document gets by a value at that path, which is at most `deep` deep.
    fn deepen(&mut self, path: &str, value: &Value, deep: usize) -> Result<(), Fault> {
        let above = parts(path);
        let mut reached = above + deep;
        if reached > MAX_DEPTH {
            // What is known of moved values is only that they were not deeper than the rest.
            reached = above + depth(value);
            if reached > MAX_DEPTH {
                return Err(Fault);
            }
            self.depth = depth(&self.root);
        }
        self.depth = self.depth.max(reached);
        Ok(())
    }

    /// Finds what the path is in. Its last part need not be there.
    fn place(&mut self, path: &str) -> Result<Place<'_>, Fault> {
        // What is before the first `/` is not looked at.
        let (_, path) = path.split_once('/').ok_or(Fault)?;
        let (above, key) = match path.rsplit_once('/') {
            Some((above, key)) => (Some(above), key),
            None => (None, path),
        };
        let mut parent = &mut self.root;
        for part in above.into_iter().flat_map(|above| above.split('/')) {
            let key = decoded(part);
            parent = match parent {
                Value::Object(map) => map.get_mut(&key).ok_or(Fault)?,
                Value::Array(list) => {
                    let index = index(&key, list.len()).ok_or(Fault)?;
                    &mut list[index]
                }
                _ => return Err(Fault),
            };
        }
        match parent {
            Value::Object(_) | Value::Array(_) => Ok(Place {
                parent,
                key: decoded(key),
            }),
            _ => Err(Fault),
        }
    }
}

impl<'a> Place<'a> {
    /// The value; `null` where a map does not have it.
    fn get(self) -> Result<&'a Value, Fault> {
        const NULL: &Value = &Value::Null;
        match self.parent {
            Value::Object(map) => Ok(map.get(&self.key).unwrap_or(NULL)),
            Value::Array(list) => {
                let index = index(&self.key, list.len()).ok_or(Fault)?;
                Ok(&list[index])
            }
            _ => Err(Fault),
        }
    }

    fn add(self, value: Value) -> Result<(), Fault> {
        match self.parent {
            Value::Object(map) => {
                map.insert(self.key, value);
            }
            Value::Array(list) if self.key == "-" => list.push(value),
            // One place more than there are items: the end.
            Value::Array(list) => {
                let index = index(&self.key, list.len() + 1).ok_or(Fault)?;
                list.insert(index, value);
            }
            _ => return Err(Fault),
        }
        Ok(())
    }

    fn replace(self, value: Value) -> Result<(), Fault> {
        match self.parent {
            Value::Object(map) => {
                map.insert(self.key, value);
            }
            Value::Array(list) => {
                let index = index(&self.key, list.len()).ok_or(Fault)?;
                list[index] = value;
            }
            _ => return Err(Fault),
        }
        Ok(())
    }

    fn remove(self) -> Result<Value, Fault> {
        match self.parent {
            Value::Object(map) => map.remove(&self.key).ok_or(Fault),
            Value::Array(list) => {
                let index = index(&self.key, list.len()).ok_or(Fault)?;
                Ok(list.remove(index))
            }
            _ => Err(Fault),
        }
    }
}

/// The place in a list of that length that a key names; negative ones count from the end.
fn index(key: &str, length: usize) -> Option<usize> {
    let index: isize = key.parse().ok()?;
    let index = match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => length.checked_sub(index.unsigned_abs())?,
    };
    (index < length).then_some(index)
}

fn parts(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count()
}

/// A part of a path without its escapes. `~01` is `~1`, since one pass does both.
fn decoded(part: &str) -> String {
    let mut decoded = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, after)) = rest.split_once('~') {
        decoded.push_str(before);
        rest = match after.as_bytes().first() {
            Some(b'0') => {
                decoded.push('~');
                &after[1..]
            }
            Some(b'1') => {
                decoded.push('/');
                &after[1..]
            }
            _ => {
                decoded.push('~');
                after
            }
        };
    }
    decoded.push_str(rest);
    decoded
}

/// How long a value is as JSON text.
fn size(value: &Value, limit: usize) -> Result<usize, Fault> {
    struct Count {
        bytes: usize,
        limit: usize,
    }
    impl io::Write for Count {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.bytes += text.len();
            if self.bytes > self.limit {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count { bytes: 0, limit };
    serde_json::to_writer(&mut count, value).map_err(|_| Fault)?;
    Ok(count.bytes)
}
