//! What an operator sees of a controller: health, metrics, its log, and how it ends.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use serde_json::Value;
use suite::{Controller, Scene, identity};
use testkit::eventually;

use crate::rules_crash::{alone, free_lease, stage};
use crate::rules_stage::config_map;

/// What `/metrics` says: the numbers by name and labels.
async fn metrics(controller: &Controller) -> BTreeMap<String, f64> {
    let (code, text) = controller.get("/metrics").await.expect("it answers");
    assert_eq!(code, 200, "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.rsplit_once(' '));
    pairs
        .map(|(name, number)| (name.to_owned(), number.parse().expect("a number")))
        .collect()
}

/// Waits until a number is as wanted.
async fn until(controller: &Controller, name: &str, is_so: impl Fn(f64) -> bool) {
    eventually(name, Duration::from_secs(30), || async {
        let all = metrics(controller).await;
        match all.get(name) {
            Some(number) if is_so(*number) => Ok(()),
            _ => Err(format!("{all:?}")),
        }
    })
    .await;
}

async fn holder(scene: &Scene) -> Option<String> {
    let leases: Api<Lease> = Api::namespaced(scene.client.clone(), "shipway-system");
    let lease = leases.get("shipway-controller").await.expect("it is there");
    lease
        .spec?
        .holder_identity
        .filter(|holder| !holder.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_counts_what_it_does_logs_json_and_ends_in_order() {
    let _turn = alone().await;
    let scene = stage("observe").await;
    for name in ["kept", "left"] {
        let file = format!("config/{name}.yaml");
        scene.write(&file, &config_map(name, &[("a", "1")]));
    }
    scene.push().await;
    let kubeconfig = identity(&scene.world).await;
    free_lease(&scene).await;
    let mut controller =
        Controller::start(&kubeconfig, scene.world.cluster(), &["--log-json"]).await;
    let health = controller.get("/healthz").await.expect("it answers");
    assert_eq!(health, (200, "ok\n".to_owned()));

    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    // The pass after the last status may still be to come.
    for kind in ["Shipment", "Deliverable", "Environment"] {
        let name = format!("shipway_queue{{kind=\"{kind}\"}}");
        until(&controller, &name, |waiting| waiting == 0.0).await;
    }
    let before = metrics(&controller).await;
    for (name, number) in [
        ("shipway_git_fetches_total", 1.0),
        ("shipway_renders_total", 1.0),
        ("shipway_applies_total", 2.0),
        ("shipway_prunes_total", 0.0),
        ("shipway_drift_repairs_total", 0.0),
    ] {
        assert_eq!(before.get(name), Some(&number), "{name}: {before:?}");
    }
    // Also what the client asks by itself, and the Lease.
    for (verb, least) in [
        ("apply", 2.0),
        ("list", 1.0),
        ("watch", 3.0),
        ("discovery", 1.0),
        ("get", 1.0),
        ("create", 1.0),
    ] {
        let name = format!("shipway_api_calls_total{{verb=\"{verb}\"}}");
        let count = before.get(&name).copied().unwrap_or_default();
        assert!(count >= least, "{name}: {before:?}");
    }
    assert!(before["shipway_git_look_ups_total"] >= 1.0, "{before:?}");
    assert!(before["shipway_passes_total"] >= 1.0, "{before:?}");
    assert!(before.contains_key("shipway_passes_running"), "{before:?}");

    scene.delete::<ConfigMap>("kept").await;
    until(&controller, "shipway_drift_repairs_total", |count| {
        count >= 1.0
    })
    .await;
    scene.remove("config/left.yaml");
    scene.push().await;
    until(&controller, "shipway_prunes_total", |count| count >= 1.0).await;

    assert!(holder(&scene).await.is_some(), "nobody holds the Lease");
    assert_eq!(controller.stop(), Some(0), "{}", controller.log());
    assert_eq!(holder(&scene).await, None, "the Lease is given back");
    let log = controller.log();
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).expect(line);
        assert!(
            entry["level"].is_string() && entry["timestamp"].is_string(),
            "{line}"
        );
    }
    assert!(log.contains("are applied and healthy"), "{log}");
    // So the next one need not wait for the end of its term.
    let next = Controller::launch(&kubeconfig, scene.world.cluster(), &[]).await;
    let ready = next.wait_ready(Duration::from_secs(10)).await;
    ready.expect("it works at once");
    drop(next);
}
