//! Objects of somebody else's, by their labels: that one of them changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use kube::api::Api;
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Objects, Retry, Watches, refused};

/// A watch of objects by their labels. It ends when this is dropped.
#[derive(Debug)]
pub struct Labelled {
    is_refused: Arc<AtomicBool>,
    _end: DropGuard,
}

impl Labelled {
    /// Whether it is not allowed, as far as is known.
    pub fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }
}

impl Watches {
    /// Watches the metadata of all objects of a kind that carry labels, in every namespace. `changed` hears of
    /// each that appears, changes or goes, with its namespace; without one where any may have changed: they were
    /// listed, or may not be watched from now on.
    pub fn labelled(
        &self,
        api: &ApiResource,
        labels: &str,
        changed: impl Fn(Option<&str>) + Send + 'static,
    ) -> Labelled {
        let objects: Objects = Api::all_with(self.client.clone(), api);
        let config = watcher::Config::default().streaming_lists().labels(labels);
        let stop: CancellationToken = self.stop.child_token();
        let (ended, mut rest) = (stop.clone(), self.rest());
        let is_refused = Arc::new(AtomicBool::new(false));
        let told = is_refused.clone();
        tokio::spawn(async move {
            let stream = watcher::watcher(objects, config).backoff(Retry::default());
            let mut stream = stream.take_until(ended.clone().cancelled_owned()).boxed();
            while let Some(event) = stream.next().await {
                match event {
                    Ok(Event::InitDone) => {
                        told.store(false, Ordering::Relaxed);
                        rest.reset();
                        changed(None);
                    }
                    Ok(Event::Apply(object) | Event::Delete(object)) => {
                        changed(object.metadata.namespace.as_deref());
                    }
                    Ok(Event::Init | Event::InitApply(_)) => {}
                    Err(error) => {
                        // A kind of 404 may only not be there yet: its backoff asks again soon.
                        if refused(&error).is_none_or(|(code, _)| code == 404) {
                            continue;
                        }
                        if !told.swap(true, Ordering::Relaxed) {
                            changed(None);
                        }
                        // Asking at once whether it is allowed by now would only be noise.
                        tokio::select! {
                            () = rest.take() => {}
                            () = ended.cancelled() => return,
                        }
                    }
                }
            }
        });
        Labelled {
            is_refused,
            _end: stop.drop_guard(),
        }
    }
}
