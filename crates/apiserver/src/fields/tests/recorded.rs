//! Steps that upstream's own test tables take, with what upstream made of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::notation::{Types, types};
use crate::fields::atom::Ty;
use crate::fields::collect;
use crate::fields::compare::compare;
use crate::fields::managed::{Entry, Managed, Operation};
use crate::fields::merge::{Merged, merge};
use crate::fields::owners::{Force, Ownership};
use crate::fields::reconcile::reconcile;
use crate::fields::remove::remove;
use crate::fields::set::Set;
use crate::fields::validate::{Duplicates, validate};

fn set(value: &Value) -> Set {
    Set::from_value(value).expect("sets of the data can be read")
}

/// Checks each step of a file, and says which ones come out otherwise.
#[track_caller]
fn check(data: &str) {
    let mut all: BTreeMap<u64, Types> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (line, number) in data.lines().zip(1..) {
        let step: Value = serde_json::from_str(line).expect("each line is JSON");
        if let Some(id) = step["schema"].as_u64() {
            all.insert(id, types(&step["is"]));
            continue;
        }
        count += 1;
        let types = &all[&step["type"].as_u64().unwrap_or_default()];
        if let Some((got, expected)) = differs(types, &step) {
            wrong.push(format!(
                "line {number}: {line}\n  got      {got}\n  expected {expected}"
            ));
        }
    }
    let few: Vec<&str> = wrong.iter().take(8).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} of {count} steps are wrong:\n{}",
        wrong.len(),
        few.join("\n")
    );
}

/// What comes of a step and what should, where they differ.
fn differs(types: &Types, step: &Value) -> Option<(Value, Value)> {
    let schema = &types.schema;
    let root = Ty::Of(types.root);
    let (got, expected) = match step["op"].as_str().unwrap_or_default() {
        "validate" => {
            let duplicates = if step["twice"] == true {
                Duplicates::Allowed
            } else {
                Duplicates::Refused
            };
            let got = validate(schema, root, &step["value"], duplicates);
            let got = got.err().map(|faults| faults.to_string());
            // Values come from YAML there, and print otherwise.
            let vague = |text: &str| match text.split_once("got ") {
                Some((start, _)) => start.to_owned(),
                None => text.to_owned(),
            };
            let expected = step["error"].as_str().map(vague);
            // Upstream stops at a field that is not declared, wherever it comes upon it: more may be told.
            let tells = |got: &str, fault: &str| got.lines().any(|line| line.trim() == fault);
            let got = match (got.as_deref(), &expected) {
                (Some(got), Some(fault))
                    if fault.ends_with("not declared in schema") && tells(got, fault) =>
                {
                    expected.clone()
                }
                (got, _) => got.map(vague),
            };
            (json!(got), json!(expected))
        }
        "fields" => (
            collect::fields(schema, root, &step["value"]).to_value(),
            set(&step["set"]).to_value(),
        ),
        "merge" => {
            let out = match merge(schema, root, &step["left"], &step["right"]) {
                Merged::Left => step["left"].clone(),
                Merged::New(value) => value,
            };
            (out, step["out"].clone())
        }
        "compare" => {
            let got = compare(schema, root, Some(&step["left"]), Some(&step["right"]));
            let sets = [got.added, got.removed, got.modified];
            (
                json!(sets.map(|set| set.to_value())),
                json!(["added", "removed", "modified"].map(|name| set(&step[name]).to_value())),
            )
        }
        "remove" => (
            remove(schema, root, &step["value"], &set(&step["set"])),
            step["out"].clone(),
        ),
        "reconcile" => (
            json!(reconcile(schema, root, &set(&step["set"])).map(|set| set.to_value())),
            step["out"].clone(),
        ),
        _ => owners(types, step),
    };
    (got != expected).then_some((got, expected))
}

fn managed(entries: &Value) -> Managed {
    let entries = entries.as_object().into_iter().flatten();
    let entry = |(manager, entry): (&String, &Value)| Entry {
        manager: manager.clone(),
        operation: if entry[1] == true {
            Operation::Apply
        } else {
            Operation::Update
        },
        api_version: entry[0].as_str().unwrap_or_default().to_owned(),
        subresource: String::new(),
        time: None,
        fields: set(&entry[2]),
    };
    Managed {
        entries: entries.map(entry).collect(),
    }
}

fn owners(types: &Types, step: &Value) -> (Value, Value) {
    let reset = step.get("ignored").map(set);
    let ownership = Ownership {
        schema: &types.schema,
        root: Ty::Of(types.root),
        reset: reset.as_ref(),
        is_owner: |left, right| left.manager == right.manager,
    };
    let mut owners = managed(&step["before"]);
    let mine = Entry {
        manager: step["manager"].as_str().unwrap_or_default().to_owned(),
        operation: Operation::Update,
        api_version: step["version"].as_str().unwrap_or_default().to_owned(),
        subresource: String::new(),
        time: None,
        fields: Set::default(),
    };
    let (live, config) = (&step["live"], &step["config"]);
    let object = if step["op"] == "track" {
        ownership.update(&mut owners, live, config, &mine);
        Ok(Some(config.clone()))
    } else {
        let force = if step["force"] == true {
            Force::Yes
        } else {
            Force::No
        };
        ownership.apply(&mut owners, live, config, &mine, force)
    };
    let shown = |managed: &Managed| -> Value {
        let entries = managed.entries.iter();
        let entry = |entry: &Entry| {
            let applied = entry.operation == Operation::Apply;
            let shown = json!([entry.api_version, applied, entry.fields.to_value()]);
            (entry.manager.clone(), shown)
        };
        Value::Object(entries.map(entry).collect())
    };
    let expected = match step.get("conflicts") {
        Some(conflicts) => json!({ "conflicts": conflicts }),
        None => {
            json!({"same": step["same"] == true, "out": step["out"], "after": shown(&managed(&step["after"]))})
        }
    };
    let got = match object {
        Ok(object) => json!({"same": object.is_none(), "out": object, "after": shown(&owners)}),
        Err(conflicts) => {
            let conflicts = conflicts.0.iter();
            let conflicts = conflicts.map(|entry| (entry.manager.clone(), entry.fields.to_value()));
            json!({"conflicts": Value::Object(conflicts.collect())})
        }
    };
    (got, expected)
}

#[test]
fn single_steps_are_those_of_upstream() {
    check(include_str!("typed.jsonl"));
}

#[test]
fn owners_are_those_of_upstream() {
    check(include_str!("owners.jsonl"));
}
