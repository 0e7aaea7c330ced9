//! What may be deleted, and what waits for a human.

use std::collections::BTreeSet;

use manifest::{GroupKind, ObjectId};
use sha2::{Digest, Sha256};

use crate::inventory::Inventory;

/// How much may be deleted at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Budget {
    /// Half of the inventory, or 5 where that is more.
    #[default]
    Default,
    /// This many objects.
    Count(usize),
    /// This part of the inventory, rounded down.
    Percent(u8),
}

/// What an environment protects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// How much may be deleted at once.
    pub budget: Budget,
    /// The kinds that need confirmation.
    pub confirm_kinds: Vec<GroupKind>,
    /// What is never deleted: Shipway's own installation and the root.
    pub untouchable: BTreeSet<ObjectId>,
}

/// Why a deletion is held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
pub enum PruneRefusal {
    /// Not everything was rendered, so what is missing may still be wanted.
    #[error("the specification was not rendered completely")]
    IncompleteRender,
    /// Nothing at all was rendered.
    #[error("the specification is empty")]
    EmptyRender,
    /// More would be deleted than the environment allows.
    #[error("{count} of {of} objects would be deleted, more than the budget of {budget}")]
    OverBudget {
        /// How many would go, with what they take along.
        count: usize,
        /// How many there are, with what belongs to them.
        of: usize,
        /// How many may go.
        budget: usize,
    },
    /// Some are of a kind that a human has to confirm.
    #[error("{} objects are of a kind that needs confirmation", .0.len())]
    NeedsConfirmation(Vec<ObjectId>),
}

impl PruneRefusal {
    /// The name of the variant, as in conditions and events.
    pub fn as_str(&self) -> &'static str {
        self.into()
    }
}

/// A deletion that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Why.
    pub reason: PruneRefusal,
    /// What waits, sorted.
    pub list: Vec<ObjectId>,
    /// What a confirmation of exactly this list has to carry.
    pub digest: String,
}

/// What happens to the objects that are no longer wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What may be deleted, sorted.
    pub prune: Vec<ObjectId>,
    /// What waits.
    pub held: Option<Held>,
}

impl Default for Protection {
    /// The default budget, and confirmation for what takes other things with it.
    fn default() -> Self {
        let kinds = [
            ("", "Namespace"),
            ("apiextensions.k8s.io", "CustomResourceDefinition"),
            ("", "PersistentVolume"),
            ("", "PersistentVolumeClaim"),
            ("carto.run", "Deliverable"),
            ("shipway.run", "Shipment"),
            ("shipway.run", "Environment"),
        ];
        Self {
            budget: Budget::Default,
            confirm_kinds: kinds
                .iter()
                .map(|(group, kind)| GroupKind::new(*group, *kind))
                .collect(),
            untouchable: BTreeSet::new(),
        }
    }
}

impl Protection {
    /// Whether an object is of a kind that needs confirmation.
    pub fn needs_confirmation(&self, id: &ObjectId) -> bool {
        self.confirm_kinds
            .iter()
            .any(|known| known.group == id.group && known.kind == id.kind)
    }
}

impl Budget {
    /// How many of so many objects may be deleted at once.
    pub fn of(self, count: usize) -> usize {
        const LEAST: usize = 5;
        match self {
            Self::Default => (count / 2).max(LEAST),
            Self::Count(limit) => limit,
            Self::Percent(percent) => count.saturating_mul(usize::from(percent)) / 100,
        }
    }
}

/// What decides which objects may be deleted.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What was delivered.
    pub inventory: &'a Inventory,
    /// What the source names.
    pub wanted: &'a BTreeSet<ObjectId>,
    /// Whether everything that the source names is known.
    pub complete: bool,
    /// What the environment protects.
    pub protection: &'a Protection,
    /// The digest that a human confirmed.
    pub confirmed: Option<&'a str>,
}

/// Judges which listed objects that are no longer wanted may be deleted.
///
/// `transitive` says how many objects a Deliverable or a Shipment would take along, beyond itself.
/// The budget counts those on both sides.
///
/// Guarantees: after a render that was not complete, or that yielded nothing, the answer is to wait,
/// whatever was confirmed. A confirmation holds for exactly the objects it was given for: one more
/// or less and it is void, and so it is for others that are later delivered under the same names.
pub fn judge(situation: &Situation<'_>, transitive: &dyn Fn(&ObjectId) -> usize) -> Judgement {
    let Situation {
        inventory,
        wanted,
        complete,
        protection,
        confirmed,
    } = *situation;
    let mut list = inventory.beyond(wanted);
    list.retain(|id| !protection.untouchable.contains(id));
    if list.is_empty() {
        return Judgement::default();
    }
    if !complete {
        return hold(PruneRefusal::IncompleteRender, list, inventory);
    }
    if wanted.is_empty() {
        return hold(PruneRefusal::EmptyRender, list, inventory);
    }
    if confirmed == Some(digest(&list, inventory).as_str()) {
        return Judgement {
            prune: list,
            held: None,
        };
    }
    let with_all = |id: &ObjectId| transitive(id).saturating_add(1);
    let count = list.iter().map(with_all).fold(0, usize::saturating_add);
    let of = inventory
        .0
        .keys()
        .map(with_all)
        .fold(0, usize::saturating_add);
    let budget = protection.budget.of(of);
    if count > budget {
        return hold(
            PruneRefusal::OverBudget { count, of, budget },
            list,
            inventory,
        );
    }
    let (guarded, mut prune): (Vec<_>, Vec<_>) = list
        .into_iter()
        .partition(|id| protection.needs_confirmation(id));
    if guarded.is_empty() {
        return Judgement { prune, held: None };
    }
    if confirmed == Some(digest(&guarded, inventory).as_str()) {
        prune.extend(guarded);
        prune.sort();
        return Judgement { prune, held: None };
    }
    let reason = PruneRefusal::NeedsConfirmation(guarded.clone());
    let held = hold(reason, guarded, inventory);
    Judgement { prune, ..held }
}

fn hold(reason: PruneRefusal, list: Vec<ObjectId>, inventory: &Inventory) -> Judgement {
    let digest = digest(&list, inventory);
    Judgement {
        prune: Vec::new(),
        held: Some(Held {
            reason,
            list,
            digest,
        }),
    }
}

/// The list of objects that a digest stands for, if it is one that is held in this situation: of
/// all that are no longer wanted, or of those among them that need confirmation.
pub fn list_of(digest_held: &str, situation: &Situation<'_>) -> Option<Vec<ObjectId>> {
    let protection = situation.protection;
    let mut list = situation.inventory.beyond(situation.wanted);
    list.retain(|id| !protection.untouchable.contains(id));
    if digest(&list, situation.inventory) == digest_held {
        return Some(list);
    }
    list.retain(|id| protection.needs_confirmation(id));
    (digest(&list, situation.inventory) == digest_held).then_some(list)
}

/// How much of a digest a human has to copy.
const DIGEST_DIGITS: usize = 16;

/// What a confirmation of a list has to carry: the first 16 hexadecimal digits of the SHA-256 over
/// its sorted objects, with their uids as delivered.
pub fn digest(list: &[ObjectId], inventory: &Inventory) -> String {
    // Not the text shown: that leaves out the group of some kinds, and two lists would look alike.
    let line = |id: &ObjectId| {
        let namespace = id.namespace.as_deref().unwrap_or_default();
        let uid = inventory.0.get(id).and_then(|entry| entry.uid.as_deref());
        let uid = uid.unwrap_or_default();
        format!("{}/{}/{namespace}/{}/{uid}\n", id.group, id.kind, id.name)
    };
    let mut lines: Vec<String> = list.iter().map(line).collect();
    lines.sort();
    let hash = Sha256::digest(lines.concat().as_bytes());
    let mut digest = format!("{hash:x}");
    digest.truncate(DIGEST_DIGITS);
    digest
}

#[cfg(test)]
mod tests;
