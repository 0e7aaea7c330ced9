//! What lies in `examples/` works.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::condition::{self, Condition};
use kinds::{Deliverable, Workload};
use kube::api::{Api, ListParams};
use suite::Scene;
use testkit::eventually;

use crate::choreography::Chains;

/// How long something may take that makes Jobs.
const PATIENCE: Duration = Duration::from_mins(2);

/// The objects of a file of an example.
fn objects(file: &str, replaced: &[(&str, &str)]) -> Vec<serde_json::Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/supply-chain");
    let mut text = std::fs::read_to_string(folder.join(file)).expect("the example has the file");
    for (from, to) in replaced {
        assert!(text.contains(from), "{file} has no `{from}`");
        text = text.replace(from, to);
    }
    let objects = manifest::parse_file(file, text.as_bytes()).expect("the example is YAML");
    objects
        .into_iter()
        .map(manifest::Manifest::into_value)
        .collect()
}

async fn until_ready(workloads: &Api<Workload>) {
    eventually("the Workload to be ready", PATIENCE, || async {
        let found = workloads.get("shop").await.map_err(|why| why.to_string())?;
        let status = found.status.unwrap_or_default();
        let ready = condition::find(&status.conditions, "Ready").cloned();
        if status.observed_generation == found.metadata.generation
            && ready.as_ref().is_some_and(Condition::is_true)
        {
            return Ok(());
        }
        Err(format!("{ready:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supply_chain_of_five_templates_ends_on_a_run_cluster() {
    let chains = Chains::begin().await;
    let (build, ns) = (chains.client().await, chains.ns().to_owned());
    let _jobs = chains.settle().await;
    let namespace = format!("namespace: {ns}");
    let here = [("namespace: shop", namespace.as_str())];
    for object in objects("chain.yaml", &[])
        .into_iter()
        .chain(objects("account.yaml", &here))
        .chain(objects("workload.yaml", &here))
    {
        chains.apply(&object).await;
    }
    let workloads: Api<Workload> = Api::namespaced(build.clone(), &ns);
    until_ready(&workloads).await;
    let jobs: Api<Job> = Api::namespaced(build.clone(), &ns);
    let made = jobs
        .list(&ListParams::default())
        .await
        .expect("they can be listed");
    let mut made: Vec<String> = made
        .iter()
        .filter_map(|job| job.metadata.generate_name.clone())
        .collect();
    made.sort();
    assert_eq!(
        made,
        ["shop-image-", "shop-test-", "shop-writer-"],
        "one Job each"
    );

    // There are no nodes here: what the writer's Job would do is done by hand.
    let scene = Scene::new("example").await;
    let maps: Api<ConfigMap> = Api::namespaced(build.clone(), &ns);
    let write = async || {
        let config = maps.get("shop-config").await.expect("it is there");
        let text = config.data.unwrap_or_default().remove("delivery.yml");
        scene.write(
            "config/shop/delivery.yml",
            &text.expect("it has the specification"),
        );
        scene.push().await
    };
    write().await;
    let _pods = scene.settle().await;
    let url = scene.git.url("app.git");
    let there = format!("namespace: {}", scene.ns());
    let replaced = [
        ("namespace: shop", there.as_str()),
        ("https://git.example.com/delivery.git", &url),
    ];
    for mut object in objects("deliverable.yaml", &replaced) {
        // The suite's Git server has a certificate of its own, and nobody pushes events here.
        object["spec"]["params"] = serde_json::json!([
            {"name": "source_credentials_secret", "value": "git"},
            {"name": "delivery", "value": {"interval": "1s"}},
        ]);
        scene.apply(&object).await;
    }
    let image = |deployment: Option<&Deployment>| {
        let spec = deployment.and_then(|it| it.spec.as_ref()?.template.spec.as_ref());
        spec.and_then(|pod| pod.containers[0].image.clone())
            .unwrap_or_default()
    };
    let first = "registry.example.com/apps/shop:v1";
    scene
        .until_object::<Deployment>("shop", "is delivered", |found| image(found) == first)
        .await;
    scene
        .until_object::<Deliverable>("shop", "is ready", |found| {
            let status = found.and_then(|found| found.status.as_ref());
            status.is_some_and(|status| {
                condition::find(&status.conditions, "Ready").is_some_and(Condition::is_true)
            })
        })
        .await;

    // A new tag goes the same way, and tests, builds and writes once.
    let tag = [
        "workload",
        "apply",
        "shop",
        "--git-tag",
        "v2",
        "--yes",
        "--wait",
    ];
    let (code, _, errors) = chains.shipway(&tag);
    assert_eq!(code, 0, "{errors}");
    let all = jobs
        .list(&ListParams::default())
        .await
        .expect("they can be listed");
    let names: Vec<String> = all.iter().map(kube::ResourceExt::name_any).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    write().await;
    let second = "registry.example.com/apps/shop:v2";
    scene
        .until_object::<Deployment>("shop", "is delivered", |found| image(found) == second)
        .await;
}
