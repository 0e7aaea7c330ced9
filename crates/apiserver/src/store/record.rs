//! What is stored of an object: its text, ready to be sent, and the few things the server has to
//! know of it without reading the text again.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::DraftError;
use crate::selector::Labels;

/// How long a resource, a namespace or a name may be. Upstream allows 253 for each.
const MAX_NAME_BYTES: usize = 512;

/// How many digits a resource version may have.
pub(super) const MAX_DIGITS: usize = 20;

/// A resource with its group, written as in messages: `pods`, `deployments.apps`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Resource(Arc<str>);

impl Resource {
    /// A resource (`deployments`) of a group (`apps`; empty for the core group).
    pub(crate) fn new(group: &str, resource: &str) -> Self {
        if group.is_empty() {
            Self(resource.into())
        } else {
            Self(format!("{resource}.{group}").into())
        }
    }

    pub(super) fn of_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The resource in the plural.
    pub(crate) fn name(&self) -> &str {
        self.0.split_once('.').map_or(&*self.0, |(name, _)| name)
    }

    /// The group; empty for the core group.
    pub(crate) fn group(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, group)| group)
    }

    /// Both, as `deployments.apps`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    resource: Resource,
    /// `namespace/name`, or `name` alone: the order of lists is that of these texts, as in etcd,
    /// where `a-b/x` stands before `a/x`.
    path: Box<str>,
}

impl Key {
    /// The key of an object. The namespace is empty for kinds without.
    ///
    /// # Errors
    /// [`DraftError::Name`] for what cannot be a segment of a path or is too long.
    pub(crate) fn new(
        resource: &Resource,
        namespace: &str,
        name: &str,
    ) -> Result<Self, DraftError> {
        let wrong = |text: &str| text.contains(['/', '\0']) || text.len() > MAX_NAME_BYTES;
        if name.is_empty() || wrong(name) || wrong(namespace) || wrong(resource.as_str()) {
            return Err(DraftError::Name);
        }
        let path = if namespace.is_empty() {
            name.into()
        } else {
            format!("{namespace}/{name}").into_boxed_str()
        };
        Ok(Self::of_path(resource.clone(), path))
    }

    pub(super) fn of_path(resource: Resource, path: Box<str>) -> Self {
        Self { resource, path }
    }

    /// The resource.
    pub(crate) fn resource(&self) -> &Resource {
        &self.resource
    }

    /// `namespace/name`, or `name` alone.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The namespace; empty for kinds without.
    pub(crate) fn namespace(&self) -> &str {
        self.path.split_once('/').map_or("", |(space, _)| space)
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        self.path
            .split_once('/')
            .map_or(&*self.path, |(_, name)| name)
    }
}

/// An owner that an object names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Its uid.
    pub(crate) uid: Box<str>,
    /// Whether it manages the object.
    pub(crate) controller: bool,
    /// Whether it may not go, in the foreground, before the object.
    pub(crate) block_owner_deletion: bool,
}

/// What is known of an object without reading its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// `metadata.uid`; empty where absent.
    pub(crate) uid: Box<str>,
    /// `metadata.labels`.
    pub(crate) labels: Labels,
    /// `metadata.ownerReferences`.
    pub(crate) owners: Box<[Owner]>,
    /// `metadata.finalizers`.
    pub(crate) finalizers: Box<[Box<str>]>,
    /// `metadata.deletionTimestamp`.
    pub(crate) deletion_timestamp: Option<Box<str>>,
    /// `metadata.generation`; 0 where absent.
    pub(crate) generation: i64,
}

impl Meta {
    /// Takes it out of an object's `metadata`. What has the wrong type counts as absent: whoever
    /// writes has validated it.
    pub(crate) fn of(metadata: &Map<String, Value>) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(Box::<str>::from);
        let items = |key| {
            let list = metadata.get(key).and_then(Value::as_array);
            list.map(Vec::as_slice).unwrap_or_default().iter()
        };
        let owners = items("ownerReferences").filter_map(|owner| {
            let flag = |key| owner.get(key).and_then(Value::as_bool).unwrap_or_default();
            Some(Owner {
                uid: text(owner.get("uid"))?,
                controller: flag("controller"),
                block_owner_deletion: flag("blockOwnerDeletion"),
            })
        });
        let generation = metadata.get("generation").and_then(Value::as_i64);
        Self {
            uid: text(metadata.get("uid")).unwrap_or_default(),
            labels: Labels::of(metadata.get("labels")),
            owners: owners.collect(),
            finalizers: items("finalizers")
                .filter_map(|finalizer| text(Some(finalizer)))
                .collect(),
            deletion_timestamp: text(metadata.get("deletionTimestamp")),
            generation: generation.unwrap_or_default(),
        }
    }
}

/// A number's digits, written to the end of the room.
pub(super) fn decimal(mut number: u64, room: &mut [u8; MAX_DIGITS]) -> &[u8] {
    let mut start = room.len();
    for (at, digit) in room.iter_mut().enumerate().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        start = at;
        if number == 0 {
            break;
        }
    }
    room.get(start..).unwrap_or_default()
}

/// One version of an object.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(super) key: Arc<Key>,
    pub(super) json: Bytes,
    /// Where the digits of the resource version are.
    pub(super) version: Range<usize>,
    pub(super) metadata: Range<usize>,
    pub(super) meta: Arc<Meta>,
    pub(super) created: u64,
    pub(super) modified: u64,
    pub(super) unsettled: bool,
}

impl Record {
    /// Where the object is.
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn shared_key(&self) -> &Arc<Key> {
        &self.key
    }

    /// The object as it is sent, with its resource version.
    pub(crate) fn json(&self) -> &Bytes {
        &self.json
    }

    /// Its `metadata` as it is sent.
    pub(crate) fn metadata_json(&self) -> Bytes {
        self.json.slice(self.metadata.clone())
    }

    /// What is known of it.
    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The revision at which the object came to be.
    pub(crate) fn created(&self) -> u64 {
        self.created
    }

    /// The revision of this version: its `metadata.resourceVersion`.
    pub(crate) fn modified(&self) -> u64 {
        self.modified
    }

    /// Whether it was written in another form than it is read in, so that its next write counts even if that
    /// changes nothing. A restart forgets this.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// Reads the object. Nothing is kept of it: whoever needs it twice keeps it.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    /// The last state of an object that is deleted at a revision, which is its version then.
    pub(super) fn deleted(&self, revision: u64) -> Self {
        let mut digits = [0; MAX_DIGITS];
        let digits = decimal(revision, &mut digits);
        let mut text = Vec::with_capacity(self.json.len() + MAX_DIGITS);
        let (before, rest) = self.json.split_at(self.version.start);
        text.extend_from_slice(before);
        text.extend_from_slice(digits);
        text.extend_from_slice(rest.get(self.version.len()..).unwrap_or_default());
        let end = self.metadata.end - self.version.len() + digits.len();
        Self {
            json: Bytes::from(text),
            version: self.version.start..self.version.start + digits.len(),
            metadata: self.metadata.start..end,
            modified: revision,
            ..self.clone()
        }
    }
}
