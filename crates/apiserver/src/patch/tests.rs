//! Patches against the answers of upstream: its own tables, and what a genuine server said.

use serde_json::json;

use super::*;
use crate::schema::{Field, ListKind, Patch, Scalar, Shape, Struct, Type};

/// The types that upstream's tables are about (`MergeItem` and `RetainKeysMergeItem`).
fn merge_item() -> (Schema, TypeId) {
    let mut schema = Schema::default();
    let item = schema.add(Type::any());
    let retain = schema.add(Type::any());
    let raw = schema.add(Type::any());
    let text = schema.add(Type::of(Shape::Scalar(Scalar::String)));
    let int = schema.add(Type::of(Shape::Scalar(Scalar::Int64)));
    let mut list = |item| {
        let kind = ListKind::Atomic;
        schema.add(Type::of(Shape::List { item, kind }))
    };
    let (items, ints) = (list(item), list(int));
    let map = schema.add(Type::of(Shape::Map {
        value: text,
        atomic: false,
    }));
    let merge = Patch {
        merge: true,
        ..Patch::default()
    };
    let by_name = Patch {
        key: Some("name".into()),
        ..merge.clone()
    };
    let replace = Patch {
        replace: true,
        ..Patch::default()
    };
    let none = Patch::default();
    let fields = [
        ("name", text, &none),
        ("value", text, &none),
        ("other", text, &none),
        ("mergingList", items, &by_name),
        ("nonMergingList", items, &none),
        ("mergingIntList", ints, &merge),
        ("nonMergingIntList", ints, &none),
        ("mergeItemPtr", item, &by_name),
        ("simpleMap", map, &none),
        ("replacingItem", raw, &replace),
        ("jsonItem", raw, &none),
        ("retainKeysMap", retain, &none),
        ("retainKeysMergingList", items, &by_name),
    ];
    let all = |name: &str, fields: &[(&str, TypeId, &Patch)]| {
        let fields = fields.iter().map(|(name, of, patch)| {
            let patch = (*patch).clone();
            (
                (*name).into(),
                Field {
                    patch,
                    ..Field::of(*of)
                },
            )
        });
        Type {
            name: Some(name.into()),
            ..Type::of(Shape::Struct(Struct {
                fields: fields.collect(),
                ..Struct::default()
            }))
        }
    };
    schema.set(item, all("test.MergeItem", &fields));
    let few = [
        "name",
        "value",
        "other",
        "simpleMap",
        "mergingIntList",
        "mergingList",
        "nonMergingList",
    ];
    let fields: Vec<_> = fields
        .into_iter()
        .filter(|(name, ..)| few.contains(name))
        .collect();
    schema.set(retain, all("test.RetainKeysMergeItem", &fields));
    (schema, item)
}

/// Upstream's tables, with the results of upstream's own code.
#[test]
fn strategic_patches_give_what_upstream_gives() {
    let (schema, item) = merge_item();
    let cases = include_str!("../../testdata/strategic.jsonl");
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        let result = strategic(&case["doc"], &case["patch"], &schema, item);
        match result {
            Ok(result) => assert_eq!(Some(&result), case.get("result"), "{line}"),
            Err(status) => assert_eq!(case["error"], status.message, "{line}"),
        }
    }
}

const REJECTED: &str = "the server rejected our request due to an error in our request";

/// Applies patches that fail to one document.
#[track_caller]
fn check_faults(cases: &[(Value, u16, &str)]) {
    let (schema, item) = merge_item();
    let doc = json!({
        "name": "x", "mergingIntList": ["a.b/1"], "mergingList": [{"name": "c", "value": "i"}],
        "simpleMap": {"a": {"b": "c"}}, "jsonItem": {"a": {}},
    });
    for (patch, code, message) in cases {
        let status = strategic(&doc, patch, &schema, item).expect_err(message);
        assert_eq!((status.code, status.message.as_str()), (*code, *message));
    }
}

/// Recorded from a kube-apiserver v1.36.3, with a `ConfigMap`.
#[test]
fn faults_of_strategic_patches_are_answered_as_upstream_answers() {
    check_faults(&[
        (
            json!([]),
            400,
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (
            json!(3),
            400,
            "json: cannot unmarshal number into Go value of type map[string]interface {}",
        ),
        (
            json!({"$patch": "foo"}),
            500,
            "unknown patch type: foo in map: map[$patch:foo]",
        ),
        (
            json!({"$patch": 3, "b": [1, {"c": 1.5}]}),
            500,
            "unknown patch type: %!s(int64=3) in map: map[$patch:3 b:[1 map[c:1.5]]]",
        ),
        (
            json!({"$retainKeys": 3}),
            400,
            "invalid patch format of retainKeys",
        ),
        (
            json!({"$retainKeys": ["x"], "name": "y"}),
            400,
            "invalid patch format of retainKeys",
        ),
        (
            json!({"$setElementOrder/mergingList": 3}),
            500,
            "expected a []interface {}, but received a int64",
        ),
        (
            json!({"$setElementOrderx": [3]}),
            400,
            "invalid patch format of setElementOrder list",
        ),
        (
            json!({"$deleteFromPrimitiveListx": [3]}),
            400,
            "invalid patch format of primitive list",
        ),
        (
            json!({"$setElementOrder/nope": [3]}),
            500,
            "unable to find api field in struct MergeItem for the json field \"nope\"",
        ),
        (
            json!({"mergingIntList": [["a"]]}),
            500,
            "list element types are not identical: [[a.b/1] [[a]]]",
        ),
        (
            json!({"mergingIntList": [null]}),
            500,
            "list element types are not identical: [[a.b/1] [<nil>]]",
        ),
        (
            json!({"$setElementOrder/mergingIntList": ["q"], "mergingIntList": ["z"]}),
            500,
            "The order in patch list:\n[z]\n doesn't match $setElementOrder list:\n[q]\n",
        ),
    ]);
}

/// Recorded from a kube-apiserver v1.36.3, with a `Deployment`.
#[test]
fn faults_of_merged_lists_are_answered_as_upstream_answers() {
    check_faults(&[
        (
            json!({"mergingList": [{"value": "x"}]}),
            500,
            "map: map[value:x] does not contain declared merge key: name",
        ),
        (
            json!({"mergingList": [{"$patch": "merge", "name": "c"}]}),
            500,
            "merging lists cannot yet be specified in the patch",
        ),
        (
            json!({"mergingList": [{"$patch": "zap", "name": "c"}]}),
            500,
            "unknown patch type: zap in map: map[$patch:zap name:c]",
        ),
        (
            json!({"mergingList": [{"$patch": "delete"}]}),
            500,
            "map: map[$patch:delete] does not contain declared merge key: name",
        ),
        (
            json!({"mergingList": ["x"]}),
            500,
            "list element types are not identical: [[map[name:c value:i]] [x]]",
        ),
        (
            json!({"$setElementOrder/mergingList": [3], "mergingList": [{"name": "c"}]}),
            500,
            "expected a map[string]interface {}, but received a int64",
        ),
        (
            json!({"$setElementOrder/mergingList": [{"x": 1}], "mergingList": [{"name": "c"}]}),
            500,
            "map: map[x:1] does not contain declared merge key: name",
        ),
        (
            json!({"$setElementOrder/mergingList": [{"name": "b"}], "mergingList": 3}),
            500,
            "expected a []interface {}, but received a int64",
        ),
        (
            json!({"simpleMap": {"a": {"b": "d"}}}),
            500,
            "merging an object in json but data type is not struct, instead is: map",
        ),
    ]);
    let (schema, item) = merge_item();
    let lists = json!({"mergingList": [[]]});
    let status = strategic(&json!({"mergingList": []}), &lists, &schema, item);
    let status = status.expect_err("a list of lists");
    assert_eq!((status.code, status.message.as_str()), (422, REJECTED));
}

/// Long lists are looked up in another way than short ones.
#[test]
fn long_lists_merge_like_short_ones() {
    let (schema, item) = merge_item();
    let named = |names: &[usize]| -> Vec<Value> {
        names
            .iter()
            .map(|name| json!({"name": name.to_string()}))
            .collect()
    };
    let all: Vec<usize> = (0..100).collect();
    let turned: Vec<usize> = all.iter().rev().copied().collect();
    let doc = json!({"mergingList": named(&all), "mergingIntList": all});
    let patch = json!({
        "$setElementOrder/mergingList": named(&turned),
        "mergingList": [{"name": "50", "value": "x"}],
        "mergingIntList": [100, 3],
        "$deleteFromPrimitiveList/mergingIntList": turned[..50],
    });
    let got = strategic(&doc, &patch, &schema, item).expect("merged");
    let mut wanted = named(&turned);
    wanted[49]["value"] = json!("x");
    assert_eq!(got["mergingList"], json!(wanted));
    // What the document does not have goes before all that stood before its successor.
    let wanted: Vec<usize> = [100].into_iter().chain(0..50).collect();
    assert_eq!(got["mergingIntList"], json!(wanted));
}

#[test]
fn nothing_is_quadratic_that_a_client_can_make_long() {
    let (schema, item) = merge_item();
    let many: Vec<usize> = (0..60_000).collect();
    let names: Vec<Value> = many.iter().map(|name| json!({"name": name})).collect();
    let doc = json!({"mergingIntList": many, "mergingList": names});
    let patch = json!({
        "$setElementOrder/mergingList": names, "mergingList": names, "mergingIntList": many,
    });
    let got = strategic(&doc, &patch, &schema, item).expect("merged");
    assert_eq!(got, doc);
}

/// Recorded from a kube-apiserver v1.36.3 where a message is given.
#[test]
fn json_patches() {
    let doc = json!({"a": "1", "l": [1, 2, 3], "m": {"x/y": 1, "~": 2}});
    for (patch, wanted) in [
        (json!(null), Ok(doc.clone())),
        (
            json!([{"op": "test", "path": "/a", "value": "1"}]),
            Ok(doc.clone()),
        ),
        (
            json!([{"op": "test", "path": "", "value": doc}]),
            Ok(doc.clone()),
        ),
        (
            json!([{"op": "test", "path": "/nope", "value": null}]),
            Ok(doc.clone()),
        ),
        (json!([{"op": "test", "path": "/nope"}]), Ok(doc.clone())),
        (
            json!([{"op": "test", "path": "/a", "value": "2"}]),
            Err(REJECTED),
        ),
        (
            json!([{"op": "test", "path": "/a/b", "value": "2"}]),
            Err(REJECTED),
        ),
        (
            json!([{"op": "replace", "path": "/new", "value": 1}, {"op": "remove", "path": "/m"}]),
            Ok(json!({"a": "1", "l": [1, 2, 3], "new": 1})),
        ),
        (
            json!([
                {"op": "add", "path": "/l/-", "value": 4}, {"op": "add", "path": "/l/-1", "value": 5},
                {"op": "add", "path": "/l/0", "value": 0}, {"op": "replace", "path": "/l/-6", "value": 9},
                {"op": "remove", "path": "/l/1"}, {"op": "remove", "path": "/m"},
            ]),
            Ok(json!({"a": "1", "l": [9, 2, 3, 4, 5]})),
        ),
        (
            json!([
                {"op": "copy", "from": "/m/x~1y", "path": "/c"}, {"op": "move", "from": "/m/~0", "path": "/l/1"},
                {"op": "remove", "path": "/m"}, {"op": "copy", "from": "/nope", "path": "/n"},
            ]),
            Ok(json!({"a": "1", "l": [1, 2, 2, 3], "c": 1, "n": null})),
        ),
        (
            json!([{"op": "replace", "path": "", "value": [1]}, {"op": "add", "path": "/0", "value": 2}]),
            Ok(json!([2, 1])),
        ),
        (
            json!([{"op": "replace", "path": "", "value": 3}]),
            Err(REJECTED),
        ),
        (
            json!([{"op": "add", "path": "", "value": {}}]),
            Err(REJECTED),
        ),
        (
            json!([{"op": "add", "path": "/l/4", "value": 1}]),
            Err(REJECTED),
        ),
        (
            json!([{"op": "replace", "path": "/l/3", "value": 1}]),
            Err(REJECTED),
        ),
        (json!([{"op": "remove", "path": "/l/-4"}]), Err(REJECTED)),
        (json!([{"op": "remove", "path": "/nope"}]), Err(REJECTED)),
        (
            json!([{"op": "move", "from": "/nope", "path": "/x"}]),
            Err(REJECTED),
        ),
        (
            json!([{"op": "move", "from": "/m", "path": "/m/x"}]),
            Err(REJECTED),
        ),
        (json!([{"op": "zap", "path": "/a"}]), Err(REJECTED)),
        (json!([{"path": "/a"}]), Err(REJECTED)),
        (json!([null]), Err(REJECTED)),
        (
            json!({}),
            Err(
                "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
            ),
        ),
        (
            json!([1]),
            Err(
                "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp",
            ),
        ),
        (
            json!([{"op": "add", "path": 3}]),
            Err(
                "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.path of type string",
            ),
        ),
    ] {
        let got = json_patch(&doc, &patch);
        let got = got.map_err(|status| status.message);
        assert_eq!(got, wanted.map_err(str::to_owned), "{patch}");
    }
}

#[test]
fn json_patches_stay_small() {
    let doc = json!({"a": {"b": "c"}, "l": []});
    let test = json!({"op": "test", "path": "/a/b", "value": "c"});
    let codes = |operations: Vec<Value>| {
        let got = json_patch(&doc, &Value::Array(operations));
        got.map_err(|status| status.code).map(|_| ())
    };
    let repeated = |operations: &[Value], times: usize| {
        let all = operations.iter().cycle().take(operations.len() * times);
        all.cloned().collect()
    };
    assert_eq!(codes(vec![test.clone(); 10_000]), Ok(()));
    assert_eq!(codes(vec![test; 10_001]), Err(413));
    // Each doubles what is there.
    let copy = json!({"op": "copy", "from": "/l", "path": "/l/-"});
    assert_eq!(codes(vec![copy; 100]), Err(422));
    // Each is a little deeper.
    let deeper = [
        json!({"op": "add", "path": "/b", "value": {}}),
        json!({"op": "move", "from": "/a", "path": "/b/a"}),
        json!({"op": "move", "from": "/b", "path": "/a"}),
    ];
    assert_eq!(codes(repeated(&deeper, 120)), Ok(()));
    assert_eq!(codes(repeated(&deeper, 130)), Err(422));
    // Moving to and fro is not deeper.
    let to_and_fro = [
        json!({"op": "move", "from": "/a", "path": "/x"}),
        json!({"op": "move", "from": "/x", "path": "/a"}),
    ];
    assert_eq!(codes(repeated(&to_and_fro, 2_000)), Ok(()));
}

#[test]
fn merge_patches() {
    let doc = json!({"a": 1, "m": {"x": 1, "y": 2}, "l": [1]});
    for (patch, wanted) in [
        (json!({}), Ok(doc.clone())),
        (json!({"a": null, "l": null, "m": null}), Ok(json!({}))),
        (
            json!({"m": {"x": null, "z": null}}),
            Ok(json!({"a": 1, "m": {"y": 2}, "l": [1]})),
        ),
        (
            json!({"a": {"b": null, "l": [null, {"c": null}]}}),
            Ok(json!({"a": {"l": [null, {}]}, "m": {"x": 1, "y": 2}, "l": [1]})),
        ),
        (
            json!({"m": [{"c": null}]}),
            Ok(json!({"a": 1, "m": [{"c": null}], "l": [1]})),
        ),
        (json!(null), Err("Invalid JSON Patch")),
        (
            json!([]),
            Err(
                "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
            ),
        ),
    ] {
        let got = merge_patch(&doc, &patch).map_err(|status| status.message);
        assert_eq!(got, wanted.map_err(str::to_owned), "{patch}");
    }
}

/// Patches of random parts: whatever they are, there is an answer.
#[test]
fn random_patches_never_break_anything() {
    const WORDS: [&str; 14] = [
        "name",
        "value",
        "mergingList",
        "mergingIntList",
        "nonMergingList",
        "simpleMap",
        "retainKeysMap",
        "$patch",
        "$retainKeys",
        "$deleteFromPrimitiveList/mergingIntList",
        "$setElementOrder/mergingList",
        "$setElementOrder/mergingIntList",
        "delete",
        "replace",
    ];
    fn any(seed: &mut u64, depth: usize) -> Value {
        let mut next = |below: u64| {
            *seed ^= *seed << 13;
            *seed ^= *seed >> 7;
            *seed ^= *seed << 17;
            usize::try_from((*seed >> 33) % below).unwrap_or(0)
        };
        match next(if depth == 0 { 4 } else { 8 }) {
            0 => Value::Null,
            1 => json!(next(3)),
            2 => json!(WORDS[next(14)]),
            3 => json!(1.5),
            4 | 5 => {
                let length = next(4);
                (0..length).map(|_| any(seed, depth - 1)).collect()
            }
            _ => {
                let keys: Vec<usize> = (0..next(5)).map(|_| next(14)).collect();
                let fields = keys
                    .into_iter()
                    .map(|key| (WORDS[key].to_owned(), any(seed, depth - 1)));
                Value::Object(fields.collect())
            }
        }
    }
    let (schema, item) = merge_item();
    let mut seed = 0x5eed;
    for _ in 0..40_000 {
        let (doc, patch) = (any(&mut seed, 5), any(&mut seed, 5));
        let _ = strategic(&doc, &patch, &schema, item);
        let _ = merge_patch(&doc, &patch);
        let _ = json_patch(&doc, &patch);
    }
}
