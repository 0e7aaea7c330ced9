//! Reads and writes Inventory objects. The controller is their only writer, so they are listed
//! once at the start and written from then on, never read again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

use bytes::Bytes;
use kinds::inventory::{CHUNK, Inventory, InventoryEntry};
use kinds::{Shipment, names};
use kube::api::{Api, ListParams};
use kube::core::ApiResource;
use kube::{Resource as _, ResourceExt as _};
use serde_json::{Value, json};

use crate::caller::{Caller, Payload, Want};
use crate::error::ApiError;
use crate::resource::Resource;

/// How many Inventory objects one list request brings.
const PAGE: u32 = 500;

/// The inventory of one Shipment as it stands in the cluster, as much of it as tells what has to
/// be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The key of what was last applied completely.
    pub key: Option<String>,
    /// A hash of each part's entries.
    parts: Vec<u64>,
}

impl Stored {
    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// What was stored, and its entries in the order of the parts.
pub type Loaded = (Stored, Vec<InventoryEntry>);

/// Lists all inventories of the cluster, by the namespace and name of their Shipment.
///
/// # Errors
/// [`ApiError::Unreachable`] when a page cannot be read.
pub async fn load(caller: &Caller) -> Result<HashMap<(String, String), Loaded>, ApiError> {
    let api: Api<Inventory> = Api::all(caller.client().clone());
    let mut parts: HashMap<(String, String), Vec<(usize, Inventory)>> = HashMap::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = api
            .list(&params)
            .await
            .map_err(|e| ApiError::Unreachable(format!("inventories: {e}")))?;
        let next = page
            .metadata
            .continue_
            .clone()
            .filter(|token| !token.is_empty());
        for inventory in page {
            let owner = (
                inventory.namespace().unwrap_or_default(),
                inventory.spec.shipment.clone(),
            );
            let index = part_index(&inventory.name_any(), &inventory.spec.shipment);
            parts.entry(owner).or_default().push((index, inventory));
        }
        match next {
            Some(token) => params.continue_token = Some(token),
            None => break,
        }
    }
    Ok(parts
        .into_iter()
        .map(|(owner, parts)| (owner, assemble(parts)))
        .collect())
}

fn assemble(mut parts: Vec<(usize, Inventory)>) -> Loaded {
    parts.sort_by_key(|(index, _)| *index);
    let count = parts.last().map_or(0, |(index, _)| index + 1);
    let mut stored = Stored {
        key: None,
        parts: vec![hash(&[]); count],
    };
    let mut entries = Vec::new();
    for (index, part) in parts {
        if index == 0 {
            stored.key = part.spec.key;
        }
        stored.parts[index] = hash(&part.spec.entries);
        entries.extend(part.spec.entries);
    }
    (stored, entries)
}

/// Tells the entries of a part from others, within one run of the program.
fn hash(entries: &[InventoryEntry]) -> u64 {
    let text = serde_json::to_string(entries).expect("entries are plain data");
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// The longest name of an object.
const LONGEST: usize = 253;
/// How much of a name is left where a hash stands for its end.
const KEPT: usize = 200;

/// The name of a part. Where the Shipment's own leaves no room for the number, a hash makes some.
fn part_name(shipment: &str, index: usize) -> String {
    let name = format!("{shipment}.{index}");
    if name.len() <= LONGEST {
        name
    } else {
        format!("{}.{index}", hashed(shipment))
    }
}

fn hashed(shipment: &str) -> String {
    let kept: String = shipment.chars().take(KEPT).collect();
    let kept = kept.trim_end_matches(['.', '-']);
    format!("{kept}-{}", manifest::fingerprint(shipment, 24))
}

fn part_index(name: &str, shipment: &str) -> usize {
    let rest = name
        .strip_prefix(shipment)
        .or_else(|| name.strip_prefix(&hashed(shipment)));
    rest.and_then(|rest| rest.strip_prefix('.')?.parse().ok())
        .unwrap_or(0)
}

/// Writes the parts that differ from what is stored, and removes those that are left over. Where
/// nothing differs there is no request.
///
/// # Errors
/// [`ApiError`] of the first write that fails; parts before it are written. Since new entries are
/// written before their objects exist and dropped after they are gone, that loses nothing.
pub async fn save(
    caller: &Caller,
    shipment: &Shipment,
    stored: &mut Stored,
    key: Option<String>,
    entries: &[InventoryEntry],
) -> Result<(), ApiError> {
    let namespace = shipment.namespace().unwrap_or_default();
    let name = shipment.name_any();
    let api = ApiResource::erase::<Inventory>(&());
    let count = entries.len().div_ceil(CHUNK).max(1);
    let parts: Vec<u64> = (0..count)
        .map(|index| hash(chunk(entries, index)))
        .collect();
    for index in 0..count.max(stored.parts.len()) {
        let place = Resource::object(&api, Some(&namespace), &part_name(&name, index));
        let Some(wanted) = parts.get(index) else {
            remove(caller, &place).await?;
            continue;
        };
        let key_moved = index == 0 && stored.key != key;
        let same = stored.parts.get(index) == Some(wanted);
        if same && !key_moved {
            continue;
        }
        let mut spec = spec(&name, index, key.as_deref(), chunk(entries, index));
        if let Some(spec) = spec.as_object_mut().filter(|_| same) {
            spec.remove("entries"); // up to a thousand of them, all known
        }
        let part = Part {
            place: &place,
            name: part_name(&name, index),
            is_new: index >= stored.parts.len(),
        };
        write(caller, shipment, &api, &part, &spec).await?;
    }
    *stored = Stored { key, parts };
    Ok(())
}

fn chunk(entries: &[InventoryEntry], index: usize) -> &[InventoryEntry] {
    let start = (index * CHUNK).min(entries.len());
    let end = (start + CHUNK).min(entries.len());
    &entries[start..end]
}

fn spec(shipment: &str, index: usize, key: Option<&str>, entries: &[InventoryEntry]) -> Value {
    // A merge patch has to name what it takes away.
    let key = if index == 0 { json!(key) } else { Value::Null };
    json!({"shipment": shipment, "key": key, "entries": entries})
}

/// One part of an inventory.
struct Part<'a> {
    place: &'a Resource,
    name: String,
    is_new: bool,
}

async fn write(
    caller: &Caller,
    shipment: &Shipment,
    api: &ApiResource,
    part: &Part<'_>,
    spec: &Value,
) -> Result<(), ApiError> {
    let Part {
        place,
        name,
        is_new,
    } = part;
    let namespace = shipment.namespace().unwrap_or_default();
    let patch = Bytes::from(json!({"spec": spec}).to_string());
    let query = format!("fieldManager={}", names::CONTROLLER_MANAGER);
    let create = || async {
        let mut spec = spec.clone();
        if let Some(spec) = spec.as_object_mut() {
            spec.retain(|_, value| !value.is_null());
        }
        let object = json!({
            "apiVersion": api.api_version, "kind": api.kind,
            "metadata": {
                "name": name,
                "namespace": namespace,
                // Kept until the Shipment has pruned what is listed here, even where somebody
                // deletes the Shipment in the foreground.
                "finalizers": [names::FINALIZER],
                "ownerReferences": [shipment.controller_owner_ref(&())],
            },
            "spec": spec,
        });
        caller
            .create(&Resource::collection(api, Some(&namespace)), &object)
            .await
            .map(drop)
    };
    // Answers what was not expected all the same: a crash may have come between.
    let result = if *is_new {
        create().await
    } else {
        caller
            .patch(
                place,
                &query,
                Want::Metadata,
                &Payload::Merge(patch.clone()),
            )
            .await
            .map(drop)
    };
    match result {
        Err(error) if *is_new && error.is_conflict() => caller
            .patch(place, &query, Want::Metadata, &Payload::Merge(patch))
            .await
            .map(drop),
        Err(error) if !is_new && error.is_not_found() => create().await,
        result => result,
    }
}

/// Removes one part: first its finalizer, then itself.
async fn remove(caller: &Caller, place: &Resource) -> Result<(), ApiError> {
    let patch = Payload::Merge(Bytes::from_static(b"{\"metadata\":{\"finalizers\":null}}"));
    match caller.patch(place, "", Want::Metadata, &patch).await {
        Err(error) if error.is_not_found() => return Ok(()),
        result => result?,
    };
    match caller
        .delete(place, &json!({"propagationPolicy": "Background"}))
        .await
    {
        Err(error) if error.is_not_found() => Ok(()),
        result => result.map(drop),
    }
}

/// Removes the whole inventory of a Shipment that has nothing left.
///
/// # Errors
/// [`ApiError`] of the first removal that fails.
pub async fn drop_all(
    caller: &Caller,
    namespace: &str,
    name: &str,
    stored: &Stored,
) -> Result<(), ApiError> {
    let api = ApiResource::erase::<Inventory>(&());
    for index in 0..stored.parts.len() {
        remove(
            caller,
            &Resource::object(&api, Some(namespace), &part_name(name, index)),
        )
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_a_name_however_long_that_of_its_shipment_is() {
        for length in [1, 200, 251, 252, 253] {
            let shipment = "a".repeat(length);
            for index in [0, 7, 12, 345] {
                let name = part_name(&shipment, index);
                assert!(name.len() <= LONGEST, "{name}");
                assert_eq!(part_index(&name, &shipment), index, "{name}");
            }
        }
        assert_eq!(part_name("web", 1), "web.1");
        let other = format!("{}b", "a".repeat(252));
        assert_ne!(part_name(&"a".repeat(253), 0), part_name(&other, 0));
    }
}
