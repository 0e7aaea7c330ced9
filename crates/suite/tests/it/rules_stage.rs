//! What the scenarios of the rules have in common: manifests, quiet, and who wrote what.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::condition::{self, kind};
use kinds::{Shipment, ShipmentStatus, names};
use kube::ResourceExt as _;
use serde_json::{Value, json};
use suite::Scene;
use testkit::audit::{Requests, Window};
use testkit::poll;

/// How long nothing may be written where nothing is to be written.
pub(crate) const QUIET: Duration = Duration::from_secs(12);

/// A ConfigMap in JSON, which is YAML as well.
pub(crate) fn config_map(name: &str, data: &[(&str, &str)]) -> String {
    let data: BTreeMap<_, _> = data.iter().copied().collect();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
        .to_string()
}

/// A Deployment of one container `web`.
pub(crate) fn deployment(name: &str, image: &str, replicas: i32) -> String {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}},
        },
    })
    .to_string()
}

/// Lets time pass, and tells what the program wrote in the scene's namespace meanwhile.
pub(crate) async fn written_in(scene: &Scene, window: &mut Window, time: Duration) -> Requests {
    let _ = poll(time, || {
        std::future::ready(Err::<(), _>("time has to pass"))
    })
    .await;
    window
        .requests()
        .await
        .by("shipway")
        .within(scene.ns())
        .writes()
}

/// Fails if the program writes in the scene's namespace for a while.
#[track_caller]
pub(crate) fn assert_quiet(scene: &Scene) -> impl Future<Output = ()> {
    assert_quiet_for(scene, QUIET)
}

/// The same for so long.
#[track_caller]
pub(crate) fn assert_quiet_for(scene: &Scene, time: Duration) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        // What is under way is not counted, such as the events of the last passes: they are written
        // in the background, which takes its time on a busy machine.
        let mut window = scene.world.audit().await;
        for _ in 0..30 {
            let under_way = written_in(scene, &mut window, Duration::from_secs(1)).await;
            if under_way.count() == 0 {
                break;
            }
        }
        let written = written_in(scene, &mut window, time).await;
        assert_eq!(
            written.count(),
            0,
            "written in {time:?} after {caller}:\n{written}"
        );
    }
}

/// The values of a ConfigMap, as `key=value` words.
pub(crate) fn values(map: Option<&ConfigMap>) -> String {
    let data = map.and_then(|map| map.data.clone()).unwrap_or_default();
    let words: Vec<String> = data
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    words.join(" ")
}

/// Waits until a ConfigMap has these values.
pub(crate) async fn until_values(scene: &Scene, name: &str, wanted: &str) -> ConfigMap {
    let found = scene
        .until_object::<ConfigMap>(name, wanted, |map| map.is_some() && values(map) == wanted)
        .await;
    found.expect("it was just seen")
}

pub(crate) fn replicas(deployment: &Deployment) -> Option<i32> {
    deployment.spec.as_ref()?.replicas
}

pub(crate) fn image(deployment: &Deployment) -> String {
    let spec = deployment
        .spec
        .as_ref()
        .and_then(|spec| spec.template.spec.as_ref());
    spec.and_then(|spec| spec.containers[0].image.clone())
        .unwrap_or_default()
}

/// The Shipway owners that have applied an object.
pub(crate) fn managers<K: kube::Resource>(object: &K) -> Vec<String> {
    let entries = object.meta().managed_fields.iter().flatten();
    let ours = entries
        .filter_map(|entry| entry.manager.clone())
        .filter(|manager| manager.starts_with("shipway:"));
    ours.collect()
}

/// The owner as the annotation has it.
pub(crate) fn owner<K: kube::Resource>(object: &K) -> String {
    object
        .annotations()
        .get(names::OWNER_ANNOTATION)
        .cloned()
        .unwrap_or_default()
}

pub(crate) fn is_owned<K: kube::Resource>(object: &K) -> bool {
    object.labels().contains_key(names::OWNER_LABEL)
}

pub(crate) fn ready_because(status: &ShipmentStatus, reason: &str) -> bool {
    condition::find(&status.conditions, kind::READY).is_some_and(|ready| ready.reason == reason)
}

pub(crate) fn is_at(status: &ShipmentStatus, commit: &str) -> bool {
    status
        .revision
        .as_deref()
        .unwrap_or_default()
        .ends_with(commit)
}

/// Patches a Shipment's spec.
pub(crate) async fn patch_spec(scene: &Scene, name: &str, spec: Value) {
    scene.patch::<Shipment>(name, json!({"spec": spec})).await;
}
