//! What the server itself writes into an object's metadata. Pure, but for chance.

use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Map, Value, json};

use crate::status::Status;

/// What generated names end with, as upstream has it: no vowels, so that no words come of it.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// How long that is.
const SUFFIX: usize = 5;
/// The longest name that is generated.
const LONGEST: usize = 63;

/// The metadata of an object; an empty one where there is none.
pub(crate) fn metadata(object: &Value) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    object
        .get("metadata")
        .and_then(Value::as_object)
        .unwrap_or(&NONE)
}

/// The metadata of an object, made where there is none.
pub(crate) fn metadata_mut(object: &mut Value) -> Option<&mut Map<String, Value>> {
    let object = object.as_object_mut()?;
    let metadata = object.entry("metadata").or_insert_with(|| json!({}));
    if metadata.is_null() {
        *metadata = json!({});
    }
    metadata.as_object_mut()
}

/// A text field of the metadata; empty where it is absent.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    metadata(object)
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A name that begins with `base`.
pub(crate) fn generated_name(base: &str) -> String {
    let mut end = base.len().min(LONGEST - SUFFIX);
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    let mut name = base[..end].to_owned();
    for byte in random::<SUFFIX>() {
        // The bias of 256 over 27 does no harm: a collision is tried again.
        name.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
    }
    name
}

/// A uid: a random UUID (RFC 9562, version 4).
pub(crate) fn new_uid() -> String {
    let mut bytes = random::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.extend(
            [byte >> 4, byte & 15].map(|half| char::from_digit(u32::from(half), 16).unwrap_or('0')),
        );
    }
    text
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Fails only where the system has no randomness, where no key could have been made either.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}

/// Checks that an object belongs to the URL that it is written to, and puts the namespace into it.
///
/// # Errors
/// 400 in upstream's words (apiserver, `pkg/endpoints/handlers/rest.go`, `checkName`).
pub(crate) fn settle_place(object: &mut Value, namespace: &str, name: &str) -> Result<(), Status> {
    let Some(metadata) = metadata_mut(object) else {
        return Err(Status::bad_request(
            "the object provided is unrecognized (must be of type object)",
        ));
    };
    let written = |field: &str| {
        metadata
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let own = written("namespace");
    if !own.is_empty() && own != namespace {
        return Err(Status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    match written("name") {
        own if name.is_empty() || own == name => {}
        "" => {
            return Err(Status::bad_request(format!(
                "the name of the object ({name} based on URL) was undeterminable: name must be provided"
            )));
        }
        own => {
            return Err(Status::bad_request(format!(
                "the name of the object ({own}) does not match the name on the URL ({name})"
            )));
        }
    }
    if namespace.is_empty() {
        metadata.remove("namespace");
    } else {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    Ok(())
}

/// Drops owners that are named twice in the same words.
pub(crate) fn dedup_owners(object: &mut Value) {
    let owners = metadata_mut(object).and_then(|metadata| metadata.get_mut("ownerReferences"));
    let Some(owners) = owners.and_then(Value::as_array_mut) else {
        return;
    };
    let mut seen: Vec<Value> = Vec::with_capacity(owners.len());
    owners.retain(|owner| {
        let is_new = !seen.contains(owner);
        if is_new {
            seen.push(owner.clone());
        }
        is_new
    });
}

/// Wipes what only the server writes, and writes what every new object has.
pub(crate) fn settle_new(object: &mut Value, now: &str, with_generation: bool) {
    let Some(metadata) = metadata_mut(object) else {
        return;
    };
    for field in [
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    ] {
        metadata.remove(field);
    }
    metadata.insert("uid".to_owned(), json!(new_uid()));
    metadata.insert("creationTimestamp".to_owned(), json!(now));
    if with_generation {
        metadata.insert("generation".to_owned(), json!(1));
    } else {
        metadata.remove("generation");
    }
}

/// Counts a change.
pub(crate) fn bump_generation(object: &mut Value) {
    if let Some(metadata) = metadata_mut(object) {
        let generation = metadata.get("generation").and_then(Value::as_i64);
        metadata.insert("generation".to_owned(), json!(generation.unwrap_or(0) + 1));
    }
}

/// Whether an object is on its way out.
pub(crate) fn is_deleting(object: &Value) -> bool {
    metadata(object)
        .get("deletionTimestamp")
        .is_some_and(|at| !at.is_null())
}

/// The finalizers of an object.
pub(crate) fn finalizers(object: &Value) -> impl Iterator<Item = &str> {
    let all = metadata(object).get("finalizers").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_uids_are_made_by_chance() {
        let name = generated_name("web-");
        assert_eq!(name.len(), 9);
        assert!(name.starts_with("web-") && name != generated_name("web-"));
        assert_eq!(generated_name(&"x".repeat(300)).len(), LONGEST);
        let uid = new_uid();
        assert_eq!((uid.len(), &uid[14..15]), (36, "4"), "{uid}");
    }

    #[test]
    fn an_owner_is_named_once() {
        let owner = json!({"kind": "ConfigMap", "name": "a", "uid": "u"});
        let other = json!({"kind": "ConfigMap", "name": "b", "uid": "u"});
        let mut object = json!({"metadata": {"ownerReferences": [owner, other, owner]}});
        dedup_owners(&mut object);
        assert_eq!(object["metadata"]["ownerReferences"], json!([owner, other]));
    }

    #[test]
    fn a_body_belongs_to_its_url() {
        let mut object = json!({"metadata": {"name": "a"}});
        assert_eq!(settle_place(&mut object, "ns", "a"), Ok(()));
        assert_eq!(
            object,
            json!({"metadata": {"name": "a", "namespace": "ns"}})
        );
        let other = settle_place(&mut object, "ns", "b").expect_err("another name");
        assert_eq!(
            other.message,
            "the name of the object (a) does not match the name on the URL (b)"
        );
        assert_eq!(
            settle_place(&mut object, "else", "a")
                .expect_err("another namespace")
                .code,
            400
        );
        assert_eq!(
            settle_place(&mut json!([]), "", "")
                .expect_err("no object")
                .code,
            400
        );
        let nameless = settle_place(&mut json!({}), "ns", "a").expect_err("it has no name");
        assert_eq!(
            nameless.message,
            "the name of the object (a based on URL) was undeterminable: name must be provided"
        );
    }
}
