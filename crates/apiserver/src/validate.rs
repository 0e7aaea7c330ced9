//! What holds for the metadata of every object, whatever its kind.
//!
//! Rules and messages are those of upstream's `apimachinery/pkg/api/validation`. All here is pure: it
//! reads the metadata as JSON and answers with the faults it found, in upstream's order (maps by key).

mod metadata;
mod name;
mod path;

pub(crate) use metadata::text;
pub(crate) use metadata::{carry_over, create, finalizer_warnings, update};
pub(crate) use name::{Form, NameRule, label_value, qualified_name};
pub(crate) use name::{dns1035_label, dns1123_subdomain};
pub(crate) use path::Path;

/// Whether objects of a kind live in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// They do.
    Namespaced,
    /// They do not.
    Cluster,
}

/// All annotations of an object together may have this many bytes, keys and values.
pub(crate) const ANNOTATION_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests;
