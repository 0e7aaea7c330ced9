//! The wire format: numbers of variable length, tags, lengths. Its messages are those of gogo's
//! generated code, since clients see them.

use super::Undecodable;

/// How the value after a tag is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireType {
    Varint,
    Fixed64,
    Bytes,
    StartGroup,
    Fixed32,
    /// None of the known ways.
    Other(u8),
}

impl WireType {
    /// The error of a field that is not written so.
    ///
    /// Upstream names the field of the Go struct, which is the JSON name in upper case as a rule.
    pub(super) fn wrong(self, field: &str) -> Undecodable {
        let number = match self {
            Self::Varint => 0,
            Self::Fixed64 => 1,
            Self::Bytes => 2,
            Self::StartGroup => 3,
            Self::Fixed32 => 5,
            Self::Other(number) => number,
        };
        if field == "metadata" {
            return Undecodable::new(format!(
                "proto: wrong wireType = {number} for field ObjectMeta"
            ));
        }
        let mut letters = field.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let field: String = first.into_iter().chain(letters).collect();
        Undecodable::new(format!(
            "proto: wrong wireType = {number} for field {field}"
        ))
    }
}

/// How deep groups may nest, which nobody writes any more.
const MAX_GROUPS: usize = 32;

fn cut_off() -> Undecodable {
    Undecodable::new("unexpected EOF")
}

/// Reads one message from its beginning to its end.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The number of the next field and how it is written; none at the end.
    pub(super) fn tag(&mut self, message: &str) -> Result<Option<(u32, WireType)>, Undecodable> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let wire = match tag.to_le_bytes()[0] & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Bytes,
            3 => WireType::StartGroup,
            4 => {
                let why = format!("proto: {message}: wiretype end group for non-group");
                return Err(Undecodable::new(why));
            }
            5 => WireType::Fixed32,
            other => WireType::Other(other),
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "as upstream: int32(wire >> 3)"
        )]
        let number = (tag >> 3) as i32;
        match u32::try_from(number) {
            Ok(number) if number > 0 => Ok(Some((number, wire))),
            _ => Err(Undecodable::new(format!(
                "proto: {message}: illegal tag {number} (wire type {tag})"
            ))),
        }
    }

    pub(super) fn varint(&mut self) -> Result<u64, Undecodable> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or_else(cut_off)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Undecodable::new("proto: integer overflow"))
    }

    pub(super) fn fixed64(&mut self) -> Result<[u8; 8], Undecodable> {
        let (value, rest) = self.rest.split_first_chunk().ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(*value)
    }

    /// A value that says its length first.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Undecodable> {
        let length = self.varint()?;
        if i64::try_from(length).is_err() {
            let why = "proto: negative length found during unmarshaling";
            return Err(Undecodable::new(why));
        }
        let length = usize::try_from(length).map_err(|_| cut_off())?;
        let (value, rest) = self.rest.split_at_checked(length).ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(value)
    }

    /// Text. What is no UTF-8 becomes U+FFFD byte by byte, as where Go writes it as JSON.
    pub(super) fn text(&mut self) -> Result<String, Undecodable> {
        let bytes = self.bytes()?;
        if let Ok(text) = str::from_utf8(bytes) {
            return Ok(text.to_owned());
        }
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
        }
        Ok(text)
    }

    /// Passes over a value that nobody knows.
    pub(super) fn skip(&mut self, wire: WireType) -> Result<(), Undecodable> {
        self.skip_within(wire, 0)
    }

    fn skip_within(&mut self, wire: WireType, groups: usize) -> Result<(), Undecodable> {
        match wire {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.fixed64().map(drop),
            WireType::Bytes => self.bytes().map(drop),
            WireType::Fixed32 => {
                self.rest = self.rest.get(4..).ok_or_else(cut_off)?;
                Ok(())
            }
            WireType::Other(number) => {
                let why = format!("proto: illegal wireType {number}");
                Err(Undecodable::new(why))
            }
            WireType::StartGroup if groups == MAX_GROUPS => {
                Err(Undecodable::new("proto: groups are nested too deeply"))
            }
            WireType::StartGroup => loop {
                let before = self.rest;
                if self.varint()? & 7 == 4 {
                    return Ok(());
                }
                self.rest = before;
                let (_, wire) = self.tag("group")?.ok_or_else(cut_off)?;
                self.skip_within(wire, groups + 1)?;
            },
        }
    }
}
