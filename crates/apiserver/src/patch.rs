//! Patches: how a document and what a client sends become the new document.
//!
//! The three kinds follow upstream's implementations rather than the RFCs where the two differ:
//! `evanphx/json-patch` v4 for JSON patches (RFC 6902) and merge patches (RFC 7386), and
//! `apimachinery/pkg/util/strategicpatch`. Apply patches are server-side apply, elsewhere.
//!
//! The document is copied once; what a patch does not touch is moved from there on. Neither argument
//! changes, since a write that lost a race applies the same patch to another document.

mod json;
mod merge;
mod strategic;

use serde_json::Value;

use crate::schema::strict;
use crate::schema::{Schema, TypeId};
use crate::status::Status;

/// How deep a document may be: what a JSON body may be, so that what is stored can be read again.
const MAX_DEPTH: usize = 127;

/// Applies a JSON patch (RFC 6902).
///
/// As upstream: negative indices count from the end, `replace` adds a missing field of a map, and
/// a missing field equals `null` in `test`.
///
/// # Errors
/// 400 for what is no list of operations, 413 for more than 10 000 of them, 422 when one cannot be
/// applied or its test fails, also when copies add more than 3 MiB or the document gets too deep.
pub(crate) fn json_patch(doc: &Value, patch: &Value) -> Result<Value, Status> {
    json::apply(doc, patch)
}

/// Applies a merge patch (RFC 7386).
///
/// As upstream: `null`s inside of lists stay.
///
/// # Errors
/// 400 for a patch that is no object.
pub(crate) fn merge_patch(doc: &Value, patch: &Value) -> Result<Value, Status> {
    let Value::Object(changes) = patch else {
        return Err(Status::bad_request(match patch {
            Value::Null => "Invalid JSON Patch".to_owned(),
            other => format!("error decoding patch: {}", no_map(other)),
        }));
    };
    let Value::Object(doc) = doc else {
        return Err(Status::internal("Invalid JSON Document"));
    };
    let mut doc = doc.clone();
    merge::merge(&mut doc, changes);
    Ok(Value::Object(doc))
}

/// Applies a strategic merge patch to a document of the given type.
///
/// # Errors
/// Those of upstream: 400 for malformed directives, 422 for lists of lists, and 500 without a reason
/// for the rest, such as an item without its merge key.
pub(crate) fn strategic(
    doc: &Value,
    patch: &Value,
    schema: &Schema,
    ty: TypeId,
) -> Result<Value, Status> {
    strategic::apply(doc, patch, schema, ty)
}

/// How Go's decoder refuses what is no map.
fn no_map(value: &Value) -> String {
    let what = strict::word(value);
    format!("json: cannot unmarshal {what} into Go value of type map[string]interface {{}}")
}

/// 422 as upstream writes it, which does not say what was wrong
/// (`NewGenericServerResponse(422, …)`).
fn rejected() -> Status {
    Status {
        code: 422,
        reason: "Invalid",
        message: "the server rejected our request due to an error in our request".to_owned(),
        details: Some(Box::default()),
        ..Status::internal("")
    }
}

/// How deep lists and maps nest; 0 for one value.
///
/// It recurses, which is safe since neither bodies nor what patches make of them get deep.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
