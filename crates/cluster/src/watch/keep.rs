//! Kinds that are kept whole: one watch that fills a store and reports like any other.

use std::fmt::Debug;

use futures::StreamExt as _;
use kube::Resource;
use kube::api::Api;
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::{self, Event};
use manifest::GroupKind;
use serde::de::DeserializeOwned;

use super::{Reporter, Retry, Watch, Watches};

impl Watches {
    /// Keeps all objects of a kind, without their `managedFields`: they are larger than all the
    /// rest, and only the reports need them. `changed` hears of each that appears or changes.
    ///
    /// The store knows of a change before the report of it is sent, and is filled before the
    /// report of the first list.
    pub fn keep<K>(&self, changed: impl Fn(ObjectRef<K>) + Send + Sync + 'static) -> Store<K>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let api = ApiResource::erase::<K>(&());
        let kind = GroupKind::new(&api.group, &api.kind);
        self.running
            .lock()
            .expect("nothing panics while holding it")
            .insert(kind.clone(), Watch::Kept);
        let (store, mut writer) = reflector::store();
        let read = store.clone();
        let objects: Api<K> = Api::all(self.client.clone());
        let (reports, stop) = (self.reports.clone(), self.stop.clone());
        tokio::spawn(async move {
            let config = watcher::Config::default().streaming_lists();
            let stream = watcher::watcher(objects, config).backoff(Retry::default());
            let mut stream = stream.take_until(stop.cancelled_owned()).boxed();
            let mut reporter = Reporter::new(kind);
            while let Some(event) = stream.next().await {
                let report = reporter.report(&event);
                let seen = event.ok().map(|event| {
                    let event = without_managers(event);
                    writer.apply_watcher_event(&event);
                    event
                });
                if report.is_some_and(|report| reports.send(report).is_err()) {
                    return; // the controller is stopping
                }
                match seen {
                    Some(Event::Apply(object)) => changed(ObjectRef::from_obj(&object)),
                    Some(Event::InitDone) => {
                        for object in read.state() {
                            changed(ObjectRef::from_obj(&*object));
                        }
                    }
                    _ => {}
                }
            }
        });
        store
    }
}

fn without_managers<K: Resource>(mut event: Event<K>) -> Event<K> {
    if let Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) = &mut event {
        object.meta_mut().managed_fields = None;
    }
    event
}
