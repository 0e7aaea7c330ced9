//! Metadata watches: one per resource in use, by the controller's own identity, filtered by the
//! owner label. They report what is seen and judge nothing. Our own kinds are kept whole instead.

mod keep;
mod one;

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kinds::names;
use kube::api::{Api, DynamicObject, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, DefaultBackoff, Event};
use kube::{Client, Resource};
use manifest::{GroupKind, ObjectId};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::apply::version;
use crate::ownership::{Share, Trace, shares};

/// Metadata alone: this type makes the client ask for no more.
type Objects = Api<PartialObjectMeta<DynamicObject>>;

/// The longest pause before a watch that broke off is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Only objects with the owner label.
    Owned,
    /// Everything of the kind: namespaces, accounts and definitions, whose existence matters.
    All,
}

/// A live object, as much of it as is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its identity.
    pub id: ObjectId,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub version: u64,
    /// Whether it is on its way out.
    pub deleting: bool,
    /// What Shipway owners have of it.
    pub shares: Vec<Share>,
    /// What changes of others leave on it.
    pub trace: Trace,
}

/// What a watch reports.
#[derive(Clone, Debug)]
pub enum Report {
    /// An object appeared or changed.
    Seen(Sighting),
    /// An object is gone, or no longer carries the owner label.
    Gone(ObjectId, u64),
    /// A full list came in: what is not in it is not there.
    Listed(GroupKind, HashSet<ObjectId>),
    /// The kind may not be watched, or cannot be.
    Unwatchable(GroupKind, String),
}

/// Starts watches and ends them together.
pub struct Watches {
    client: Client,
    reports: mpsc::UnboundedSender<Report>,
    /// How long a watch rests that is not allowed.
    rest: Duration,
    stop: CancellationToken,
    running: Mutex<HashMap<GroupKind, Watch>>,
}

/// A watch that is running.
enum Watch {
    /// Of metadata; it ends with the kind.
    Metadata(CancellationToken),
    /// Of a kind that is kept whole, for as long as the controller runs.
    Kept,
}

impl Watches {
    /// No watches yet. Reports go to `reports` until `stop`.
    pub fn new(
        client: Client,
        reports: mpsc::UnboundedSender<Report>,
        rest: Duration,
        stop: CancellationToken,
    ) -> Self {
        Self {
            client,
            reports,
            rest,
            stop,
            running: Mutex::default(),
        }
    }

    /// Watches a resource unless that is done already. Tells whether the watch is new.
    pub fn ensure(&self, api: &ApiResource, filter: Filter) -> bool {
        let kind = GroupKind::new(&api.group, &api.kind);
        let mut running = self
            .running
            .lock()
            .expect("nothing panics while holding it");
        if running.contains_key(&kind) {
            return false;
        }
        let stop = self.stop.child_token();
        running.insert(kind.clone(), Watch::Metadata(stop.clone()));
        let objects: Objects = Api::all_with(self.client.clone(), api);
        let (reports, rest) = (self.reports.clone(), self.rest);
        tokio::spawn(async move {
            let watch = async {
                while follow(&objects, &kind, filter, &reports).await == Ended::NotAllowed {
                    sleep(rest).await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = watch => {}
            }
        });
        true
    }

    /// The kinds of which metadata are watched.
    pub fn kinds(&self) -> Vec<GroupKind> {
        let running = self.running.lock();
        let running = running.expect("nothing panics while holding it");
        let of_metadata = running
            .iter()
            .filter(|(_, watch)| matches!(watch, Watch::Metadata(_)));
        of_metadata.map(|(kind, _)| kind.clone()).collect()
    }

    /// Ends the watch of a kind that is gone, so that it can begin anew when it comes back.
    pub fn forget(&self, kind: &GroupKind) {
        let running = self.running.lock();
        let mut running = running.expect("nothing panics while holding it");
        if let Some(Watch::Metadata(stop)) = running.get(kind) {
            stop.cancel();
            running.remove(kind);
        }
    }
}

/// How a watch that broke off is begun again: kube's pauses, but none of its longest. They grow to
/// 30 s, and after an outage of a minute drift would go unseen for half a minute more.
#[derive(Default)]
struct Retry(DefaultBackoff);

impl Iterator for Retry {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|pause| pause.min(LONGEST_PAUSE))
    }
}

impl Backoff for Retry {
    fn reset(&mut self) {
        self.0.reset();
    }
}

/// Why a watch ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Nobody listens any more: the controller is stopping.
    Unheard,
    /// It is not allowed, or not possible. Asking again at once would only be noise.
    NotAllowed,
}

async fn follow(
    objects: &Objects,
    kind: &GroupKind,
    filter: Filter,
    reports: &mpsc::UnboundedSender<Report>,
) -> Ended {
    let mut config = watcher::Config::default().streaming_lists();
    if filter == Filter::Owned {
        config = config.labels(names::OWNER_LABEL);
    }
    let stream = watcher::watcher(objects.clone(), config).backoff(Retry::default());
    let mut stream = stream.boxed();
    let mut reporter = Reporter::new(kind.clone());
    while let Some(event) = stream.next().await {
        let Some(report) = reporter.report(&event) else {
            continue;
        };
        // A kind of 404 may only not be there yet: its backoff asks again soon.
        let refused = event.as_ref().err().and_then(refused);
        let ended = refused.is_some_and(|(code, _)| code != 404);
        if reports.send(report).is_err() {
            return Ended::Unheard;
        }
        if ended {
            return Ended::NotAllowed;
        }
    }
    Ended::Unheard
}

/// Turns the events of a watch into reports.
struct Reporter {
    kind: GroupKind,
    listed: HashSet<ObjectId>,
}

impl Reporter {
    fn new(kind: GroupKind) -> Self {
        Self {
            kind,
            listed: HashSet::new(),
        }
    }

    fn report<K: Resource>(&mut self, event: &watcher::Result<Event<K>>) -> Option<Report> {
        let kind = &self.kind;
        Some(match event {
            Ok(Event::Init) => {
                self.listed.clear();
                return None;
            }
            Ok(Event::InitApply(object)) => {
                let seen = sighting(kind, object.meta());
                self.listed.insert(seen.id.clone());
                Report::Seen(seen)
            }
            Ok(Event::InitDone) => Report::Listed(kind.clone(), std::mem::take(&mut self.listed)),
            Ok(Event::Apply(object)) => Report::Seen(sighting(kind, object.meta())),
            Ok(Event::Delete(object)) => {
                Report::Gone(identity(kind, object.meta()), version(object.meta()))
            }
            Err(error) => Report::Unwatchable(kind.clone(), refused(error)?.1),
        })
    }
}

/// Why a watch is not to be had, if that is what an error says: it is not allowed, or not there.
fn refused(error: &watcher::Error) -> Option<(u16, String)> {
    let (watcher::Error::WatchError(status)
    | watcher::Error::InitialListFailed(kube::Error::Api(status))
    | watcher::Error::WatchStartFailed(kube::Error::Api(status))
    | watcher::Error::WatchFailed(kube::Error::Api(status))) = error
    else {
        return None;
    };
    matches!(status.code, 403..=405).then(|| (status.code, status.message.clone()))
}

fn identity(kind: &GroupKind, meta: &ObjectMeta) -> ObjectId {
    ObjectId {
        group: kind.group.clone(),
        kind: kind.kind.clone(),
        namespace: meta.namespace.clone(),
        name: meta.name.clone().unwrap_or_default(),
    }
}

fn sighting(kind: &GroupKind, meta: &ObjectMeta) -> Sighting {
    Sighting {
        id: identity(kind, meta),
        uid: meta.uid.clone().unwrap_or_default(),
        version: version(meta),
        deleting: meta.deletion_timestamp.is_some(),
        shares: shares(meta),
        trace: Trace::of(meta),
    }
}
