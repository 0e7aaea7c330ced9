//! A Shipment that is deleted: what it delivered goes with it, or is let go of.
//!
//! Nothing may keep the finalizer for long: where the namespace is on its way out or the account
//! may not delete any more, the rest is let go of and named.

use cluster::inventory;
use cluster::prune::{self, Gone};
use cluster::{ApiError, Caller, Owner};
use delivery::order;
use delivery::prune::Protection;
use futures::StreamExt as _;
use kinds::{Reason, Shipment, names};
use kube::ResourceExt as _;
use kube::core::ApiResource;
use manifest::ObjectId;

use super::gather;
use super::report::Outcome;
use crate::board::Key;
use crate::context::Ctx;
use crate::environment;
use crate::event::tell;
use crate::halt::Halt;
use crate::ledger::Ledger;

const AT_ONCE: usize = 16;

pub(super) async fn teardown(
    ctx: &Ctx,
    shipment: &Shipment,
    key: &Key,
    ledger: &mut Ledger,
) -> Result<Outcome, Halt> {
    ctx.sources.unfollow(&gather::follower(key));
    if !shipment
        .finalizers()
        .iter()
        .any(|finalizer| finalizer == names::FINALIZER)
    {
        forget(ctx, key, ledger);
        return Ok(Outcome::Gone);
    }
    let owner = Owner::shipment(&key.namespace, &key.name);
    let account = shipment
        .spec
        .service_account_name
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".to_owned());
    let keep_all = shipment.spec.prune == Some(false) || shipment.spec.suspend == Some(true);
    let environment = environment::choose(&ctx.environments.state(), shipment)
        .ok()
        .flatten();
    let protection = environment::protection(environment.as_deref()).unwrap_or_default();
    let account_exists = ctx.presence.is_account(&key.namespace, &account);
    let caller = ctx
        .caller
        .acting_as(&key.namespace, &account)
        .ok()
        .filter(|_| account_exists);
    let ids: Vec<ObjectId> = ledger.inventory.0.keys().cloned().collect();
    let mut orphaned = Vec::new();
    for stage in order::prune_stages(&ids) {
        let ledger_ref = &*ledger;
        let (owner, caller, protection) = (&owner, caller.as_ref(), &protection);
        let work = futures::stream::iter(stage).map(|id| async move {
            let uid = ledger_ref
                .inventory
                .0
                .get(&id)
                .and_then(|entry| entry.uid.clone());
            let keep = keep_all || needs_word(protection, &id);
            let left = Leaving {
                owner,
                caller,
                uid: uid.as_deref(),
                keep,
            };
            let gone = leave(ctx, &left, &id).await;
            (id, gone)
        });
        for (id, gone) in work.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            match gone {
                Ok(gone) => {
                    if gone == Gone::Orphaned {
                        orphaned.push(id.to_string());
                    }
                    ctx.tracker.forget(&id, key);
                    ledger.inventory.0.remove(&id);
                }
                Err(error) => {
                    return Err(Halt::Failed {
                        reason: Reason::ClusterUnreachable,
                        attempt: format!("let go of `{id}`: {error}"),
                    });
                }
            }
        }
    }
    if !orphaned.is_empty() {
        let note = format!(
            "{} objects stay in the cluster and are looked after by nobody: {}",
            orphaned.len(),
            orphaned.join(", ")
        );
        tell(&ctx.recorder, shipment, Reason::Orphaned, "Delete", &note).await;
    }
    let dropped = inventory::drop_all(&ctx.caller, shipment, &ledger.stored).await;
    dropped.map_err(|error| Halt::Failed {
        reason: Reason::ClusterUnreachable,
        attempt: format!("remove the inventory: {error}"),
    })?;
    release(ctx, shipment, key).await?;
    forget(ctx, key, ledger);
    Ok(Outcome::Gone)
}

fn needs_word(protection: &Protection, id: &ObjectId) -> bool {
    protection.needs_confirmation(id)
}

/// How one object is to be left.
struct Leaving<'a> {
    owner: &'a Owner,
    /// The Shipment's account, where it exists.
    caller: Option<&'a Caller>,
    uid: Option<&'a str>,
    /// Whether it stays.
    keep: bool,
}

async fn leave(ctx: &Ctx, leaving: &Leaving<'_>, id: &ObjectId) -> Result<Gone, ApiError> {
    let inside_going = id
        .namespace
        .as_ref()
        .is_some_and(|namespace| ctx.presence.is_namespace_going(namespace));
    let Some((api, _)) = ctx.catalog.preferred_api(&id.group, &id.kind) else {
        return Ok(Gone::Absent);
    };
    if inside_going {
        return Ok(Gone::Absent); // it goes with its namespace
    }
    if !leaving.keep {
        if let Some(caller) = leaving.caller {
            match prune::delete(caller, leaving.owner, &api, id, leaving.uid).await {
                Err(error) if error.is_forbidden() || error.is_admission() => {}
                gone => return gone,
            }
        }
    }
    // As the account first; where it may not, as the controller, which may take marks off only
    // where the installation grants it. What cannot even be marked is named all the same.
    for caller in leaving.caller.into_iter().chain([&ctx.caller]) {
        match prune::orphan(caller, leaving.owner, &api, id, leaving.uid).await {
            Err(error) if error.is_forbidden() || error.is_admission() || error.is_invalid() => {}
            gone => return gone,
        }
    }
    Ok(Gone::Orphaned)
}

async fn release(ctx: &Ctx, shipment: &Shipment, key: &Key) -> Result<(), Halt> {
    let api = ApiResource::erase::<Shipment>(&());
    let version = shipment.resource_version();
    let released = cluster::status::remove_finalizer(
        &ctx.caller,
        &api,
        Some(&key.namespace),
        &key.name,
        shipment.finalizers(),
        version.as_deref(),
    );
    released.await.map_err(|error| Halt::Failed {
        reason: Reason::ClusterUnreachable,
        attempt: format!("drop the finalizer: {error}"),
    })
}

fn forget(ctx: &Ctx, key: &Key, ledger: &mut Ledger) {
    for id in ledger.inventory.0.keys() {
        ctx.tracker.forget(id, key);
    }
    *ledger = Ledger::default();
    ctx.board.remove(key);
    ctx.ledgers.remove(key);
    ctx.wake_waiting(&crate::board::Wait::Shipment(key.clone()));
}
