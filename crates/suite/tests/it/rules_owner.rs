//! Rule 1: one field manager per owner, the owner label is the lock, and hand-over between two.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::condition::{self, kind};
use kinds::{Shipment, names};
use kube::api::{Api, ListParams};
use kube::runtime::watcher;
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
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
/// How often claimants are let loose until they meet.
const MEETINGS: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn of_five_claimants_of_one_object_one_gets_it_and_four_name_the_winner() {
    let mut won = BTreeMap::new();
    // One may be through before the others begin.
    for _ in 0..MEETINGS {
        won = claimed_at_once().await;
        if won.len() > 1 {
            return;
        }
    }
    assert!(won.len() > 1, "they did not meet: {won:?}");
}

/// Lets five claim the same objects at once; tells how many each has got.
async fn claimed_at_once() -> BTreeMap<String, usize> {
    let scene = Scene::new("claim").await;
    let claimants: Vec<String> = (0..5).map(|number| format!("claimant-{number}")).collect();
    for name in &claimants {
        scene.apply(&scene.shipment(name, "claimed")).await;
        let seen = |status: &_| ready_because(status, "SourceMissing");
        scene.until(name, "waits for its folder", seen).await;
    }
    for number in 0..CLAIMED {
        let name = format!("claimed-{number:02}");
        scene.write(
            &format!("claimed/{name}.yaml"),
            &config_map(&name, &[("a", "1")]),
        );
    }
    // One look finds it for all, so that they meet.
    scene.push().await;
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
        let stalled = condition::find(&status.conditions, kind::STALLED);
        let stalled = stalled.is_some_and(|stalled| stalled.status == "True");
        assert!(
            stalled,
            "{name} waits for nobody but whoever edits: {status:?}"
        );
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
    won
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

/// The two Shipments between which objects move.
const SIDES: [&str; 2] = ["left", "right"];

/// What moves from one of two Shipments to the other, and must not notice.
struct Movers {
    scene: Scene,
    /// The uids, which stay.
    uids: BTreeMap<String, Option<String>>,
    wrong: Arc<Mutex<Vec<String>>>,
    watching: tokio::task::JoinHandle<()>,
    _settling: testkit::Settling,
}

impl Movers {
    /// Everything is with `left`; `change` may do something to the Shipments.
    async fn move_in(name: &str, change: impl Fn(&str, &mut Value)) -> Self {
        let scene = Scene::new(name).await;
        let settling = scene.settle().await;
        let ca = scene.git.ca_pem().expect("it speaks TLS");
        scene
            .apply(&json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": OTHER_DOOR, "namespace": scene.ns()},
                "stringData": {"caFile": ca, "username": "somebody", "password": "else"},
            }))
            .await;
        for side in SIDES {
            scene.write(
                &format!("{side}/stays.yaml"),
                &config_map(&format!("stays-{side}"), &[("a", "1")]),
            );
        }
        write_movers(&scene, "left", 0);
        let commit = scene.push().await;
        for side in SIDES {
            let mut shipment = scene.shipment(side, side);
            change(side, &mut shipment);
            scene.apply(&shipment).await;
            scene.until_ready(side, Some(&commit)).await;
        }
        let mut uids = BTreeMap::new();
        let web = scene.find::<Deployment>("web").await;
        uids.insert("web".to_owned(), web.and_then(|web| web.uid()));
        for number in 0..MOVED {
            let name = format!("moved-{number}");
            let map = scene.find::<ConfigMap>(&name).await;
            uids.insert(name, map.and_then(|map| map.uid()));
        }
        assert!(uids.values().all(Option::is_some), "{uids:?}");
        let (wrong, watching) = observe(&scene.client, scene.ns());
        Self {
            uids,
            wrong,
            watching,
            _settling: settling,
            scene,
        }
    }

    /// Moves everything in one commit; tells it.
    async fn push(&self, from: &str, to: &str, round: usize) -> String {
        for number in 0..MOVED {
            self.scene.remove(&format!("{from}/moved-{number}.yaml"));
        }
        self.scene.remove(&format!("{from}/web.yaml"));
        write_movers(&self.scene, to, round);
        self.scene.push().await
    }

    /// Everything is with one side, with the values of a round, and with nobody else.
    async fn assert_with(&self, side: &str, round: usize) {
        let owned = format!("{}/{side}", self.scene.ns());
        let alone = vec![format!("shipway:shipment:{owned}")];
        for number in 0..MOVED {
            let (name, values) = (format!("moved-{number}"), format!("a={round} {side}=here"));
            let map = until_values(&self.scene, &name, &values).await;
            assert_eq!(
                (owner(&map), managers(&map)),
                (owned.clone(), alone.clone())
            );
            assert_eq!(map.uid(), self.uids[&name], "{name} is another object");
        }
        let web = self.scene.find::<Deployment>("web").await;
        let web = web.expect("it is there");
        assert_eq!(
            (web.uid(), managers(&web)),
            (self.uids["web"].clone(), alone)
        );
    }

    async fn until_moved(&self, to: &str, round: usize, commit: &str) {
        for side in SIDES {
            let there = |status: &_| ready_because(status, "Ready") && is_at(status, commit);
            self.scene.until(side, "is ready", there).await;
        }
        self.assert_with(to, round).await;
    }

    /// Nothing was ever empty, gone or another object, and all is quiet.
    async fn rest(self) {
        self.watching.abort();
        assert_eq!(
            *self.wrong.lock().expect("nothing panics while holding it"),
            Vec::<String>::new()
        );
        assert_quiet(&self.scene).await;
    }
}

fn write_movers(scene: &Scene, side: &str, round: usize) {
    let round = round.to_string();
    for number in 0..MOVED {
        let name = format!("moved-{number}");
        scene.write(
            &format!("{side}/{name}.yaml"),
            &config_map(&name, &[("a", &round), (side, "here")]),
        );
    }
    scene.write(&format!("{side}/web.yaml"), &deployment("web", "nginx", 1));
}

/// From where to where a round moves.
fn direction(round: usize) -> (&'static str, &'static str) {
    if round % 2 == 1 {
        ("left", "right")
    } else {
        ("right", "left")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_moves_between_two_shipments_in_one_commit_and_is_never_empty() {
    let movers = Movers::move_in("move", |_, _| {}).await;
    for round in 1..=MOVES {
        let (from, to) = direction(round);
        let commit = movers.push(from, to, round).await;
        movers.until_moved(to, round, &commit).await;
    }
    movers.rest().await;
}

/// A Secret beside the scene's own: with it a Shipment follows the repository apart from others.
const OTHER_DOOR: &str = "other-door";

/// Which of two Shipments gets to a commit first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Giver,
    Taker,
}

/// Half of the rounds each, and each of them in both directions.
fn first(round: usize) -> First {
    if (round / 2).is_multiple_of(2) {
        First::Giver
    } else {
        First::Taker
    }
}

// Which of two Shipments that are told together comes first is chance. These two are told apart:
// each with credentials of its own, and only when it is asked to look.
#[tokio::test(flavor = "multi_thread")]
async fn whichever_shipment_gets_to_the_commit_first_an_object_that_moves_stays_the_same() {
    let apart = |side: &str, shipment: &mut Value| {
        shipment["spec"]["interval"] = json!("1h");
        if side == "right" {
            shipment["spec"]["source"]["git"]["secretRef"] = json!({"name": OTHER_DOOR});
        }
    };
    let movers = Movers::move_in("order", apart).await;
    let scene = &movers.scene;
    let look = async |side: &str, commit: &str| {
        scene
            .annotate::<Shipment>(side, names::SYNC_ANNOTATION, Some(commit))
            .await;
    };
    let mut giver_first = 0;
    for round in 1..=MOVES {
        let (from, to) = direction(round);
        let (early, late, says) = match first(round) {
            First::Giver => (from, to, "HandOverPending"),
            First::Taker => (to, from, "OwnedByOther"),
        };
        giver_first += usize::from(early == from);
        let commit = movers.push(from, to, round).await;
        look(early, &commit).await;
        let at = |status: &_| ready_because(status, says) && is_at(status, &commit);
        scene.until(early, says, at).await;
        // The other one knows nothing yet, and everything is where and as it was.
        let behind = scene.get_shipment(late).await.status.unwrap_or_default();
        assert!(
            !is_at(&behind, &commit),
            "`{late}` is too early: {behind:?}"
        );
        movers.assert_with(from, round - 1).await;
        look(late, &commit).await;
        movers.until_moved(to, round, &commit).await;
    }
    assert_eq!(giver_first * 2, MOVES, "both orders equally often");
    movers.rest().await;
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
