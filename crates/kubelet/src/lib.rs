//! Plays the kubelet: pods of a namespace become running and ready without a node.
//!
//! Writing a pod's status is all that controllers see of a kubelet, so Deployments, StatefulSets
//! and Jobs finish as they do on a real cluster. There is no scheduler either; a pod without a node
//! is also deleted at once, since nobody has to stop it.

use std::future::ready;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// When a played pod started. Controllers compare it with nothing that matters here, and a fixed
/// time makes outputs repeatable.
const STARTED: &str = "2026-01-01T00:00:00Z";

/// A kubelet at work. Dropping it ends the work; what is running stays so.
#[must_use]
#[derive(Debug)]
pub struct Kubelet(JoinHandle<()>);

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Plays the kubelet for the pods of a namespace.
///
/// A pod becomes running and ready; one that is not to be restarted succeeds instead. A pod with
/// an image that contains `broken` stays pending with the reason `ImagePullBackOff`.
pub fn play(client: &Client, namespace: &str) -> Kubelet {
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    Kubelet(tokio::spawn(async move {
        let seen = watcher(pods.clone(), watcher::Config::default())
            .default_backoff()
            .applied_objects()
            .filter_map(|pod| ready(pod.ok()));
        let mut seen = std::pin::pin!(seen);
        while let Some(pod) = seen.next().await {
            if is_new(&pod) {
                let params = PatchParams::apply("kubelet");
                let patch = Patch::Merge(json!({ "status": status(&pod) }));
                // Gone in the meantime, or the watch shows it once more: nothing to do either way.
                let _ = pods.patch_status(&pod.name_any(), &params, &patch).await;
            }
        }
    }))
}

/// Whether nobody has written the pod's status yet.
fn is_new(pod: &Pod) -> bool {
    let written = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    written.is_none() && pod.metadata.deletion_timestamp.is_none()
}

fn status(pod: &Pod) -> Value {
    let spec = pod.spec.as_ref();
    let containers = spec
        .map(|spec| spec.containers.as_slice())
        .unwrap_or_default();
    let ends = spec
        .and_then(|spec| spec.restart_policy.as_deref())
        .is_some_and(|policy| policy != "Always");
    let broken = containers.iter().any(is_broken);
    let (phase, is_ready) = match (broken, ends) {
        (true, _) => ("Pending", false),
        (false, true) => ("Succeeded", false),
        (false, false) => ("Running", true),
    };
    let statuses: Vec<_> = containers
        .iter()
        .map(|container| container_status(container, ends))
        .collect();
    json!({
        "phase": phase,
        "startTime": STARTED,
        "podIP": "192.0.2.10",
        "podIPs": [{ "ip": "192.0.2.10" }],
        "conditions": [
            condition("PodScheduled", true),
            condition("Initialized", true),
            condition("ContainersReady", is_ready),
            condition("Ready", is_ready),
        ],
        "containerStatuses": statuses,
    })
}

fn is_broken(container: &Container) -> bool {
    container
        .image
        .as_deref()
        .is_some_and(|image| image.contains("broken"))
}

fn condition(name: &str, holds: bool) -> Value {
    let holds = if holds { "True" } else { "False" };
    json!({ "type": name, "status": holds, "lastTransitionTime": STARTED })
}

fn container_status(container: &Container, ends: bool) -> Value {
    let image = container.image.as_deref().unwrap_or_default();
    let runs = !is_broken(container) && !ends;
    let state = if is_broken(container) {
        let message = format!("Back-off pulling image \"{image}\"");
        json!({ "waiting": { "reason": "ImagePullBackOff", "message": message } })
    } else if ends {
        json!({ "terminated": { "exitCode": 0, "reason": "Completed", "startedAt": STARTED, "finishedAt": STARTED } })
    } else {
        json!({ "running": { "startedAt": STARTED } })
    };
    json!({
        "name": container.name,
        "image": image,
        "imageID": "",
        "ready": runs,
        "started": runs,
        "restartCount": 0,
        "state": state,
    })
}
