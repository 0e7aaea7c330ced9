//! How much time, disk and memory one repository may cost.

use std::time::Duration;

/// Bounds on everything that is read from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest one look-up or one fetch may take, connecting and authentication included.
    pub timeout: Duration,
    /// The longest silence of the server before a transfer counts as dead.
    pub idle: Duration,
    /// The most bytes one fetch may receive.
    pub pack_bytes: u64,
    /// The most files (and folders) a sub-tree may have.
    pub files: usize,
    /// The largest single file.
    pub file_bytes: u64,
    /// The most bytes all files of a sub-tree may have together.
    pub tree_bytes: u64,
    /// The deepest folder below the sub-tree.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            timeout: Duration::from_mins(1),
            idle: Duration::from_secs(20),
            pack_bytes: 256 << 20,
            files: 20_000,
            file_bytes: 4 << 20,
            tree_bytes: 64 << 20,
            depth: 32,
        }
    }
}
