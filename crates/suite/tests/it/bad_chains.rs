//! What goes wrong around supply chains: what they stand on goes, owners go, objects are too large, and there are
//! more blueprints than anybody needs.

use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kinds::condition::{self, Condition};
use kinds::{ClusterConfigTemplate, ClusterSupplyChain, Workload};
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{Value, json};
use testkit::eventually;

use crate::choreography::Chains;

const PATIENCE: Duration = Duration::from_secs(40);
/// How long the garbage collector may take: Kubernetes' own looks every 30 s for kinds that are new.
const COLLECTED: Duration = Duration::from_mins(2);
/// How many blueprints there are that nobody needs. With 10,000 it is measured: `cargo xtask bench chains`.
const MANY: usize = 500;

/// A template, and what it stamps.
pub(crate) fn template(name: &str, object: &Value) -> Value {
    json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterConfigTemplate", "metadata": {"name": name},
        "spec": {"configPath": ".metadata.name", "template": object},
    })
}

pub(crate) fn map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}})
}

/// A supply chain of one resource, for Workloads of its name.
pub(crate) fn chain(name: &str, template: &str) -> Value {
    json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain", "metadata": {"name": name},
        "spec": {
            "selector": {"chain": name},
            "resources": [{"name": "only", "templateRef": {"kind": "ClusterConfigTemplate", "name": template}}],
        },
    })
}

pub(crate) fn workload(chains: &Chains, name: &str, chain: &str) -> Value {
    json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "Workload",
        "metadata": {"name": name, "namespace": chains.ns(), "labels": {"chain": chain}},
        "spec": {"serviceAccountName": "builder"},
    })
}

pub(crate) fn account(chains: &Chains) -> Value {
    json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "builder", "namespace": chains.ns()}})
}

/// Waits until `Ready` of a Workload has this reason; tells its message.
pub(crate) async fn until(chains: &Chains, name: &str, reason: &str) -> String {
    let workloads: Api<Workload> = Api::namespaced(chains.client().await, chains.ns());
    let ready = eventually(reason, PATIENCE, || async {
        let found = workloads.get(name).await.map_err(|why| why.to_string())?;
        let status = found.status.unwrap_or_default();
        let ready = condition::find(&status.conditions, "Ready").cloned();
        match ready {
            Some(ready) if ready.reason == reason => Ok(ready),
            other => Err(format!("{other:?}")),
        }
    });
    let Condition { message, .. } = ready.await;
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_while_owners_live_is_told_and_may_come_back() {
    let chains = Chains::begin().await;
    let client = chains.client().await;
    let (one, ns) = (format!("going-{}", chains.ns()), chains.ns().to_owned());
    let (template, chain) = (
        template(&one, &map("$(workload.metadata.name)$", "a")),
        chain(&one, &one),
    );
    for object in [
        &account(&chains),
        &template,
        &chain,
        &workload(&chains, "shop", &one),
    ] {
        chains.apply(object).await;
    }
    until(&chains, "shop", "Ready").await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), &ns);
    let before = maps.get("shop").await.expect("it was stamped").metadata.uid;
    let now = DeleteParams::default();

    let templates: Api<ClusterConfigTemplate> = Api::all(client.clone());
    templates.delete(&one, &now).await.expect("it is there");
    let why = until(&chains, "shop", "TemplatesNotFound").await;
    assert_eq!(why, "did not find the template of the resource(s) [only]");
    chains.apply(&template).await;
    until(&chains, "shop", "Ready").await;

    let supply_chains: Api<ClusterSupplyChain> = Api::all(client.clone());
    supply_chains.delete(&one, &now).await.expect("it is there");
    let why = until(&chains, "shop", "SupplyChainNotFound").await;
    assert!(why.ends_with(&format!("map[chain:{one}]")), "{why}");
    chains.apply(&chain).await;
    until(&chains, "shop", "Ready").await;

    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), &ns);
    accounts.delete("builder", &now).await.expect("it is there");
    let why = until(&chains, "shop", "ServiceAccountError").await;
    assert!(why.contains(&format!("[{ns}/builder]")), "{why}");
    chains.apply(&account(&chains)).await;
    until(&chains, "shop", "Ready").await;
    let after = maps.get("shop").await.expect("it is there").metadata.uid;
    assert_eq!(after, before, "what was stamped stayed all the time");
    let _ = (
        supply_chains.delete(&one, &now).await,
        templates.delete(&one, &now).await,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_that_goes_while_its_objects_are_stamped_is_told_and_may_come_back() {
    let chains = Chains::begin().await;
    let client = chains.client().await;
    let group = format!("{}.example.com", chains.ns());
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("things.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    let one = format!("defined-{}", chains.ns());
    let thing = json!({"apiVersion": format!("{group}/v1"), "kind": "Thing", "metadata": {"name": "thing"}, "spec": {}});
    // The accounts of the namespace may do everything in it, the controller watches what it is told to.
    let watched = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": one, "labels": {"shipway.run/aggregate-to-controller": "true"}},
        "rules": [{"apiGroups": [group], "resources": ["*"], "verbs": ["get", "list", "watch"]}],
    });
    for object in [
        &watched,
        &account(&chains),
        &template(&one, &thing),
        &chain(&one, &one),
        &workload(&chains, "shop", &one),
    ] {
        chains.apply(object).await;
    }
    let why = until(&chains, "shop", "TemplateRejectedByAPIServer").await;
    assert!(why.contains("no matches for kind \"Thing\""), "{why}");
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    for _ in 0..2 {
        chains.apply(&definition).await;
        until(&chains, "shop", "Ready").await;
        let name = format!("things.{group}");
        definitions
            .delete(&name, &DeleteParams::default())
            .await
            .expect("it is there");
        until(&chains, "shop", "TemplateRejectedByAPIServer").await;
        // Its objects may be refused before it is gone, and who applies it then only writes to what goes.
        eventually("the definition to be gone", PATIENCE, || async {
            match definitions.get_opt(&name).await {
                Ok(None) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
    for (kind, name) in [
        ("clustersupplychains", &one),
        ("clusterconfigtemplates", &one),
    ] {
        chains
            .remove(&format!("/apis/carto.run/v1alpha1/{kind}/{name}"))
            .await;
    }
    chains
        .remove(&format!(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/{one}"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_goes_half_way_leaves_nothing() {
    let chains = Chains::begin().await;
    let client = chains.client().await;
    let one = format!("half-{}", chains.ns());
    let mut waits = template(&one, &map("$(workload.metadata.name)$-first", "a"));
    waits["spec"]["configPath"] = json!(".data.never");
    for object in [
        &account(&chains),
        &waits,
        &chain(&one, &one),
        &workload(&chains, "shop", &one),
    ] {
        chains.apply(object).await;
    }
    until(&chains, "shop", "MissingValueAtPath").await;
    let workloads: Api<Workload> = Api::namespaced(client.clone(), chains.ns());
    workloads
        .delete("shop", &DeleteParams::default())
        .await
        .expect("it is there");
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), chains.ns());
    eventually("what was stamped to go", COLLECTED, || async {
        match maps.get_opt("shop-first").await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    for kind in ["clustersupplychains", "clusterconfigtemplates"] {
        chains
            .remove(&format!("/apis/carto.run/v1alpha1/{kind}/{one}"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_too_large_is_told_and_costs_its_owner_alone() {
    let chains = Chains::begin().await;
    let (large, small) = (
        format!("large-{}", chains.ns()),
        format!("small-{}", chains.ns()),
    );
    let repeated = "$(params.text)$$(params.text)$$(params.text)$";
    let mut owner = workload(&chains, "large", &large);
    owner["spec"]["params"] = json!([{"name": "text", "value": "x".repeat(600 * 1024)}]);
    for object in [
        &account(&chains),
        &template(&large, &map("large", repeated)),
        &chain(&large, &large),
        &template(&small, &map("small", "a")),
        &chain(&small, &small),
        &owner,
        &workload(&chains, "small", &small),
    ] {
        chains.apply(object).await;
    }
    let why = until(&chains, "large", "TemplateRejectedByAPIServer").await;
    assert!(
        why.len() < 4096,
        "the object is not in the message: {} bytes",
        why.len()
    );
    until(&chains, "small", "Ready").await;
    for name in [&large, &small] {
        for kind in ["clustersupplychains", "clusterconfigtemplates"] {
            chains
                .remove(&format!("/apis/carto.run/v1alpha1/{kind}/{name}"))
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_supply_chains_hold_nobody_up() {
    let chains = Chains::begin().await;
    let client = chains.client().await;
    let api: Api<ClusterSupplyChain> = Api::all(client.clone());
    let mark = chains.ns().to_owned();
    let (api, mark) = (&api, mark.as_str());
    let made = (0..MANY).map(|number| async move {
        let mut blueprint = chain(&format!("many-{number}-{mark}"), "none");
        blueprint["metadata"]["labels"] = json!({"many": mark});
        let blueprint: ClusterSupplyChain = serde_json::from_value(blueprint).expect("it is one");
        api.create(&PostParams::default(), &blueprint)
            .await
            .map(drop)
    });
    let made = stream::iter(made).buffer_unordered(32);
    made.try_collect::<Vec<()>>()
        .await
        .expect("they can be created");
    let one = format!("one-{mark}");
    for object in [
        &account(&chains),
        &template(&one, &map("$(workload.metadata.name)$", "a")),
        &chain(&one, &one),
        &workload(&chains, "shop", &one),
    ] {
        chains.apply(object).await;
    }
    until(&chains, "shop", "Ready").await;
    let gone = (0..MANY).map(|number| async move {
        let name = format!("many-{number}-{mark}");
        api.delete(&name, &DeleteParams::default()).await.map(drop)
    });
    let gone = stream::iter(gone).buffer_unordered(32);
    gone.try_collect::<Vec<()>>()
        .await
        .expect("they can be deleted");
    let changed = template(&one, &map("$(workload.metadata.name)$", "b"));
    chains.apply(&changed).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, chains.ns());
    eventually("the change to be stamped", PATIENCE, || async {
        match maps.get_opt("shop").await {
            Ok(Some(map))
                if map
                    .data
                    .as_ref()
                    .is_some_and(|data| data.values().any(|it| it == "b")) =>
            {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    for kind in ["clustersupplychains", "clusterconfigtemplates"] {
        chains
            .remove(&format!("/apis/carto.run/v1alpha1/{kind}/{one}"))
            .await;
    }
}
