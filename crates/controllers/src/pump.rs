//! Carries news to whom it concerns: what watches report and what sources find becomes passes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cluster::inventory;
use cluster::watch::Report;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::board::{Key, Wait};
use crate::context::Ctx;
use crate::ledger::Ledger;
use crate::source::Follower;
use crate::stamping;

/// How long discovery may take to follow an event of a definition.
const FOLLOWS: Duration = Duration::from_secs(10);
/// How often discovery is asked meanwhile: soon after the event, and later.
const ASK: Duration = Duration::from_millis(200);
const SOON: Duration = Duration::from_secs(3);
const LONGEST_ASK: Duration = Duration::from_secs(2);

/// Takes reports of watches in, until nobody sends any more.
pub(crate) async fn reports(ctx: Arc<Ctx>, mut reports: mpsc::UnboundedReceiver<Report>) {
    let moved = Arc::new(Notify::new());
    let asking = tokio::spawn(definitions(ctx.clone(), moved.clone()));
    while let Some(report) = reports.recv().await {
        let unwatched =
            matches!(&report, Report::Unwatchable(kind, _) if ctx.tracker.is_unwatchable(kind));
        stamping::news::take(&ctx, &report);
        ctx.wake_all(ctx.tracker.take(&report));
        for wait in ctx.presence.take(&report) {
            stamping::news::moved(&ctx, &wait);
            match &wait {
                // Whose own namespace moves is concerned even without waiting for it.
                Wait::Namespace(name) => wake_inside(&ctx, name, None),
                Wait::Account(namespace, name) => wake_inside(&ctx, namespace, Some(name)),
                _ => {}
            }
            ctx.wake_waiting(&wait);
        }
        match report {
            Report::Seen(sighting) if is_definition(&sighting.id) => moved.notify_one(),
            Report::Gone(id, _) if is_definition(&id) => moved.notify_one(),
            // The definitions were listed again after a break: any of them may have moved.
            Report::Listed(kind, _) if kind.kind == "CustomResourceDefinition" => {
                moved.notify_one();
            }
            Report::Gone(id, _) if id.kind == "Environment" && id.group == kinds::names::GROUP => {
                ctx.sources.unfollow(&Follower::Environment(id.name));
                wake_everyone(&ctx); // they are delivered without it from now on
            }
            // The Environments were listed again after a break: any of them may be gone.
            Report::Listed(kind, ids)
                if kind.kind == "Environment" && kind.group == kinds::names::GROUP =>
            {
                let names = ids.iter().map(|id| id.name.as_str()).collect();
                ctx.sources.keep_environments(&names);
                wake_everyone(&ctx);
            }
            // Likewise the Shipments.
            Report::Listed(kind, ids)
                if kind.kind == "Shipment" && kind.group == kinds::names::GROUP =>
            {
                let there: HashSet<Key> = ids.iter().map(Key::of).collect();
                for key in ctx.ledgers.keys() {
                    if !there.contains(&key) {
                        shipment_gone(&ctx, &key);
                    }
                }
            }
            Report::Gone(id, _) if id.kind == "Shipment" && id.group == kinds::names::GROUP => {
                shipment_gone(&ctx, &Key::of(&id));
            }
            Report::Unwatchable(kind, why) if !unwatched => {
                tracing::info!(kind = %kind, "`{kind}` may not be watched and is looked at now and then instead: {why}");
            }
            _ => {}
        }
    }
    asking.abort();
}

fn shipment_gone(ctx: &Arc<Ctx>, key: &Key) {
    ctx.wake_waiting(&Wait::Shipment(key.clone()));
    forget_shipment(ctx, key);
}

/// Drops what is kept for a Shipment that is gone, also where it went without a pass, and its
/// inventory where somebody took the finalizer off by hand: it would hold up its namespace.
pub(crate) fn forget_shipment(ctx: &Arc<Ctx>, key: &Key) {
    if ctx.shipments.get(key).is_none() {
        tokio::spawn(forget(ctx.clone(), key.clone()));
    }
}

async fn forget(ctx: Arc<Ctx>, key: Key) {
    let shared = ctx.ledgers.of(&key);
    let mut ledger = shared.lock().await;
    if ctx.shipments.get(&key).is_some() {
        return; // one of the same name came meanwhile
    }
    ctx.sources
        .unfollow(&Follower::Shipment(key.namespace.clone(), key.name.clone()));
    for id in ledger.inventory.0.keys() {
        ctx.tracker.forget(id, &key);
    }
    if !ledger.stored.is_empty() {
        tracing::warn!(shipment.key = %key, "Shipment `{key}` went without letting go of its {} objects", ledger.inventory.0.len());
        let dropped =
            inventory::drop_all(&ctx.caller, &key.namespace, &key.name, &ledger.stored).await;
        if let Err(error) = dropped {
            tracing::warn!(shipment.key = %key, error = %error, "could not remove the inventory of Shipment `{key}`");
        }
    }
    ctx.board.remove(&key);
    *ledger = Ledger::default();
    ctx.ledgers.remove(&key, &shared);
}

fn is_definition(id: &manifest::ObjectId) -> bool {
    id.kind == "CustomResourceDefinition" && id.group == "apiextensions.k8s.io"
}

/// Asks for a pass of what lives in a namespace; of only those that act as an account, if one is
/// named: a delivery of a thousand accounts must not cost a million passes.
fn wake_inside(ctx: &Ctx, namespace: &str, account: Option<&str>) {
    let acts = |named: Option<&String>| {
        let named = named.map(String::as_str).filter(|name| !name.is_empty());
        account.is_none_or(|account| account == named.unwrap_or("default"))
    };
    let here = ctx.shipments.all().into_iter().filter(|shipment| {
        shipment.metadata.namespace.as_deref() == Some(namespace)
            && acts(shipment.spec.service_account_name.as_ref())
    });
    ctx.wake_all(here.map(|shipment| {
        Key::new(
            namespace,
            shipment.metadata.name.clone().unwrap_or_default(),
        )
    }));
}

/// After a definition appeared, changed or went, asks discovery until it has followed: whoever
/// waits is woken, and watches of kinds that are gone end.
async fn definitions(ctx: Arc<Ctx>, moved: Arc<Notify>) {
    loop {
        moved.notified().await;
        let mut since = Instant::now();
        while since.elapsed() < FOLLOWS {
            let before = ctx.catalog.fingerprint();
            // What cannot be read now is asked for again below, and at the next event.
            let _ = ctx.catalog.refresh(Duration::ZERO).await;
            if ctx.catalog.fingerprint() != before {
                forget_gone_kinds(&ctx);
                ctx.wake_waiting(&Wait::Kinds);
                stamping::news::moved(&ctx, &Wait::Kinds);
            }
            let pause = if since.elapsed() < SOON {
                ASK
            } else {
                LONGEST_ASK
            };
            tokio::select! {
                () = moved.notified() => since = Instant::now(),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// The objects of a kind that is gone are gone with it.
fn forget_gone_kinds(ctx: &Ctx) {
    for kind in ctx.watches.kinds() {
        if ctx.catalog.preferred_api(&kind.group, &kind.kind).is_none() {
            ctx.watches.forget(&kind);
            let none = Report::Listed(kind, HashSet::new());
            ctx.wake_stampers(ctx.seen.take(&none));
            ctx.wake_all(ctx.tracker.take(&none));
        }
    }
}

/// Takes changes of sources in, until nobody sends any more.
pub(crate) async fn sources(ctx: Arc<Ctx>, mut changes: mpsc::UnboundedReceiver<Follower>) {
    while let Some(follower) = changes.recv().await {
        match follower {
            Follower::Shipment(namespace, name) => ctx.wake_all([Key::new(namespace, name)]),
            Follower::Environment(name) => {
                ctx.environments.wake(ObjectRef::new(&name));
                wake_everyone(&ctx);
            }
        }
    }
}

/// Asks for a pass of every Shipment. One that this does not concern costs no request.
pub(crate) fn wake_everyone(ctx: &Ctx) {
    let all = ctx.shipments.all();
    ctx.wake_all(all.into_iter().map(|shipment| {
        Key::new(
            shipment.metadata.namespace.clone().unwrap_or_default(),
            shipment.metadata.name.clone().unwrap_or_default(),
        )
    }));
}
