//! Carries news to whom it concerns: what watches report and what sources find becomes passes.

use std::sync::Arc;
use std::time::Duration;

use cluster::watch::Report;
use kinds::Environment;
use kube::runtime::reflector::ObjectRef;
use tokio::sync::mpsc;

use crate::board::{Key, Wait};
use crate::context::Ctx;
use crate::source::Follower;

/// How long a definition may take from its event to discovery.
const APPEARS: Duration = Duration::from_secs(10);
/// How often discovery is asked meanwhile.
const ASK: Duration = Duration::from_millis(200);

/// Takes reports of watches in, until nobody sends any more.
pub(crate) async fn reports(ctx: Arc<Ctx>, mut reports: mpsc::UnboundedReceiver<Report>) {
    while let Some(report) = reports.recv().await {
        ctx.wake_all(ctx.tracker.take(&report));
        for wait in ctx.presence.take(&report) {
            match &wait {
                // Whose own namespace moves is concerned even without waiting for it.
                Wait::Namespace(name) => wake_inside(&ctx, name),
                Wait::Account(namespace, _) => wake_inside(&ctx, namespace),
                _ => {}
            }
            ctx.wake_waiting(&wait);
        }
        match report {
            Report::Seen(sighting) if is_definition(&sighting.id) => {
                tokio::spawn(definition_seen(ctx.clone(), sighting.id.name));
            }
            Report::Gone(id, _) if is_definition(&id) => {
                tokio::spawn(definition_gone(ctx.clone()));
            }
            Report::Gone(id, _) if id.kind == "Shipment" && id.group == kinds::names::GROUP => {
                shipment_gone(&ctx, &id)
            }
            Report::Unwatchable(kind, why) => {
                tracing::info!(kind = %kind, "`{kind}` may not be watched and is looked at every 5 minutes instead: {why}");
            }
            _ => {}
        }
    }
}

/// Drops what is kept for a Shipment that is gone, also where it went without a pass.
fn shipment_gone(ctx: &Ctx, id: &manifest::ObjectId) {
    let key = Key::new(id.namespace.clone().unwrap_or_default(), id.name.clone());
    ctx.sources
        .unfollow(&Follower::Shipment(key.namespace.clone(), key.name.clone()));
    ctx.board.remove(&key);
    ctx.ledgers.remove(&key);
    ctx.wake_stamper(&key);
    ctx.wake_waiting(&Wait::Shipment(key));
}

fn is_definition(id: &manifest::ObjectId) -> bool {
    id.kind == "CustomResourceDefinition" && id.group == "apiextensions.k8s.io"
}

fn wake_inside(ctx: &Ctx, namespace: &str) {
    let here = ctx
        .shipments
        .state()
        .into_iter()
        .filter(|shipment| shipment.metadata.namespace.as_deref() == Some(namespace));
    ctx.wake_all(here.map(|shipment| {
        Key::new(
            namespace,
            shipment.metadata.name.clone().unwrap_or_default(),
        )
    }));
    for deliverable in ctx.deliverables.state() {
        if deliverable.metadata.namespace.as_deref() == Some(namespace) {
            let name = deliverable.metadata.name.clone().unwrap_or_default();
            ctx.wake_stamper(&Key::new(namespace, name));
        }
    }
}

/// A definition appeared or changed: as soon as discovery serves it, whoever waits is woken.
async fn definition_seen(ctx: Arc<Ctx>, name: String) {
    let Some((plural, group)) = name.split_once('.') else {
        return;
    };
    if ctx.catalog.serves_resource(group, plural) {
        // Its versions or its scope may have changed all the same.
        let _ = ctx.catalog.refresh(ASK).await;
        ctx.wake_waiting(&Wait::Kinds);
        return;
    }
    let appeared = tokio::time::timeout(APPEARS, async {
        loop {
            let _ = ctx.catalog.refresh(ASK).await;
            if ctx.catalog.serves_resource(group, plural) {
                return;
            }
            tokio::time::sleep(ASK).await;
        }
    });
    if appeared.await.is_ok() {
        ctx.wake_waiting(&Wait::Kinds);
    }
}

/// A definition is gone: its watch ends, and objects of its kind are gone with it.
async fn definition_gone(ctx: Arc<Ctx>) {
    let _ = ctx.catalog.refresh(Duration::ZERO).await;
    for kind in ctx.watches.kinds() {
        if ctx.catalog.preferred_api(&kind.group, &kind.kind).is_none() {
            ctx.watches.forget(&kind);
            ctx.wake_all(
                ctx.tracker
                    .take(&Report::Listed(kind, std::collections::HashSet::new())),
            );
        }
    }
}

/// Takes changes of sources in, until nobody sends any more.
pub(crate) async fn sources(
    ctx: Arc<Ctx>,
    mut changes: mpsc::UnboundedReceiver<Follower>,
    environments: mpsc::UnboundedSender<ObjectRef<Environment>>,
) {
    while let Some(follower) = changes.recv().await {
        match follower {
            Follower::Shipment(namespace, name) => ctx.wake_all([Key::new(namespace, name)]),
            Follower::Environment(name) => {
                let _ = environments.send(ObjectRef::new(&name));
                wake_everyone(&ctx);
            }
        }
    }
}

/// Asks for a pass of every Shipment. One that this does not concern costs no request.
pub(crate) fn wake_everyone(ctx: &Ctx) {
    let all = ctx.shipments.state();
    ctx.wake_all(all.into_iter().map(|shipment| {
        Key::new(
            shipment.metadata.namespace.clone().unwrap_or_default(),
            shipment.metadata.name.clone().unwrap_or_default(),
        )
    }));
}
