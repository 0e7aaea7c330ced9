//! One test for each rule that Shipway adds.

use serde_json::{Value, json};

use super::*;
use crate::validate;

fn said(result: Result<(), Invalid>) -> String {
    result.map_or_else(|why| why.to_string(), |()| "ok".to_owned())
}

fn delivery_of(resources: &Value) -> ClusterDelivery {
    let object = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterDelivery",
        "metadata": {"name": "basic"},
        "spec": {"selector": {"a": "b"}, "resources": resources}
    });
    serde_json::from_value(object).expect("it is a ClusterDelivery")
}

fn chain_of(resources: &Value) -> ClusterSupplyChain {
    let object = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain",
        "metadata": {"name": "web"},
        "spec": {"selector": {"a": "b"}, "resources": resources}
    });
    serde_json::from_value(object).expect("it is a ClusterSupplyChain")
}

/// Only what Cartographer lets through is refused here.
#[track_caller]
fn check_delivery(resources: &Value, wanted: &str) {
    let object = delivery_of(resources);
    assert_eq!(said(validate::delivery(&object)), "ok");
    assert_eq!(
        said(delivery(&object).and_then(|()| names(&object))),
        wanted
    );
}

#[track_caller]
fn check_chain(resources: &Value, wanted: &str) {
    let object = chain_of(resources);
    assert_eq!(said(validate::supply_chain(&object)), "ok");
    assert_eq!(
        said(supply_chain(&object).and_then(|()| names(&object))),
        wanted
    );
}

fn source(name: &str, from: &str) -> Value {
    let reference = json!({"kind": "ClusterSourceTemplate", "name": "git"});
    let sources = if from.is_empty() {
        json!([])
    } else {
        json!([{"name": "in", "resource": from}])
    };
    json!({"name": name, "templateRef": reference, "sources": sources})
}

#[test]
fn a_forward_reference_is_allowed() {
    check_chain(&json!([source("tested", "code"), source("code", "")]), "ok");
}

#[test]
fn a_cycle_is_refused_and_named() {
    check_chain(
        &json!([source("code", "tested"), source("tested", "code")]),
        "error validating clustersupplychain [web]: resource [code] needs its own output: [code] -> [tested] -> [code]",
    );
}

#[test]
fn a_delivery_may_pass_on_what_it_deployed() {
    let deployment = json!({"kind": "ClusterDeploymentTemplate", "name": "app"});
    check_delivery(
        &json!([
            source("code", ""),
            {"name": "app", "templateRef": deployment, "deployment": {"resource": "code"}},
            {"name": "again", "templateRef": deployment, "deployment": {"resource": "app"}},
            source("after", "app"),
        ]),
        "ok",
    );
}

#[test]
fn an_unknown_reference_of_a_delivery_is_refused() {
    check_delivery(
        &json!([source("code", "nowhere")]),
        "error validating clusterdelivery [basic]: invalid sources for resource [code]: [in] is provided by unknown resource [nowhere]",
    );
    let app = json!({"kind": "ClusterDeploymentTemplate", "name": "app"});
    check_delivery(
        &json!([{"name": "app", "templateRef": app, "deployment": {"resource": "nowhere"}}]),
        "error validating clusterdelivery [basic]: invalid deployment for resource [app]: [deployment] is provided by unknown resource [nowhere]",
    );
}

#[test]
fn a_reference_of_a_delivery_to_a_wrong_kind_is_refused() {
    let config = json!({"kind": "ClusterConfigTemplate", "name": "config"});
    check_delivery(
        &json!([{"name": "config", "templateRef": config}, source("code", "config")]),
        "error validating clusterdelivery [basic]: invalid sources for resource [code]: resource [config] providing [in] must reference a ClusterSourceTemplate or a ClusterDeploymentTemplate",
    );
    check_delivery(
        &json!([source("code", ""), {
            "name": "config", "templateRef": config,
            "configs": [{"name": "in", "resource": "code"}]
        }]),
        "error validating clusterdelivery [basic]: invalid configs for resource [config]: resource [code] providing [in] must reference a ClusterConfigTemplate",
    );
}

#[test]
fn a_name_that_no_label_takes_is_refused() {
    let long = "n".repeat(64);
    assert_eq!(said(name("Workload", &long[..63])), "ok");
    assert_eq!(
        said(name("Workload", &long)),
        format!(
            "error validating workload [{long}]: name cannot be the value of a label: must be no more than 63 characters"
        )
    );
    check_chain(
        &json!([source(&long, "")]),
        &format!(
            "error validating clustersupplychain [web]: resource name [{long}] cannot be the value of a label: must be no more than 63 characters"
        ),
    );
    let reference = json!({"kind": "ClusterTemplate", "name": long});
    check_chain(
        &json!([{"name": "app", "templateRef": reference}]),
        &format!(
            "error validating clustersupplychain [web]: template name [{long}] of resource [app] cannot be the value of a label: must be no more than 63 characters"
        ),
    );
}

#[test]
fn a_name_that_two_resources_have_serves_nobody() {
    let named = |name: &str| Resource {
        name: name.to_owned(),
        ..Resource::default()
    };
    assert_eq!(usable(&[named("a"), named("b")]), Ok(()));
    let why = usable(&[named("a"), named("b"), named("a")]).expect_err("two of one name");
    assert_eq!(why.to_string(), "duplicate resource name [a] found");
}
