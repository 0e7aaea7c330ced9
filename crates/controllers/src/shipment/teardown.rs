//! A Shipment that is deleted: what it delivered goes with it, or is let go of.
//!
//! Nothing may keep the finalizer for long: where the namespace is on its way out or the account
//! may not delete any more, the rest is let go of and named.

use cluster::inventory;
use cluster::prune::{self, Gone};
use cluster::{ApiError, Caller, Owner, Resource};
use delivery::order;
use delivery::prune::Protection;
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
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
const TRIES: usize = 5;

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
        // Somebody took it off. The ledger stays until the Shipment is gone: it says which
        // inventory has to go as well (see `pump::forget_shipment`).
        return Ok(Outcome::Gone);
    }
    let leaving = leaving(ctx, shipment, key).await;
    let left = leave_all(ctx, &leaving, key, ledger).await?;
    if !left.is_empty() {
        say(ctx, shipment, &leaving, &left);
    }
    let dropped = inventory::drop_all(&ctx.caller, &key.namespace, &key.name, &ledger.stored).await;
    dropped.map_err(|error| Halt::Failed {
        reason: Reason::ClusterUnreachable,
        attempt: format!("remove the inventory: {error}"),
    })?;
    release(ctx, shipment, key).await?;
    forget(ctx, key, ledger);
    Ok(Outcome::Gone)
}

/// How a Shipment's objects are to be left.
struct Leaving {
    owner: Owner,
    /// The Shipment's account, where it exists.
    caller: Option<Caller>,
    protection: Protection,
    /// Whether all of them stay.
    keep_all: bool,
    /// The Shipment's own namespace, where that is on its way out.
    doomed: Option<Namespace>,
}

async fn leaving(ctx: &Ctx, shipment: &Shipment, key: &Key) -> Leaving {
    let account = shipment
        .spec
        .service_account_name
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".to_owned());
    let environment = environment::choose(&ctx.environments.all(), shipment)
        .ok()
        .flatten();
    let account_exists = ctx.presence.is_account(&key.namespace, &account);
    let doomed = doomed(ctx, &key.namespace).await;
    Leaving {
        owner: Owner::shipment(&key.namespace, &key.name),
        caller: ctx
            .caller
            .acting_as(&key.namespace, &account)
            .ok()
            .filter(|_| account_exists),
        protection: environment::protection(environment.as_deref()).unwrap_or_default(),
        // Whoever deletes a namespace does not mean what lies elsewhere, and the account's rights
        // go in no particular order.
        keep_all: shipment.spec.prune == Some(false)
            || shipment.spec.suspend == Some(true)
            || doomed.is_some(),
        doomed,
    }
}

/// A namespace that is on its way out. It is asked for, since its watch may be behind the
/// Shipment's own.
async fn doomed(ctx: &Ctx, name: &str) -> Option<Namespace> {
    let place = Resource::object(&ApiResource::erase::<Namespace>(&()), None, name);
    let metadata = prune::live(&ctx.caller, &place).await.ok()??;
    metadata.deletion_timestamp.as_ref()?;
    Some(Namespace {
        metadata,
        ..Namespace::default()
    })
}

/// Leaves one object after the other; tells which stay.
async fn leave_all(
    ctx: &Ctx,
    leaving: &Leaving,
    key: &Key,
    ledger: &mut Ledger,
) -> Result<Vec<String>, Halt> {
    let ids: Vec<ObjectId> = ledger.inventory.0.keys().cloned().collect();
    let mut left = Vec::new();
    for stage in order::prune_stages(&ids) {
        let ledger_ref = &*ledger;
        let work = futures::stream::iter(stage).map(|id| async move {
            let entry = ledger_ref.inventory.0.get(&id);
            let uid = entry.and_then(|entry| entry.uid.clone());
            let gone = leave(ctx, leaving, &id, uid.as_deref()).await;
            (id, gone)
        });
        let mut failed = None;
        for (id, gone) in work.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
            match gone {
                Ok(gone) => {
                    if matches!(gone, Gone::Orphaned | Gone::Untouchable) {
                        left.push(id.to_string());
                    }
                    ctx.tracker.forget(&id, key);
                    ledger.inventory.0.remove(&id);
                }
                Err(error) => failed = Some((id, error)),
            }
        }
        if let Some((id, error)) = failed {
            return Err(Halt::Failed {
                reason: Reason::ClusterUnreachable,
                attempt: format!("let go of `{id}`: {error}"),
            });
        }
    }
    Ok(left)
}

async fn leave(
    ctx: &Ctx,
    leaving: &Leaving,
    id: &ObjectId,
    uid: Option<&str>,
) -> Result<Gone, ApiError> {
    let goes_along = id.namespace.as_ref().is_some_and(|namespace| {
        ctx.presence.is_namespace_going(namespace)
            || leaving
                .doomed
                .as_ref()
                .is_some_and(|doomed| doomed.name_any() == *namespace)
    });
    let Some((api, _)) = ctx.catalog.preferred_api(&id.group, &id.kind) else {
        return Ok(Gone::Absent);
    };
    if goes_along {
        return Ok(Gone::Absent); // it goes with its namespace
    }
    let owner = &leaving.owner;
    let stays = leaving.keep_all || leaving.protection.needs_confirmation(id);
    if let Some(caller) = leaving.caller.as_ref().filter(|_| !stays) {
        match prune::delete(caller, owner, &api, id, uid).await {
            Err(error) if error.is_forbidden() || error.is_admission() => {}
            Ok(gone @ (Gone::Deleted | Gone::Absent)) => return Ok(gone),
            Ok(Gone::TakenOver(other)) => {
                prune::release(caller, owner, &api, id).await?;
                return Ok(Gone::TakenOver(other));
            }
            // What is not ours any more, or not to be deleted, only loses our marks.
            Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
    // As the account first; where it may not, as the controller, which may take marks off only
    // where the installation grants it. What cannot even be marked is named all the same.
    for caller in leaving.caller.iter().chain([&ctx.caller]) {
        match prune::orphan(caller, owner, &api, id, uid).await {
            Err(error) if error.is_forbidden() || error.is_admission() || error.is_invalid() => {}
            gone => return gone,
        }
    }
    Ok(Gone::Orphaned)
}

fn say(ctx: &Ctx, shipment: &Shipment, leaving: &Leaving, left: &[String]) {
    let (objects, stay) = match left.len() {
        1 => ("1 object".to_owned(), "stays in the cluster and is"),
        count => (format!("{count} objects"), "stay in the cluster and are"),
    };
    let note = format!(
        "{objects} of Shipment `{}/{}` {stay} looked after by nobody: {}",
        leaving.owner.namespace,
        leaving.owner.name,
        left.join(", ")
    );
    tracing::warn!("{note}");
    match &leaving.doomed {
        // A namespace that is on its way out takes no more events, but one about it lies elsewhere.
        Some(namespace) => tell(&ctx.events, namespace, Reason::Orphaned, "Delete", &note),
        None => tell(&ctx.events, shipment, Reason::Orphaned, "Delete", &note),
    }
}

/// Drops the finalizer. Somebody may have written the Shipment meanwhile, such as we its status.
async fn release(ctx: &Ctx, shipment: &Shipment, key: &Key) -> Result<(), Halt> {
    let api = ApiResource::erase::<Shipment>(&());
    let place = Resource::object(&api, Some(&key.namespace), &key.name);
    let mut meta = shipment.metadata.clone();
    let mut tries = 0;
    loop {
        tries += 1;
        let released = cluster::status::remove_finalizer(
            &ctx.caller,
            &api,
            Some(&key.namespace),
            &key.name,
            meta.finalizers.as_deref().unwrap_or_default(),
            meta.resource_version.as_deref(),
        );
        match released.await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_conflict() && tries < TRIES => {}
            Err(error) => return Err(dropping(&error)),
        }
        match prune::live(&ctx.caller, &place).await {
            Ok(Some(live)) => meta = live,
            Ok(None) => return Ok(()),
            Err(error) => return Err(dropping(&error)),
        }
    }
}

fn dropping(error: &ApiError) -> Halt {
    Halt::Failed {
        reason: Reason::ClusterUnreachable,
        attempt: format!("drop the finalizer: {error}"),
    }
}

fn forget(ctx: &Ctx, key: &Key, ledger: &mut Ledger) {
    for id in ledger.inventory.0.keys() {
        ctx.tracker.forget(id, key);
    }
    *ledger = Ledger::default(); // it goes with the Shipment itself
    ctx.board.remove(key);
    ctx.wake_waiting(&crate::board::Wait::Shipment(key.clone()));
}
