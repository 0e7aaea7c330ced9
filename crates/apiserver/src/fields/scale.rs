//! Owners of the one field that an object and its `/scale` share: the number of replicas.

use serde_json::Value;

use super::element::Element;
use super::managed::{Entry, Managed};
use super::set::Set;

/// The version of Scale objects.
const SCALE_VERSION: &str = "autoscaling/v1";

/// Where an object has its number of replicas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replicas<'a> {
    /// The object's version (`apps/v1`).
    pub(crate) api_version: &'a str,
    /// The path there (`spec`, `replicas`).
    pub(crate) path: &'a [Element],
}

impl Replicas<'_> {
    fn is_known(&self, entry: &Entry) -> bool {
        let group = |version: &str| version.rsplit_once('/').map(|(group, _)| group.to_owned());
        group(&entry.api_version) == group(self.api_version)
    }

    /// The owners of a Scale object: those that own the replicas of the object it stands for.
    ///
    /// # Errors
    /// Where the owners cannot be read.
    pub(crate) fn to_scale(self, parent: Option<&Value>) -> Result<Option<Value>, String> {
        let mut entries = Managed::decode(parent)?.entries;
        entries.retain(|entry| self.is_known(entry) && entry.fields.has(self.path));
        for entry in &mut entries {
            SCALE_VERSION.clone_into(&mut entry.api_version);
            entry.fields = in_scale();
        }
        Ok(Managed { entries }.encode())
    }

    /// The owners of an object after its Scale has been written: those that lost the replicas there lose
    /// them here, and those that are new there own them here, without a time, as upstream has it.
    ///
    /// # Errors
    /// Where the owners of either cannot be read.
    pub(crate) fn to_parent(
        self,
        parent: Option<&Value>,
        scale: Option<&Value>,
    ) -> Result<Option<Value>, String> {
        let parents = Managed::decode(parent)?.entries;
        let mut scales = Managed::decode(scale)?.entries;
        let mine = Set::of([self.path]);
        let mut entries = Vec::with_capacity(parents.len() + 1);
        for mut entry in parents {
            if !self.is_known(&entry) {
                continue;
            }
            if entry.fields.has(self.path) {
                match scales.iter().position(|scale| scale.is_owner(&entry)) {
                    Some(at) => {
                        scales.swap_remove(at);
                    }
                    None => entry.fields = entry.fields.difference(&mine),
                }
                if entry.fields.is_empty() {
                    continue;
                }
            }
            entries.push(entry);
        }
        let replicas = in_scale();
        for scale in scales {
            if replicas.is_within(&scale.fields) {
                entries.push(Entry {
                    api_version: self.api_version.to_owned(),
                    time: None,
                    fields: mine.clone(),
                    ..scale
                });
            }
        }
        Ok(Managed { entries }.encode())
    }
}

fn in_scale() -> Set {
    Set::of_fields(&["spec.replicas"])
}
