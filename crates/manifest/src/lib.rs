//! A parsed Kubernetes object: identity, YAML and JSON in and out, redaction.
//!
//! Must not know: our own kinds, a Kubernetes client, where a file came from.

mod fingerprint;
mod identity;
mod object;
mod parse;
mod problem;
mod redact;
mod text;

pub use fingerprint::fingerprint;
pub use identity::{GroupKind, ObjectId, is_path_segment};
pub use object::Manifest;
pub use parse::{Document, MAX_DEPTH, MAX_DOCUMENTS, MAX_FILE_BYTES, parse_documents, parse_file};
pub use problem::{Problem, ProblemReason};
pub use redact::{LAST_APPLIED, redact, redact_pair};
pub use text::to_yaml;
