//! Outputs, and when a deployment is passed on.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a call with `json!` reads better without a reference"
)]

use kinds::cartographer::blueprint::{DeploymentReference, Resource};
use kinds::cartographer::template::ObservedValue;
use serde_json::json;

use super::*;
use crate::context::Outputs;

fn deployment() -> Inputs {
    let resource = Resource {
        deployment: Some(DeploymentReference {
            resource: "git".to_owned(),
        }),
        ..Resource::default()
    };
    let source = Output::Source {
        url: json!("u"),
        revision: json!("r"),
    };
    Inputs::of(&resource, &Outputs::from([("git".to_owned(), source)]))
}

fn shown(found: Result<Option<Output>, OutputError>) -> String {
    match found {
        Ok(Some(Output::Source { url, revision })) => format!("{url} {revision}"),
        Ok(Some(Output::Image(value) | Output::Config(value))) => value.to_string(),
        Ok(None) => "none".to_owned(),
        Err(error) => {
            let variant = format!("{error:?}");
            let end = variant.find(['(', ' ']).unwrap_or(variant.len());
            format!("{}: {error}", &variant[..end])
        }
    }
}

#[track_caller]
fn check(paths: Paths<'_>, object: Value, expected: &str) {
    assert_eq!(shown(read(paths, &object, &deployment())), expected);
}

#[test]
fn a_status_of_an_earlier_generation_gives_nothing() {
    let of = |observed: i64| {
        json!({
            "metadata": {"generation": 2, "name": "n"}, "spec": {"statuses": "s"},
            "status": {"observedGeneration": observed, "image": "i"},
        })
    };
    let behind = |path: &str| {
        format!(
            "MissingValue: failed to evaluate json path '{path}': failed to evaluate the url path [{path}]: \
             the status is of an earlier generation"
        )
    };
    for path in [".status.image", "status.image", "{.status.image}"] {
        check(Paths::Image(path), of(1), &behind(path));
        check(Paths::Image(path), of(2), "\"i\"");
    }
    let same = [ObservedMatch {
        input: ".status.image".to_owned(),
        output: ".status.image".to_owned(),
    }];
    let deployed = || {
        Paths::Deployment(Deployed {
            matches: Some(&same),
            completion: None,
        })
    };
    check(
        deployed(),
        of(1),
        "NotMet: could not find value on input [.status.image]: the status is of an earlier generation",
    );
    check(deployed(), of(2), "\"u\" \"r\"");
    check(Paths::Image(".metadata.name"), of(1), "\"n\"");
    check(Paths::Image(".spec.statuses"), of(1), "\"s\"");
}

#[test]
fn outputs_are_values_of_any_type() {
    let object = json!({"status": {"url": "u", "rev": {"a": 1}, "n": null}});
    let source = |url, revision| Paths::Source { url, revision };
    check(
        source("status.url", "status.rev"),
        object.clone(),
        "\"u\" {\"a\":1}",
    );
    check(Paths::Image(".status.url"), object.clone(), "\"u\"");
    check(Paths::Config("{.status.rev.a}"), object.clone(), "1");
    check(Paths::Config("status.n"), object.clone(), "none");
    check(Paths::None, object, "none");
}

#[test]
fn a_value_that_is_not_there_is_missing_at_its_path() {
    let object = json!({"status": {"url": "u"}});
    let source = Paths::Source {
        url: "status.url",
        revision: "",
    };
    check(
        source,
        object.clone(),
        "MissingValue: failed to evaluate json path '': failed to evaluate the revision path []: empty jsonpath not allowed",
    );
    check(
        Paths::Config("status.x"),
        object,
        "MissingValue: failed to evaluate json path 'status.x': failed to evaluate spec.configPath [status.x]: jsonpath returned empty list: status.x",
    );
}

fn matched(pairs: &[(&str, &str)], object: Value, expected: &str) {
    let matches: Vec<_> = pairs
        .iter()
        .map(|(input, output)| ObservedMatch {
            input: (*input).to_owned(),
            output: (*output).to_owned(),
        })
        .collect();
    let deployed = Deployed {
        matches: Some(&matches),
        completion: None,
    };
    check(Paths::Deployment(deployed), object, expected);
}

#[test]
fn a_deployment_is_passed_on_once_its_fields_are_equal() {
    let object = |have: Value| json!({"spec": {"want": "a"}, "status": {"have": have}});
    let pair = [("spec.want", "status.have")];
    matched(&pair, object(json!("a")), "\"u\" \"r\"");
    matched(
        &pair,
        object(json!("b")),
        "NotMet: input [spec.want] and output [status.have] do not match: a != b",
    );
    matched(
        &pair,
        json!({"spec": {"want": "a"}}),
        "NotMet: could not find value on output [status.have]: jsonpath returned empty list: status.have",
    );
    matched(
        &[("no", "spec")],
        object(json!(1)),
        "NotMet: could not find value on input [no]: jsonpath returned empty list: no",
    );
    matched(&[], json!({}), "\"u\" \"r\"");
}

#[test]
fn two_maps_can_be_compared() {
    let object = json!({"a": {"k": 1}, "b": {"k": 1.0}, "c": {"k": 1}});
    matched(&[("a", "c")], object.clone(), "\"u\" \"r\"");
    matched(
        &[("a", "b")],
        object,
        "NotMet: input [a] and output [b] do not match: map[k:1] != map[k:1]",
    );
}

#[track_caller]
fn completed(object: Value, expected: &str) {
    let observed = |key: &str, value: &str| ObservedValue {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let completion = ObservedCompletion {
        succeeded: observed("status.conditions[?(@.type==\"Ok\")].status", "True"),
        failed: Some(observed(
            "status.conditions[?(@.type==\"Failed\")].status",
            "True",
        )),
    };
    let deployed = Deployed {
        matches: None,
        completion: Some(&completion),
    };
    check(Paths::Deployment(deployed), object, expected);
}

fn object(generation: i64, observed: Value, conditions: &[(&str, &str)]) -> Value {
    let conditions: Vec<_> = conditions
        .iter()
        .map(|(kind, status)| json!({"type": kind, "status": status}))
        .collect();
    json!({"metadata": {"generation": generation}, "status": {"observedGeneration": observed, "conditions": conditions}})
}

#[test]
fn a_deployment_is_passed_on_once_its_status_says_so() {
    completed(object(1, json!(1), &[("Ok", "True")]), "\"u\" \"r\"");
    completed(
        object(1, json!(1), &[("Ok", "False")]),
        "NotMet: deployment success condition [status.conditions[?(@.type==\"Ok\")].status] was: False, expected: True",
    );
    completed(
        object(1, json!(1), &[]),
        "NotMet: failed to evaluate succeededCondition.Key [status.conditions[?(@.type==\"Ok\")].status]: jsonpath returned empty list: status.conditions[?(@.type==\"Ok\")].status",
    );
}

#[test]
fn a_failure_is_looked_at_before_success() {
    completed(
        object(1, json!(1), &[("Ok", "True"), ("Failed", "True")]),
        "Failed: deployment failure condition [status.conditions[?(@.type==\"Failed\")].status] was: True",
    );
}

#[test]
fn a_status_of_another_generation_says_nothing() {
    completed(
        object(2, json!(1), &[("Failed", "True")]),
        "NotMet: status.observedGeneration does not equal metadata.generation: 1 != 2",
    );
    completed(
        json!({"metadata": {"generation": 1}}),
        "NoObservedGeneration: failed to evaluate status.observedGeneration: jsonpath returned empty list: status.observedGeneration",
    );
    completed(
        json!({"metadata": {}}),
        "MissingValue: failed to evaluate json path 'metadata.generation': failed to evaluate metadata.generation: jsonpath returned empty list: metadata.generation",
    );
}

#[test]
fn without_a_deployment_there_is_nothing_to_pass_on() {
    let deployed = Deployed {
        matches: None,
        completion: None,
    };
    let found = read(Paths::Deployment(deployed), &json!({}), &Inputs::default());
    assert_eq!(
        shown(found),
        "NoDeployment: deployment not found in upstream template"
    );
}
