//! When something is seen: the moment at which a watch shows it.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Resource, ResourceExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::Outcome;

/// What a watch can decode.
pub(crate) trait Watched:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static
{
}

impl<K> Watched for K where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static
{
}

/// Follows one value of one object.
pub(crate) struct Sight {
    seen: mpsc::UnboundedReceiver<(String, Instant)>,
    following: JoinHandle<()>,
}

impl Sight {
    /// Follows what `value` reads from the object of this name, and waits for the first sight.
    pub(crate) fn follow<K: Watched>(
        api: Api<K>,
        name: &str,
        value: impl Fn(&K) -> String + Send + 'static,
    ) -> Self {
        let (out, seen) = mpsc::unbounded_channel();
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        let following = tokio::spawn(async move {
            let mut stream = pin!(watcher(api, config).default_backoff().applied_objects());
            while let Some(next) = stream.next().await {
                if let Ok(object) = next {
                    // Nobody listens any more: the task is about to be ended.
                    let _ = out.send((value(&object), Instant::now()));
                }
            }
        });
        Self { seen, following }
    }

    /// The moment at which the value is first seen as wanted.
    pub(crate) async fn until(&mut self, wanted: &str, patience: Duration) -> Outcome<Instant> {
        let end = Instant::now() + patience;
        let mut last = "nothing".to_owned();
        loop {
            match timeout_at(end, self.seen.recv()).await {
                Ok(Some((value, at))) if value == wanted => return Ok(at),
                Ok(Some((value, _))) => last = value,
                Ok(None) => return Err("the watch ended".to_owned()),
                Err(_) => {
                    let seconds = patience.as_secs();
                    return Err(format!(
                        "waited {seconds} s for `{wanted}`, last seen: {last}"
                    ));
                }
            }
        }
    }
}

impl Drop for Sight {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// When objects of a collection were as wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    /// The first of them.
    pub(crate) first: Instant,
    /// Half of them.
    pub(crate) half: Instant,
    /// All of them.
    pub(crate) all: Instant,
}

/// Waits until so many objects of a collection are as wanted.
pub(crate) async fn until_all<K: Watched>(
    api: Api<K>,
    count: usize,
    patience: Duration,
    is_wanted: impl Fn(&K) -> bool,
) -> Outcome<Reached> {
    let (mut first, mut half) = (None, None);
    let mut there = BTreeSet::new();
    let mut other = None;
    let mut stream = pin!(
        watcher(api, watcher::Config::default())
            .default_backoff()
            .applied_objects()
    );
    let reached = timeout(patience, async {
        while let Some(next) = stream.next().await {
            let Ok(object) = next else { continue };
            if is_wanted(&object) {
                there.insert(object.name_any());
            } else {
                there.remove(&object.name_any());
                other = Some(object);
            }
            let now = Instant::now();
            if !there.is_empty() {
                first.get_or_insert(now);
            }
            if there.len() >= count.div_ceil(2) {
                half.get_or_insert(now);
            }
            if there.len() >= count {
                let (first, half) = (first?, half?);
                return Some(Reached {
                    first,
                    half,
                    all: now,
                });
            }
        }
        None
    });
    if let Ok(Some(at)) = reached.await {
        return Ok(at);
    }
    Err(format!(
        "only {} of {count} are there after {} s; one that was not: {other:?}",
        there.len(),
        patience.as_secs()
    ))
}
