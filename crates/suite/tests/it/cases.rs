//! Cases in kuttl's format, ours and those of any folder that `SHIPWAY_KUTTL` names: as they are, under controllers
//! that are killed, and on a cluster that asks before it stores something.
#![expect(
    clippy::disallowed_methods,
    reason = "whoever has cases of their own names their folder"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use k8s_openapi::api::coordination::v1::Lease;
use kinds::names;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, ResourceExt as _};
use suite::Controller;
use testkit::kuttl::Case;
use testkit::{Need, World, poll};

use crate::choreography::{PATIENCE, again, asked, chains, let_accounts, ours, unasked};

/// The folders of our cases that are to come true whatever else is tried.
const FOLDERS: [&str; 3] = ["supplychain", "runnable", "delivery"];
/// How many cases run at a time, as in kuttl.
const AT_ONCE: usize = 8;

/// Whether the accounts of cases get rights from the suite, or from the cases themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rights {
    Granted,
    OfCase,
}

/// How cases are run.
#[derive(Clone, Copy)]
pub(crate) struct Manner<'a> {
    pub(crate) rights: Rights,
    /// How long a step may take.
    pub(crate) patience: Duration,
    /// How many objects are to be stamped in the end, where that is known.
    pub(crate) wanted: Option<&'a Stamped>,
}

pub(crate) const USUAL: Manner<'_> = Manner {
    rights: Rights::OfCase,
    patience: PATIENCE,
    wanted: None,
};

/// How many objects are stamped at the end of cases, by the names of those.
pub(crate) type Stamped = BTreeMap<String, usize>;

/// Runs the cases in a folder, several at a time; tells of those that did not come true, and what was stamped in the
/// others.
async fn run(world: &World, folder: &Path, manner: Manner<'_>) -> (Vec<String>, Stamped) {
    let cases = Case::read_all(folder).expect("the cases can be read");
    assert!(!cases.is_empty(), "{} has no cases", folder.display());
    let client = world.client().await;
    let run = |case: Case| {
        let client = client.clone();
        async move {
            let namespace = world.temp_namespace("kuttl").await;
            if manner.rights == Rights::Granted {
                let_accounts(&client, namespace.name()).await;
            }
            let ran = match case.run(&client, namespace.name(), manner.patience).await {
                Ok(()) => counted(&client, namespace.name(), &case.name, manner).await,
                Err(why) => Err(why),
            };
            case.remove(&client).await;
            ran.map(|count| (case.name, count))
        }
    };
    let done = stream::iter(cases.into_iter().map(run)).buffer_unordered(AT_ONCE);
    let (mut failed, mut stamped) = (Vec::new(), Stamped::new());
    for ran in done.collect::<Vec<_>>().await {
        match ran {
            Ok((name, count)) => {
                stamped.insert(name, count);
            }
            Err(why) => failed.push(why),
        }
    }
    (failed, stamped)
}

/// Runs the cases in a folder; tells of those that did not come true.
pub(crate) async fn failures(world: &World, folder: &Path, manner: Manner<'_>) -> Vec<String> {
    run(world, folder, manner).await.0
}

/// What cases stamp.
const STAMPED: [(&str, &str, &str); 6] = [
    ("", "v1", "ConfigMap"),
    ("", "v1", "Service"),
    ("batch", "v1", "Job"),
    ("cases.example", "v1", "Run"),
    ("carto.run", "v1alpha1", "Runnable"),
    ("shipway.run", "v1alpha1", "Shipment"),
];

/// How many objects are stamped in a namespace. Where the number is known it is waited for.
async fn counted(
    client: &Client,
    namespace: &str,
    case: &str,
    manner: Manner<'_>,
) -> Result<usize, String> {
    let wanted = manner.wanted.and_then(|wanted| wanted.get(case));
    let ours = ListParams::default().labels(names::OWNER_LABEL);
    poll(manner.patience, || async {
        let mut all = Vec::new();
        for (group, version, kind) in STAMPED {
            let api = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &api);
            let found = api.list_metadata(&ours).await;
            let found = found.map_err(|why| format!("{case}: {kind}: {why}"))?;
            all.extend(
                found
                    .items
                    .iter()
                    .map(|object| format!("{kind}/{}", object.name_any())),
            );
        }
        if wanted.is_none_or(|wanted| *wanted == all.len()) {
            Ok(all.len())
        } else {
            Err(format!(
                "{case}: stamped are {all:?}, and {wanted:?} are to be"
            ))
        }
    })
    .await
}

/// One scenario: it has the cluster for minutes, and others that want it would only wait beside it.
#[tokio::test(flavor = "multi_thread")]
async fn cases_come_true_also_under_controllers_that_are_killed_and_where_the_cluster_asks() {
    let (_turn, world, controller) = chains().await;
    let stamped = undisturbed(&world, &controller).await;
    killed(&world, controller, &stamped).await;
    if !world.lacks(Need::Admission) {
        asking(&world).await;
    }
}

/// Runs the cases as they are; tells what they stamp.
async fn undisturbed(world: &World, controller: &Controller) -> Stamped {
    let (mut failed, mut stamped) = (Vec::new(), Stamped::new());
    let granted = Manner {
        rights: Rights::Granted,
        ..USUAL
    };
    let ours = FOLDERS.into_iter().chain(["events"]);
    let ours = ours.map(|name| (self::ours(name), USUAL));
    let theirs = std::env::var_os("SHIPWAY_KUTTL").map(|folder| (folder.into(), granted));
    for (folder, manner) in ours.chain(theirs) {
        let (wrong, came) = run(world, &folder, manner).await;
        failed.extend(wrong);
        stamped.extend(came);
    }
    let log = controller.log();
    assert!(failed.is_empty(), "{log}\n{}", failed.join("\n\n"));
    stamped
}

/// An event may be lost with the controller that was to tell it: what waits for one is a case of `events`.
#[test]
fn a_case_that_comes_true_whoever_is_killed_waits_for_no_event() {
    for folder in FOLDERS.map(ours) {
        let cases = Case::read_all(&folder).expect("the cases can be read");
        let waiting: Vec<_> = cases.iter().filter(|case| case.awaits("Event")).collect();
        let names: Vec<_> = waiting.iter().map(|case| &case.name).collect();
        assert!(names.is_empty(), "{}: {names:?}", folder.display());
    }
}

/// How long the first controller lives whose cases have to come true all the same. Each next one lives longer: how much
/// of a life goes by before anything is done depends on the machine.
const LIFE: Duration = Duration::from_millis(700);

/// How long a step may take meanwhile.
const MORE_PATIENCE: Duration = Duration::from_secs(90);

/// Runs the cases under controllers that are killed one after the other, the first of them `controller`.
async fn killed(world: &World, mut controller: Controller, stamped: &Stamped) {
    let folders = FOLDERS.map(ours);
    let client = world.client().await;
    let manner = Manner {
        patience: MORE_PATIENCE,
        // As many objects as where nobody is killed.
        wanted: Some(stamped),
        ..USUAL
    };
    let leases: Api<Lease> = Api::namespaced(client, "shipway-system");
    let all = async {
        let mut failed = Vec::new();
        for folder in &folders {
            failed.extend(failures(world, folder, manner).await);
        }
        failed
    };
    let mut all = std::pin::pin!(all);
    let (mut killed, mut life) = (0, LIFE);
    let failed = loop {
        tokio::select! {
            failed = &mut all => break failed,
            () = tokio::time::sleep(life) => {
                controller.kill_hard();
                killed += 1;
                life = life * 5 / 4;
                // Nobody is there to let go of it, and its term need not be waited for.
                let _ = leases.delete("shipway-controller", &DeleteParams::default()).await;
                let next = again(world);
                tokio::select! {
                    failed = &mut all => break failed,
                    next = next => controller = next,
                }
            }
        }
    };
    assert!(
        failed.is_empty(),
        "{}\n{}",
        controller.log(),
        failed.join("\n\n")
    );
    assert!(killed > 0, "no controller was killed");
}

/// Our cases with objects that a cluster does not store that asks before.
const REFUSED: [&str; 12] = [
    "a-deployment-is-awaited",
    "a-deployment-without-input-is-told",
    "a-name-that-is-too-long-is-told",
    "a-reference-to-nobody-and-a-cycle-are-told",
    "a-run-template-that-does-not-parse-is-told",
    "a-template-that-cannot-be-filled-is-told",
    "a-template-that-does-not-parse-is-told",
    "a-ytt-template-that-does-not-parse-is-told",
    "an-input-to-pass-on-that-is-not-there-is-told",
    "an-owners-own-namespace-may-be-named",
    "what-a-delivery-passes-on-has-to-be-there",
    "what-cannot-be-stamped-is-named",
];

/// And Cartographer's. Of the same name as one of these may be one of another folder that is stored.
const REFUSED_OF_THEIRS: [&str; 4] = [
    "cluster-template-after-deployment",
    "default",
    "options-with-labels",
    "workload-supply-chain-malformed-templates",
];

/// Runs the cases on a cluster that asks before it stores something.
async fn asking(world: &World) {
    let _asked = asked(world).await;
    let mut all: Vec<_> = FOLDERS.map(|folder| (ours(folder), Rights::OfCase)).into();
    all.extend(std::env::var_os("SHIPWAY_KUTTL").map(|folder| (folder.into(), Rights::Granted)));
    let is_expected = |why: &String| {
        let name = why.split_once(',').map_or("", |(name, _)| name);
        let mut refused = REFUSED.iter().chain(&REFUSED_OF_THEIRS);
        refused.any(|known| *known == name) && why.contains("denied the request")
    };
    let mut wrong = Vec::new();
    for (folder, rights) in all {
        let manner = Manner { rights, ..USUAL };
        let (failed, stamped) = run(world, &folder, manner).await;
        wrong.extend(failed.into_iter().filter(|why| !is_expected(why)));
        let stored = stamped
            .into_keys()
            .filter(|name| REFUSED.contains(&name.as_str()));
        wrong.extend(stored.map(|name| format!("{name} is stored")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    unasked(world).await;
}
