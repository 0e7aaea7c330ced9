//! Who owns an object and its fields, as the API server records it in `managedFields`.

mod coverage;

pub use coverage::covers;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use kinds::names;
use manifest::{Manifest, fingerprint};
use serde_json::{Value, json};

/// One owner of delivered objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The owner's kind in lower case, such as `shipment`.
    pub kind: &'static str,
    /// The owner's namespace.
    pub namespace: String,
    /// The owner's name.
    pub name: String,
}

impl Owner {
    /// The Shipment of that name.
    pub fn shipment(namespace: &str, name: &str) -> Self {
        Self {
            kind: "shipment",
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The object of that kind and name.
    pub fn new(kind: &'static str, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Its field manager.
    pub fn manager(&self) -> String {
        names::field_manager(self.kind, &self.namespace, &self.name)
    }

    /// The value of the owner label.
    pub fn label(&self) -> String {
        names::owner_label(self.kind, &self.namespace, &self.name)
    }

    /// The value of the owner annotation.
    pub fn annotation(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Puts label and annotation on what is about to be applied, and gives it the form in which
    /// its fields can be owned.
    pub fn mark(&self, manifest: &mut Manifest) {
        fold_string_data(manifest);
        manifest.set_label(names::OWNER_LABEL, &self.label());
        manifest.set_annotation(names::OWNER_ANNOTATION, &self.annotation());
    }

    /// Whether live metadata shows this owner: its label and an Apply entry of its manager.
    /// The label alone proves nothing, since other controllers copy labels.
    pub fn owns(&self, meta: &ObjectMeta) -> bool {
        let label = meta
            .labels
            .as_ref()
            .and_then(|labels| labels.get(names::OWNER_LABEL));
        label == Some(&self.label()) && own_entry(meta, &self.manager()).is_some()
    }
}

/// Writes a Secret's `stringData` as `data`. The API server stores it there, but records the
/// owner of the field that was sent: whoever changes `data` would conflict with nobody.
fn fold_string_data(manifest: &mut Manifest) {
    if manifest.kind() != "Secret" || !manifest.group().is_empty() {
        return;
    }
    let Some(secret) = manifest.value_mut().as_object_mut() else {
        return;
    };
    // What is no text is left to the API server to refuse.
    let Some(texts) = secret.get("stringData").and_then(Value::as_object) else {
        return;
    };
    if !texts.values().all(Value::is_string) {
        return;
    }
    let texts = texts.clone();
    let data = secret.entry("data").or_insert_with(|| json!({}));
    if data.is_null() {
        *data = json!({});
    }
    let Some(data) = data.as_object_mut() else {
        return;
    };
    for (key, text) in texts {
        let bytes = ByteString(text.as_str().unwrap_or_default().as_bytes().to_vec());
        data.insert(key, json!(bytes));
    }
    secret.remove("stringData");
}

/// The Apply entry of a manager on the main resource.
pub fn own_entry<'a>(meta: &'a ObjectMeta, manager: &str) -> Option<&'a ManagedFieldsEntry> {
    meta.managed_fields
        .as_deref()
        .unwrap_or_default()
        .iter()
        .find(|entry| {
            entry.manager.as_deref() == Some(manager)
                && entry.operation.as_deref() == Some("Apply")
                && entry.subresource.as_deref().unwrap_or_default().is_empty()
        })
}

/// The hash of a manager's field set: it tells whether somebody touched what the manager owns,
/// and ignores what others added. It survives status writes and identical applies.
pub fn fields_hash(meta: &ObjectMeta, manager: &str) -> Option<String> {
    own_entry(meta, manager).map(hash_entry)
}

/// One Shipway owner's share of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its field manager.
    pub manager: String,
    /// The hash of its field set.
    pub fields: String,
    /// When it last changed the object, in seconds since 1970.
    pub written: Option<i64>,
}

/// What Shipway owners have of an object.
pub(crate) fn shares(meta: &ObjectMeta) -> Vec<Share> {
    let entries = meta.managed_fields.as_deref().unwrap_or_default();
    entries
        .iter()
        .filter(|entry| is_share(entry))
        .map(|entry| Share {
            manager: entry.manager.clone().unwrap_or_default(),
            fields: hash_entry(entry),
            written: second(entry),
        })
        .collect()
}

/// When an entry's manager last changed the object, as far as the API server records it.
pub(crate) fn second(entry: &ManagedFieldsEntry) -> Option<i64> {
    entry.time.as_ref().map(|time| time.0.as_second())
}

/// What changes of others leave on an object: their entries, and the generation where the kind
/// counts them. A status leaves the generation as it is, whether or not its writer's entry moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    others: u64,
    generation: Option<i64>,
}

impl Trace {
    /// As it is on an object now.
    pub fn of(meta: &ObjectMeta) -> Self {
        let mut others = DefaultHasher::new();
        let entries = meta.managed_fields.as_deref().unwrap_or_default();
        for entry in entries.iter().filter(|entry| !is_share(entry)) {
            (&entry.manager, &entry.operation, &entry.subresource).hash(&mut others);
            second(entry).hash(&mut others); // it moves where the fields do, and costs less to read
        }
        Self {
            others: others.finish(),
            generation: meta.generation,
        }
    }

    /// Whether a change to `later` was another writer's, or one of status alone.
    pub fn explains(&self, later: &Self) -> bool {
        let only_status = self.generation.is_some() && self.generation == later.generation;
        only_status || self.others != later.others
    }
}

/// Whether an entry is what a Shipway owner applied.
fn is_share(entry: &ManagedFieldsEntry) -> bool {
    let manager = entry.manager.as_deref().unwrap_or_default();
    manager.starts_with("shipway:")
        && entry.operation.as_deref() == Some("Apply")
        && entry.subresource.as_deref().unwrap_or_default().is_empty()
}

fn hash_entry(entry: &ManagedFieldsEntry) -> String {
    let fields = entry
        .fields_v1
        .as_ref()
        .map(|fields| fields.0.to_string())
        .unwrap_or_default();
    fingerprint(&fields, 24)
}

/// A field that somebody else changed, as far as the API server recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The manager, such as `kubectl-edit`.
    pub manager: String,
    /// The fields, such as `.spec.replicas`.
    pub fields: Vec<String>,
    /// When that manager last wrote, in RFC 3339.
    pub at: Option<String>,
}

/// When a manager last wrote an object.
pub(crate) fn written_at(meta: &ObjectMeta, manager: &str) -> Option<String> {
    let entries = meta.managed_fields.as_deref().unwrap_or_default();
    entries
        .iter()
        .filter(|entry| entry.manager.as_deref() == Some(manager))
        .filter_map(|entry| entry.time.as_ref())
        .map(|time| time.0.to_string())
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secret: Value, data: &Value, string_data: &Value) {
        let mut secret = secret;
        secret["apiVersion"] = json!("v1");
        secret["kind"] = json!("Secret");
        secret["metadata"] = json!({"name": "a"});
        let mut manifest = Manifest::from_value(secret).expect("it is an object");
        Owner::shipment("shop", "web").mark(&mut manifest);
        let value = manifest.value();
        assert_eq!((&value["data"], &value["stringData"]), (data, string_data));
    }

    #[test]
    fn the_texts_of_a_secret_are_applied_where_they_are_stored() {
        check(
            json!({"stringData": {"a": "one"}}),
            &json!({"a": "b25l"}),
            &Value::Null,
        );
        let both = json!({"data": {"a": "eA==", "b": "eQ=="}, "stringData": {"a": "one"}});
        check(both, &json!({"a": "b25l", "b": "eQ=="}), &Value::Null);
        check(
            json!({"data": {"a": "eA=="}}),
            &json!({"a": "eA=="}),
            &Value::Null,
        );
        check(
            json!({"stringData": {"a": 1}}),
            &Value::Null,
            &json!({"a": 1}),
        );
    }
}
