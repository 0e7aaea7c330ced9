//! What recorded steps do not reach: scales, patterns, times, and requests that mean harm.

use serde_json::{Value, json};

use super::notation::{Types, types};
use crate::fields::{
    Element, Force, Outcome, Replicas, Target, Writer, apply, keep_times, manager_of, update,
};

const NOW: &str = "2026-01-31T12:00:00Z";

fn widgets() -> Types {
    types(&json!({
        "root": {"struct": {
            "apiVersion": "string", "kind": "string",
            "metadata": {"struct": {"name": "string", "namespace": "string", "uid": "string",
                "labels": {"map": "string"}, "annotations": {"map": "string"}, "managedFields": {"atomic": "any"}}},
            "spec": {"struct": {"mode": "string", "replicas": "numeric", "flag": "boolean", "free": "any",
                "tags": {"set": "string"},
                "ports": {"list": {"struct": {"port": "numeric", "name": "string"}}, "keys": ["port"]}}},
        }},
        "types": {},
    }))
}

fn target<'a>(types: &'a Types, empty: &'a Value) -> Target<'a> {
    Target {
        schema: &types.schema,
        root: types.root,
        api_version: "example.com/v1",
        kind: "Widget",
        subresource: "",
        reset: None,
        empty,
    }
}

fn widget(spec: &Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec})
}

fn applied(live: Option<&Value>, spec: &Value, manager: &str) -> Result<Value, String> {
    let (types, empty) = (
        widgets(),
        json!({"apiVersion": "example.com/v1", "kind": "Widget"}),
    );
    let writer = Writer { manager, now: NOW };
    match apply(
        &target(&types, &empty),
        live,
        &widget(spec),
        writer,
        Force::No,
    ) {
        Ok(Outcome::Changed(object)) => Ok(object),
        Ok(Outcome::Same) => Ok(live.cloned().unwrap_or_default()),
        Err(status) => Err(format!("{} {}", status.code, status.message)),
    }
}

#[test]
fn a_scale_shares_the_owners_of_replicas() {
    for line in include_str!("scale.jsonl").lines() {
        let step: Value = serde_json::from_str(line).expect("each line is JSON");
        let path = step["path"].as_str().unwrap_or_default();
        let path: Vec<Element> = path.split('.').skip(1).map(Element::field).collect();
        let replicas = Replicas {
            api_version: step["version"].as_str().unwrap_or_default(),
            path: &path,
        };
        let got = match step["op"].as_str() {
            Some("to scale") => replicas.to_scale(Some(&step["parent"])),
            _ => replicas.to_parent(Some(&step["parent"]), Some(&step["scale"])),
        };
        assert_eq!(
            got.map(Option::unwrap_or_default),
            Ok(step["out"].clone()),
            "{line}"
        );
    }
}

#[test]
fn conflicts_are_told_as_the_genuine_server_tells_them() {
    let live = applied(None, &json!({"mode": "x", "replicas": 1}), "helm").expect("created");
    let one = applied(Some(&live), &json!({"mode": "y"}), "flux");
    let two = applied(Some(&live), &json!({"mode": "y", "replicas": 2}), "flux");
    assert_eq!(
        one,
        Err("409 Apply failed with 1 conflict: conflict with \"helm\": .spec.mode".to_owned())
    );
    let text = "409 Apply failed with 2 conflicts: conflicts with \"helm\":\n- .spec.mode\n- .spec.replicas";
    assert_eq!(two, Err(text.to_owned()));
}

#[test]
fn configurations_that_are_not_of_their_type_are_refused() {
    let deep = (0..150).fold(json!(1), |inner, _| json!({ "a": inner }));
    let very_deep = (0..300).fold(json!(1), |inner, _| json!({ "a": inner }));
    for (spec, why) in [
        (
            json!({"bogus": 1}),
            ".spec.bogus: field not declared in schema",
        ),
        (
            json!({"mode": 1}),
            ".spec.mode: expected string, got &value.valueUnstructured{Value:1}",
        ),
        (
            json!({"replicas": "1"}),
            ".spec.replicas: expected numeric (int or float), got string",
        ),
        (json!({"flag": 1}), ".spec.flag: expected boolean, got &{1}"),
        (
            json!({"tags": {"a": 1}}),
            ".spec.tags: expected list, got &{map[a:1]}",
        ),
        (
            json!({"ports": ["a"]}),
            ".spec.ports: element 0: associative list with keys may not have non-map elements",
        ),
        (
            json!({"ports": [{"name": "a"}]}),
            ".spec.ports: element 0: associative list with keys has an element that omits all key fields [\"port\"] (and doesn't have default values for any key fields)",
        ),
        (
            json!({"tags": ["a", "a"]}),
            ".spec.tags: duplicate entries for key [=\"a\"]",
        ),
        (
            json!({"ports": [{"port": 1}, {"port": 1}]}),
            ".spec.ports: duplicate entries for key [port=1]",
        ),
        (
            json!({"mode": 1, "flag": 1}),
            "errors:\n  .spec.flag: expected boolean, got &{1}\n  .spec.mode: expected string, got &value.valueUnstructured{Value:1}",
        ),
        (json!({"free": deep}), ""),
        (json!({"free": very_deep}), "exceeded max depth"),
    ] {
        let got = applied(None, &spec, "flux").err().unwrap_or_default();
        let start = "500 failed to create typed patch object (/a; example.com/v1, Kind=Widget): ";
        match why {
            "exceeded max depth" => assert!(got.ends_with(why), "{got}"),
            "" => assert_eq!(got, ""),
            why => assert_eq!(got, format!("{start}{why}")),
        }
    }
}

#[test]
fn a_time_alone_is_no_change() {
    let object = |time: &str, mode: &str| json!({"metadata": {"managedFields": [{"manager": "a", "time": time}]}, "spec": {"mode": mode}});
    for (mode, time) in [("x", "1"), ("y", "2")] {
        let mut new = object("2", mode);
        keep_times(&object("1", "x"), &mut new);
        assert_eq!(new, object(time, mode));
    }
}

#[test]
fn names_of_managers_come_from_user_agents() {
    for (agent, manager) in [
        ("kubectl/v1.36.3 (linux/amd64) kubernetes/abc", "kubectl"),
        ("curl", "curl"),
        ("", ""),
        ("a\u{1}b/c", "ab"),
    ] {
        assert_eq!(manager_of(agent), manager);
    }
    assert_eq!(manager_of(&"é".repeat(100)).len(), 128);
}

#[test]
fn objects_that_are_no_objects_do_no_harm() {
    let (types, empty) = (
        widgets(),
        json!({"apiVersion": "example.com/v1", "kind": "Widget"}),
    );
    let target = target(&types, &empty);
    let writer = Writer {
        manager: "",
        now: NOW,
    };
    for object in [
        json!(null),
        json!(1),
        json!([]),
        json!({"metadata": 1}),
        json!({"metadata": {"managedFields": 1}}),
    ] {
        assert!(apply(&target, None, &object, writer, Force::Yes).is_err());
        update(&target, Some(&object), object.clone(), writer);
    }
}

#[test]
fn long_lists_in_any_order_are_quick() {
    let tags: Vec<String> = (0..40_000).rev().map(|at| format!("{at:06}")).collect();
    let live = applied(None, &json!({ "tags": tags }), "helm").expect("created");
    let fewer: Vec<&String> = tags.iter().step_by(2).collect();
    let live = applied(Some(&live), &json!({ "tags": fewer }), "helm").expect("applied");
    assert_eq!(live["spec"]["tags"].as_array().map(Vec::len), Some(20_000));
}
