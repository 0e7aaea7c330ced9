//! What news of the cluster means for those that stamp: whose pass is due.

use cluster::watch::{Filter, Report};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use kinds::cartographer::GROUP;
use kinds::{Blueprint, BlueprintSpec};
use kube::core::ApiResource;
use kube::runtime::reflector::ObjectRef;
use manifest::ObjectId;

use super::{Stamper, StamperKind};
use crate::board::{Key, Wait};
use crate::context::{Ctx, Kept};
use crate::owner::Kind;

/// Takes a report in, before anything else is done with it.
pub(crate) fn take(ctx: &Ctx, report: &Report) {
    ctx.wake_stampers(ctx.seen.take(report));
    match report {
        Report::Seen(sighting) => changed(ctx, &sighting.id),
        Report::Gone(id, _) => {
            if let Some(stamper) = stamper(id) {
                forget(ctx, &stamper);
            }
            changed(ctx, id);
        }
        // They were listed anew after a break: any of them may have changed or gone.
        Report::Listed(kind, _) if kind.group == GROUP => wake_everyone(ctx),
        Report::Listed(kind, _) if kind.group == RIGHTS => rights_changed(ctx),
        // From now on they are looked at.
        Report::Unwatchable(kind, _) if !ctx.tracker.is_unwatchable(kind) => {
            ctx.wake_stampers(ctx.seen.stampers_of(kind));
        }
        Report::Listed(..) | Report::Unwatchable(..) => {}
    }
    if matches!(report, Report::Gone(..) | Report::Listed(..)) {
        ctx.unfollowed.notify_one();
    }
}

/// Takes in that something moved that others wait for.
pub(crate) fn moved(ctx: &Ctx, wait: &Wait) {
    match wait {
        Wait::Account(namespace, name) => {
            ctx.wake_stampers(ctx.uses.of_account(namespace, name));
        }
        Wait::Kinds => ctx.wake_stampers(ctx.uses.without_kind()),
        _ => {}
    }
}

/// Drops what is kept for one that is gone.
fn forget(ctx: &Ctx, stamper: &Stamper) {
    ctx.memories.forget(stamper);
    ctx.uses.forget(stamper);
    ctx.seen.forget_all(stamper);
    if stamper.kind == StamperKind::Runnable {
        ctx.selections.forget(&stamper.key);
    }
}

/// Watches what grants rights, from the first time on that somebody was refused something: until then nobody
/// waits for it.
pub(crate) fn watch_rights(ctx: &Ctx) {
    let rights = [
        ApiResource::erase::<Role>(&()),
        ApiResource::erase::<RoleBinding>(&()),
        ApiResource::erase::<ClusterRole>(&()),
        ApiResource::erase::<ClusterRoleBinding>(&()),
    ];
    for api in &rights {
        ctx.watches.ensure(api, Filter::All);
    }
}

fn rights_changed(ctx: &Ctx) {
    ctx.wake_stampers(ctx.uses.refused());
    ctx.watches.rights_changed();
}

const RIGHTS: &str = "rbac.authorization.k8s.io";

fn stamper(id: &ObjectId) -> Option<Stamper> {
    let kind = match (id.group.as_str(), id.kind.as_str()) {
        (GROUP, "Workload") => StamperKind::Workload,
        (GROUP, "Deliverable") => StamperKind::Deliverable,
        (GROUP, "Runnable") => StamperKind::Runnable,
        _ => return None,
    };
    Some(Stamper {
        kind,
        key: Key::of(id),
    })
}

fn changed(ctx: &Ctx, id: &ObjectId) {
    if id.group == RIGHTS {
        rights_changed(ctx);
        return;
    }
    if id.group != GROUP || id.namespace.is_some() {
        return;
    }
    ctx.wake_stampers(ctx.uses.change(&id.kind, &id.name));
    let library = &ctx.library;
    match id.kind.as_str() {
        "ClusterSupplyChain" => {
            wake_served(
                library.supply_chains.named(&id.name).as_deref(),
                &ctx.workloads,
            );
        }
        "ClusterDelivery" => {
            wake_served(
                library.deliveries.named(&id.name).as_deref(),
                &ctx.deliverables,
            );
        }
        kind => {
            wake_naming(&library.supply_chains, kind, &id.name);
            wake_naming(&library.deliveries, kind, &id.name);
        }
    }
}

/// Wakes the owners that a blueprint may serve, by their labels: whether it does, their pass finds out.
fn wake_served<K: Kind>(blueprint: Option<&K::Blueprint>, owners: &Kept<K>) {
    let Some(blueprint) = blueprint else { return };
    let wanted = blueprint.blueprint().selector.matches().labels;
    for owner in owners.all() {
        let labels = owner.meta().labels.as_ref();
        let has = |(key, value): (&String, &String)| {
            labels.is_some_and(|labels| labels.get(key) == Some(value))
        };
        if wanted.iter().all(has) {
            owners.wake(ObjectRef::from_obj(&*owner));
        }
    }
}

/// Wakes the blueprints that name a template.
fn wake_naming<B>(blueprints: &Kept<B>, kind: &str, name: &str)
where
    B: Blueprint
        + kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    for blueprint in blueprints.all() {
        if names(blueprint.blueprint(), kind, name) {
            blueprints.wake(ObjectRef::from_obj(&*blueprint));
        }
    }
}

fn names(blueprint: &BlueprintSpec, kind: &str, name: &str) -> bool {
    blueprint.resources.iter().any(|resource| {
        let template = &resource.template_ref;
        let options = template
            .options
            .iter()
            .filter_map(|option| option.name.as_ref());
        template.kind.as_str() == kind && template.name.iter().chain(options).any(|it| it == name)
    })
}

/// Wakes all blueprints and all that stamp, such as when they are nobody else's any more.
pub(crate) fn wake_everyone(ctx: &Ctx) {
    wake_all(&ctx.workloads);
    wake_all(&ctx.deliverables);
    wake_all(&ctx.runnables);
    wake_all(&ctx.library.supply_chains);
    wake_all(&ctx.library.deliveries);
}

fn wake_all<K>(kept: &Kept<K>)
where
    K: kube::Resource<DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    for object in kept.all() {
        kept.wake(ObjectRef::from_obj(&*object));
    }
}
