//! What a Shipment has in the cluster, written ahead of what it does there.

use std::collections::{BTreeMap, BTreeSet};

use manifest::ObjectId;
use serde::{Deserialize, Serialize};

/// One object that is, or is about to be, ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Which object.
    pub id: ObjectId,
    /// The version it was applied in.
    pub version: String,
    /// Its uid, once the API server has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// The digest of what was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<String>,
    /// The hash of our `fieldsV1` entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<String>,
}

impl Entry {
    /// An object that is about to be created.
    pub fn planned(id: ObjectId, version: &str) -> Self {
        Self {
            id,
            version: version.to_owned(),
            uid: None,
            applied: None,
            fields: None,
        }
    }
}

/// Everything that is, or is about to be, ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(pub BTreeMap<ObjectId, Entry>);

/// How one inventory differs from an older one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What is new.
    pub added: Vec<ObjectId>,
    /// What stayed with another version, uid or hash.
    pub changed: Vec<ObjectId>,
    /// What is gone.
    pub removed: Vec<ObjectId>,
}

impl Inventory {
    /// What has to be written before the first object is: everything old and everything wanted.
    ///
    /// An entry that exists already keeps its uid and hashes: they describe what is in the cluster
    /// until the apply says otherwise.
    #[must_use]
    pub fn merge_ahead(&self, wanted: &[Entry]) -> Self {
        let mut merged = self.clone();
        for entry in wanted {
            merged
                .0
                .entry(entry.id.clone())
                .and_modify(|known| known.version.clone_from(&entry.version))
                .or_insert_with(|| entry.clone());
        }
        merged
    }

    /// What is left to write after the prune: the entries that are in `keep`.
    #[must_use]
    pub fn trimmed(&self, keep: &BTreeSet<ObjectId>) -> Self {
        let kept = self.0.iter().filter(|(id, _)| keep.contains(*id));
        Self(
            kept.map(|(id, entry)| (id.clone(), entry.clone()))
                .collect(),
        )
    }

    /// What has changed up to a newer inventory.
    pub fn diff(&self, newer: &Self) -> Changes {
        let mut changes = Changes::default();
        for (id, entry) in &newer.0 {
            match self.0.get(id) {
                None => changes.added.push(id.clone()),
                Some(old) if old != entry => changes.changed.push(id.clone()),
                Some(_) => {}
            }
        }
        let gone = self.0.keys().filter(|id| !newer.0.contains_key(*id));
        changes.removed = gone.cloned().collect();
        changes
    }

    /// What is listed but no longer wanted.
    pub fn beyond(&self, wanted: &BTreeSet<ObjectId>) -> Vec<ObjectId> {
        self.0
            .keys()
            .filter(|id| !wanted.contains(*id))
            .cloned()
            .collect()
    }
}

impl FromIterator<Entry> for Inventory {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Self(
            entries
                .into_iter()
                .map(|entry| (entry.id.clone(), entry))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name` or `name=uid`, as ConfigMaps.
    fn entries(text: &str) -> Vec<Entry> {
        let entry = |word: &str| {
            let (name, uid) = word
                .split_once('=')
                .map_or((word, None), |(name, uid)| (name, Some(uid)));
            let id = ObjectId {
                group: String::new(),
                kind: "ConfigMap".into(),
                namespace: None,
                name: name.into(),
            };
            Entry {
                uid: uid.map(Into::into),
                ..Entry::planned(id, "v1")
            }
        };
        text.split_whitespace().map(entry).collect()
    }

    fn show(inventory: &Inventory) -> String {
        let word = |entry: &Entry| match &entry.uid {
            Some(uid) => format!("{}={uid}", entry.id.name),
            None => entry.id.name.clone(),
        };
        inventory.0.values().map(word).collect::<Vec<_>>().join(" ")
    }

    fn inventory(text: &str) -> Inventory {
        entries(text).into_iter().collect()
    }

    #[test]
    fn is_written_ahead_as_the_union_of_old_and_wanted() {
        assert_eq!(
            show(&inventory("a=1 b=2").merge_ahead(&entries("b c"))),
            "a=1 b=2 c"
        );
        assert_eq!(show(&Inventory::default().merge_ahead(&entries("a"))), "a");
    }

    #[test]
    fn is_trimmed_to_what_is_kept() {
        let keep = entries("a c").into_iter().map(|entry| entry.id).collect();
        assert_eq!(show(&inventory("a=1 b=2").trimmed(&keep)), "a=1");
    }

    #[test]
    fn tells_what_is_no_longer_wanted() {
        let wanted = entries("a c").into_iter().map(|entry| entry.id).collect();
        let beyond = inventory("a b").beyond(&wanted);
        assert_eq!(
            beyond.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["ConfigMap/b"]
        );
    }

    #[test]
    fn tells_what_changed() {
        let changes = inventory("a=1 b=2 c=3").diff(&inventory("b=2 c=4 d"));
        let show = |ids: &[ObjectId]| {
            ids.iter()
                .map(|id| id.name.as_str())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            (
                show(&changes.added),
                show(&changes.changed),
                show(&changes.removed)
            ),
            ("d".into(), "c".into(), "a".into())
        );
    }
}
