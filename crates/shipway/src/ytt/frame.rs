//! How requests and answers travel: as JSON, behind their length in four bytes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest request: a template, and all that it reads.
pub(super) const LARGEST_REQUEST: usize = 32 << 20;
/// The longest answer: more than an API server takes.
pub(super) const LARGEST_ANSWER: usize = 2 << 20;

/// What a worker answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// The Kubernetes object.
    Object(Value),
    /// Why there is none.
    Refused(Refused),
}

/// Why a template gives no object.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Refused {
    pub(super) why: String,
    /// Whether it took too long, which may be otherwise another time.
    pub(super) is_late: bool,
    /// Whether no other data could make it otherwise.
    pub(super) is_certain: bool,
    /// Whether the worker ends: what the template has used up is not to be missed by the next one.
    pub(super) is_last: bool,
}

/// A text with its length before it.
pub(super) fn of(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let length = u32::try_from(text.len()).map_err(std::io::Error::other)?;
    let mut frame = Vec::with_capacity(text.len() + 4);
    frame.extend(length.to_le_bytes());
    frame.extend(text);
    Ok(frame)
}

/// The length that four bytes say.
pub(super) fn length(bytes: [u8; 4], most: usize) -> std::io::Result<usize> {
    let length = u32::from_le_bytes(bytes) as usize;
    if length > most {
        return Err(std::io::Error::other("the frame is too long"));
    }
    Ok(length)
}
