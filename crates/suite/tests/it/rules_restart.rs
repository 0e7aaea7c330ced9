//! Rule 13: a restart writes nothing, whatever is in use, and finds what was taken back meanwhile.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::{Inventory, names};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};
use kube::runtime::watcher;
use serde_json::json;
use suite::{Controller, Scene, identity};
use testkit::audit::{Requests, Window};
use testkit::{eventually, poll};
use tokio::time::Instant;

use crate::bad_stage::{self, Server, value};
use crate::environment::{Env, overlay, two_shipments};
use crate::rules_crash::{alone, free_lease, stage, start};
use crate::rules_stage::{config_map, deployment, is_at, ready_because, values, written_in};
use crate::source::counter;

/// How many Shipments are ready when the controller is restarted.
const STANDING: usize = 20;
/// How long a controller that was restarted may write nothing.
const QUIET: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_reads_each_kind_once_and_writes_nothing() {
    let _turn = alone().await;
    let scene = stage("restart").await;
    let settling = scene.settle().await;
    for number in 0..STANDING {
        let name = format!("app-{number}");
        scene.write(&format!("{name}/a.yaml"), &config_map(&name, &[("a", "1")]));
        scene.write(&format!("{name}/web.yaml"), &deployment(&name, "nginx", 1));
    }
    // One that is not ready: what it waits for is known again without a word.
    scene.write(
        "waiting/web.yaml",
        &deployment("waiting", "registry/broken:1", 1),
    );
    scene.push().await;
    let kubeconfig = identity(&scene.world).await;
    let mut controller = start(&scene, &kubeconfig).await;
    for number in 0..STANDING {
        let name = format!("app-{number}");
        let mut shipment = scene.shipment(&name, &name);
        if number > 0 {
            shipment["spec"]["dependsOn"] = json!([{"name": format!("app-{}", number - 1)}]);
        }
        scene.apply(&shipment).await;
    }
    let mut waiting = scene.shipment("waiting", "waiting");
    waiting["spec"]["timeout"] = json!("2s");
    scene.apply(&waiting).await;
    for number in 0..STANDING {
        scene.until_ready(&format!("app-{number}"), None).await;
    }
    scene.until_reason("waiting", "HealthTimeout").await;
    drop(settling);
    // What is still on its way when it is killed would be counted as the next one's.
    until_it_rests(&controller).await;
    for killed in [true, false] {
        if killed {
            controller.kill_hard();
        } else {
            controller.stop();
        }
        free_lease(&scene).await;
        let mut window = scene.world.audit().await;
        controller = start(&scene, &kubeconfig).await;
        until_it_rests(&controller).await;
        let requests = asked(&scene, &mut window).await;
        let written = requests.clone().writes();
        assert_eq!(written.count(), 0, "a restart wrote:\n{written}");
        for kind in [
            "configmaps",
            "apps/deployments",
            "namespaces",
            "serviceaccounts",
            "apiextensions.k8s.io/customresourcedefinitions",
            "carto.run/clusterconfigtemplates",
            "carto.run/clusterdeliveries",
            "carto.run/clusterdeploymenttemplates",
            "carto.run/clustersourcetemplates",
            "carto.run/clustertemplates",
            "carto.run/deliverables",
            "shipway.run/environments",
            "shipway.run/inventories",
            "shipway.run/shipments",
        ] {
            let read = requests
                .clone()
                .only(|request| request.resource == kind && request.namespace.is_empty());
            assert_eq!(read.count(), 1, "of {kind}:\n{read}");
        }
        let objects = requests
            .clone()
            .only(|request| request.verb == "get" && request.resource == "configmaps");
        assert_eq!(objects.count(), 0, "{objects}");
    }
    // Once it stands it does nothing at all any more.
    let before = passes(&controller).await;
    let mut window = scene.world.audit().await;
    let _ = poll(Duration::from_secs(5), || {
        std::future::pending::<Result<(), String>>()
    })
    .await;
    let requests = asked(&scene, &mut window).await;
    assert_eq!(requests.count(), 0, "{requests}");
    assert_eq!(
        passes(&controller).await,
        before,
        "passes although nothing happens"
    );
}

/// Waits until the controller has looked at every Shipment and has made no pass for a while: on a busy
/// machine it may come to some of them late.
async fn until_it_rests(controller: &Controller) {
    let seen = Cell::new((0, Instant::now()));
    eventually("the controller rests", Duration::from_mins(2), || async {
        let now = passes(controller).await;
        let (before, since) = seen.get();
        if now != before {
            seen.set((now, Instant::now()));
        } else if now > STANDING as u64 && since.elapsed() >= QUIET {
            return Ok(());
        }
        Err(format!("{now} passes"))
    })
    .await;
}

async fn passes(controller: &Controller) -> u64 {
    counter(controller, "passes").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_with_an_overlay_in_use_writes_nothing_at_all() {
    let _turn = alone().await;
    let scene = stage("overlaid").await;
    let server = Server::start(|_| {}).await;
    server.write(
        "all/patches/web.yaml",
        bad_stage::config_map("web", "patched"),
    );
    let own = format!("{}/api/added.yaml", scene.ns());
    server.write(&own, bad_stage::config_map("added", "1"));
    server.push();
    let env = Env::new(&scene, "qa", overlay(&server)).await;
    let kubeconfig = identity(&scene.world).await;
    let mut controller = start(&scene, &kubeconfig).await;
    env.until("Ready", &[]).await;
    two_shipments(&scene).await;
    scene.until_ready("web", None).await;
    scene.until_ready("api", None).await;
    assert_eq!(value(&scene, "web").await.as_deref(), Some("patched"));
    let mut settled = scene.world.audit().await;
    written_in(&scene, &mut settled, QUIET).await;
    for killed in [true, false] {
        if killed {
            controller.kill_hard();
        } else {
            controller.stop();
        }
        free_lease(&scene).await;
        let mut window = scene.world.audit().await;
        controller = start(&scene, &kubeconfig).await;
        // The overlay and the source have been looked at again, and more than once.
        until_counted(&controller, "git_look_ups", 6).await;
        let _ = poll(QUIET, std::future::pending::<Result<(), String>>).await;
        let written = asked(&scene, &mut window).await.writes();
        assert_eq!(written.count(), 0, "a restart wrote:\n{written}");
    }
    assert_eq!(value(&scene, "web").await.as_deref(), Some("patched"));
    assert_eq!(value(&scene, "added").await.as_deref(), Some("1"));
}

/// What the program asked of the API server for the scene or for the whole cluster, but for its
/// Lease. What a scenario before leaves in its own namespace is still being cleared up.
async fn asked(scene: &Scene, window: &mut Window) -> Requests {
    let requests = window.requests().await.by("shipway");
    requests.only(|request| {
        let here = [scene.ns(), ""].contains(&&*request.namespace);
        here && request.resource != "coordination.k8s.io/leases"
    })
}

async fn until_counted(controller: &Controller, name: &str, count: u64) {
    eventually(name, Duration::from_secs(30), || async {
        let done = counter(controller, name).await;
        if done >= count {
            Ok(())
        } else {
            Err(format!("{done} of {count}"))
        }
    })
    .await;
}

/// Objects that the commit changes which is taken back, that it adds, and that it drops.
const CHANGED: usize = 90;
const ADDED: usize = 60;
const DROPPED: usize = 10;
/// How many objects it has written when the controller is killed.
const CUTS: [usize; 5] = [1, 20, 40, 70, 100];

/// The good commit.
fn write_good(scene: &Scene) {
    for number in 0..CHANGED {
        write_map(scene, &format!("kept-{number:02}"), "good");
    }
    for number in 0..DROPPED {
        write_map(scene, &format!("dropped-{number:02}"), "good");
    }
}

/// The one that is taken back.
fn write_bad(scene: &Scene, value: &str) {
    for number in 0..CHANGED {
        write_map(scene, &format!("kept-{number:02}"), value);
    }
    for number in 0..ADDED {
        write_map(scene, &format!("added-{number:02}"), value);
    }
    for number in 0..DROPPED {
        scene.remove(&format!("config/dropped-{number:02}.yaml"));
    }
}

fn write_map(scene: &Scene, name: &str, value: &str) {
    scene.write(
        &format!("config/{name}.yaml"),
        &config_map(name, &[("a", value)]),
    );
}

/// Returns as soon as so many objects have a value.
async fn until_written(scene: &Scene, value: &str, count: usize) {
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let mut seen = watcher::watcher(maps, watcher::Config::default()).boxed();
    let mut written = BTreeSet::new();
    let wanted = format!("a={value}");
    let watching = async {
        while written.len() < count {
            let event = seen.next().await.expect("a watch does not end");
            if let Ok(watcher::Event::Apply(map) | watcher::Event::InitApply(map)) = event
                && values(Some(&map)) == wanted
            {
                written.insert(map.name_any());
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), watching).await;
    in_time.expect("they are written in time");
}

/// What is there of the Shipment `web`: name, value and uid of each object.
async fn there(scene: &Scene) -> BTreeMap<String, (String, Option<String>)> {
    let label = names::owner_label("shipment", scene.ns(), "web");
    let owned = ListParams::default().labels(&format!("{}={label}", names::OWNER_LABEL));
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let maps = maps.list(&owned).await.expect("they can be listed").items;
    maps.iter()
        .map(|map| (map.name_any(), (values(Some(map)), map.uid())))
        .collect()
}

/// What its inventory lists: name and uid of each object.
async fn listed(scene: &Scene) -> BTreeMap<String, Option<String>> {
    let inventories: Api<Inventory> = Api::namespaced(scene.client.clone(), scene.ns());
    let all = inventories.list(&ListParams::default()).await;
    let entries = all
        .expect("they can be listed")
        .items
        .into_iter()
        .flat_map(|inventory| inventory.spec.entries);
    entries.map(|entry| (entry.name, entry.uid)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_taken_back_after_a_crash_in_its_midst_leaves_no_trace() {
    let _turn = alone().await;
    let scene = stage("revert").await;
    write_good(&scene);
    let good = scene.push().await;
    let kubeconfig = identity(&scene.world).await;
    let mut controller = start(&scene, &kubeconfig).await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", Some(&good)).await;
    let before = there(&scene).await;
    assert_eq!(before.len(), CHANGED + DROPPED);
    let entries: BTreeMap<_, _> = before
        .iter()
        .map(|(name, (_, uid))| (name.clone(), uid.clone()))
        .collect();
    let mut in_the_midst = 0;
    for cut in CUTS {
        let bad = format!("bad-{cut}");
        write_bad(&scene, &bad);
        scene.push().await;
        until_written(&scene, &bad, cut).await;
        controller.kill_hard();
        let midst = there(&scene).await;
        let wanted = format!("a={bad}");
        let written = midst.values().filter(|(value, _)| *value == wanted).count();
        assert!(written >= cut, "{written} were written, of {cut}");
        // A machine that is busy may let it get to its end between the look and the kill.
        in_the_midst += usize::from(written < CHANGED + ADDED);
        tokio::task::block_in_place(|| {
            scene.work.git(&["reset", "--quiet", "--hard", &good])?;
            scene
                .work
                .git(&["push", "--quiet", "--force", "origin", "main"])
        })
        .expect("the branch can be taken back");

        controller = start(&scene, &kubeconfig).await;
        let what = format!("everything as before, after {written} of the other commit");
        eventually(&what, Duration::from_secs(30), || async {
            let now = (there(&scene).await, listed(&scene).await);
            let status = scene.get_shipment("web").await.status.unwrap_or_default();
            let ready = ready_because(&status, "Ready") && is_at(&status, &good);
            if ready && now == (before.clone(), entries.clone()) {
                return Ok(());
            }
            let differs = |entry: &(&String, &(String, _))| before.get(entry.0) != Some(entry.1);
            let other: Vec<_> = now.0.iter().filter(differs).collect();
            Err(format!(
                "{other:?}, listed {}, {:?}",
                now.1.len(),
                status.conditions
            ))
        })
        .await;
        let mut window = scene.world.audit().await;
        written_in(&scene, &mut window, Duration::from_secs(1)).await;
        let written = written_in(&scene, &mut window, QUIET).await;
        assert_eq!(written.count(), 0, "{written}");
    }
    assert!(
        in_the_midst >= 3,
        "only {in_the_midst} of {} kills hit the midst",
        CUTS.len()
    );
}
