//! Looks at what is awaited or in doubt: the health of objects that were applied, and kinds that
//! may not be watched. Tells whether anything else is to be done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::caller::Want;
use cluster::ownership::fields_hash;
use cluster::{Caller, Resource};
use delivery::health::{self, Health, Status};
use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::core::ApiResource;
use manifest::{GroupKind, ObjectId};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::check::Checked;
use crate::board::Wait;
use crate::context::Ctx;
use crate::ledger::Ledger;
use crate::tracker::Drift;

/// How many objects are read at a time for one Shipment.
const AT_ONCE: usize = 16;

/// What is to be done by a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing but to look.
    Nothing,
    /// To put right what drifted. What was refused before has a retry of its own.
    Repairs,
    /// To apply what is not as it should be, whatever came of it before.
    Everything,
    /// To apply also what seems to be as it should be.
    Audit,
}

pub(super) async fn heal(ctx: &Ctx, checked: &Checked, ledger: &mut Ledger) -> Due {
    ledger.due |= ctx.board.take_woken(&checked.key);
    await_deleted(ctx, checked, ledger);
    let same = ledger
        .done
        .as_ref()
        .is_some_and(|(inputs, _)| *inputs == checked.inputs);
    let retry = ledger.retry_at.is_some_and(|at| at <= Instant::now());
    if !same {
        ledger.repairs.clear();
    }
    ledger.repairs.forget_held(Instant::now());
    if !same || ledger.due || retry {
        return Due::Everything;
    }
    let Ok(caller) = ctx
        .caller
        .acting_as(&checked.key.namespace, &checked.spec.account)
    else {
        return Due::Everything;
    };
    look_around(ctx, checked, &caller, ledger).await;
    read_health(ctx, checked, &caller, ledger).await;
    let resting = resting(ctx, checked, ledger, Due::Repairs);
    let mut awake = ledger
        .inventory
        .0
        .keys()
        .filter(|id| !resting.contains(*id));
    if awake.any(|id| ctx.tracker.look(id, &checked.key).0.is_some()) {
        return Due::Repairs;
    }
    ctx.board.attempts(&checked.key, checked.at.tree);
    Due::Nothing
}

/// What a pass leaves as it is, since it has a time of its own: objects whose repairs do not hold
/// and, where the pass is for drift alone, those that were refused and show nothing new.
pub(super) fn resting(
    ctx: &Ctx,
    checked: &Checked,
    ledger: &Ledger,
    due: Due,
) -> BTreeSet<ObjectId> {
    let mut resting: BTreeSet<ObjectId> = ledger.repairs.resting(Instant::now()).cloned().collect();
    if due == Due::Repairs {
        let refused = ledger.refused.iter();
        let as_before =
            refused.filter(|(id, drift)| ctx.tracker.look(id, &checked.key).0 == **drift);
        resting.extend(as_before.map(|(id, _)| id.clone()));
    }
    resting
}

/// Awaits what is on its way out, of whatever kind: once it is gone it is created again.
fn await_deleted(ctx: &Ctx, checked: &Checked, ledger: &mut Ledger) {
    let deleting = ledger.inventory.0.keys();
    let deleting: Vec<ObjectId> = deleting
        .filter(|id| !ledger.unsettled.contains_key(*id))
        .filter(|id| ctx.tracker.is_deleting(id, &checked.key))
        .cloned()
        .collect();
    for id in deleting {
        let seen = ctx.tracker.look(&id, &checked.key).1;
        settle(ctx, checked, ledger, id, seen, health::deleting());
        ledger.deadline = Some(Instant::now() + checked.spec.timeout);
    }
}

/// Reads the objects whose health is awaited and that changed since they were read last.
pub(super) async fn read_health(
    ctx: &Ctx,
    checked: &Checked,
    caller: &Caller,
    ledger: &mut Ledger,
) {
    let due: Vec<(ObjectId, u64)> = ledger
        .unsettled
        .iter()
        .map(|(id, (read, _))| (id.clone(), *read, ctx.tracker.look(id, &checked.key).1))
        .filter(|(_, read, seen)| *read == 0 || seen > read)
        .map(|(id, _, seen)| (id, seen))
        .collect();
    let read = futures::stream::iter(due).map(|(id, seen)| async move {
        let found = read_one(ctx, caller, &id).await;
        (id, seen, found)
    });
    let read: Vec<_> = read.buffer_unordered(AT_ONCE).collect().await;
    for (id, seen, found) in read {
        let Some((version, health)) = found else {
            continue;
        };
        settle(ctx, checked, ledger, id, version.max(seen), health);
    }
}

/// Notes an object's health: settled objects are not read again.
pub(super) fn settle(
    ctx: &Ctx,
    checked: &Checked,
    ledger: &mut Ledger,
    id: ObjectId,
    version: u64,
    health: Health,
) {
    let settled = health.status == Status::Current;
    ctx.tracker.await_health(&id, &checked.key, !settled);
    if settled {
        let was_awaited = ledger.unsettled.remove(&id).is_some();
        if was_awaited && ctx.board.wake_own(&checked.key, Wait::Healthy(id)) {
            ctx.wake_all([checked.key.clone()]);
        }
    } else {
        ledger.unsettled.insert(id, (version.max(1), health));
    }
}

async fn read_one(ctx: &Ctx, caller: &Caller, id: &ObjectId) -> Option<(u64, Health)> {
    let (api, _) = ctx.catalog.preferred_api(&id.group, &id.kind)?;
    let place = Resource::object(&api, id.namespace.as_deref(), &id.name);
    match caller
        .get(&place, Want::Whole)
        .await
        .and_then(|answer| answer.decode::<Value>())
    {
        Ok(object) => Some((version(&object), of(&object))),
        Err(error) if error.is_not_found() => {
            let health = Health {
                status: Status::NotFound,
                reason: "NotFound".to_owned(),
                message: "it is not there".to_owned(),
            };
            Some((0, health))
        }
        // Not readable: what the account may not see cannot be waited for, and says so.
        Err(error) if error.is_forbidden() => {
            let message = format!("its health cannot be read: {error}");
            Some((
                1,
                Health {
                    status: Status::Unknown,
                    reason: "Forbidden".to_owned(),
                    message,
                },
            ))
        }
        Err(_) => None,
    }
}

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"]
        .as_str()
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

/// The health of a live object, with its age where a rule needs it.
pub(super) fn of(object: &Value) -> Health {
    let created = object["metadata"]["creationTimestamp"]
        .as_str()
        .and_then(|at| at.parse::<Timestamp>().ok());
    let age = created
        .and_then(|created| Duration::try_from(Timestamp::now().duration_since(created)).ok());
    health::health(object, age)
}

#[derive(Deserialize)]
struct List {
    /// An empty list of metadata comes as null.
    items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct Item {
    metadata: ObjectMeta,
}

/// Looks at the kinds that may not be watched, by a metadata list as the Shipment's account.
async fn look_around(ctx: &Ctx, checked: &Checked, caller: &Caller, ledger: &mut Ledger) {
    if ledger.looked.is_some_and(|at| at.elapsed() < ctx.look) {
        return;
    }
    let mut places: BTreeMap<(GroupKind, Option<String>), Vec<ObjectId>> = BTreeMap::new();
    for id in ledger
        .inventory
        .0
        .keys()
        .filter(|id| ctx.tracker.is_unwatchable(&id.group_kind()))
    {
        places
            .entry((id.group_kind(), id.namespace.clone()))
            .or_default()
            .push(id.clone());
    }
    if places.is_empty() {
        return;
    }
    ledger.looked = Some(Instant::now());
    let manager = checked.owner.manager();
    for ((kind, namespace), ids) in places {
        let Some((api, _)) = ctx.catalog.preferred_api(&kind.group, &kind.kind) else {
            continue;
        };
        let Some(items) = list(caller, checked, &api, namespace.as_deref()).await else {
            continue;
        };
        for id in ids {
            let Some(entry) = ledger.inventory.0.get(&id) else {
                continue;
            };
            let live = items
                .iter()
                .find(|meta| meta.name.as_deref() == Some(&id.name));
            let drift = match live {
                None => Some(Drift::Missing),
                Some(meta) if meta.uid != entry.uid => Some(Drift::Replaced),
                Some(meta) if fields_hash(meta, &manager) != entry.fields => Some(Drift::Changed),
                Some(_) => None,
            };
            if let Some(drift) = drift {
                ctx.tracker.suspect(&id, &checked.key, drift);
            }
        }
    }
}

async fn list(
    caller: &Caller,
    checked: &Checked,
    api: &ApiResource,
    namespace: Option<&str>,
) -> Option<Vec<ObjectMeta>> {
    let selector = format!("{}={}", kinds::names::OWNER_LABEL, checked.owner.label());
    let answer = caller
        .list(
            &Resource::collection(api, namespace),
            &selector,
            Want::Metadata,
        )
        .await
        .ok()?;
    let list: List = answer.decode().ok()?;
    Some(
        list.items
            .into_iter()
            .flatten()
            .map(|item| item.metadata)
            .collect(),
    )
}
