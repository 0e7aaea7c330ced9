//! Rules 3 and 10 on the wire: what the controller watches, how much of it, and in whose name it writes.

use std::collections::BTreeSet;

use http::Method;
use http::request::Parts;
use kinds::names;
use serde_json::json;
use suite::{Controller, Recorder, Scene, install, kubeconfig};

use crate::bad_stage::alone;
use crate::rules_crash::free_lease;
use crate::rules_stage::config_map;
use crate::source::lonely;

/// Our own kinds, which are watched whole.
const OWN: [&str; 8] = [
    "carto.run/clusterconfigtemplates",
    "carto.run/clusterdeliveries",
    "carto.run/clusterdeploymenttemplates",
    "carto.run/clustersourcetemplates",
    "carto.run/clustertemplates",
    "carto.run/deliverables",
    "shipway.run/environments",
    "shipway.run/shipments",
];
/// The kinds of which every object is watched, since it matters whether it exists.
const ALL: [&str; 3] = [
    "apiextensions.k8s.io/customresourcedefinitions",
    "namespaces",
    "serviceaccounts",
];
/// What is delivered below.
const DELIVERED: [&str; 3] = ["configmaps", "rbac.authorization.k8s.io/roles", "services"];

const OTHERS: &str = "apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web}
rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {a: '1'}
";

/// Delivers some kinds, and takes one object out of Git again.
async fn deliver(scene: &Scene) {
    scene.write("config/a.yaml", &config_map("a", &[("a", "1")]));
    scene.write("config/b.yaml", &config_map("b", &[("a", "1")]));
    scene.write("config/others.yaml", OTHERS);
    scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", None).await;
    scene.remove("config/b.yaml");
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
}

/// `group/resource`, or `resource`, as the path of a collection of the whole cluster names it.
fn resource(head: &Parts) -> String {
    let words: Vec<&str> = head.uri.path().split('/').collect();
    match words[..] {
        ["", "api", _, resource] => resource.to_owned(),
        ["", "apis", group, _, resource] => format!("{group}/{resource}"),
        _ => head.uri.path().to_owned(),
    }
}

fn header<'a>(head: &'a Parts, name: &str) -> &'a str {
    let value = head.headers.get(name);
    value.and_then(|it| it.to_str().ok()).unwrap_or_default()
}

fn wanted() -> BTreeSet<String> {
    let kinds = [&OWN[..], &ALL, &DELIVERED].concat();
    kinds.into_iter().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_delivered_is_watched_by_its_label_and_its_metadata_alone() {
    let _turn = alone().await;
    let scene = Scene::with("watches", lonely()).await;
    install(&scene.world).await;
    free_lease(&scene).await;
    let account = kubeconfig::account(&scene.world, "shipway-system", "shipway").await;
    let recorder = Recorder::open(&account).await;
    let mut window = scene.world.audit().await;
    let controller = Controller::start(&recorder.kubeconfig, scene.world.cluster(), &[]).await;
    deliver(&scene).await;
    // What the client asks for.
    let noted = recorder.noted();
    let mut kinds = BTreeSet::new();
    for head in &noted {
        let query = head.uri.query().unwrap_or_default();
        if !query.contains("watch=true") {
            continue;
        }
        let kind = resource(head);
        let is_whole = !header(head, "accept").contains("as=PartialObjectMetadata;");
        assert_eq!(is_whole, OWN.contains(&&*kind), "{head:?}");
        kinds.insert(kind);
    }
    // What scenarios before left in inventories may be among them.
    assert!(kinds.is_superset(&wanted()), "{kinds:?}");
    let acting = |head: &&Parts| head.headers.contains_key("impersonate-user");
    assert!(noted.iter().any(|head| acting(&head)), "nobody is acted as");
    for head in noted.iter().filter(|head| head.method != Method::GET) {
        let more = head.headers.keys().find(|name| {
            name.as_str().starts_with("impersonate-") && name.as_str() != "impersonate-user"
        });
        assert_eq!(more, None, "{head:?}");
    }
    // The same as the API server saw it.
    let requests = window.requests().await.by("shipway");
    let watches = requests.clone().only(|request| request.verb == "watch");
    let mut kinds = BTreeSet::new();
    let whole = watches.clone().only(|watch| watch.namespace.is_empty());
    for watch in &whole.0 {
        let (labels, _) = &watch.selectors;
        let every = [&OWN[..], &ALL].concat().contains(&&*watch.resource);
        let label = if every { "" } else { names::OWNER_LABEL };
        assert_eq!(labels, label, "{watch:?}");
        kinds.insert(watch.resource.clone());
    }
    assert!(kinds.is_superset(&wanted()), "{kinds:?}");
    // One object of somebody else's, by its name.
    let one = watches.only(|watch| !watch.namespace.is_empty());
    assert_eq!(one.count(), 1, "{one}");
    let (labels, fields) = &one.0[0].selectors;
    assert_eq!(
        (&*one.0[0].namespace, &**labels, &**fields),
        (
            "cartographer-system",
            "",
            "metadata.name=cartographer-controller"
        )
    );
    drop(controller);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_acts_by_its_name_and_the_api_server_adds_its_groups() {
    let scene = Scene::new("groups").await;
    let ns = scene.ns();
    // What the account may do it may do by a group that it has by being an account of this namespace.
    let binding = format!("deployer-{ns}");
    scene
        .delete::<k8s_openapi::api::rbac::v1::RoleBinding>(&binding)
        .await;
    scene
        .apply(&json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "group", "namespace": ns},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": format!("system:serviceaccounts:{ns}")}],
        }))
        .await;
    let mut window = scene.world.audit().await;
    deliver(&scene).await;
    let written = window.requests().await.by("shipway").within(ns).writes();
    let given = [
        "system:authenticated".to_owned(),
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{ns}"),
    ];
    let acted = written.only(|request| request.impersonated_by.is_some());
    for request in &acted.0 {
        assert_eq!(request.groups, given, "{request:?}");
    }
    assert_eq!(acted.count(), 6, "five come, one goes:\n{acted}");
}
