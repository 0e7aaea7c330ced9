//! Who owns an object and its fields, as the API server records it in `managedFields`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use kinds::names;
use manifest::Manifest;
use sha2::{Digest as _, Sha256};

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

    /// The Deliverable of that name.
    pub fn deliverable(namespace: &str, name: &str) -> Self {
        Self {
            kind: "deliverable",
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

    /// Puts label and annotation on what is about to be applied.
    pub fn mark(&self, manifest: &mut Manifest) {
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

/// The hashes of all Shipway owners' field sets on an object, by manager.
pub(crate) fn all_hashes(meta: &ObjectMeta) -> Vec<(String, String)> {
    let entries = meta.managed_fields.as_deref().unwrap_or_default();
    entries
        .iter()
        .filter(|entry| entry.operation.as_deref() == Some("Apply"))
        .filter(|entry| entry.subresource.as_deref().unwrap_or_default().is_empty())
        .filter_map(|entry| {
            let manager = entry.manager.as_deref()?;
            manager
                .starts_with("shipway:")
                .then(|| (manager.to_owned(), hash_entry(entry)))
        })
        .collect()
}

fn hash_entry(entry: &ManagedFieldsEntry) -> String {
    let fields = entry
        .fields_v1
        .as_ref()
        .map(|fields| fields.0.to_string())
        .unwrap_or_default();
    let digest = Sha256::digest(fields.as_bytes());
    digest
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect()
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
