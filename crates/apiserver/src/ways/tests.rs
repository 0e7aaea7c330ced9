//! What becomes of objects, compared with what the genuine server makes of them
//! (`tests/data/ways/record.sh`).

use serde_json::{Map, Value, json};

use super::*;
use crate::catalogue::Catalogue;
use crate::registry::draft::{self, Author};
use crate::registry::kind::Kind;
use crate::registry::meta;
use crate::registry::options::WriteOptions;
use crate::registry::origin::Origin;
use crate::status::Status;

const RECORDED: &str = include_str!("../../tests/data/ways/recorded.jsonl");
const NOW: &str = "2026-01-01T00:00:00Z";
const AUTHOR: Author<'static> = Author {
    manager: "test",
    now: NOW,
};

/// The answers that differ on purpose, each with its reason. Whoever makes one the same again is told.
const OTHERWISE: &[(&str, &str)] = &[
    ("secret docker bad json", "words of Go's JSON reader"),
    ("service duplicate ports", STRUCT),
    ("deployment faults", STRUCT),
    ("claim", FINALIZER),
    ("claim data source", FINALIZER),
    ("claim unknown data source", FINALIZER),
    ("claim data source ref", FINALIZER),
];
const STRUCT: &str = "upstream shows a struct of Go's, whose fields have an order";
const FINALIZER: &str = "nobody would take the finalizer of volumes in use away";

fn kind(case: &Value) -> Kind {
    let resource = case["resource"].as_str().unwrap_or_default();
    let parts: Vec<&str> = resource.split('/').collect();
    let (group, version, plural) = match parts.as_slice() {
        [version, plural] => ("", *version, *plural),
        [group, version, plural] => (*group, *version, *plural),
        _ => panic!("{resource} is no resource"),
    };
    let catalogue = Catalogue::builtin();
    let found = catalogue
        .resource(group, version, plural)
        .expect("a known resource");
    Kind::builtin(found).expect("a known type")
}

fn answer(case: &Value) -> Value {
    let kind = kind(case);
    without_uids(match written(&kind, case) {
        Ok(mut object) => {
            kind.conceal(&mut object);
            plain(&kind, case, object)
        }
        Err(status) => status.to_json(),
    })
}

fn written(kind: &Kind, case: &Value) -> Result<Value, Status> {
    let options = WriteOptions::default();
    let admitted = |object: Value| -> Result<Value, Status> {
        let mut object =
            draft::admit(kind, object.into(), Origin::Body, &options, &mut Vec::new())?;
        let namespace = if case["cluster"] == json!(true) {
            ""
        } else {
            "ways"
        };
        meta::settle_place(&mut object, namespace, "")?;
        Ok(object)
    };
    if case["change"].is_null() {
        return draft::create(kind, admitted(case["object"].clone())?, AUTHOR);
    }
    let mut live = case["before"].clone();
    for (name, value) in [
        ("uid", "UID"),
        ("creationTimestamp", NOW),
        ("resourceVersion", "1"),
    ] {
        live["metadata"][name] = json!(value);
    }
    let mut changed = live.clone();
    merge(&mut changed, &case["change"]);
    let subresource = case["subresource"].as_str().unwrap_or_default();
    let changed = draft::change(kind, &live, admitted(changed)?, subresource, AUTHOR)?;
    Ok(changed.unwrap_or(live))
}

/// As jq merges: `null` is a value.
fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

/// Without what chance, time and allocation decide.
fn plain(kind: &Kind, case: &Value, mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for name in [
            "uid",
            "creationTimestamp",
            "resourceVersion",
            "managedFields",
        ] {
            metadata.remove(name);
        }
    }
    if kind.ways.special == Special::HasAddresses
        && case["object"]["spec"]["clusterIP"].is_null()
        && case["change"].is_null()
    {
        for name in ["clusterIP", "clusterIPs"] {
            if let Some(spec) = object["spec"].as_object_mut() {
                spec.remove(name);
            }
        }
    }
    object
}

/// Uids are made by chance.
fn without_uids(mut value: Value) -> Value {
    let uid = regex::Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("a pattern");
    let text = value.to_string();
    value = serde_json::from_str(&uid.replace_all(&text, "UID")).expect("it was JSON before");
    value
}

/// What is wrong, in no order.
fn causes(answer: &Value) -> Vec<String> {
    let causes = answer["details"]["causes"].as_array();
    let mut all: Vec<String> = causes.into_iter().flatten().map(Value::to_string).collect();
    all.sort();
    all
}

fn differences(path: &str, got: &Value, wanted: &Value, all: &mut Vec<String>) {
    if let (Value::Object(got), Value::Object(wanted)) = (got, wanted) {
        let mut names: Vec<&String> = got.keys().chain(wanted.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let pick = |map: &'_ Map<String, Value>| map.get(name).cloned().unwrap_or_default();
            if got.contains_key(name) != wanted.contains_key(name) || pick(got) != pick(wanted) {
                differences(&format!("{path}.{name}"), &pick(got), &pick(wanted), all);
            }
        }
        return;
    }
    all.push(format!(
        "  {path}: {got} where the genuine server has {wanted}"
    ));
}

#[test]
fn objects_become_what_the_genuine_server_makes_of_them() {
    let mut wrong = Vec::new();
    for line in RECORDED.lines() {
        let line = line.replace("\"NOW\"", &format!("\"{NOW}\""));
        let case: Value = serde_json::from_str(&line).expect("recorded data is JSON");
        let (name, wanted) = (case["case"].as_str().unwrap_or_default(), &case["answer"]);
        let got = answer(&case);
        let mut all = Vec::new();
        if got["kind"] == "Status" && wanted["kind"] == "Status" {
            let (ours, theirs) = (causes(&got), causes(wanted));
            for cause in ours.iter().filter(|cause| !theirs.contains(cause)) {
                all.push(format!("  + {cause}"));
            }
            for cause in theirs.iter().filter(|cause| !ours.contains(cause)) {
                all.push(format!("  - {cause}"));
            }
            if ours.len() != theirs.len() && all.is_empty() {
                all.push(format!(
                    "  {} causes where there are {}",
                    ours.len(),
                    theirs.len()
                ));
            }
            if all.is_empty() {
                differences("", &got, wanted, &mut all);
            }
        } else {
            differences("", &got, wanted, &mut all);
        }
        let reason = OTHERWISE.iter().find(|(known, _)| *known == name);
        match (reason, all.is_empty()) {
            (None, false) => wrong.push(format!("{name}\n{}", all.join("\n"))),
            (Some(_), true) => wrong.push(format!("{name}: is the same again")),
            _ => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn no_object_makes_a_rule_fail() {
    let odd = [
        json!({"spec": [], "metadata": 1, "status": "x", "data": [1], "subsets": [null, 1]}),
        json!({"spec": {"template": 1, "ports": [1, null, []], "rules": {"a": 1}, "type": 5}}),
        json!({"metadata": {"labels": 1, "annotations": [], "finalizers": {}}, "webhooks": [1]}),
        json!([]),
        json!(null),
    ];
    for resource in Catalogue::builtin().resources() {
        let ways = of(&resource.group, &resource.plural);
        for object in &odd {
            let mut new = object.clone();
            (ways.default)(&mut new);
            (ways.begin)(&mut new, Some(object));
            if let Some(conceal) = ways.conceal {
                conceal(&mut new.clone());
            }
            (ways.prepare_create)(&mut new);
            (ways.prepare_update)(&mut new, object);
            (ways.prepare_status_update)(&mut new, object);
            if resource.kind.as_ref() != "CustomResourceDefinition" {
                (ways.validate)(&new, None);
                (ways.validate)(&new, Some(object));
                (ways.validate_status)(&new, object);
            }
            (ways.counts)(&new, object);
            (ways.grace)(&new);
            for (_, read) in ways.selectable {
                read(&new);
            }
        }
    }
}
