//! Names of Git objects: 40 hexadecimal digits that were checked.
//!
//! Must not know where an object comes from.

use std::fmt;
use std::str::FromStr;

/// A text is not the full 40 digit name of a Git object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a full commit or tree id has 40 lower-case hexadecimal digits")]
pub struct InvalidId;

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 20]);

        impl $name {
            pub(crate) fn from_oid(oid: gix::ObjectId) -> Option<$name> {
                <[u8; 20]>::try_from(oid.as_slice()).ok().map($name)
            }

            pub(crate) fn oid(self) -> gix::ObjectId {
                gix::ObjectId::Sha1(self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<$name, InvalidId> {
                let lower = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if text.len() != 40 || !lower {
                    return Err(InvalidId);
                }
                let oid = gix::ObjectId::from_hex(text.as_bytes()).map_err(|_| InvalidId)?;
                $name::from_oid(oid).ok_or(InvalidId)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.oid().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self)
            }
        }
    };
}

// Two types of one shape: a tree id where a commit id belongs is a mistake worth a compile error.
object_id! {
    /// The id of a commit.
    CommitId
}
object_id! {
    /// The id of a tree: equal ids mean equal content below it.
    TreeId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_lower_case_ids_are_ids() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(
            full.parse::<CommitId>().expect("it is full").to_string(),
            full
        );
        for wrong in [
            "",
            "0123456",
            "main",
            &full.to_uppercase(),
            &format!("{full}0"),
            "é",
        ] {
            assert_eq!(wrong.parse::<CommitId>(), Err(InvalidId), "{wrong}");
        }
    }
}
