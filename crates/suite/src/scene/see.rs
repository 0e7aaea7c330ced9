//! What a scenario sees: objects, statuses and events, now or as soon as they come.

use std::fmt::Debug;

use k8s_openapi::serde::de::DeserializeOwned;
use kinds::condition::{self, Condition, kind};
use kinds::{Shipment, ShipmentStatus};
use kube::api::Api;
use kube::core::NamespaceResourceScope;
use kube::{Client, Resource};
use testkit::eventually;

use super::{PATIENCE, Scene};

/// A kind whose objects lie in namespaces.
pub trait Namespaced:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug
{
}

impl<K> Namespaced for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + Debug
{
}

impl Scene {
    /// A Shipment as it stands.
    pub async fn get_shipment(&self, name: &str) -> Shipment {
        self.all()
            .get(name)
            .await
            .unwrap_or_else(|error| panic!("no Shipment `{name}`: {error}"))
    }

    /// Waits until a Shipment is ready, at a commit if one is given.
    pub async fn until_ready(&self, name: &str, commit: Option<&str>) -> ShipmentStatus {
        self.until(name, "is ready", |status| {
            let ready =
                condition::find(&status.conditions, kind::READY).is_some_and(Condition::is_true);
            let there = commit.is_none_or(|commit| {
                status
                    .revision
                    .as_deref()
                    .unwrap_or_default()
                    .ends_with(commit)
            });
            ready && there
        })
        .await
    }

    /// Waits until a Shipment's `Ready` is not true for this reason; tells its message.
    pub async fn until_reason(&self, name: &str, reason: &str) -> String {
        let status = self
            .until(name, reason, |status| {
                condition::find(&status.conditions, kind::READY)
                    .is_some_and(|ready| ready.reason == reason)
            })
            .await;
        condition::find(&status.conditions, kind::READY)
            .map(|ready| ready.message.clone())
            .unwrap_or_default()
    }

    /// Waits until a Shipment's status, of its latest generation, is as wanted.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(&ShipmentStatus) -> bool,
    ) -> ShipmentStatus {
        until_status(&self.client, self.ns(), name, what, wanted).await
    }

    /// Reads an object; nothing when it is not there.
    pub async fn find<K: Namespaced>(&self, name: &str) -> Option<K> {
        self.all()
            .get_opt(name)
            .await
            .unwrap_or_else(|error| panic!("could not read `{name}`: {error}"))
    }

    /// Waits until an object is as wanted.
    pub async fn until_object<K: Namespaced>(
        &self,
        name: &str,
        what: &str,
        wanted: impl Fn(Option<&K>) -> bool,
    ) -> Option<K> {
        eventually(what, PATIENCE, || async {
            let found = self.find::<K>(name).await;
            if wanted(found.as_ref()) {
                Ok(found)
            } else {
                Err(format!("it is {found:?}"))
            }
        })
        .await
    }

    /// The notes of the events about a Shipment, with their reasons.
    pub async fn events(&self, name: &str) -> Vec<String> {
        use k8s_openapi::api::events::v1::Event;
        let events = self
            .all::<Event>()
            .list(&kube::api::ListParams::default())
            .await
            .unwrap_or_else(|error| panic!("no events: {error}"));
        let about = events.items.into_iter().filter(|event| {
            event
                .regarding
                .as_ref()
                .is_some_and(|regarding| regarding.name.as_deref() == Some(name))
        });
        about
            .map(|event| {
                format!(
                    "{}: {}",
                    event.reason.unwrap_or_default(),
                    event.note.unwrap_or_default()
                )
            })
            .collect()
    }

    /// Waits for an event about a Shipment that contains all of these words.
    pub async fn until_event(&self, name: &str, words: &[&str]) -> String {
        eventually("an event", PATIENCE, || async {
            let events = self.events(name).await;
            let hit = events
                .iter()
                .find(|event| words.iter().all(|word| event.contains(word)));
            hit.cloned()
                .ok_or_else(|| format!("none has all of {words:?}:\n{}", events.join("\n")))
        })
        .await
    }
}

/// Waits until a Shipment's status, of its latest generation, is as wanted.
pub async fn until_status(
    client: &Client,
    ns: &str,
    name: &str,
    what: &str,
    wanted: impl Fn(&ShipmentStatus) -> bool,
) -> ShipmentStatus {
    let api: Api<Shipment> = Api::namespaced(client.clone(), ns);
    let what = format!("Shipment `{ns}/{name}` {what}");
    eventually(&what, PATIENCE, || async {
        let shipment = api.get(name).await.map_err(|error| error.to_string())?;
        let status = shipment.status.unwrap_or_default();
        if status.observed_generation == shipment.metadata.generation && wanted(&status) {
            return Ok(status);
        }
        Err(serde_json::to_string_pretty(&status).unwrap_or_default())
    })
    .await
}
