//! How an output is known in a status: the digest of its YAML, and the beginning of it.
//!
//! Both are asserted by upstream's suites, so the YAML is that of `gopkg.in/yaml.v3` to the byte.

mod emit;
mod plain;
mod scalar;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use std::fmt::Write;

/// How much of an output a status shows, in bytes.
const PREVIEW: usize = 1024;

/// A value as `gopkg.in/yaml.v3` writes it, every number being a float.
pub fn yaml(value: &Value) -> String {
    emit::document(value)
}

/// `sha256:` and the digest of a value's YAML.
pub fn digest(value: &Value) -> String {
    of_yaml(&yaml(value))
}

/// The first 1024 bytes of a value's YAML, less what would be half a character.
pub fn preview(value: &Value) -> String {
    beginning(&yaml(value))
}

/// Digest and preview at the cost of one.
pub fn digest_and_preview(value: &Value) -> (String, String) {
    let yaml = yaml(value);
    (of_yaml(&yaml), beginning(&yaml))
}

fn of_yaml(yaml: &str) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(yaml) {
        // Writing into a String never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn beginning(yaml: &str) -> String {
    yaml[..yaml.floor_char_boundary(PREVIEW)].to_owned()
}

#[cfg(test)]
mod tests;
