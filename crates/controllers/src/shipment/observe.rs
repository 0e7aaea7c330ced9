//! Reads what the plan needs to know of the cluster: scopes, namespaces, and objects in doubt.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::ownership::fields_hash;
use cluster::watch::Filter;
use cluster::{Caller, Resource, prune};
use delivery::scope::Served;
use delivery::{Object, Refused, Rendering, Settled, Subject};
use futures::StreamExt as _;
use kinds::{Reason, names};
use manifest::{ObjectId, Problem};

use super::check::Checked;
use super::plan;
use super::siblings::{self, Moving};
use crate::board::Key;
use crate::context::Ctx;
use crate::halt::Halt;
use crate::ledger::Ledger;
use crate::tracker::Drift;

/// How fresh discovery has to be before a kind counts as unknown.
const FRESH: Duration = Duration::from_secs(2);
/// How many doubtful objects are read at a time.
const AT_ONCE: usize = 16;

/// What was rendered, beside what the cluster says to it.
pub(super) struct Observed {
    /// The objects, with scopes and owner marks.
    pub(super) objects: Vec<Object>,
    /// Objects that cannot be placed.
    pub(super) refused: Vec<Refused>,
    /// Files that could not be read.
    pub(super) problems: Vec<Problem>,
    /// Whether everything that the source names was rendered.
    pub(super) complete: bool,
    /// Namespaces that are not there or are on their way out.
    pub(super) missing_namespaces: BTreeSet<String>,
    /// How live objects differ from what was applied.
    pub(super) drifted: BTreeMap<ObjectId, Drift>,
    /// What leaves the source towards other Shipments.
    pub(super) moving: Moving,
    /// How many objects the deletion of a Deliverable or Shipment would take along.
    pub(super) taken_along: BTreeMap<ObjectId, usize>,
    /// Whose health is to be read, since nothing is known of it after a restart.
    pub(super) caller: Caller,
}

pub(super) async fn observe(
    ctx: &Ctx,
    checked: &Checked,
    rendering: Rendering,
    ledger: &mut Ledger,
) -> Result<Observed, Halt> {
    if let Some(refusal) = &rendering.refused {
        // What failed of the render before says nothing about this one.
        ledger.failures = vec![plan::refused(refusal)];
        ledger.due = true;
        return Err(Halt::Stalled {
            reason: Reason::TreeRefused,
            why: refusal.to_string(),
        });
    }
    let nothing = rendering.manifests.is_empty() && rendering.problems.is_empty();
    if nothing && ledger.inventory.0.is_empty() {
        return Err(Halt::Stalled {
            reason: Reason::NothingToDeliver,
            why: match checked.spec.path.as_str() {
                "" => "there is no manifest in the repository".to_owned(),
                path => format!("there is no manifest below the path `{path}`"),
            },
        });
    }
    let caller = ctx
        .caller
        .acting_as(&checked.key.namespace, &checked.spec.account)
        .map_err(|error| Halt::Stalled {
            reason: Reason::SpecInvalid,
            why: format!("`spec.serviceAccountName`: {error}"),
        })?;
    let complete = rendering.complete();
    let mut settled = settle(ctx, checked, &rendering).await?;
    for object in &mut settled.objects {
        checked.owner.mark(&mut object.manifest);
        if let Some(api) =
            ctx.catalog
                .api(&object.id.group, object.manifest.version(), &object.id.kind)
        {
            ctx.watches.ensure(&api, Filter::Owned);
        }
    }
    let missing_namespaces = settled
        .objects
        .iter()
        .filter_map(|object| object.id.namespace.clone())
        .filter(|namespace| !ctx.presence.is_namespace_active(namespace))
        .collect();
    let drifted = drifted(ctx, checked, &caller, ledger).await;
    let placed: BTreeSet<&ObjectId> = settled.objects.iter().map(|object| &object.id).collect();
    let leaving = ledger.inventory.0.keys().filter(|id| !placed.contains(id));
    let moving = siblings::moving(ctx, checked, leaving);
    Ok(Observed {
        moving,
        complete: complete && settled.problems.is_empty(),
        objects: settled.objects,
        refused: settled.problems,
        problems: rendering.problems,
        missing_namespaces,
        drifted,
        taken_along: taken_along(ctx, ledger),
        caller,
    })
}

fn taken_along(ctx: &Ctx, ledger: &Ledger) -> BTreeMap<ObjectId, usize> {
    let mut taken = BTreeMap::new();
    for id in ledger.inventory.0.keys() {
        let own = match (id.group.as_str(), id.kind.as_str()) {
            ("carto.run", "Deliverable") => 1, // its Shipment
            (names::GROUP, "Shipment") => 0,
            _ => continue,
        };
        let key = Key::of(id);
        taken.insert(id.clone(), own + ctx.board.count(&key));
    }
    taken
}

async fn settle(ctx: &Ctx, checked: &Checked, rendering: &Rendering) -> Result<Settled, Halt> {
    let unknown = |manifest: &manifest::Manifest| {
        !matches!(
            ctx.catalog
                .served(manifest.group(), manifest.version(), manifest.kind()),
            Served::Yes(_)
        )
    };
    if rendering.manifests.iter().any(unknown) {
        ctx.catalog
            .refresh(FRESH)
            .await
            .map_err(|error| Halt::Failed {
                reason: Reason::ClusterUnreachable,
                attempt: format!("ask which kinds are served: {error}"),
            })?;
    }
    let subject = Subject {
        namespace: &checked.key.namespace,
        name: &checked.key.name,
    };
    Ok(delivery::settle(
        &subject,
        rendering.manifests.clone(),
        &|group, version, kind| ctx.catalog.served(group, version, kind),
    ))
}

/// The drift that the watches reported. What is missing is looked at first: a watch that has
/// just begun, or a lost label, looks the same as a deletion.
async fn drifted(
    ctx: &Ctx,
    checked: &Checked,
    caller: &Caller,
    ledger: &Ledger,
) -> BTreeMap<ObjectId, Drift> {
    let mut drifted = BTreeMap::new();
    let mut doubtful = Vec::new();
    for id in ledger.inventory.0.keys() {
        match ctx.tracker.look(id, &checked.key).0 {
            Some(Drift::Missing) => doubtful.push(id.clone()),
            Some(drift) => {
                drifted.insert(id.clone(), drift);
            }
            None => {}
        }
    }
    let looked = futures::stream::iter(doubtful).map(|id| async move {
        let intact = is_intact(ctx, checked, caller, ledger, &id).await;
        (id, intact)
    });
    for (id, intact) in looked.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await {
        if intact {
            ctx.tracker.acquit(&id, &checked.key);
        } else {
            drifted.insert(id, Drift::Missing);
        }
    }
    drifted
}

async fn is_intact(
    ctx: &Ctx,
    checked: &Checked,
    caller: &Caller,
    ledger: &Ledger,
    id: &ObjectId,
) -> bool {
    let Some(entry) = ledger.inventory.0.get(id) else {
        return false;
    };
    let Some((api, _)) = ctx.catalog.preferred_api(&id.group, &id.kind) else {
        return false;
    };
    let place = Resource::object(&api, id.namespace.as_deref(), &id.name);
    match prune::live(caller, &place).await {
        Ok(Some(meta)) => {
            meta.uid == entry.uid
                && checked.owner.owns(&meta)
                && fields_hash(&meta, &checked.owner.manager()) == entry.fields
        }
        _ => false,
    }
}
