//! Deliverables: Cartographer's conditions, and deliveries that come from Git themselves.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kinds::condition;
use kinds::{ClusterDelivery, ClusterTemplate, Deliverable, DeliverableStatus, Shipment};
use kube::api::Api;
use serde_json::{Value, json};
use suite::{Scene, identity, install};
use testkit::eventually;
use tokio::time::Instant;

use crate::bad_stage::alone;
use crate::rules_crash::start;
use crate::rules_stage::{QUIET, patch_spec, written_in};
use crate::source::lonely;

const SETTINGS: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: blue\n";

/// A Deliverable of a folder of the repository, looked up every second.
pub(crate) fn deliverable(scene: &Scene, name: &str, path: &str) -> Value {
    json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "Deliverable",
        "metadata": {
            "name": name, "namespace": scene.ns(),
            "labels": {"app.tanzu.vmware.com/deliverable-type": "web", "app": "shop"},
        },
        "spec": {
            "serviceAccountName": "deployer",
            "params": [
                {"name": "source_credentials_secret", "value": "git"},
                {"name": "delivery", "value": {"interval": "1s"}},
            ],
            "source": {"git": {"url": scene.git.url("app.git"), "ref": {"branch": "main"}}, "subPath": path},
        },
    })
}

async fn until(
    scene: &Scene,
    name: &str,
    what: &str,
    wanted: impl Fn(&DeliverableStatus) -> bool,
) -> DeliverableStatus {
    let found = scene.until_object::<Deliverable>(name, what, |found| {
        found
            .and_then(|found| found.status.as_ref())
            .is_some_and(&wanted)
    });
    found
        .await
        .and_then(|found| found.status)
        .expect("it was just seen")
}

fn ready_because(status: &DeliverableStatus, reason: &str) -> bool {
    condition::find(&status.conditions, "Ready").is_some_and(|ready| ready.reason == reason)
}

/// Conditions as `type=status reason`, in their order.
fn shown(status: &DeliverableStatus) -> String {
    let lines = status
        .conditions
        .iter()
        .map(|c| format!("{}={} {}", c.kind, c.status, c.reason));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deliverable_stamps_a_shipment_and_shows_its_health() {
    let scene = Scene::new("dlv").await;
    scene.write("config/settings.yaml", SETTINGS);
    scene.push().await;
    scene.apply(&deliverable(&scene, "web", "config")).await;
    let status = until(&scene, "web", "is ready", |status| {
        ready_because(status, "Ready")
    })
    .await;
    assert_eq!(
        shown(&status),
        "DeliveryReady=True Ready\n\
         ResourcesSubmitted=True ResourceSubmissionComplete\n\
         ResourcesHealthy=True HealthyConditionRule\n\
         Ready=True Ready"
    );
    assert_eq!(
        status
            .delivery_ref
            .and_then(|delivery| delivery.name)
            .as_deref(),
        Some("delivery-basic")
    );
    assert!(
        scene.find::<ConfigMap>("settings").await.is_some(),
        "nothing was delivered"
    );
    let shipment = scene.get_shipment("web").await;
    let labels = shipment.metadata.labels.unwrap_or_default();
    assert_eq!(labels["app"], "shop");
    assert_eq!(labels["carto.run/deliverable-name"], "web");
    let about = "[deployer] found healthy status in [shipments.shipway.run/web]";
    let word = "ResourceHealthyStatusChanged";
    let told = scene.until_event("web", &[word, about]).await;
    assert!(told.ends_with(" changed to [True]"), "{told}");
    scene.write("config/settings.yaml", "kind: [\n");
    scene.push().await;
    let told = scene.until_event("web", &[word, "[False]"]).await;
    assert!(told.contains(about), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deliverable_without_labels_or_delivery_says_so() {
    let scene = Scene::new("dlv").await;
    let mut bare = deliverable(&scene, "bare", "config");
    bare["metadata"]
        .as_object_mut()
        .expect("metadata is a map")
        .remove("labels");
    scene.apply(&bare).await;
    let mut other = deliverable(&scene, "other", "config");
    other["metadata"]["labels"] = json!({"a": "1", "b": "2"});
    scene.apply(&other).await;
    let status = until(&scene, "bare", "says so", |status| {
        ready_because(status, "DeliverableLabelsMissing")
    })
    .await;
    assert_eq!(
        shown(&status),
        "DeliveryReady=False DeliverableLabelsMissing\nReady=False DeliverableLabelsMissing"
    );
    let status = until(&scene, "other", "says so", |status| {
        ready_because(status, "DeliveryNotFound")
    })
    .await;
    assert_eq!(
        status.conditions[0].message,
        "no delivery found where full selector is satisfied by labels: map[a:1 b:2]"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deliverable_whose_account_comes_late_goes_on_by_itself() {
    let scene = Scene::new("dlv").await;
    scene.write("config/settings.yaml", SETTINGS);
    scene.push().await;
    let mut late = deliverable(&scene, "web", "config");
    late["spec"]["serviceAccountName"] = json!("late");
    scene.apply(&late).await;
    let status = until(&scene, "web", "names the account", |status| {
        ready_because(status, "ServiceAccountError")
    })
    .await;
    assert_eq!(
        shown(&status),
        "DeliveryReady=True Ready\nResourcesSubmitted=False ServiceAccountError\nReady=False ServiceAccountError"
    );
    let ns = scene.ns();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "late", "namespace": ns},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "late", "namespace": ns}],
    });
    scene.apply(&role).await;
    scene.apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "late", "namespace": ns}})).await;
    until(&scene, "web", "is ready", |status| {
        ready_because(status, "Ready")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deliverable_whose_account_may_not_goes_on_when_it_is_granted() {
    let scene = Scene::new("dlv").await;
    scene.write("config/settings.yaml", SETTINGS);
    scene.push().await;
    let ns = scene.ns();
    scene
        .apply(&json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bare", "namespace": ns}}))
        .await;
    let mut refused = deliverable(&scene, "web", "config");
    refused["spec"]["serviceAccountName"] = json!("bare");
    scene.apply(&refused).await;
    let reason = "TemplateRejectedByAPIServer";
    let status = until(&scene, "web", "is refused", |status| {
        ready_because(status, reason)
    })
    .await;
    let why = &status.conditions[1].message;
    let begins = format!(
        "unable to apply object [{ns}/web] for resource [deployer] in delivery [delivery-basic]: create: "
    );
    assert!(
        why.starts_with(&begins) && why.contains("is forbidden"),
        "{why}"
    );
    scene.until_event("web", &[reason, "is forbidden"]).await;
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    for (kind, extra) in [
        (
            "Role",
            json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        ),
        (
            "RoleBinding",
            json!({
                "roleRef": {"apiGroup": group, "kind": "Role", "name": "bare"},
                "subjects": [{"kind": "ServiceAccount", "name": "bare", "namespace": ns}],
            }),
        ),
    ] {
        let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "bare", "namespace": ns}});
        for (key, value) in extra.as_object().expect("it is a map") {
            object[key] = value.clone();
        }
        scene.apply(&object).await;
    }
    until(&scene, "web", "is ready", |status| {
        ready_because(status, "Ready")
    })
    .await;
}

/// A delivery and its template are gone with the scenario.
struct Gone<'a>(&'a Scene, &'a str);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.clear_away::<ClusterDelivery>(self.1);
        self.0.clear_away::<ClusterTemplate>(self.1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_may_have_a_delivery_of_its_own() {
    let scene = Scene::new("dlv").await;
    let name = format!("own-{}", scene.ns());
    let _gone = Gone(&scene, &name);
    scene
        .apply(&json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "ClusterTemplate", "metadata": {"name": name},
            "spec": {"template": {
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "$(deliverable.metadata.name)$-own"},
                "data": {"from": "$(deliverable.spec.source.git.url)$"},
            }},
        }))
        .await;
    // It takes more than `delivery-basic` does, and is the better match.
    scene
        .apply(&json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "ClusterDelivery", "metadata": {"name": name},
            "spec": {
                "selector": {"app.tanzu.vmware.com/deliverable-type": "web", "app": name},
                "resources": [{"name": "own", "templateRef": {"kind": "ClusterTemplate", "name": name}}],
            },
        }))
        .await;
    let mut own = deliverable(&scene, "web", "config");
    own["metadata"]["labels"]["app"] = json!(name);
    scene.apply(&own).await;
    let status = until(&scene, "web", "is ready", |status| {
        ready_because(status, "Ready")
    })
    .await;
    assert_eq!(
        status.delivery_ref.and_then(|delivery| delivery.name),
        Some(name.clone())
    );
    assert!(scene.find::<ConfigMap>("web-own").await.is_some());
    assert!(scene.find::<Shipment>("web").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn suspend_is_left_alone_unless_the_deliverable_sets_it() {
    let scene = Scene::new("dlv").await;
    scene.write("config/settings.yaml", SETTINGS);
    scene.push().await;
    scene.apply(&deliverable(&scene, "web", "config")).await;
    until(&scene, "web", "is ready", |status| {
        ready_because(status, "Ready")
    })
    .await;
    patch_spec(&scene, "web", json!({"suspend": true})).await;
    let mut renamed = deliverable(&scene, "web", "config");
    renamed["metadata"]["labels"]["app"] = json!("store");
    scene.apply(&renamed).await;
    until_labelled(&scene, "store").await;
    assert_eq!(scene.get_shipment("web").await.spec.suspend, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_deliverable_delivers_the_others() {
    let scene = Scene::new("root").await;
    scene.write("config/settings.yaml", SETTINGS);
    let child = serde_json::to_string_pretty(&deliverable(&scene, "web", "config"))
        .expect("it is plain data");
    scene.write("qa/deliverable-web.yaml", &child);
    scene.push().await;
    scene.apply(&deliverable(&scene, "root", "qa")).await;
    until(&scene, "web", "is ready", |status| {
        ready_because(status, "Ready")
    })
    .await;
    until(&scene, "root", "is ready", |status| {
        ready_because(status, "Ready")
    })
    .await;
    assert!(
        scene.find::<ConfigMap>("settings").await.is_some(),
        "nothing was delivered"
    );
}

const NEVER_HEALTHY: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: web}]
";

#[tokio::test(flavor = "multi_thread")]
async fn sync_of_a_root_waits_for_what_its_deliverables_bring() {
    let scene = Scene::new("dlvroot").await;
    let brought = deliverable(&scene, "web", "config");
    scene.write("root/deliverable-web.yaml", &brought.to_string());
    scene.write("config/settings.yaml", SETTINGS);
    // No kubelet plays here.
    scene.write("config/deployment.yaml", NEVER_HEALTHY);
    scene.push().await;
    scene.apply(&scene.shipment("root", "root")).await;
    let wait = ["sync", "root", "--wait", "--timeout"];
    let (code, out, err) = scene.shipway(&[&wait[..], &["5s"]].concat());
    assert_eq!(code, 2, "{out}{err}");
    assert!(
        out.starts_with("shipment.shipway.run/root is ready at main@"),
        "{out}"
    );
    let ns = scene.ns();
    let late = format!("Shipment `{ns}/web` is not ready in time: `Deployment/{ns}/web`");
    assert!(err.contains(&late), "{err}");
    scene.remove("config/deployment.yaml");
    scene.push().await;
    let (code, out, err) = scene.shipway(&[&wait[..], &["30s"]].concat());
    assert_eq!(code, 0, "{out}{err}");
    let brought = format!("\nshipment.shipway.run/web in {ns} is ready at main@");
    assert!(out.contains(&brought), "{out}");
}

/// Cartographer's own controller, as far as a Deployment makes one. It is gone with the scenario.
struct Cartographer<'a>(&'a Scene);

impl Cartographer<'_> {
    async fn scale(&self, replicas: i32) {
        let namespace = "cartographer-system";
        let labels = json!({"app": "cartographer"});
        // That of a scenario before may be on its way out.
        let namespaces: Api<Namespace> = Api::all(self.0.client.clone());
        eventually("the namespace is free", Duration::from_mins(1), || async {
            match namespaces.get_opt(namespace).await {
                Ok(Some(found)) if found.metadata.deletion_timestamp.is_some() => {
                    Err("it is on its way out".to_owned())
                }
                answer => answer.map(drop).map_err(|error| error.to_string()),
            }
        })
        .await;
        self.0
            .apply(
                &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
            )
            .await;
        self.0
            .apply(&json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "cartographer-controller", "namespace": namespace},
                "spec": {
                    "replicas": replicas, "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web"}]}},
                },
            }))
            .await;
    }
}

impl Drop for Cartographer<'_> {
    fn drop(&mut self) {
        self.0.clear_away::<Namespace>("cartographer-system");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_of_a_root_says_at_once_that_its_deliverables_are_left_to_cartographer() {
    let _turn = alone().await;
    let scene = Scene::with("dlvleft", lonely()).await;
    let cartographer = Cartographer(&scene);
    cartographer.scale(1).await;
    install(&scene.world).await;
    let _controller = start(&scene, &identity(&scene.world).await).await;
    let brought = deliverable(&scene, "web", "config");
    scene.write("root/deliverable-web.yaml", &brought.to_string());
    scene.write("config/settings.yaml", SETTINGS);
    scene.push().await;
    scene.apply(&scene.shipment("root", "root")).await;
    let begun = Instant::now();
    let wait = ["sync", "root", "--wait", "--timeout", "3m"];
    let (code, out, err) = scene.shipway(&wait);
    assert_eq!(code, 2, "{out}{err}");
    assert!(
        out.starts_with("shipment.shipway.run/root is ready at main@"),
        "{out}"
    );
    let ns = scene.ns();
    for words in [
        "Cartographer is at work here (Deployment `cartographer-controller` in `cartographer-system`)",
        &format!("they are left to it: `{ns}/web`\n"),
        "hint: to have Shipway deliver them, `kubectl scale deployment cartographer-controller -n cartographer-system --replicas=0",
        "half a minute later it takes them over",
    ] {
        assert!(err.contains(words), "`{words}` is missing: {err}");
    }
    assert!(begun.elapsed() < Duration::from_mins(1), "it waited");

    // What it says helps.
    cartographer.scale(0).await;
    let (code, out, err) = scene.shipway(&wait);
    assert_eq!(code, 0, "{out}{err}");
    let brought = format!("\nshipment.shipway.run/web in {ns} is ready at main@");
    assert!(out.contains(&brought), "{out}");
    assert!(begun.elapsed() < Duration::from_mins(2), "it waited");
}

/// Waits until the Shipment `web` has a label that its Deliverable got.
async fn until_labelled(scene: &Scene, app: &str) {
    scene
        .until_object::<Shipment>("web", "has the new label", |found| {
            let labels = found.and_then(|found| found.metadata.labels.as_ref());
            labels.is_some_and(|labels| labels["app"] == app)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliverables_are_laid_down_when_cartographer_comes_and_taken_up_when_it_has_gone() {
    let _turn = alone().await;
    let scene = Scene::with("dlvturn", lonely()).await;
    install(&scene.world).await;
    let controller = start(&scene, &identity(&scene.world).await).await;
    scene.write("config/settings.yaml", SETTINGS);
    scene.push().await;
    scene.apply(&deliverable(&scene, "web", "config")).await;
    let is_ready = |status: &DeliverableStatus| ready_because(status, "Ready");
    until(&scene, "web", "is ready", is_ready).await;
    let cartographer = Cartographer(&scene);
    cartographer.scale(1).await;
    let says = |words: &'static str, times: usize| {
        let controller = &controller;
        eventually(words, Duration::from_secs(50), move || async move {
            let said = controller.log().matches(words).count();
            if said == times { Ok(()) } else { Err(said) }
        })
    };
    let (left, taken) = ("Deliverables are left to it", "Deliverables are taken over");
    says(left, 1).await;
    let mut window = scene.world.audit().await;
    let mut renamed = deliverable(&scene, "web", "config");
    renamed["metadata"]["labels"]["app"] = json!("store");
    scene.apply(&renamed).await;
    // What was stamped before is delivered all the same.
    scene.write("config/settings.yaml", &SETTINGS.replace("blue", "green"));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    // It is gone for a moment alone.
    for replicas in [0, 1] {
        cartographer.scale(replicas).await;
        let written = written_in(&scene, &mut window, QUIET).await;
        let ours = ["carto.run/deliverables/status", "shipway.run/shipments"];
        let written = written.only(|request| ours.contains(&&*request.resource));
        assert_eq!(written.count(), 0, "{written}");
    }
    assert!(!controller.log().contains(taken), "{}", controller.log());
    cartographer.scale(0).await;
    says(taken, 1).await;
    until_labelled(&scene, "store").await;
    // And once more.
    cartographer.scale(1).await;
    says(left, 2).await;
}
