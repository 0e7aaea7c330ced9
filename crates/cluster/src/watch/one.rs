//! One object of somebody else's, by its name: that something about it changed.

use futures::StreamExt as _;
use kube::api::Api;
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};

use super::{Objects, Retry, Watches, refused};

impl Watches {
    /// Watches the metadata of one object, whether or not it is there, for as long as the controller runs.
    /// `changed` hears that it was looked for, changed or went; how it is now, whoever wants to know asks.
    pub fn one(
        &self,
        api: &ApiResource,
        (namespace, name): (&str, &str),
        changed: impl Fn() + Send + 'static,
    ) {
        let objects: Objects = Api::namespaced_with(self.client.clone(), namespace, api);
        let config = watcher::Config::default()
            .streaming_lists()
            .fields(&format!("metadata.name={name}"));
        let (stop, mut rest) = (self.stop.clone(), self.rest());
        tokio::spawn(async move {
            let stream = watcher::watcher(objects, config).backoff(Retry::default());
            let mut stream = stream.take_until(stop.cancelled_owned()).boxed();
            while let Some(event) = stream.next().await {
                match event {
                    Ok(Event::InitDone) => {
                        rest.reset();
                        changed();
                    }
                    Ok(Event::Apply(_) | Event::Delete(_)) => changed(),
                    // Asking at once whether it is allowed by now would only be noise.
                    Err(error) if refused(&error).is_some() => rest.take().await,
                    Ok(Event::Init | Event::InitApply(_)) | Err(_) => {}
                }
            }
        });
    }
}
