//! How changes are written: a line of JSON for each, behind the checksum (CRC-32) of its bytes.
//!
//! The first line is `["shipway 1",REVISION,COUNT]`, where 1 is the version of all that is said here. Only that
//! it stands in the first line, like this, holds in every version. What follows are first COUNT objects, the
//! state of that revision, and then the changes after it. An object is `[RESOURCE,PATH,CREATED,MODIFIED,OBJECT]`;
//! for one that was deleted `null` stands in its place.

use serde_json::Value;

use crate::store::Draft;
use crate::store::record::{Key, Record, Resource};

/// How many bytes a checksum and its blank take.
const HEADER: usize = 9;
const NAME: &str = "shipway ";
/// The version that is written, and the only one that is read.
const VERSION: u64 = 1;

/// What a line says.
pub(super) enum Line {
    /// The revision of the state that follows, and how many objects it has.
    Head(u64, u64),
    /// That a later version of this server wrote what follows.
    Newer,
    Put(Record),
    Delete(Key, u64),
}

fn line(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[b' '; HEADER]);
    body(out);
    let (_, written) = out.split_at_mut(start);
    let (header, payload) = written.split_at_mut(HEADER);
    let sum = format!("{:08x}", crc32fast::hash(payload));
    for (slot, byte) in header.iter_mut().zip(sum.bytes()) {
        *slot = byte;
    }
    out.push(b'\n');
}

/// Writes the first line.
pub(super) fn head(out: &mut Vec<u8>, revision: u64, count: u64) {
    let text = format!("[\"{NAME}{VERSION}\",{revision},{count}]");
    line(out, |out| out.extend_from_slice(text.as_bytes()));
}

/// Writes an object.
pub(super) fn put(out: &mut Vec<u8>, record: &Record) {
    entry(out, record, record.json());
}

/// Writes that an object is gone.
pub(super) fn delete(out: &mut Vec<u8>, record: &Record) {
    entry(out, record, b"null");
}

fn entry(out: &mut Vec<u8>, record: &Record, object: &[u8]) {
    let key = record.key();
    let text = |text: &str| Value::from(text).to_string();
    let (resource, path) = (text(key.resource().as_str()), text(key.path()));
    let (created, modified) = (record.created(), record.modified());
    line(out, |out| {
        let start = format!("[{resource},{path},{created},{modified},");
        out.extend_from_slice(start.as_bytes());
        out.extend_from_slice(object);
        out.push(b']');
    });
}

/// The bytes of a line without its end, if they are as they were written.
pub(super) fn payload(line: &[u8]) -> Option<&[u8]> {
    let (header, payload) = line.split_at_checked(HEADER)?;
    let sum = format!("{:08x} ", crc32fast::hash(payload));
    (header == sum.as_bytes()).then_some(payload)
}

/// Reads a line.
pub(super) fn read(payload: &[u8]) -> Option<Line> {
    let parts: Vec<Value> = serde_json::from_slice(payload).ok()?;
    if let Some(version) = parts.first().and_then(version)
        && version > VERSION
    {
        return Some(Line::Newer);
    }
    match parts.as_slice() {
        [name, revision, count] if version(name) == Some(VERSION) => {
            Some(Line::Head(revision.as_u64()?, count.as_u64()?))
        }
        [resource, path, created, modified, object] => {
            let resource = Resource::of_text(resource.as_str()?);
            let modified = modified.as_u64()?;
            if object.is_null() {
                let key = Key::of_path(resource, path.as_str()?.into());
                return Some(Line::Delete(key, modified));
            }
            let draft = Draft::new(&resource, object).ok()?;
            Some(Line::Put(draft.restored(created.as_u64()?, modified)))
        }
        _ => None,
    }
}

/// The version of which the first line tells.
fn version(name: &Value) -> Option<u64> {
    name.as_str()?.strip_prefix(NAME)?.parse().ok()
}
