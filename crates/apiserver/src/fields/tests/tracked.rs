//! Objects of built-in kinds that are applied and written by turns, with what upstream's field manager
//! made of them.

use serde_json::{Value, json};

use super::notation::{Types, types};
use crate::fields::{Force, Outcome, Set, Target, Writer, apply, update};
use crate::status::Status;

struct Kind {
    types: Types,
    api_version: String,
    name: String,
    empty: Value,
}

#[track_caller]
fn check(data: &str) {
    let mut kinds = Vec::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (line, number) in data.lines().zip(1..) {
        let step: Value = serde_json::from_str(line).expect("each line is JSON");
        if step.get("schema").is_some() {
            let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
            kinds.push(Kind {
                types: types(&step["is"]),
                api_version: text("apiVersion"),
                name: text("kind"),
                empty: step["empty"].clone(),
            });
            continue;
        }
        count += 1;
        let kind = step["type"]
            .as_u64()
            .and_then(|at| kinds.get(usize::try_from(at).ok()?));
        let kind = kind.expect("kinds come before their objects");
        let (got, expected) = outcomes(kind, &step);
        if got != expected {
            wrong.push(format!(
                "line {number}: {line}\n  got      {got}\n  expected {expected}"
            ));
        }
    }
    let few: Vec<&str> = wrong.iter().take(4).map(String::as_str).collect();
    assert!(
        wrong.is_empty(),
        "{} of {count} steps are wrong:\n{}",
        wrong.len(),
        few.join("\n")
    );
}

/// What comes of a step, and what should.
fn outcomes(kind: &Kind, step: &Value) -> (Value, Value) {
    let text = |name: &str| step[name].as_str().unwrap_or_default();
    let reset: Vec<&str> = step["reset"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let reset = Set::of_fields(&reset);
    let target = Target {
        schema: &kind.types.schema,
        root: kind.types.root,
        api_version: &kind.api_version,
        kind: &kind.name,
        subresource: text("subresource"),
        reset: Some(&reset),
        empty: &kind.empty,
    };
    let writer = Writer {
        manager: text("manager"),
        now: text("now"),
    };
    let live = Some(&step["live"]).filter(|live| !live.is_null());
    let object = &step["object"];
    let got = if step["op"] == "update" {
        update(&target, live, object.clone(), writer)
    } else {
        let force = if step["force"] == true {
            Force::Yes
        } else {
            Force::No
        };
        match apply(&target, live, object, writer, force) {
            Ok(Outcome::Same) => live.unwrap_or(&kind.empty).clone(),
            Ok(Outcome::Changed(object)) => object,
            Err(status) => refused(&status),
        }
    };
    let expected = match step.get("code") {
        Some(code) => json!({"code": code, "message": step["message"], "causes": step["causes"]}),
        None => step["out"].clone(),
    };
    (got, expected)
}

fn refused(status: &Status) -> Value {
    let causes = status.details.as_ref().map(|details| {
        let causes = details.causes.iter();
        let causes =
            causes.map(|cause| format!("{}|{}|{}", cause.reason, cause.message, cause.field));
        let mut causes: Vec<String> = causes.collect();
        causes.sort();
        causes
    });
    let causes = match status.code {
        400 => json!([]),
        _ => json!(causes),
    };
    json!({"code": status.code, "message": status.message, "causes": causes})
}

#[test]
fn objects_get_the_owners_that_upstream_gives_them() {
    check(include_str!("tracked.jsonl"));
}
