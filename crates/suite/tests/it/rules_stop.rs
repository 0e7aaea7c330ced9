//! Who is to stop writes no further: a controller that had been paused while another took over
//! (rule 15), and the delivery of a Shipment that somebody suspends.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;
use kinds::condition::{self, Condition, kind};
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;
use suite::{Controller, Scene, identity};
use testkit::{eventually, poll};

use crate::rules_crash::{alone, free_lease, stage, start};
use crate::rules_stage::{config_map, is_at, patch_spec, ready_because, values, written_in};

const OBJECTS: usize = 400;
/// At how many of them the first controller is paused.
const EARLY: usize = 60;
/// Requests that may have been under way when it was paused, and what puts them right.
const UNDER_WAY: usize = 8;

/// Every object with this value.
fn write(scene: &Scene, value: &str) {
    let all = (0..OBJECTS).map(|number| config_map(&format!("m-{number:03}"), &[("v", value)]));
    scene.write("config/all.yaml", &all.collect::<Vec<_>>().join("\n---\n"));
}

/// How many objects have this value.
async fn count(scene: &Scene, value: &str) -> usize {
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let all = maps.list(&ListParams::default()).await;
    let all = all.expect("they can be listed").items;
    all.iter()
        .filter(|map| values(Some(map)) == format!("v={value}"))
        .count()
}

async fn until_count(scene: &Scene, value: &str, wanted: usize) {
    let what = format!("{wanted} objects at {value}");
    eventually(&what, Duration::from_mins(2), || async {
        let found = count(scene, value).await;
        if found >= wanted {
            Ok(())
        } else {
            Err(format!("{found} are"))
        }
    })
    .await;
}

async fn until_ready_at(scene: &Scene, commit: &str) {
    eventually("the commit to be ready", Duration::from_mins(2), || async {
        let status = scene.get_shipment("web").await.status.unwrap_or_default();
        if ready_because(&status, "Ready") && is_at(&status, commit) {
            Ok(())
        } else {
            Err(format!("{status:?}"))
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_wakes_after_another_took_over_writes_nothing_more() {
    let _turn = alone().await;
    let scene = stage("paused").await;
    write(&scene, "0");
    let commit = scene.push().await;
    let kubeconfig = identity(&scene.world).await;
    free_lease(&scene).await;
    let cluster = scene.world.cluster();
    let first = Controller::start(&kubeconfig, cluster, &["--requests", "2"]).await;
    let second = Controller::launch(&kubeconfig, cluster, &[]).await;
    scene.apply(&scene.shipment("web", "config")).await;
    until_ready_at(&scene, &commit).await;
    eventually("the second to wait", Duration::from_secs(20), || async {
        let log = second.log();
        if log.contains("waiting: ") {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
    let (code, says) = second.get("/readyz").await.expect("it answers");
    assert_eq!(code, 503, "{says}");
    assert!(
        !second.log().contains("the controllers run"),
        "{}",
        second.log()
    );

    write(&scene, "1");
    scene.push().await;
    until_count(&scene, "1", EARLY).await;
    first.pause();
    let left = OBJECTS - count(&scene, "1").await;
    assert!(left > OBJECTS / 4, "only {left} were left to the first one");
    write(&scene, "2");
    let commit = scene.push().await;
    until_ready_at(&scene, &commit).await;

    let mut window = scene.world.audit().await;
    first.resume();
    eventually("the first to end", Duration::from_secs(40), || async {
        let log = first.log();
        if log.contains("has taken the Lease") {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
    until_count(&scene, "2", OBJECTS).await;
    let written = window.requests().await.by("shipway").within(scene.ns());
    let written = written
        .writes()
        .only(|request| request.resource != "events");
    assert!(written.count() <= UNDER_WAY, "{written}");
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_somebody_else_wrote_is_kept_where_its_holder_is_the_same() {
    let _turn = alone().await;
    let scene = stage("lease").await;
    let kubeconfig = identity(&scene.world).await;
    let controller = start(&scene, &kubeconfig).await;
    let leases: Api<Lease> = Api::namespaced(scene.client.clone(), "shipway-system");
    let note = Patch::Merge(json!({"metadata": {"annotations": {"note": "seen"}}}));
    leases
        .patch("shipway-controller", &PatchParams::default(), &note)
        .await
        .expect("it can be annotated");
    let noted = Timestamp::now();
    let renewed = poll(Duration::from_secs(20), || async {
        let lease = leases.get("shipway-controller").await;
        let lease = lease.map_err(|error| error.to_string())?;
        let renewed = lease.spec.and_then(|spec| spec.renew_time);
        if renewed.as_ref().is_some_and(|at| at.0 > noted) {
            Ok(())
        } else {
            Err(format!("renewed at {renewed:?}"))
        }
    });
    if let Err(last) = renewed.await {
        panic!("{last}\n{}", controller.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_suspended_stops_at_the_next_object_and_goes_on_when_resumed() {
    let _turn = alone().await;
    let scene = stage("suspend").await;
    write(&scene, "0");
    let commit = scene.push().await;
    let kubeconfig = identity(&scene.world).await;
    free_lease(&scene).await;
    let cluster = scene.world.cluster();
    let _controller = Controller::start(&kubeconfig, cluster, &["--requests", "2"]).await;
    scene.apply(&scene.shipment("web", "config")).await;
    until_ready_at(&scene, &commit).await;

    write(&scene, "1");
    let commit = scene.push().await;
    until_count(&scene, "1", EARLY).await;
    patch_spec(&scene, "web", json!({"suspend": true})).await;
    scene
        .until("web", "is suspended", |status| {
            condition::find(&status.conditions, kind::SUSPENDED).is_some_and(Condition::is_true)
        })
        .await;
    let done = count(&scene, "1").await;
    assert!(done < OBJECTS * 3 / 4, "{done} were applied");
    let mut window = scene.world.audit().await;
    let written = written_in(&scene, &mut window, Duration::from_secs(3)).await;
    let written = written.only(|request| request.resource == "configmaps");
    assert_eq!(written.count(), 0, "{written}");

    let mut window = scene.world.audit().await;
    patch_spec(&scene, "web", json!({"suspend": false})).await;
    until_ready_at(&scene, &commit).await;
    assert_eq!(count(&scene, "1").await, OBJECTS);
    let written = window.requests().await.by("shipway").within(scene.ns());
    let written = written
        .writes()
        .only(|request| request.resource == "configmaps");
    assert_eq!(written.count(), OBJECTS - done, "what was done is kept");
}
