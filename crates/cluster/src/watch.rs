//! Metadata watches: one per resource in use, by the controller's own identity, filtered by the
//! owner label. They report what is seen and judge nothing. Our own kinds are kept whole instead.

mod keep;
mod labelled;
mod one;
mod rest;
mod retry;

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kinds::names;
use kube::api::{Api, DynamicObject, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use kube::{Client, Resource};
use manifest::{GroupKind, ObjectId};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::apply::version;
use crate::ownership::{Share, Trace, shares};
pub use labelled::Labelled;
use rest::Rest;
use retry::Retry;

/// Metadata alone: this type makes the client ask for no more.
type Objects = Api<PartialObjectMeta<DynamicObject>>;

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Only objects with the owner label, for as long as somebody uses them ([`Watches::end_unused`]).
    Used,
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
    /// The longest rest of a watch that is not allowed.
    longest_rest: Duration,
    rights: watch::Sender<()>,
    stop: CancellationToken,
    running: Mutex<HashMap<GroupKind, Watch>>,
}

/// A watch that is running.
enum Watch {
    /// Of metadata; it ends with the kind.
    Metadata(Filter, CancellationToken),
    /// Of a kind that is kept whole, for as long as the controller runs.
    Kept,
}

impl Watches {
    /// No watches yet. Reports go to `reports` until `stop`. One that is not allowed is tried again after a
    /// second, then less and less often, until its rests are `longest_rest`.
    pub fn new(
        client: Client,
        reports: mpsc::UnboundedSender<Report>,
        longest_rest: Duration,
        stop: CancellationToken,
    ) -> Self {
        Self {
            client,
            reports,
            longest_rest,
            rights: watch::Sender::default(),
            stop,
            running: Mutex::default(),
        }
    }

    /// Says that somebody's rights changed: watches that are not allowed are tried again soon.
    pub fn rights_changed(&self) {
        self.rights.send_replace(());
    }

    fn rest(&self) -> Rest {
        Rest::new(self.longest_rest, self.rights.subscribe())
    }

    /// Watches a resource unless that is done already. Tells whether the watch is new. One of owned objects
    /// gives way to one of all, and whoever does not say when it ends keeps it.
    pub fn ensure(&self, api: &ApiResource, filter: Filter) -> bool {
        let kind = GroupKind::new(&api.group, &api.kind);
        let mut running = self
            .running
            .lock()
            .expect("nothing panics while holding it");
        match running.get_mut(&kind) {
            Some(Watch::Metadata(Filter::Owned | Filter::Used, narrow))
                if filter == Filter::All =>
            {
                narrow.cancel();
            }
            Some(Watch::Metadata(known @ Filter::Used, _)) => {
                *known = filter;
                return false;
            }
            Some(_) => return false,
            None => {}
        }
        let stop = self.stop.child_token();
        running.insert(kind.clone(), Watch::Metadata(filter, stop.clone()));
        let objects: Objects = Api::all_with(self.client.clone(), api);
        let (reports, mut rest) = (self.reports.clone(), self.rest());
        tokio::spawn(async move {
            let watch = async {
                let mut reporter = Reporter::new(kind);
                while follow(&objects, filter, &mut reporter, &mut rest, &reports).await
                    == Ended::NotAllowed
                {
                    rest.take().await;
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
            .filter(|(_, watch)| matches!(watch, Watch::Metadata(..)));
        of_metadata.map(|(kind, _)| kind.clone()).collect()
    }

    /// Ends the watches that were begun as [`Filter::Used`] of kinds that nobody uses any more. Whoever begins to use
    /// one asks for the watch afterwards.
    pub fn end_unused(&self, is_used: impl Fn(&GroupKind) -> bool) {
        let running = self.running.lock();
        let mut running = running.expect("nothing panics while holding it");
        running.retain(|kind, watch| match watch {
            Watch::Metadata(Filter::Used, stop) if !is_used(kind) => {
                stop.cancel();
                false
            }
            _ => true,
        });
    }

    /// Ends the watch of a kind that is gone, so that it can begin anew when it comes back.
    pub fn forget(&self, kind: &GroupKind) {
        let running = self.running.lock();
        let mut running = running.expect("nothing panics while holding it");
        if let Some(Watch::Metadata(_, stop)) = running.get(kind) {
            stop.cancel();
            running.remove(kind);
        }
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
    filter: Filter,
    reporter: &mut Reporter,
    rest: &mut Rest,
    reports: &mpsc::UnboundedSender<Report>,
) -> Ended {
    let mut config = watcher::Config::default().streaming_lists();
    if filter != Filter::All {
        config = config.labels(names::OWNER_LABEL);
    }
    let stream = watcher::watcher(objects.clone(), config).backoff(Retry::default());
    let mut stream = stream.boxed();
    while let Some(event) = stream.next().await {
        let Some(report) = reporter.report(&event) else {
            continue;
        };
        if matches!(report, Report::Listed(..)) {
            rest.reset();
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};

    /// Watches whose requests nobody answers.
    fn watches() -> Watches {
        let nobody = tower::service_fn(|_: http::Request<kube::client::Body>| {
            std::future::pending::<Result<http::Response<kube::client::Body>, tower::BoxError>>()
        });
        let (reports, _) = mpsc::unbounded_channel();
        let client = Client::new(nobody, "default");
        Watches::new(
            client,
            reports,
            Duration::from_secs(1),
            CancellationToken::new(),
        )
    }

    #[tokio::test]
    async fn a_watch_ends_that_nobody_uses_unless_somebody_keeps_it() {
        let watches = watches();
        let maps = ApiResource::erase::<ConfigMap>(&());
        let services = ApiResource::erase::<Service>(&());
        let secrets = ApiResource::erase::<Secret>(&());
        assert!(watches.ensure(&maps, Filter::Used));
        assert!(watches.ensure(&services, Filter::Used));
        assert!(!watches.ensure(&services, Filter::Owned), "it is kept now");
        assert!(watches.ensure(&secrets, Filter::Owned));
        assert!(!watches.ensure(&secrets, Filter::Used));
        watches.end_unused(|kind| kind.kind == "ConfigMap");
        assert_eq!(watches.kinds().len(), 3);
        watches.end_unused(|_| false);
        let mut left: Vec<_> = watches.kinds().into_iter().map(|kind| kind.kind).collect();
        left.sort();
        assert_eq!(left, ["Secret", "Service"]);
        assert!(watches.ensure(&maps, Filter::Used), "it begins anew");
    }
}
