//! Objects in, cells out. `recorded.jsonl` has objects as kube-apiserver v1.36.3 served them together with
//! the cells that it made of them at that moment (`now`, in seconds); fields that no cell shows were taken
//! out. `empty.json` has the cells of the rows of its bookmarks, which show an object without anything in it.

use std::collections::BTreeSet;

use super::*;
use serde_json::json;

fn recorded() -> impl Iterator<Item = Value> {
    let lines = include_str!("tests/recorded.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("each line is JSON"))
}

fn printer_of(key: &str) -> &'static Printer {
    let (group, resource) = key.rsplit_once('/').unwrap_or(("", key));
    Printer::of(group, resource)
}

#[test]
fn cells_are_those_of_the_genuine_server() {
    let (mut wrong, mut kinds) = (Vec::new(), BTreeSet::new());
    for line in recorded() {
        let printer = Printer::of(cell::text(&line, "group"), cell::text(&line, "resource"));
        kinds.insert((printer.group, printer.resource));
        let now = Timestamp::from_second(cell::whole(&line, "now")).expect("a time");
        let cells = Value::from(printer.cells(&line["object"], now));
        let conditions = printer.conditions(&line["object"]).unwrap_or_default();
        if cells != line["cells"] || conditions != line["conditions"] {
            wrong.push(format!("{} is {cells} {conditions}", line["cells"]));
        }
    }
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
    let unseen = PRINTERS
        .iter()
        .map(|one| (one.group, one.resource))
        .filter(|one| !kinds.contains(one));
    // Scales are shown by another path.
    assert_eq!(unseen.collect::<Vec<_>>(), [("autoscaling", "scales")]);
}

#[test]
fn an_object_without_anything_is_shown_as_the_genuine_server_shows_it() {
    let empty: Value = serde_json::from_str(include_str!("tests/empty.json")).expect("it is JSON");
    let mut wrong = Vec::new();
    for (key, expected) in empty.as_object().expect("it is a map") {
        let cells = Value::from(printer_of(key).cells(&json!({}), Timestamp::UNIX_EPOCH));
        if cells != *expected {
            wrong.push(format!("{key}: {expected} is {cells}"));
        }
    }
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}

#[test]
fn each_kind_with_cells_has_recorded_columns_and_the_other_way_round() {
    let recorded: Value =
        serde_json::from_str(include_str!("../../data/columns.json")).expect("it is JSON");
    let recorded = recorded.as_object().expect("it is a map").keys();
    let recorded: BTreeSet<&str> = recorded
        .map(String::as_str)
        .filter(|key| !key.starts_with('@'))
        .collect();
    let keys: Vec<String> = PRINTERS
        .iter()
        .map(|printer| format!("{}/{}", printer.group, printer.resource))
        .collect();
    let known = keys.iter().map(|key| key.trim_start_matches('/')).collect();
    assert_eq!(recorded, known);
    for printer in PRINTERS.iter().chain([&OTHER]) {
        let cells = printer.cells(&json!({}), Timestamp::UNIX_EPOCH).len();
        assert_eq!(cells, printer.columns().len(), "{printer:?}");
    }
}

#[test]
fn columns_have_all_that_kubectl_reads() {
    let columns = Printer::of("", "pods").columns();
    let name = &columns[0];
    assert_eq!(
        (&*name.name, &*name.kind, &*name.format),
        ("Name", "string", "name")
    );
    assert!(
        name.description
            .starts_with("Name must be unique within a namespace.")
    );
    let wide: Vec<&str> = columns
        .iter()
        .filter(|one| one.priority == 1)
        .map(|one| &*one.name)
        .collect();
    assert_eq!(wide, ["IP", "Node", "Nominated Node", "Readiness Gates"]);
    let other = Printer::of("example.com", "unheard").columns();
    assert_eq!(other[1].to_json()["name"], "Created At");
    assert_eq!(other[1].to_json()["type"], "date");
}

#[test]
fn nothing_in_an_object_makes_it_fail() {
    for line in recorded() {
        let printer = Printer::of(cell::text(&line, "group"), cell::text(&line, "resource"));
        let object = &line["object"];
        let columns = printer.cells(object, Timestamp::UNIX_EPOCH).len();
        for replaced in 0.. {
            let mut object = object.clone();
            // Replaces one field after the other by what does not belong there.
            let mut left = replaced;
            if !replace(&mut object, &mut left) {
                break;
            }
            let cells = printer.cells(&object, Timestamp::MAX);
            assert_eq!(cells.len(), columns, "{object}");
        }
    }
}

fn replace(value: &mut Value, left: &mut usize) -> bool {
    if *left == 0 {
        *value = match value {
            Value::String(_) => json!(i64::MAX),
            Value::Number(_) => json!(["é"]),
            Value::Array(_) => json!({"": [null]}),
            Value::Object(_) => json!([null, [], "x", {"": 0.5}]),
            _ => json!("0000-99-99T00:00:00Z"),
        };
        return true;
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, left)),
        Value::Object(fields) => fields.values_mut().any(|field| replace(field, left)),
        _ => false,
    }
}

/// Spans as upstream's `TestTranslateTimestampSince` has them, in milliseconds.
#[test]
fn ages_have_two_or_three_digits() {
    let now: Timestamp = "2026-01-31T12:00:00.5Z".parse().expect("a time");
    for (ago, expected) in [
        (-2100, "<invalid>"),
        (-1900, "0s"),
        (0, "0s"),
        (999, "0s"),
        (30_000, "30s"),
        (119_900, "119s"),
        (300_000, "5m"),
        (6_000_000, "100m"),
        (2 * 86_400_000, "2d"),
        (90 * 86_400_000, "90d"),
        (3650 * 86_400_000, "10y"),
    ] {
        let then = Timestamp::from_millisecond(now.as_millisecond() - ago).expect("a time");
        assert_eq!(
            cell::ago(&json!(then.to_string()), now),
            expected,
            "{ago} ms ago"
        );
    }
    assert_eq!(cell::ago(&Value::Null, now), "<unknown>");
}

/// What a cluster cannot be brought to show without great pains, as upstream's own tests have it.
#[test]
fn cells_of_rare_objects() {
    let now: Timestamp = "2026-01-31T12:00:00Z".parse().expect("a time");
    for (key, object, column, expected) in [
        (
            "apps/deployments",
            json!({"spec": {"selector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}}}),
            7,
            "<invalid>",
        ),
        (
            "apps/replicasets",
            json!({"spec": {"selector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}}}),
            7,
            "<error>",
        ),
        (
            "autoscaling/scales",
            json!({"metadata": {"name": "web"}}),
            0,
            "web",
        ),
    ] {
        assert_eq!(
            printer_of(key).cells(&object, now)[column],
            expected,
            "{key} {object}"
        );
    }
}
