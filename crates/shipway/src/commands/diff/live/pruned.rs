//! What would be deleted, judged as the controller judges it.

use std::collections::{BTreeMap, BTreeSet};

use controllers::environment;
use controllers::shipment::own;
use delivery::inventory::{Entry, Inventory};
use delivery::prune;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kinds::Environment;
use kinds::inventory::InventoryEntry;
use manifest::ObjectId;
use serde_json::Value;

use super::{Stage, plain};
use crate::commands::diff::show::{Change, Difference, Word};
use crate::commands::diff::want::{Case, halted};
use crate::commands::target::unable;
use crate::commands::tree::{id_of, inventory};
use crate::error::CliError;

impl Stage<'_> {
    /// What would be deleted, and what is to be known of what would not.
    pub(super) async fn pruned(
        &self,
        wanted: &BTreeSet<ObjectId>,
        complete: bool,
        environment: Option<&Environment>,
    ) -> Result<(Vec<Difference>, Vec<String>), CliError> {
        let entries = inventory(
            &self.case.target,
            &self.case.key.namespace,
            &self.case.key.name,
        )
        .await?;
        let protection = protection(self.case, environment)?;
        let inventory = listed(&entries);
        let situation = prune::Situation {
            inventory: &inventory,
            wanted,
            complete,
            protection: &protection,
            confirmed: self.case.spec.confirmed.as_deref(),
        };
        let judgement = prune::judge(&situation, &|_| 0);
        let mut notes = Vec::new();
        let mut list = judgement.prune;
        if let Some(held) = judgement.held {
            notes.push(format!(
                "{} objects left the source and would be held, not deleted: {}",
                held.list.len(),
                held.reason
            ));
            if complete {
                list.extend(held.list);
            }
        }
        if !self.case.spec.prune && !list.is_empty() {
            notes = vec![format!(
                "{} objects left the source and stay: `spec.prune` is false",
                list.len()
            )];
            list.clear();
        }
        let versions: BTreeMap<ObjectId, &InventoryEntry> =
            entries.iter().map(|entry| (id_of(entry), entry)).collect();
        let mut differences = Vec::new();
        for id in list {
            let Some(entry) = versions.get(&id) else {
                continue;
            };
            differences.extend(self.pruned_one(id, entry).await?);
        }
        Ok((differences, notes))
    }

    async fn pruned_one(
        &self,
        id: ObjectId,
        entry: &InventoryEntry,
    ) -> Result<Option<Difference>, CliError> {
        let served = self.catalog.api(&id.group, &entry.version, &id.kind);
        let Some(api) = served.or_else(|| {
            self.catalog
                .preferred_api(&id.group, &id.kind)
                .map(|(api, _)| api)
        }) else {
            return Ok(None);
        };
        let whole = match self.read(&self.case.target.caller, &api, &id).await {
            Ok(whole) => whole,
            Err(error) if error.is_forbidden() => {
                let word = Word::Unchecked("you may not read it".to_owned());
                return Ok(Some(Difference {
                    id,
                    change: Change::Delete,
                    lines: Vec::new(),
                    word,
                }));
            }
            Err(error) => return Err(unable(&error)),
        };
        let meta: ObjectMeta =
            serde_json::from_value(whole["metadata"].clone()).unwrap_or_default();
        let same = entry.uid.is_none() || entry.uid == meta.uid;
        // What is no longer ours is let go of, and what is gone needs no deletion.
        if whole.is_null() || !same || !self.owner.owns(&meta) {
            return Ok(None);
        }
        Ok(Difference::between(id, &plain(whole), &Value::Null))
    }
}

/// What is protected where the Shipment is.
pub(super) fn protection(
    case: &Case,
    environment: Option<&Environment>,
) -> Result<prune::Protection, CliError> {
    Ok(prune::Protection {
        untouchable: own(&case.key),
        ..environment::protection(environment).map_err(|halt| halted(&halt))?
    })
}

/// What was delivered, as the guards take it.
pub(super) fn listed(entries: &[InventoryEntry]) -> Inventory {
    let listed = entries.iter().map(|entry| Entry {
        uid: entry.uid.clone(),
        ..Entry::planned(id_of(entry), &entry.version)
    });
    listed.collect()
}
