//! Cartographer's choreography: cases in kuttl's format, ours and those of any folder that
//! `SHIPWAY_KUTTL` names.
#![expect(
    clippy::disallowed_methods,
    reason = "whoever has cases of their own names their folder"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use kinds::Workload;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use suite::{Controller, install_of};
use testkit::audit::Requests;
use testkit::kuttl::Case;
use testkit::{World, eventually};
use tokio::sync::Mutex;

/// How long a step may take. A pass takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many cases run at a time, as in kuttl.
const AT_ONCE: usize = 8;

/// The cluster on which supply chains run.
const CLUSTER: &str = "chains";

/// There is one cluster for them, and one controller at a time.
static TURN: Mutex<()> = Mutex::const_new(());

async fn chains() -> (World, Controller) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let world = World::shared().on(CLUSTER);
    install_of(&world, "full").await;
    // Upstream's cases act as accounts without any right of their own.
    let everybody = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "accounts-may-everything"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts"}],
    });
    let bindings: Api<ClusterRoleBinding> = Api::all(world.client().await);
    let params = PatchParams::apply("suite").force();
    bindings
        .patch(
            "accounts-may-everything",
            &params,
            &Patch::Apply(&everybody),
        )
        .await
        .expect("the binding can be made");
    let identity = suite::identity(&world).await;
    let controller = Controller::start_as("full", &identity, world.cluster()).await;
    (world, controller)
}

/// Runs the cases in a folder, several at a time; tells of those that did not come true.
async fn failures(world: &World, folder: &Path) -> Vec<String> {
    let cases = Case::read_all(folder).expect("the cases can be read");
    assert!(!cases.is_empty(), "{} has no cases", folder.display());
    let client = world.client().await;
    let run = |case: Case| {
        let client = client.clone();
        async move {
            let namespace = world.temp_namespace("kuttl").await;
            case.run(&client, namespace.name(), PATIENCE, |_| async {})
                .await
        }
    };
    let done = stream::iter(cases.into_iter().map(run)).buffer_unordered(AT_ONCE);
    done.filter_map(|done| async { done.err() }).collect().await
}

fn ours(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/kuttl")
        .join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn supply_chains_do_what_their_cases_say() {
    let _turn = TURN.lock().await;
    let (world, controller) = chains().await;
    let mut failed = failures(&world, &ours("supplychain")).await;
    if let Some(folder) = std::env::var_os("SHIPWAY_KUTTL") {
        failed.extend(failures(&world, Path::new(&folder)).await);
    }
    assert!(
        failed.is_empty(),
        "{}\n{}",
        failed.join("\n\n"),
        controller.log()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_writes_nothing_that_was_stamped_before() {
    let _turn = TURN.lock().await;
    let (world, controller) = chains().await;
    let case = Case::read(&ours("supplychain").join("a-source-becomes-a-config"));
    let case = case.expect("the case can be read");
    let namespace = world.temp_namespace("kuttl").await;
    let client = world.client().await;
    let ran = case
        .run(&client, namespace.name(), PATIENCE, |_| async {})
        .await;
    assert_eq!(ran, Ok(()));
    drop(controller);
    let window = Mutex::new(world.audit().await);
    let identity = suite::identity(&world).await;
    let _again = Controller::start_as("full", &identity, world.cluster()).await;
    // One owner has one pass at a time: what this one asks for has a pass after that of the restart.
    let change = json!({"spec": {"source": {"git": {"url": "https://git.example/third"}}}});
    let workloads: Api<Workload> = Api::namespaced(client.clone(), namespace.name());
    let (looked, changed) = (Mutex::new(Requests::default()), Mutex::new(false));
    eventually("the source to follow", PATIENCE, || async {
        let new = window.lock().await.requests().await;
        let mut looked = looked.lock().await;
        looked
            .0
            .extend(new.by("shipway").within(namespace.name()).0);
        let mut changed = changed.lock().await;
        if looked.count() > 0 && !*changed {
            let patch = Patch::Merge(&change);
            let done = workloads
                .patch("shop", &PatchParams::default(), &patch)
                .await;
            *changed = done.is_ok();
        }
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace.name());
        let source = maps
            .get("shop-source")
            .await
            .map_err(|why| why.to_string())?;
        let url = source.data.unwrap_or_default().remove("url");
        let there = url.as_deref() == Some("https://git.example/third");
        there.then_some(()).ok_or_else(|| looked.to_string())
    })
    .await;
    let new = window.lock().await.requests().await;
    let mut seen = looked.into_inner();
    seen.0.extend(new.by("shipway").within(namespace.name()).0);
    let written = seen
        .clone()
        .writes()
        .only(|request| request.resource == "configmaps");
    assert_eq!(
        written.count(),
        1,
        "only what was asked for is written:\n{seen}"
    );
}
