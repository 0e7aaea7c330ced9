//! Rule 1: one field manager per owner, the owner label is the lock, and hand-over between two.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::names;
use kube::api::{Api, ListParams};
use kube::runtime::watcher;
use kube::{Client, ResourceExt as _};
use suite::Scene;

use crate::rules_stage::{
    assert_quiet, config_map, deployment, is_at, is_owned, managers, owner, ready_because,
    until_values,
};

/// Objects that five Shipments claim at once.
const CLAIMED: usize = 50;
/// Commits that each move [`MOVED`] objects from one Shipment to the other.
const MOVES: usize = 10;
const MOVED: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn of_five_claimants_of_one_object_one_gets_it_and_four_name_the_winner() {
    let scene = Scene::new("claim").await;
    for number in 0..CLAIMED {
        let name = format!("claimed-{number:02}");
        scene.write(
            &format!("config/{name}.yaml"),
            &config_map(&name, &[("a", "1")]),
        );
    }
    scene.push().await;
    let claimants: Vec<String> = (0..5).map(|number| format!("claimant-{number}")).collect();
    for name in &claimants {
        scene.apply(&scene.shipment(name, "config")).await;
    }
    let mut stand = BTreeMap::new();
    for name in &claimants {
        let status = scene.until(name, "has got through", |status| {
            status.revision.is_some() && !ready_because(status, "HandOverPending")
        });
        stand.insert(name.clone(), status.await);
    }
    let maps: Api<ConfigMap> = Api::namespaced(scene.client.clone(), scene.ns());
    let claimed = maps
        .list(&ListParams::default())
        .await
        .expect("they can be listed");
    let claimed: Vec<_> = claimed
        .items
        .into_iter()
        .filter(|map| map.name_any().starts_with("claimed-"))
        .collect();
    assert_eq!(claimed.len(), CLAIMED);
    let mut won: BTreeMap<String, usize> = BTreeMap::new();
    for map in &claimed {
        let (name, owner) = (map.name_any(), owner(map));
        assert_eq!(
            managers(map),
            [format!("shipway:shipment:{owner}")],
            "{name} has more than one owner"
        );
        let (_, winner) = owner.split_once('/').expect("an owner is `ns/name`");
        *won.entry(winner.to_owned()).or_default() += 1;
        for loser in claimants.iter().filter(|claimant| *claimant != winner) {
            let told = stand[loser].failures.iter().any(|failure| {
                failure.object.as_deref() == Some(&format!("ConfigMap/{}/{name}", scene.ns()))
                    && failure.reason == "OwnedByOther"
                    && failure.message.contains(&format!("`{owner}`"))
            });
            assert!(
                told,
                "`{loser}` does not say that {name} belongs to {owner}: {:?}",
                stand[loser]
            );
        }
    }
    for (name, status) in &stand {
        assert_eq!(
            status.objects,
            Some(
                won.get(name)
                    .copied()
                    .unwrap_or(0)
                    .try_into()
                    .expect("it is small")
            ),
            "{name}"
        );
    }
    assert_quiet(&scene).await;
}

/// Watches the ConfigMaps of a namespace, and notes every one that is empty, gone or another.
fn observe(
    client: &Client,
    namespace: &str,
) -> (Arc<Mutex<Vec<String>>>, tokio::task::JoinHandle<()>) {
    let wrong = Arc::new(Mutex::new(Vec::new()));
    let (maps, notes) = (
        Api::<ConfigMap>::namespaced(client.clone(), namespace),
        wrong.clone(),
    );
    let watching = tokio::spawn(async move {
        let mut uids: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut seen = watcher::watcher(maps, watcher::Config::default()).boxed();
        while let Some(event) = seen.next().await {
            let note = |text: String| {
                notes
                    .lock()
                    .expect("nothing panics while holding it")
                    .push(text);
            };
            match event {
                Ok(watcher::Event::Apply(map) | watcher::Event::InitApply(map))
                    if map.name_any().starts_with("moved-") =>
                {
                    let (name, uid) = (map.name_any(), map.uid());
                    if map.data.as_ref().is_none_or(|data| data.get("a").is_none()) {
                        note(format!("{name} was empty"));
                    }
                    let before = uids.entry(name.clone()).or_insert_with(|| uid.clone());
                    if *before != uid {
                        note(format!("{name} is another object"));
                    }
                }
                Ok(watcher::Event::Delete(map)) if map.name_any().starts_with("moved-") => {
                    note(format!("{} was deleted", map.name_any()));
                }
                _ => {}
            }
        }
    });
    (wrong, watching)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_moves_between_two_shipments_in_one_commit_and_is_never_empty() {
    let scene = Scene::new("move").await;
    let _kubelet = testkit::kubelet::play(&scene.client, scene.ns());
    let write = |side: &str, round: usize| {
        let round = round.to_string();
        for number in 0..MOVED {
            let name = format!("moved-{number}");
            scene.write(
                &format!("{side}/{name}.yaml"),
                &config_map(&name, &[("a", &round), (side, "here")]),
            );
        }
        scene.write(&format!("{side}/web.yaml"), &deployment("web", "nginx", 1));
    };
    for side in ["left", "right"] {
        scene.write(
            &format!("{side}/stays.yaml"),
            &config_map(&format!("stays-{side}"), &[("a", "1")]),
        );
    }
    write("left", 0);
    let commit = scene.push().await;
    for side in ["left", "right"] {
        scene.apply(&scene.shipment(side, side)).await;
        scene.until_ready(side, Some(&commit)).await;
    }
    let uid = scene
        .find::<Deployment>("web")
        .await
        .and_then(|web| web.uid());
    let (wrong, watching) = observe(&scene.client, scene.ns());
    for round in 1..=MOVES {
        let (from, to) = if round % 2 == 1 {
            ("left", "right")
        } else {
            ("right", "left")
        };
        for number in 0..MOVED {
            scene.remove(&format!("{from}/moved-{number}.yaml"));
        }
        scene.remove(&format!("{from}/web.yaml"));
        write(to, round);
        let commit = scene.push().await;
        for side in [from, to] {
            scene
                .until(side, "is ready", |status| {
                    ready_because(status, "Ready") && is_at(status, &commit)
                })
                .await;
        }
        let owned = format!("{}/{to}", scene.ns());
        for number in 0..MOVED {
            let map = until_values(
                &scene,
                &format!("moved-{number}"),
                &format!("a={round} {to}=here"),
            )
            .await;
            assert_eq!(
                (owner(&map), managers(&map)),
                (owned.clone(), vec![format!("shipway:shipment:{owned}")])
            );
        }
        let web = scene.find::<Deployment>("web").await.expect("it is there");
        assert_eq!(
            (web.uid(), managers(&web)),
            (uid.clone(), vec![format!("shipway:shipment:{owned}")])
        );
    }
    watching.abort();
    assert_eq!(
        *wrong.lock().expect("nothing panics while holding it"),
        Vec::<String>::new()
    );
    assert_quiet(&scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shipment_with_a_very_long_name_has_a_manager_of_its_own() {
    let scene = Scene::new("long").await;
    scene.write("config/a.yaml", &config_map("a", &[("a", "1")]));
    scene.push().await;
    let (long, other) = ("x".repeat(130), format!("{}y", "x".repeat(129)));
    scene.apply(&scene.shipment(&long, "config")).await;
    scene.until_ready(&long, None).await;
    scene.apply(&scene.shipment(&other, "config")).await;
    let why = scene.until_reason(&other, "OwnedByOther").await;
    assert!(why.contains(&format!("`{}/{long}`", scene.ns())), "{why}");
    let map = scene.find::<ConfigMap>("a").await.expect("it is there");
    let manager = names::field_manager("shipment", scene.ns(), &long);
    assert!(
        manager.len() <= 128 && !manager.contains(&long),
        "{manager}"
    );
    assert_eq!(managers(&map), [manager]);
    assert!(is_owned(&map));
}
