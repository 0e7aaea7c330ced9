//! Why the store refuses.

use std::sync::Arc;

use super::{MAX_OBJECT_BYTES, MAX_OBJECT_DEPTH, Record};
use crate::status::Status;

/// Why an object cannot be stored.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DraftError {
    /// It is no object with metadata.
    #[error("an object needs metadata")]
    Shape,
    /// Its name or namespace is empty, too long or no segment of a path.
    #[error("an object's name and namespace must be segments of a path")]
    Name,
    /// Lists and objects are nested in it more than [`MAX_OBJECT_DEPTH`] deep.
    #[error("the object is nested {0} levels deep, and {MAX_OBJECT_DEPTH} are allowed")]
    TooDeep(usize),
    /// Its text is longer than [`MAX_OBJECT_BYTES`].
    #[error("the object has {0} bytes, and {MAX_OBJECT_BYTES} are allowed")]
    TooLarge(usize),
}

/// Why a change was not made.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CommitError {
    /// The object is not as expected. This is how it is, none where there is none.
    #[error("the object is not at the expected revision")]
    Stale(Option<Arc<Record>>),
    /// The change could not be written to disk. It may be tried again.
    #[error("cannot write the change to disk: {0}")]
    Disk(Arc<str>),
    /// The store does not take changes any more.
    #[error("the store is closed")]
    Closed,
}

/// The history does not reach back to a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {wanted} ({oldest})")]
pub(crate) struct Expired {
    /// The revision.
    pub(crate) wanted: u64,
    /// The oldest one to which it does.
    pub(crate) oldest: u64,
}

impl Expired {
    pub(super) fn check(wanted: u64, oldest: u64) -> Result<(), Self> {
        if wanted < oldest {
            return Err(Self { wanted, oldest });
        }
        Ok(())
    }
}

impl From<Expired> for Status {
    /// 410, as a watch says it in its `ERROR` event.
    fn from(expired: Expired) -> Self {
        Self::expired(expired.to_string())
    }
}
