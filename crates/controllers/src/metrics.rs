//! What the controller counts, for `/metrics`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kinds::Reason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// Counters of one controller process.
pub struct Metrics {
    look_ups: Counter,
    fetches: Counter,
    renders: Counter,
    applies: Counter,
    prunes: Counter,
    drift_repairs: Counter,
    passes: Counter,
    outcomes: Family<Outcome, Counter>,
    running: Length,
    queue: Family<Kind, Length>,
    calls: Family<Verb, Counter>,
    passes_took: Family<Kind, Histogram, fn() -> Histogram>,
    ready_after: Family<Kind, Histogram, fn() -> Histogram>,
}

/// From a millisecond to more than half an hour, each bound four times the one before.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 12))
}

/// How much there is of something.
pub(crate) type Length = Gauge<i64, AtomicI64>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Verb {
    verb: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            look_ups: Counter::default(),
            fetches: Counter::default(),
            renders: Counter::default(),
            applies: Counter::default(),
            prunes: Counter::default(),
            drift_repairs: Counter::default(),
            passes: Counter::default(),
            outcomes: Family::default(),
            running: Length::default(),
            queue: Family::default(),
            calls: Family::default(),
            passes_took: Family::new_with_constructor(seconds),
            ready_after: Family::new_with_constructor(seconds),
        }
    }
}

impl Metrics {
    /// Registers all counters under the prefix `shipway`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("shipway");
        registry.register(
            "git_look_ups",
            "Looks at a repository's references",
            self.look_ups.clone(),
        );
        registry.register(
            "git_fetches",
            "Fetches from a repository",
            self.fetches.clone(),
        );
        registry.register(
            "renders",
            "Specifications turned into manifests",
            self.renders.clone(),
        );
        registry.register(
            "applies",
            "Objects carried to the API server",
            self.applies.clone(),
        );
        registry.register(
            "prunes",
            "Objects deleted since they left the source",
            self.prunes.clone(),
        );
        registry.register(
            "drift_repairs",
            "Objects put right that were changed behind Git's back",
            self.drift_repairs.clone(),
        );
        registry.register("passes", "Reconcile passes", self.passes.clone());
        registry.register(
            "outcomes",
            "Reconcile passes that did not end ready, by reason",
            self.outcomes.clone(),
        );
        registry.register(
            "passes_running",
            "Reconcile passes under way",
            self.running.clone(),
        );
        registry.register(
            "queue",
            "Objects that wait for their pass, by kind",
            self.queue.clone(),
        );
        registry.register(
            "api_calls",
            "Requests to the API server, by verb",
            self.calls.clone(),
        );
        registry.register_with_unit(
            "pass_duration",
            "How long reconcile passes take, by kind",
            Unit::Seconds,
            self.passes_took.clone(),
        );
        registry.register_with_unit(
            "ready_latency",
            "From the first look at a change of a Workload or Deliverable to its readiness",
            Unit::Seconds,
            self.ready_after.clone(),
        );
    }

    /// How many objects of a kind wait.
    pub(crate) fn queue_of(&self, kind: &str) -> Length {
        let kind = kind.to_owned();
        self.queue.get_or_create_owned(&Kind { kind })
    }

    pub(crate) fn pass_took(&self, kind: &str, time: Duration) {
        observe(&self.passes_took, kind, time);
    }

    /// Notes that an object of a kind got ready, so long after it was first seen as it is.
    pub(crate) fn got_ready(&self, kind: &str, time: Duration) {
        observe(&self.ready_after, kind, time);
    }

    pub(crate) fn looked_up(&self) {
        self.look_ups.inc();
    }

    pub(crate) fn fetched(&self) {
        self.fetches.inc();
    }

    pub(crate) fn rendered(&self) {
        self.renders.inc();
    }

    pub(crate) fn applied(&self) {
        self.applies.inc();
    }

    pub(crate) fn pruned(&self) {
        self.prunes.inc();
    }

    pub(crate) fn repaired(&self) {
        self.drift_repairs.inc();
    }

    pub(crate) fn pass_begins(&self) {
        self.passes.inc();
        self.running.inc();
    }

    pub(crate) fn pass_ends(&self, reason: Reason) {
        self.running.dec();
        if reason != Reason::Ready {
            self.outcomes
                .get_or_create(&Outcome {
                    reason: reason.as_str(),
                })
                .inc();
        }
    }

    /// Takes over the request counts of the cluster client.
    pub fn take_calls(&self, meter: &cluster::Meter) {
        for (verb, count) in meter.counts() {
            self.calls
                .get_or_create(&Verb { verb })
                .inner()
                .store(count, Ordering::Relaxed);
        }
    }
}

fn observe(times: &Family<Kind, Histogram, fn() -> Histogram>, kind: &str, time: Duration) {
    let kind = kind.to_owned();
    let time = time.as_secs_f64();
    times.get_or_create_owned(&Kind { kind }).observe(time);
}
