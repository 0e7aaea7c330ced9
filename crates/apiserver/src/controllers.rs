//! What goes on by itself: namespaces that end, objects without owners, accounts, simulated workloads.
//! Each reads the one stream of changes and writes through the registry, as any client would.

mod accounts;
mod collector;
mod definitions;
mod namespaces;
mod workloads;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cluster::Cluster;
use crate::registry::delete::delete;
use crate::registry::kind::Kind;
use crate::registry::options::DeleteOptions;
use crate::status::Status;
use crate::store::{Event, Expired, Scope};
use crate::time::rfc3339;

/// How many changes are taken at a time.
const BATCH: usize = 1024;

/// How soon what failed is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// Starts them all for one cluster; without a delay of workloads only the one that a kube-apiserver has
/// inside, too.
pub(crate) fn run(
    cluster: &Arc<Cluster>,
    ca_pem: &str,
    delay: Option<Duration>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    tasks.spawn(until(stop.clone(), definitions::run(cluster.clone())));
    let Some(delay) = delay else {
        return;
    };
    tasks.spawn(until(stop.clone(), namespaces::run(cluster.clone())));
    tasks.spawn(until(stop.clone(), collector::run(cluster.clone())));
    tasks.spawn(until(
        stop.clone(),
        accounts::run(cluster.clone(), ca_pem.to_owned()),
    ));
    tasks.spawn(until(stop.clone(), workloads::run(cluster.clone(), delay)));
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

/// Follows all changes of a cluster.
struct Changes {
    watcher: crate::store::Watcher,
}

impl Changes {
    /// From a revision on.
    fn from(cluster: &Cluster, revision: u64) -> Result<Self, Expired> {
        let watcher = cluster.store.watch_everything(revision)?;
        Ok(Self { watcher })
    }

    async fn next(&mut self) -> Result<Vec<Arc<Event>>, Expired> {
        let mut events = Vec::new();
        self.watcher.next(BATCH, &mut events).await?;
        Ok(events)
    }
}

/// The time as objects write it.
fn now() -> String {
    rfc3339(jiff::Timestamp::now())
}

/// Deletes the objects of a kind that are not being deleted yet, each in its own way.
async fn delete_all(cluster: &Cluster, kind: &Kind, scope: &Scope) -> Result<(), Status> {
    let options = DeleteOptions::default();
    let snapshot = cluster.store.snapshot(&kind.stored);
    for object in snapshot.iter(scope) {
        if object.meta().deletion_timestamp.is_some() {
            continue;
        }
        let now = jiff::Timestamp::now();
        match delete(cluster, kind, object.key(), &options, now).await {
            // Somebody else was faster.
            Err(status) if status.code == 404 => {}
            done => drop(done?),
        }
    }
    Ok(())
}
