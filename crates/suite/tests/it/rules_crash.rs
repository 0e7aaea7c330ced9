//! Rules 4 and 13: the controller may be killed at any instant, and loses and repeats nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kinds::{Inventory, Shipment, names};
use kube::ResourceExt as _;
use kube::api::{Api, DeleteParams, ListParams};
use serde_json::json;
use suite::{Controller, Scene, SceneOptions, identity, install};
use testkit::audit::Requests;
use testkit::{eventually, poll};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::rules_stage::{config_map, ready_because, written_in};

/// How many objects one delivery has.
const OBJECTS: usize = 200;
/// At how many instants of a delivery the controller is killed.
const KILLS: usize = 50;
/// How many of them have to hit a delivery that is not at its end.
const HITS: usize = 40;
/// How many of them have to find some of its objects there, and others not.
const MIDST: usize = 10;
/// After so many kills the Shipment is deleted before the next controller starts.
const DELETED: usize = 5;
/// How many deliveries are measured before.
const CALM: usize = 3;

/// The cluster `crash`, for one scenario at a time.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static CRASH: Mutex<()> = Mutex::const_new(());
    CRASH.lock().await
}

/// A stage on that cluster, without a controller.
pub(crate) async fn stage(name: &str) -> Scene {
    let options = SceneOptions {
        controller: false,
        cluster: Some("crash"),
        ..SceneOptions::default()
    };
    let scene = Scene::with(name, options).await;
    install(&scene.world).await;
    scene
}

/// Takes the Lease of a controller that was killed away, instead of waiting for its end.
pub(crate) async fn free_lease(scene: &Scene) {
    let leases: Api<Lease> = Api::namespaced(scene.client.clone(), "shipway-system");
    match leases
        .delete("shipway-controller", &DeleteParams::default())
        .await
    {
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        deleted => drop(deleted.expect("the Lease can be deleted")),
    }
}

/// Starts the controller, whatever became of the one before.
pub(crate) async fn start(scene: &Scene, kubeconfig: &std::path::Path) -> Controller {
    free_lease(scene).await;
    Controller::start(kubeconfig, scene.world.cluster(), &[]).await
}

fn map_name(round: usize, number: usize) -> String {
    format!("r{round}-{number:03}")
}

fn names_of(round: usize) -> BTreeSet<String> {
    (0..OBJECTS).map(|number| map_name(round, number)).collect()
}

/// The end state of a delivery: everything once, listed as it is, and nothing else.
async fn verify(scene: &Scene, round: usize, requests: &Requests) {
    let shipment = format!("round-{round}");
    let label = names::owner_label("shipment", scene.ns(), &shipment);
    let owned = ListParams::default().labels(&format!("{}={label}", names::OWNER_LABEL));
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let live = maps.list(&owned).await.expect("they can be listed");
    let live: BTreeMap<String, Option<String>> = live
        .items
        .iter()
        .map(|map| (map.name_any(), map.uid()))
        .collect();
    assert_eq!(
        live.keys().cloned().collect::<BTreeSet<_>>(),
        names_of(round),
        "what is there of round {round}"
    );
    let inventories: Api<Inventory> = Api::namespaced(scene.client.clone(), scene.ns());
    let listed = inventories
        .list(&ListParams::default())
        .await
        .expect("they can be listed");
    let listed: BTreeMap<String, Option<String>> = listed
        .items
        .into_iter()
        .filter(|inventory| inventory.spec.shipment == shipment)
        .flat_map(|inventory| inventory.spec.entries)
        .map(|entry| (entry.name, entry.uid))
        .collect();
    assert_eq!(
        listed, live,
        "the inventory of round {round} beside what is there"
    );
    let deleted = requests.clone().only(|request| {
        request.verb == "delete"
            && request.resource == "configmaps"
            && names_of(round).contains(&request.name)
    });
    assert_eq!(deleted.count(), 0, "deleted in between:\n{deleted}");
    let mut created: BTreeMap<&str, usize> = BTreeMap::new();
    for request in requests
        .0
        .iter()
        .filter(|request| request.resource == "configmaps" && request.code == 201)
    {
        *created.entry(&request.name).or_default() += 1;
    }
    for name in names_of(round) {
        let how_often = created.get(name.as_str()).copied().unwrap_or(0);
        let about = requests
            .clone()
            .only(|request| request.resource == "configmaps" && request.name == name);
        // A request whose client was killed is logged as 504, though it may well have been carried out.
        let cut = about.0.iter().any(|request| request.code == 504);
        assert!(
            how_often == 1 || (how_often == 0 && cut),
            "`{name}` was created {how_often} times:\n{about}"
        );
    }
}

/// How many of a round's objects are there, whoever owns them.
async fn live(scene: &Scene, round: usize) -> usize {
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let all = maps.list(&ListParams::default()).await;
    let all = all.expect("they can be listed").items;
    let ours = names_of(round);
    all.iter()
        .filter(|map| ours.contains(&map.name_any()))
        .count()
}

/// Nothing of a round stays once its Shipment is gone: what was written before the kill was listed.
async fn verify_gone(scene: &Scene, round: usize) {
    let name = format!("round-{round}");
    let shipments: Api<Shipment> = Api::namespaced(scene.client.clone(), scene.ns());
    eventually(
        "the Shipment to be gone",
        Duration::from_mins(1),
        || async {
            match shipments.get_opt(&name).await {
                Ok(None) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        },
    )
    .await;
    assert_eq!(live(scene, round).await, 0, "orphans of round {round}");
}

/// How long a delivery takes from now on: watched, since asking now and then would be too coarse.
async fn until_ready_at_once(scene: &Scene, name: &str) -> Duration {
    let begin = Instant::now();
    let shipments: Api<Shipment> = Api::namespaced(scene.client.clone(), scene.ns());
    let is_ready = |shipment: Option<&Shipment>| {
        let status = shipment.and_then(|shipment| shipment.status.as_ref());
        status.is_some_and(|status| ready_because(status, "Ready"))
    };
    let waiting = kube::runtime::wait::await_condition(shipments, name, is_ready);
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    waited
        .expect("it gets ready in time")
        .expect("it can be watched");
    begin.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_is_killed_at_any_instant_of_a_delivery_loses_and_repeats_nothing() {
    let _turn = alone().await;
    let scene = stage("crash").await;
    for round in 0..CALM + KILLS {
        let maps: Vec<String> = names_of(round)
            .iter()
            .map(|name| config_map(name, &[("a", "1")]))
            .collect();
        scene.write(&format!("round-{round}/all.yaml"), &maps.join("\n---\n"));
    }
    scene.push().await;
    let kubeconfig = identity(&scene.world).await;
    let mut controller = start(&scene, &kubeconfig).await;
    let mut window = scene.world.audit().await;

    // The first one also reads the repository for the first time, so the shortest counts.
    let mut whole = Duration::MAX;
    for round in 0..CALM {
        let name = format!("round-{round}");
        scene.apply(&scene.shipment(&name, &name)).await;
        whole = whole.min(until_ready_at_once(&scene, &name).await);
        verify(&scene, round, &window.requests().await).await;
        if round + 1 < CALM {
            scene.delete::<Shipment>(&name).await;
            scene
                .until_object::<Shipment>(&name, "is gone", |found| found.is_none())
                .await;
        }
    }

    let (mut hits, mut midst) = (0, 0);
    let mut last = format!("round-{}", CALM - 1);
    for kill in 0..KILLS {
        let round = CALM + kill;
        let name = format!("round-{round}");
        // Drawn evenly over a delivery, but never at the same distance.
        let fiftieths = u32::try_from(kill * 50 + kill * 37 % 50).expect("it is small");
        let instant = whole * fiftieths / u32::try_from(KILLS * 50).expect("it is small");
        scene.apply(&scene.shipment(&name, &name)).await;
        if kill % 3 == 0 {
            // As long as it may take on a machine that has become busier, or idle.
            let some = 1 + kill * OBJECTS / KILLS / 2;
            eventually("some of its objects", Duration::from_mins(1), || async {
                let there = live(&scene, round).await;
                (there >= some).then_some(()).ok_or(there)
            })
            .await;
        } else {
            let _ = poll(instant, std::future::pending::<Result<(), String>>).await;
        }
        controller.kill_hard();
        let status = scene.get_shipment(&name).await.status.unwrap_or_default();
        if !ready_because(&status, "Ready") {
            hits += 1;
        } else if kill % 3 != 0 {
            whole = whole.min(instant); // it is faster than it was, and the instants to come are earlier
        }
        let there = live(&scene, round).await;
        midst += usize::from(0 < there && there < OBJECTS);
        let is_deleted = kill % DELETED == DELETED / 2;
        if is_deleted {
            scene.delete::<Shipment>(&name).await;
        }
        controller = start(&scene, &kubeconfig).await;
        if is_deleted {
            verify_gone(&scene, round).await;
            window.requests().await; // what it was until now
        } else {
            scene.until_ready(&name, None).await;
            verify(&scene, round, &window.requests().await).await;
        }
        if scene.find::<Shipment>(&last).await.is_some() {
            scene.delete::<Shipment>(&last).await;
        }
        last = name;
    }
    assert!(
        hits >= HITS,
        "only {hits} of {KILLS} instants within {whole:?} were before the end"
    );
    assert!(
        midst >= MIDST,
        "only {midst} of {KILLS} instants within {whole:?} found a part of the objects"
    );
    scene.delete::<Shipment>(&last).await;

    // The deletions were killed as well: nothing stays behind of them either.
    let shipments: Api<Shipment> = Api::namespaced(scene.client.clone(), scene.ns());
    eventually(
        "the Shipments to be gone",
        Duration::from_mins(1),
        || async {
            let left = shipments
                .list(&ListParams::default())
                .await
                .map_err(|error| error.to_string())?;
            if left.items.is_empty() {
                Ok(())
            } else {
                Err(format!("{} are left", left.items.len()))
            }
        },
    )
    .await;
    let owned = ListParams::default().labels(names::OWNER_LABEL);
    let left = scene.all::<ConfigMap>().list(&owned).await;
    assert_eq!(left.expect("they can be listed").items, []);
    assert_eq!(scene.names::<Inventory>().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_watched_but_looked_at() {
    let _turn = alone().await;
    let scene = stage("secret").await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hidden"}, "stringData": {"password": "one"}});
    scene.write("config/hidden.yaml", &secret.to_string());
    scene.push().await;
    let kubeconfig = identity(&scene.world).await;
    free_lease(&scene).await;
    let controller = Controller::start(
        &kubeconfig,
        scene.world.cluster(),
        &["--unwatched-interval", "1s"],
    )
    .await;
    scene.apply(&scene.shipment("web", "config")).await;
    let status = scene.until("web", "says so", |status| {
        status
            .conditions
            .iter()
            .any(|condition| condition.message.contains("may not be watched"))
    });
    assert!(ready_because(&status.await, "Ready"));
    let password = |secret: Option<&Secret>| {
        let value = secret.and_then(|secret| secret.data.as_ref()?.get("password").cloned());
        value.is_some_and(|value| value.0 == b"one")
    };
    let two = json!({"stringData": {"password": "two"}});
    scene.patch::<Secret>("hidden", two).await;
    scene
        .until_object::<Secret>("hidden", "is as in Git", password)
        .await;
    scene.delete::<Secret>("hidden").await;
    scene
        .until_object::<Secret>("hidden", "is as in Git", password)
        .await;
    // It is read as the account, in its namespace, and nothing is written where nothing changed.
    let mut window = scene.world.audit().await;
    written_in(&scene, &mut window, Duration::from_secs(2)).await;
    let _ = poll(Duration::from_secs(4), || {
        std::future::pending::<Result<(), String>>()
    })
    .await;
    let requests = window.requests().await.by("shipway");
    let looks = requests
        .clone()
        .only(|request| request.resource == "secrets" && request.code == 200);
    let account = format!("system:serviceaccount:{}:deployer", scene.ns());
    assert!(
        looks.count() > 0
            && looks
                .0
                .iter()
                .all(|look| look.user == account && look.namespace == scene.ns()),
        "{looks}"
    );
    let written = requests.writes().within(scene.ns());
    assert_eq!(written.count(), 0, "{written}");
    let log = controller.log();
    assert!(!log.contains("one") || !log.contains("\"one\""), "{log}");
}
