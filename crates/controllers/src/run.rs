//! Wires the controllers of one cluster together and runs them until they are told to stop.

use std::convert::Infallible;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cluster::caller::Meter;
use cluster::catalog::Catalog;
use cluster::events::Events;
use cluster::ownership::{Owner, Trace};
use cluster::watch::{Filter, Report, Watches};
use cluster::{ApiError, Caller, Limiter, Term, inventory};
use futures::{FutureExt as _, StreamExt as _};
use git::Limits;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kinds::crd::Profile;
use kinds::{Deliverable, Environment, Runnable, Shipment, Workload, names};
use kube::Client;
use kube::core::ApiResource;
use kube::runtime::controller::{Action, Config, Controller, Error};
use kube::runtime::reflector::{ObjectRef, Store};
use manifest::GroupKind;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::board::{Board, Key};
use crate::cartographer::{self, Left};
use crate::context::{Ctx, Kept, Presence};
use crate::ledger::{Ledger, Ledgers};
use crate::library::{self, Library, kept};
use crate::metrics::Metrics;
use crate::owner::Memories;
use crate::pump;
use crate::queue::Queue;
use crate::secret::Secrets;
use crate::source::Sources;
use crate::stamping::{self, Index, Seen, Selections};
use crate::tracker::{Expected, Tracker};
use crate::ytt::{Evaluate, Templates};

/// How a cluster's controllers are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where Git repositories are kept.
    pub cache: PathBuf,
    /// How many requests to the API server run at a time.
    pub requests_at_once: usize,
    /// How many passes run at a time.
    pub passes_at_once: u16,
    /// How often kinds that may not be watched are looked at.
    pub unwatched_interval: Duration,
    /// How often everything is applied again: what no watch shows is put right by that.
    pub audit_interval: Duration,
    /// Bounds on what is read from Git.
    pub limits: Limits,
    /// Which kinds are served.
    pub profile: Profile,
    /// What evaluates ytt templates.
    pub ytt: Arc<dyn Evaluate>,
}

/// What of a running engine others may use: push events come in here.
#[derive(Clone)]
pub struct Engine {
    /// The sources that are followed.
    pub sources: Sources,
    /// Counts the requests to the API server.
    pub meter: Arc<Meter>,
}

/// Runs the controllers until `stop`, and writes only while `term` runs. `started` gets the engine as
/// soon as everything is read.
///
/// # Errors
/// [`ApiError`] when the cluster cannot be read at the start; after that nothing ends it but `stop`.
pub async fn run(
    client: Client,
    term: Arc<Term>,
    options: Options,
    metrics: Arc<Metrics>,
    started: oneshot::Sender<Engine>,
    stop: CancellationToken,
) -> Result<(), ApiError> {
    let meter = Arc::new(Meter::default());
    let limiter = Arc::new(Limiter::new(options.requests_at_once));
    let tracker = if term.is_taken_over() {
        Tracker::doubting()
    } else {
        Tracker::default()
    };
    let caller = Caller::new(client.clone(), limiter, meter.clone()).within(term);
    let (reports_out, reports_in) = mpsc::unbounded_channel();
    let (changes_out, changes_in) = mpsc::unbounded_channel();
    let sources = Sources::new(
        options.cache.clone(),
        options.limits,
        changes_out,
        metrics.clone(),
        stop.clone(),
    );

    let watches = Watches::new(
        client.clone(),
        reports_out,
        options.unwatched_interval,
        stop.clone(),
    );
    let (shipments, shipments_due) = Kept::<Shipment>::of(&watches);
    let (environments, environments_due) = Kept::<Environment>::of(&watches);
    let (deliverables, deliverables_due) = Kept::<Deliverable>::of(&watches);
    let builds = options.profile == Profile::Full;
    let (workloads, workloads_due) = kept::<Workload>(&watches, builds);
    let (runnables, runnables_due) = kept::<Runnable>(&watches, builds);
    let (library, library_due) = Library::of(&watches, builds);
    let ctx = Arc::new(Ctx {
        catalog: Catalog::new(client.clone()),
        watches,
        sources: sources.clone(),
        tracker,
        board: Board::default(),
        ledgers: Ledgers::default(),
        presence: Presence::default(),
        secrets: Secrets::default(),
        metrics,
        events: Events::new(caller.clone()),
        shipments,
        environments,
        deliverables,
        left: Left::default(),
        workloads,
        selections: Selections::new(runnables.due()),
        runnables,
        library,
        ytt: Templates::new(options.ytt.clone()),
        unfollowed: Notify::new(),
        seen: Seen::default(),
        uses: Index::default(),
        memories: Memories::default(),
        look: options.unwatched_interval,
        audit: options.audit_interval,
        caller,
    });
    // Once `stop` has ended the watches, what they have not listed yet never comes. Nothing was written so far.
    let reports_in = tokio::select! {
        read = read_all(&ctx, reports_in, options.profile) => read?,
        () = stop.cancelled() => return Ok(()),
    };
    tokio::spawn(pump::reports(ctx.clone(), reports_in));
    tokio::spawn(pump::sources(ctx.clone(), changes_in));
    let ending = tokio::spawn(stamping::end_watches(ctx.clone()));
    // If the receiver is gone nobody wants to be told, which is fine.
    let _ = started.send(Engine { sources, meter });

    cartographer::begin(&ctx).await?;
    let at_once = options.passes_at_once;
    let shipments = work(
        (ctx.shipments.store(), shipments_due),
        at_once,
        crate::shipment::reconcile,
        ctx.clone(),
        stop.clone(),
    );
    let environments = work(
        (ctx.environments.store(), environments_due),
        at_once,
        crate::environment::reconcile,
        ctx.clone(),
        stop.clone(),
    );
    let deliverables = work(
        (ctx.deliverables.store(), deliverables_due),
        at_once,
        crate::owner::reconcile,
        ctx.clone(),
        stop.clone(),
    );
    let stamping = (workloads_due, runnables_due, library_due);
    let chains = chains(stamping, at_once, ctx.clone(), stop);
    futures::join!(shipments, environments, deliverables, chains);
    ending.abort();
    ctx.events.end().await;
    Ok(())
}

/// Works through Workloads, Runnables and blueprints. Where the cluster is not for them there are none.
async fn chains(
    (workloads, runnables, library): (Due<Workload>, Due<Runnable>, library::Due),
    at_once: u16,
    ctx: Arc<Ctx>,
    stop: CancellationToken,
) {
    let workloads = work(
        (ctx.workloads.store(), workloads),
        at_once,
        crate::owner::reconcile,
        ctx.clone(),
        stop.clone(),
    );
    let runnables = work(
        (ctx.runnables.store(), runnables),
        at_once,
        crate::runnable::reconcile,
        ctx.clone(),
        stop.clone(),
    );
    let supply_chains = work(
        (ctx.library.supply_chains.store(), library.supply_chains),
        at_once,
        crate::blueprint::reconcile,
        ctx.clone(),
        stop.clone(),
    );
    let deliveries = work(
        (ctx.library.deliveries.store(), library.deliveries),
        at_once,
        crate::blueprint::reconcile,
        ctx.clone(),
        stop,
    );
    futures::join!(workloads, runnables, supply_chains, deliveries);
}

/// Objects of a kind whose pass is due.
type Due<K> = mpsc::UnboundedReceiver<ObjectRef<K>>;

/// How long an object rests whose pass broke off by a fault of ours.
const AFTER_PANIC: Duration = Duration::from_mins(1);

/// Keeps a panic where it happened: one object's pass, not the controller's end.
async fn guarded(pass: impl Future<Output = Action>) -> Result<Action, Infallible> {
    let done = AssertUnwindSafe(pass).catch_unwind().await;
    Ok(done.unwrap_or_else(|_| {
        tracing::error!(
            "a pass broke off: this is a fault of Shipway; it is tried again in a minute"
        );
        Action::requeue(AFTER_PANIC)
    }))
}

/// Reads what a restart needs: what is served, what was delivered, which namespaces and accounts
/// there are. One list a kind, no write.
async fn read_all(
    ctx: &Arc<Ctx>,
    mut reports: mpsc::UnboundedReceiver<Report>,
    profile: Profile,
) -> Result<mpsc::UnboundedReceiver<Report>, ApiError> {
    ctx.catalog.refresh(Duration::ZERO).await?;
    let inventories = inventory::load(&ctx.caller).await?;
    let ground = [
        ApiResource::erase::<Namespace>(&()),
        ApiResource::erase::<ServiceAccount>(&()),
        ApiResource::erase::<CustomResourceDefinition>(&()),
    ];
    for api in &ground {
        ctx.watches.ensure(api, Filter::All);
    }
    // Without its Environment a Shipment would be delivered wrongly, and without its blueprint an
    // owner would be told that there is none.
    let mut own = vec![
        ApiResource::erase::<Shipment>(&()),
        ApiResource::erase::<Environment>(&()),
    ];
    own.extend(library::kinds(profile == Profile::Full));
    let mut awaited: Vec<GroupKind> = ground
        .iter()
        .chain(&own)
        .map(|api| GroupKind::new(&api.group, &api.kind))
        .collect();
    let mut known = Vec::new();
    for ((namespace, name), stored) in inventories {
        let key = Key::new(namespace, name);
        let ledger = Ledger::from_stored(stored);
        let manager = Owner::shipment(&key.namespace, &key.name).manager();
        let mut wanted = std::collections::BTreeSet::new();
        for (id, entry) in &ledger.inventory.0 {
            wanted.insert(id.clone());
            if let (Some(uid), Some(fields)) = (&entry.uid, &entry.fields) {
                ctx.tracker.expect(
                    id,
                    &key,
                    &Expected {
                        manager: &manager,
                        uid,
                        fields,
                        version: 0,
                        written: None,
                        trace: Trace::default(),
                    },
                );
            }
            if let Some((api, _)) = ctx.catalog.preferred_api(&id.group, &id.kind) {
                ctx.watches.ensure(&api, Filter::Owned);
            }
        }
        ctx.board.wants(&key, Arc::new(wanted));
        ctx.ledgers.put(key.clone(), ledger);
        known.push(key);
    }
    while !awaited.is_empty() {
        let Some(report) = reports.recv().await else {
            return Err(ApiError::Unreachable("the watches ended".to_owned()));
        };
        if let Report::Unwatchable(kind, why) = &report
            && awaited.contains(kind)
        {
            return Err(ApiError::Unreachable(format!(
                "the controller may not watch `{kind}`: {why}"
            )));
        }
        if let Report::Listed(kind, _) = &report {
            awaited.retain(|waiting| waiting != kind);
        }
        ctx.presence.take(&report);
        ctx.tracker.take(&report);
    }
    tracing::info!(
        "read the cluster; {} manages what carries `{}`",
        names::CONTROLLER_MANAGER,
        names::OWNER_LABEL
    );
    for key in known {
        pump::forget_shipment(ctx, &key); // where it went while nobody looked
    }
    Ok(reports)
}

/// Works through the passes of one kind that are due, until `stop`; those that run then are ended.
async fn work<K, F>(
    (store, due): (Store<K>, Due<K>),
    at_once: u16,
    pass: impl Fn(Arc<K>, Arc<Ctx>) -> F + Send + Sync + 'static,
    ctx: Arc<Ctx>,
    stop: CancellationToken,
) where
    K: kube::Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Action> + Send + 'static,
{
    // No pass begins before its kind is listed, which does not happen any more once `stop` has ended the watches.
    tokio::select! {
        _ = store.wait_until_ready() => {}
        () = stop.cancelled() => return,
    }
    let queue = Arc::new(Queue::new(ctx.metrics.queue_of(&K::kind(&()))));
    let (asked, begun) = (queue.clone(), queue.clone());
    let due = UnboundedReceiverStream::new(due).inspect(move |object| asked.ask(object));
    Controller::for_stream(futures::stream::pending(), store)
        .with_config(Config::default().concurrency(at_once))
        .reconcile_on(due)
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(
            move |object, ctx| {
                begun.leave(&ObjectRef::from_obj(&*object));
                let (metrics, begun) = (ctx.metrics.clone(), Instant::now());
                let pass = guarded(pass(object, ctx));
                pass.inspect(move |_| metrics.pass_took(&K::kind(&()), begun.elapsed()))
            },
            |_, never, _| match *never {},
            ctx,
        )
        .for_each(|done| {
            if let Err(Error::ObjectNotFound(object)) = done {
                let gone = ObjectRef::new(&object.name);
                queue.leave(&match &object.namespace {
                    Some(namespace) => gone.within(namespace),
                    None => gone,
                });
            }
            std::future::ready(())
        })
        .await;
}
