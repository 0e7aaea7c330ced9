//! How changes are written: frames with a checksum each, of entries.
//!
//! A frame is `SWF1`, the length of its payload, a checksum of length and payload (CRC-32), and the
//! payload. All numbers are little-endian. The frame of a batch stands and falls as a whole.

use std::ops::Range;

use crate::store::MAX_OBJECT_BYTES;
use crate::store::record::{Key, Parts, Record, Resource};

const MAGIC: [u8; 4] = *b"SWF1";
const HEADER: usize = 12;

/// After how many bytes a frame takes no more entries.
pub(super) const FULL: usize = 4 << 20;

/// How long a payload can be: a full one, and one more entry.
pub(super) const MAX_PAYLOAD: usize = FULL + MAX_OBJECT_BYTES + 4096;

/// What a frame tells.
pub(super) enum Entry<'a> {
    /// An object was created or replaced.
    Put {
        resource: &'a str,
        path: &'a str,
        parts: Parts<'a>,
    },
    /// An object was deleted.
    Delete {
        resource: &'a str,
        path: &'a str,
        revision: u64,
    },
    /// A file starts: of a log with its first revision, of a snapshot with the one it is of.
    Head(u64),
    /// A snapshot ends, after so many objects.
    End(u64),
}

const PUT: u8 = 1;
const DELETE: u8 = 2;
const HEAD: u8 = 3;
const END: u8 = 4;

/// Appends a frame with what `body` writes.
pub(super) fn frame(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    body(out);
    let (_, written) = out.split_at_mut(start);
    let (header, payload) = written.split_at_mut(HEADER);
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let length = length.to_le_bytes();
    let sum = checksum(length, payload).to_le_bytes();
    for (slot, byte) in header.iter_mut().zip([MAGIC, length, sum].as_flattened()) {
        *slot = *byte;
    }
}

fn checksum(length: [u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(payload);
    hasher.finalize()
}

/// The frame at the start of some bytes, if it is whole and right: its payload and what follows.
pub(super) fn first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let size = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    if size > MAX_PAYLOAD {
        return None;
    }
    let (payload, rest) = rest.split_at_checked(size)?;
    (checksum(*length, payload) == u32::from_le_bytes(*sum)).then_some((payload, rest))
}

/// Whether a whole frame stands anywhere in some bytes: then what is before it is no torn end.
///
/// No object can pretend to be one: the length of a frame has zero bytes, which JSON does not.
pub(super) fn any(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() >= HEADER) {
        if rest.starts_with(&MAGIC) && first(rest).is_some() {
            return true;
        }
        at += 1;
    }
    false
}

fn number(out: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    out.extend_from_slice(&number.to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn key(out: &mut Vec<u8>, key: &Key) {
    text(out, key.resource().as_str());
    text(out, key.path());
}

/// Appends an object.
pub(super) fn put(out: &mut Vec<u8>, record: &Record) {
    let parts = record.parts();
    out.push(PUT);
    key(out, record.key());
    for revision in [parts.created, parts.modified] {
        out.extend_from_slice(&revision.to_le_bytes());
    }
    for range in [parts.version, parts.metadata] {
        number(out, range.start);
        number(out, range.end);
    }
    number(out, parts.json.len());
    out.extend_from_slice(parts.json);
}

/// Appends a deletion. The last state follows from what the log told before.
pub(super) fn delete(out: &mut Vec<u8>, record: &Record) {
    out.push(DELETE);
    key(out, record.key());
    out.extend_from_slice(&record.modified().to_le_bytes());
}

/// Appends the start of a file.
pub(super) fn head(out: &mut Vec<u8>, revision: u64) {
    out.push(HEAD);
    out.extend_from_slice(&revision.to_le_bytes());
}

/// Appends the end of a snapshot.
pub(super) fn end(out: &mut Vec<u8>, count: u64) {
    out.push(END);
    out.extend_from_slice(&count.to_le_bytes());
}

/// Reads the entries of a payload.
pub(super) struct Entries<'a>(pub(super) &'a [u8]);

/// A payload whose checksum is right makes no sense.
pub(super) struct Nonsense;

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Nonsense>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let entry = self.entry().ok_or(Nonsense);
        if entry.is_err() {
            self.0 = &[];
        }
        Some(entry)
    }
}

impl<'a> Entries<'a> {
    fn entry(&mut self) -> Option<Entry<'a>> {
        let [kind] = *self.bytes(1)? else {
            return None;
        };
        Some(match kind {
            PUT => {
                let (resource, path) = (self.text()?, self.text()?);
                let (created, modified) = (self.revision()?, self.revision()?);
                let (version, metadata) = (self.range()?, self.range()?);
                let length = self.number()?;
                let json = self.bytes(length)?;
                let parts = Parts {
                    version,
                    metadata,
                    created,
                    modified,
                    json,
                };
                Entry::Put {
                    resource,
                    path,
                    parts,
                }
            }
            DELETE => Entry::Delete {
                resource: self.text()?,
                path: self.text()?,
                revision: self.revision()?,
            },
            HEAD => Entry::Head(self.revision()?),
            END => Entry::End(self.revision()?),
            _ => return None,
        })
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    fn revision(&mut self) -> Option<u64> {
        let bytes = self.bytes(8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    fn number(&mut self) -> Option<usize> {
        let bytes = self.bytes(4)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    }

    fn range(&mut self) -> Option<Range<usize>> {
        Some(self.number()?..self.number()?)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }
}

/// The key that an entry names.
pub(super) fn key_of(resource: &str, path: &str) -> Key {
    Key::of_path(Resource::of_text(resource), path.into())
}
