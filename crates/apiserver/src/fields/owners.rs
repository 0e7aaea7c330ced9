//! What becomes of the owners of an object when it changes: upstream's `merge.Updater` for objects of one
//! version.

use serde_json::Value;

use super::atom::Ty;
use super::collect;
use super::compare::{self, Comparison};
use super::managed::{Entry, Managed, Operation};
use super::merge::{self, Merged};
use super::order::same;
use super::reconcile::reconcile;
use super::remove::remove;
use super::set::Set;
use crate::schema::Schema;

/// What of an object's owners has to be known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ownership<'a> {
    pub(super) schema: &'a Schema,
    pub(super) root: Ty,
    /// What nobody may own.
    pub(super) reset: Option<&'a Set>,
    /// Whether two entries are of one owner.
    pub(super) is_owner: fn(&Entry, &Entry) -> bool,
}

/// Who is in the way of an apply, each with the fields that it would change.
#[derive(Debug)]
pub(super) struct Conflicts(pub(super) Vec<Entry>);

/// Whether fields of others may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    /// They may.
    Yes,
    /// Then the apply fails.
    No,
}

impl Ownership<'_> {
    /// Records who changed what. `mine` says who writes; its fields are not looked at.
    pub(super) fn update(&self, managed: &mut Managed, old: &Value, new: &Value, mine: &Entry) {
        self.prepare(managed, mine);
        let changes = self.changes(old, new);
        // With force there are no conflicts.
        let _ = self.take(managed, &changes, mine, Force::Yes);
        let mut set = match self.position(managed, mine) {
            Some(at) => managed.entries.swap_remove(at).fields,
            None => Set::default(),
        };
        if !changes.removed.is_empty() {
            set = set.difference(&changes.removed);
        }
        set.extend(&changes.modified);
        set.extend(&changes.added);
        if let Some(reset) = self.reset {
            set = set.recursive_difference(reset);
        }
        if !set.is_empty() {
            managed.entries.push(Entry {
                fields: set,
                ..mine.clone()
            });
        }
    }

    /// Puts a configuration upon an object and records who owns what. Returns the object, or none where it
    /// is as before.
    pub(super) fn apply(
        &self,
        managed: &mut Managed,
        live: &Value,
        config: &Value,
        mine: &Entry,
        force: Force,
    ) -> Result<Option<Value>, Conflicts> {
        self.prepare(managed, mine);
        let mut merged = match merge::merge(self.schema, self.root, live, config) {
            Merged::Left => None,
            Merged::New(value) => Some(value),
        };
        let mut set = collect::fields(self.schema, self.root, config);
        if let Some(reset) = self.reset {
            set = set.recursive_difference(reset);
        }
        let last = match self.position(managed, mine) {
            Some(at) => managed.entries.swap_remove(at).fields,
            None => Set::default(),
        };
        let loses =
            !last.is_within(&set) || !collect::owns_its_items(self.schema, self.root, &last);
        managed.entries.push(Entry {
            fields: set,
            operation: Operation::Apply,
            ..mine.clone()
        });
        if loses {
            merged = Some(self.prune(managed, merged.as_ref().unwrap_or(live), &last));
        }
        let changes = match &merged {
            None => Comparison::default(),
            Some(new) => self.changes(live, new),
        };
        self.take(managed, &changes, mine, force)?;
        Ok(merged.filter(|new| !same(live, new)))
    }

    fn position(&self, managed: &Managed, mine: &Entry) -> Option<usize> {
        let is_owner = self.is_owner;
        managed
            .entries
            .iter()
            .position(|entry| is_owner(entry, mine))
    }

    /// Drops owners in other groups, whose fields mean nothing here, and brings sets to today's types.
    fn prepare(&self, managed: &mut Managed, mine: &Entry) {
        let group = group_of(&mine.api_version);
        managed
            .entries
            .retain(|entry| group_of(&entry.api_version) == group);
        for entry in &mut managed.entries {
            if let Some(fields) = reconcile(self.schema, self.root, &entry.fields) {
                entry.fields = fields;
            }
        }
    }

    fn changes(&self, old: &Value, new: &Value) -> Comparison {
        let changes = compare::compare(self.schema, self.root, Some(old), Some(new));
        match self.reset {
            None => changes,
            Some(reset) => Comparison {
                added: changes.added.recursive_difference(reset),
                removed: changes.removed.recursive_difference(reset),
                modified: changes.modified.recursive_difference(reset),
            },
        }
    }

    /// Takes what has changed away from all others.
    fn take(
        &self,
        managed: &mut Managed,
        changes: &Comparison,
        mine: &Entry,
        force: Force,
    ) -> Result<(), Conflicts> {
        if !changes.is_empty() {
            let written = changes.modified.union(&changes.added);
            let mut conflicts = Vec::new();
            for entry in &mut managed.entries {
                if (self.is_owner)(entry, mine) {
                    continue;
                }
                let conflict = entry.fields.intersection(&written);
                if !conflict.is_empty() {
                    if force == Force::No {
                        conflicts.push(Entry {
                            fields: conflict,
                            ..entry.clone()
                        });
                    } else {
                        entry.fields = entry.fields.difference(&conflict);
                    }
                }
                if !changes.removed.is_empty() {
                    entry.fields = entry.fields.difference(&changes.removed);
                }
            }
            if !conflicts.is_empty() {
                return Err(Conflicts(conflicts));
            }
        }
        managed.entries.retain(|entry| !entry.fields.is_empty());
        Ok(())
    }

    /// Removes what the applier owned and does not apply any more, unless it is another's.
    fn prune(&self, managed: &Managed, merged: &Value, last: &Set) -> Value {
        let named = |set: &Set| collect::with_named(self.schema, self.root, set);
        let fields_of = |value: &Value| named(&collect::fields(self.schema, self.root, value));
        let without = |set: &Set| remove(self.schema, self.root, merged, set);
        let last = named(last);
        let mut owned = Set::default();
        for entry in &managed.entries {
            owned.extend(&entry.fields);
        }
        let all = fields_of(merged);
        // First all that was applied goes, then what is owned comes back with what it stands in, then what
        // was never applied.
        let mut kept = fields_of(&without(&last));
        kept.extend(&named(&owned));
        let kept = fields_of(&without(&all.difference(&kept)));
        without(&all.difference(&kept).intersection(&last))
    }
}

fn group_of(api_version: &str) -> &str {
    api_version.rsplit_once('/').map_or("", |(group, _)| group)
}
