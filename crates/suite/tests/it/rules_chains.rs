//! What changes around owners, where a case in kuttl's format cannot say it: what is deleted, messages that name the
//! namespace, what a restart must not forget.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Event};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kinds::{
    ClusterConfigTemplate, ClusterSourceTemplate, ClusterSupplyChain, Workload, condition,
};
use kube::Client;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use testkit::audit::Requests;
use testkit::kuttl::Case;
use testkit::{Need, World, eventually};
use tokio::sync::Mutex;

use crate::bad_chains::{account, chain, map, template, until, workload};
use crate::choreography::{Chains, again, asked, chains, only_asked, ours, unasked};

const PATIENCE: Duration = Duration::from_secs(40);

/// Takes along what is cluster-wide.
async fn remove(chains: &Chains, names: &[&str]) {
    for name in names {
        for kind in ["clustersupplychains", "clusterconfigtemplates"] {
            chains
                .remove(&format!("/apis/carto.run/v1alpha1/{kind}/{name}"))
                .await;
        }
    }
}

async fn until_gone(client: &Client, namespace: &str, name: &str) {
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    eventually(&format!("`{name}` to go"), PATIENCE, || async {
        match maps.get_opt(name).await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

/// Waits for a warning of a reason whose message has a part.
async fn until_warned(client: &Client, namespace: &str, reason: &str, part: &str) {
    let events: Api<Event> = Api::namespaced(client.clone(), namespace);
    eventually(&format!("a warning `{reason}`"), PATIENCE, || async {
        let all = events.list(&ListParams::default()).await;
        let all = all.map_err(|why| why.to_string())?.items;
        let said = all.iter().any(|event| {
            event.reason.as_deref() == Some(reason)
                && event.type_.as_deref() == Some("Warning")
                && event
                    .message
                    .as_deref()
                    .is_some_and(|text| text.contains(part))
        });
        said.then_some(()).ok_or_else(|| format!("{all:?}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rival_that_is_deleted_leaves_its_owners_to_the_other() {
    let chains = Chains::begin().await;
    let client = chains.client().await;
    let one = format!("one-{}", chains.ns());
    let mut rival = chain(&one, &one);
    let other = format!("other-{}", chains.ns());
    rival["metadata"]["name"] = json!(other);
    for object in [
        &account(&chains),
        &template(&one, &map("$(workload.metadata.name)$", "a")),
        &chain(&one, &one),
        &rival,
        &workload(&chains, "shop", &one),
    ] {
        chains.apply(object).await;
    }
    let why = until(&chains, "shop", "MultipleSupplyChainMatches").await;
    assert_eq!(
        why,
        "workload may only match a single supply chain's selector"
    );
    let supply_chains: Api<ClusterSupplyChain> = Api::all(client.clone());
    let gone = supply_chains.delete(&other, &DeleteParams::default()).await;
    gone.expect("it is there");
    until(&chains, "shop", "Ready").await;
    remove(&chains, &[&one]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_was_there_before_is_taken_over_and_that_is_said() {
    let chains = Chains::begin().await;
    let (client, ns) = (chains.client().await, chains.ns().to_owned());
    let one = format!("one-{ns}");
    let mut before = map("before", "theirs");
    before["metadata"]["namespace"] = json!(ns);
    before["data"]["other"] = json!("stays");
    for object in [
        &before,
        &account(&chains),
        &template(&one, &map("before", "ours")),
        &chain(&one, &one),
        &workload(&chains, "shop", &one),
    ] {
        chains.apply(object).await;
    }
    until(&chains, "shop", "Ready").await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &ns);
    let data = maps.get("before").await.expect("it is there").data;
    let data = data.unwrap_or_default();
    assert_eq!((&*data["value"], &*data["other"]), ("ours", "stays"));
    until_warned(&client, &ns, "Adopted", "[configmaps/before]").await;
    remove(&chains, &[&one]).await;
}

/// The rights of the account `builder`, and of nobody else.
async fn grant(client: &Client, namespace: &str, verbs: &[&str]) {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "builder"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "builder"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "builder"},
        "subjects": [{"kind": "ServiceAccount", "name": "builder", "namespace": namespace}],
    });
    let params = PatchParams::apply("suite").force();
    let roles: Api<Role> = Api::namespaced(client.clone(), namespace);
    let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
    let granted = roles.patch("builder", &params, &Patch::Apply(&role)).await;
    granted.expect("the role can be written");
    let bound = bindings
        .patch("builder", &params, &Patch::Apply(&binding))
        .await;
    bound.expect("the binding can be written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_account_may_not_do_is_told_and_tried_again_when_it_may() {
    let chains = Chains::begin().await;
    let (client, ns) = (chains.client().await, chains.ns().to_owned());
    chains
        .remove(&format!(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings/accounts-may-everything-here"
        ))
        .await;
    let (plain, runs) = (format!("plain-{ns}"), format!("runs-{ns}"));
    let mut anew = template(&runs, &map("ignored", "a"));
    anew["spec"]["lifecycle"] = json!("immutable");
    anew["spec"]["template"]["metadata"] = json!({"generateName": "run-"});
    for object in [
        &account(&chains),
        &template(&plain, &map("$(workload.metadata.name)$", "a")),
        &chain(&plain, &plain),
        &anew,
        &chain(&runs, &runs),
        &workload(&chains, "plain", &plain),
        &workload(&chains, "runs", &runs),
    ] {
        chains.apply(object).await;
    }
    let who = format!("User \"system:serviceaccount:{ns}:builder\" cannot");
    let why = until(&chains, "plain", "TemplateRejectedByAPIServer").await;
    let at = format!(
        "unable to apply object [{ns}/plain] for resource [only] in supply chain [{plain}]: create: "
    );
    assert!(why.starts_with(&at) && why.contains(&who), "{why}");
    let why = until(&chains, "runs", "FailedToListCreatedObjects").await;
    let at = format!("unable to list objects in namespace [{ns}] with labels [map[");
    assert!(why.starts_with(&at) && why.contains(&who), "{why}");
    grant(&client, &ns, &["get", "list", "create", "patch"]).await;
    until(&chains, "plain", "Ready").await;
    until(&chains, "runs", "Ready").await;
    chains
        .apply(&template(
            &plain,
            &map("$(workload.metadata.name)$-next", "a"),
        ))
        .await;
    let kept = "Could not delete object [configmaps/plain]: ";
    until_warned(&client, &ns, "StampedObjectNotRemoved", kept).await;
    grant(&client, &ns, &["get", "list", "create", "patch", "delete"]).await;
    until_gone(&client, &ns, "plain").await;
    remove(&chains, &[&plain, &runs]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_missing_is_told_with_the_health_of_its_object() {
    let chains = Chains::begin().await;
    let ns = chains.ns().to_owned();
    let mut all = vec![account(&chains)];
    let rules = [
        ("waits", Value::Null),
        ("healthy", json!({"alwaysHealthy": {}})),
        (
            "unhealthy",
            json!({"multiMatch": {
                "healthy": {"matchFields": [{"key": ".data.value", "operator": "In", "values": ["good"]}]},
                "unhealthy": {"matchFields": [{"key": ".data.value", "operator": "In", "values": ["bad"]}]},
            }}),
        ),
    ];
    let named: Vec<_> = rules
        .iter()
        .map(|(name, _)| format!("{name}-{ns}"))
        .collect();
    for ((name, rule), one) in rules.iter().zip(&named) {
        let mut missing = template(one, &map("$(workload.metadata.name)$", "bad"));
        missing["spec"]["configPath"] = json!(".data.never");
        if !rule.is_null() {
            missing["spec"]["healthRule"] = rule.clone();
        }
        all.extend([missing, chain(one, one), workload(&chains, name, one)]);
    }
    for object in &all {
        chains.apply(object).await;
    }
    let said = [
        format!(
            "waiting to read value [.data.never] from object [configmaps/waits] in namespace [{ns}]"
        ),
        format!(
            "cannot read value [.data.never] from healthy object [configmaps/healthy] in namespace [{ns}], \
             contact Platform Eng"
        ),
        format!(
            "cannot read value [.data.never] from unhealthy object [configmaps/unhealthy] in namespace [{ns}], \
             examine object, particularly whether it is receiving proper inputs"
        ),
    ];
    let workloads: Api<Workload> = Api::namespaced(chains.client().await, &ns);
    for ((name, _), said) in rules.iter().zip(said) {
        eventually(&said, PATIENCE, || async {
            let found = workloads.get(name).await.map_err(|why| why.to_string())?;
            let status = found.status.unwrap_or_default();
            let submitted = condition::find(&status.conditions, "ResourcesSubmitted").cloned();
            match submitted {
                Some(it) if it.reason == "MissingValueAtPath" && it.message == said => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    remove(&chains, &named).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_stamps_goes_though_its_template_has_gone_before() {
    let mut chains = Chains::begin().await;
    let (client, ns) = (chains.client().await, chains.ns().to_owned());
    let (first, second) = (format!("first-{ns}"), format!("second-{ns}"));
    let resource = |name: &str, template: &str| json!({"name": name, "templateRef": {"kind": "ClusterConfigTemplate", "name": template}});
    let mut both = chain(&first, &first);
    both["spec"]["resources"] = json!([resource("one", &first), resource("two", &second)]);
    for object in [
        &account(&chains),
        &template(&first, &map("first", "a")),
        &template(&second, &map("second", "a")),
        &both,
        &workload(&chains, "shop", &first),
    ] {
        chains.apply(object).await;
    }
    until(&chains, "shop", "Ready").await;
    let templates: Api<ClusterConfigTemplate> = Api::all(client.clone());
    let gone = templates.delete(&second, &DeleteParams::default()).await;
    gone.expect("it is there");
    until(&chains, "shop", "TemplatesNotFound").await;
    chains.stop();
    both["spec"]["resources"] = json!([resource("one", &first)]);
    chains.apply(&both).await;
    chains.start().await;
    until_gone(&client, &ns, "second").await;
    until(&chains, "shop", "Ready").await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &ns);
    maps.get("first").await.expect("it stays");
    remove(&chains, &[&first, &second]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_writes_nothing_that_was_stamped_before() {
    let (_turn, world, controller) = chains().await;
    let case = Case::read(&ours("supplychain").join("a-source-becomes-a-config"));
    let case = case.expect("the case can be read");
    let namespace = world.temp_namespace("kuttl").await;
    let client = world.client().await;
    let ran = case.run(&client, namespace.name(), PATIENCE).await;
    assert_eq!(ran, Ok(()));
    drop(controller);
    let window = Mutex::new(world.audit().await);
    let _again = again(&world).await;
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
    case.remove(&client).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_asks_before_it_stores_a_template() {
    if World::shared().lacks(Need::Admission) {
        return;
    }
    let (_turn, world, controller) = chains().await;
    drop(controller);
    let _asked = asked(&world).await;
    let client = world.client().await;
    let templates: Api<ClusterSourceTemplate> = Api::all(client.clone());
    let only_asked = only_asked();
    let in_ytt = |name: &str, text: &str| -> ClusterSourceTemplate {
        serde_json::from_value(json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSourceTemplate", "metadata": {"name": name},
            "spec": {"urlPath": ".data.url", "revisionPath": ".data.revision", "ytt": text},
        }))
        .expect("the template has the right shape")
    };
    for (text, why) in [
        ("kind: A\nspec: #@ 1 +\n", Some("in-ytt spec.ytt:2:")),
        ("#@ load(\"@ytt:toml\", \"toml\")\nkind: A\n", Some("toml")),
        ("- kind: A\n", Some("in-ytt spec.ytt")),
        // Who knows what a Workload brings.
        (
            "#@ load(\"@ytt:data\", \"data\")\nkind: #@ data.values.workload.spec.env[3].kind\n",
            None,
        ),
        ("#@ if False:\nkind: A\n#@ end\n", None),
        ("apiVersion: v1\nkind: ConfigMap\n", None),
    ] {
        let answer = templates.create(&only_asked, &in_ytt("in-ytt", text)).await;
        match (answer, why) {
            (Ok(_), None) => {}
            (Err(kube::Error::Api(status)), Some(why)) => {
                assert!(
                    status.message.contains("invalid template: "),
                    "{}",
                    status.message
                );
                assert!(status.message.contains(why), "{}", status.message);
            }
            (answer, _) => panic!("{text}: {answer:?}"),
        }
    }
    let workloads: Api<Workload> = Api::namespaced(client.clone(), "default");
    let long: Workload = serde_json::from_value(json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "Workload",
        "metadata": {"name": "a".repeat(64)}, "spec": {},
    }))
    .expect("the Workload has the right shape");
    let answer = workloads.create(&only_asked, &long).await;
    let why = answer
        .expect_err("the name is no label's value")
        .to_string();
    assert!(why.contains("workload-validator.shipway.run"), "{why}");
    unasked(&world).await;
}
