//! What paths find in an owner with little or nothing set.

use serde_json::{Value, json};

use super::*;
use crate::jsonpath::one;

/// One row of the table of expressions over a Workload with nothing set.
#[track_caller]
fn check(path: &str, expected: &str) {
    check_in(
        &json!({"apiVersion": "carto.run/v1alpha1", "kind": "Workload", "metadata": {"name": "shop"}, "spec": {}}),
        path,
        expected,
    );
}

#[track_caller]
fn check_in(owner: &Value, path: &str, expected: &str) {
    let context = Typed::Struct(vec![Member::new("workload", Typed::workload(owner))]);
    let found = match one(path, &context) {
        Ok(value) => value.to_string(),
        Err(error) if error.is_does_not_exist() => "missing".to_owned(),
        Err(error) => error.to_string(),
    };
    let (found, expected) = match expected.strip_suffix('*') {
        Some(head) => (found.get(..head.len()).unwrap_or(&found), head),
        None => (found.as_str(), expected),
    };
    assert_eq!(found, expected, "{path}");
}

/// What Go said of each path below an empty Workload (0) and one with something set (1): client-go's
/// JSONPath over structs that are declared as Cartographer's are.
const JUDGED: &str = include_str!("tests/judged.jsonl");

#[test]
fn an_owner_is_walked_as_go_walks_it() {
    let metadata = json!({"name": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"});
    let owner = |metadata: &Value, spec: Value| json!({"apiVersion": "carto.run/v1alpha1", "kind": "Workload", "metadata": metadata, "spec": spec});
    let empty = owner(&metadata, json!({}));
    let mut labelled = metadata.clone();
    labelled["labels"] = json!({"a.b/c": "x"});
    let set = owner(
        &labelled,
        json!({
            "params": [{"name": "p", "value": {"k": [1]}}], "source": {"git": {"url": "u"}},
            "env": [{"name": "a", "value": ""}, {"name": "b", "value": "x"}],
            "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}},
            "serviceClaims": [{"name": "db"}],
        }),
    );
    for line in JUDGED.lines() {
        let (which, path, theirs): (usize, String, String) =
            serde_json::from_str(line).expect("a line is a number and two texts");
        let owner = if which == 0 { &empty } else { &set };
        // Go names its types where a path takes a struct or a map for a list.
        let theirs = match theirs.rsplit_once(": ") {
            Some((head, text)) if text.contains("is not array or slice") => format!("{head}: *"),
            _ => theirs,
        };
        check_in(owner, &format!("workload.{path}"), &theirs);
    }
}

#[test]
fn pointers_maps_and_lists_that_nobody_set_are_null() {
    for path in [
        "spec.source",
        "spec.image",
        "spec.resources",
        "spec.env",
        "spec.params",
        "spec.serviceClaims",
        "spec.build.env",
        "metadata.labels",
        "metadata.annotations",
        "metadata.ownerReferences",
        "metadata.finalizers",
        "metadata.deletionTimestamp",
    ] {
        check(&format!("workload.{path}"), "null");
    }
}

#[test]
fn below_null_there_is_nothing() {
    check("workload.spec.source.git.url", "missing");
    check("workload.spec.source.git", "missing");
    check("workload.spec.resources.limits", "missing");
    check("workload.metadata.labels.missing", "missing");
}

#[test]
fn texts_that_nobody_set_are_empty() {
    check("workload.spec.serviceAccountName", "\"\"");
    check("workload.metadata.generateName", "\"\"");
    let owner = json!({"spec": {"env": [{"name": "a"}]}});
    check_in(&owner, "workload.spec.env[0].value", "\"\"");
    check_in(&owner, "workload.spec.env[0].valueFrom", "null");
}

#[test]
fn structs_that_nobody_set_are_empty_objects() {
    check("workload.spec.build", "{}");
    check("workload.status.supplyChainRef", "{}");
}

#[test]
fn a_list_that_nobody_set_is_indexed_and_filtered_like_an_empty_one() {
    let text = "evaluate: failed to find results: array index out of bounds: index 0, length 0";
    check("workload.spec.env[0]", text);
    check("workload.spec.env[?(@.name==\"x\")].value", "missing");
    check("workload.spec.env[*]", "missing");
}

#[test]
fn raw_json_is_found_and_walked_further() {
    let owner = json!({"spec": {"params": [{"name": "p", "value": {"k": [1]}}]}});
    check_in(
        &owner,
        "workload.spec.params[?(@.name==\"p\")].value",
        "{\"k\":[1]}",
    );
    check_in(
        &owner,
        "workload.spec.params[?(@.name==\"p\")].value.k[0]",
        "1",
    );
}

#[test]
fn names_of_go_fields_are_no_names() {
    check("workload.Spec.Source", "missing");
}

#[test]
fn what_is_inserted_is_the_json_without_what_nobody_set() {
    check(
        "workload",
        "{\"apiVersion\":\"carto.run/v1alpha1\",\"kind\":\"Workload\",\"metadata\":{\"name\":\"shop\"},\"spec\":{\"build\":{}},\"status\":{\"supplyChainRef\":{}}}",
    );
    let owner = json!({"spec": {"env": [{"name": "a", "value": ""}, {"name": "b", "value": "x"}]}});
    check_in(
        &owner,
        "workload.spec.env",
        "[{\"name\":\"a\"},{\"name\":\"b\",\"value\":\"x\"}]",
    );
}

#[test]
fn a_deliverable_has_no_field_of_a_workload() {
    let owner = Typed::deliverable(&json!({"spec": {}}));
    assert_eq!(one("spec.source", &owner), Ok(Value::Null));
    assert!(
        one("spec.build", &owner)
            .expect_err("it has none")
            .is_does_not_exist()
    );
    assert_eq!(one("status.deliveryRef", &owner), Ok(json!({})));
}

#[test]
fn a_runnable_has_inputs_of_any_shape() {
    let owner = Typed::runnable(&json!({"spec": {"inputs": {"k": {"sub": 1}}}}));
    assert_eq!(one("spec.inputs.k", &owner), Ok(json!({"sub": 1})));
    assert_eq!(one("spec.inputs.k.sub", &owner), Ok(json!(1)));
    assert_eq!(one("status.outputs", &owner), Ok(Value::Null));
}

#[test]
fn quantities_are_canonical() {
    for (given, written) in [
        ("1000m", "1"),
        ("250m", "250m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5", "500m"),
        ("1e3", "1e3"),
        ("1500", "1500"),
        ("1000000", "1M"),
        ("100", "100"),
        ("0", "0"),
        ("0Mi", "0"),
        ("1023Ki", "1023Ki"),
        ("512", "512"),
        ("1000Ki", "1000Ki"),
        ("0.5Ki", "512"),
        ("-1000m", "-1"),
        ("0.1n", "1n"),
        ("12E", "12E"),
        ("1.5", "1500m"),
        ("+5", "5"),
        (".5", "500m"),
        ("1Ei", "1Ei"),
        ("2048", "2048"),
        ("0.001Ki", "1024m"),
        ("1e-3", "1e-3"),
        ("12e6", "12e6"),
        ("what", "what"),
        ("", ""),
    ] {
        let owner = json!({"spec": {"resources": {"limits": {"cpu": given}}}});
        check_in(
            &owner,
            "workload.spec.resources.limits.cpu",
            &format!("\"{written}\""),
        );
    }
    let owner = json!({"spec": {"resources": {"limits": {"cpu": 2}}}});
    check_in(&owner, "workload.spec.resources.limits", "{\"cpu\":\"2\"}");
}

#[test]
fn an_owner_of_an_odd_shape_is_kept_as_it_is() {
    for owner in [
        json!(null),
        json!([]),
        json!("x"),
        json!({"spec": 5, "metadata": null}),
    ] {
        let typed = Typed::workload(&owner);
        let _ = (typed.json(), one("spec.source", &typed));
    }
}
