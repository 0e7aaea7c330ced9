//! Takes over an object that was there before its first apply.

use bytes::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use kinds::names;
use serde_json::{Value, json};

use super::{Applied, Partial, patch, read};
use crate::caller::{Caller, Payload, Want};
use crate::error::ApiError;
use crate::resource::Resource;

/// What kubectl's client-side apply leaves behind.
const CLIENT_SIDE_APPLY: &str = "kubectl-client-side-apply";
/// What the API server records when an object without recorded owners is first applied.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// How often the move is tried while others write the object.
const TRIES: usize = 5;

/// Moves what others left behind: fields that kubectl's client-side apply owned become ours, so
/// that what has left the source goes away with the second apply; what was recorded before the
/// first apply is let go of and keeps its value.
pub(super) async fn adopt(
    caller: &Caller,
    place: &Resource,
    body: &Value,
    manager: &str,
    want: Want,
    applied: Applied,
) -> Result<Applied, ApiError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let live: Partial = caller.get(place, Want::Metadata).await?.decode()?;
        let Some(entries) = migrated(&live.metadata, manager) else {
            return Ok(applied); // nobody left anything behind
        };
        let steps = json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": live.metadata.resource_version},
            {"op": "replace", "path": "/metadata/managedFields", "value": entries},
        ]);
        let query = format!("fieldManager={}", names::CONTROLLER_MANAGER);
        let payload = Payload::JsonPatch(Bytes::from(steps.to_string()));
        match caller.patch(place, &query, Want::Metadata, &payload).await {
            Ok(_) => {
                let answer = patch(caller, place, body, manager, false, want).await?;
                return read(&answer, manager, want);
            }
            // Somebody wrote it meanwhile: a failed test is 422.
            Err(error) if (error.is_conflict() || error.is_invalid()) && tries < TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// The entries as they should be; nothing when there is nothing to move.
fn migrated(live: &ObjectMeta, manager: &str) -> Option<Vec<ManagedFieldsEntry>> {
    let entries = live.managed_fields.clone().unwrap_or_default();
    let left_behind = |entry: &ManagedFieldsEntry| {
        let subresource = entry.subresource.as_deref().unwrap_or_default();
        subresource.is_empty()
            && matches!(
                entry.manager.as_deref(),
                Some(CLIENT_SIDE_APPLY | BEFORE_FIRST_APPLY)
            )
    };
    let (old, mut kept): (Vec<_>, Vec<_>) = entries.into_iter().partition(left_behind);
    if old.is_empty() {
        return None;
    }
    let ours = kept.iter_mut().find(|entry| {
        entry.manager.as_deref() == Some(manager) && entry.operation.as_deref() == Some("Apply")
    })?;
    let fields = &mut ours.fields_v1.as_mut()?.0;
    let applied = |entry: &&ManagedFieldsEntry| entry.manager.as_deref() == Some(CLIENT_SIDE_APPLY);
    for inherited in old
        .iter()
        .filter(applied)
        .filter_map(|entry| entry.fields_v1.as_ref())
    {
        merge_fields(fields, &inherited.0);
    }
    Some(kept)
}

fn merge_fields(into: &mut Value, from: &Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        for (key, value) in from {
            merge_fields(into.entry(key.clone()).or_insert_with(|| json!({})), value);
        }
    }
}
