//! `overlay.apply`, and overlays among the documents of a template.

use crate::{check, check_documents, check_error};

/// Applies the second tree to the first.
fn applied(left: &str, right: &str) -> String {
    format!(
        "#@ load('@ytt:overlay', 'overlay')\n#@ def left():\n{left}#@ end\n#@ def right():\n{right}#@ end\n---\nkind: A\na: #@ overlay.apply(left(), right())\n"
    )
}

#[track_caller]
fn check_applied(left: &str, right: &str, result: &str) {
    check_documents(&applied(left, right), "{}", &format!(r#"{{"a":{result}}}"#));
}

#[track_caller]
fn check_refused(left: &str, right: &str, text: &str) {
    check_error(&applied(left, right), "{}", text);
}

#[test]
fn maps_are_merged_by_key() {
    check_applied(
        "a: {b: 1, c: 2}\nd: 3\ne:\n",
        "a:\n  b: 9\n  #@overlay/match missing_ok=True\n  x: 4\n#@overlay/remove\nd:\ne: {f: 1}\n",
        r#"{"a":{"b":9,"c":2,"x":4},"e":{"f":1}}"#,
    );
}

#[test]
fn a_new_key_has_to_be_allowed() {
    check_refused(
        "a: {b: 1}\n",
        "a:\n  c: 1\n",
        "11:7: Map item (key 'a') on line 6: Map item (key 'c') on line 7: \
         Expected number of matched nodes to be 1, but was 0",
    );
    check_refused(
        "a: x\n",
        "a:\n  c: 1\n",
        "11:7: Map item (key 'a') on line 6: Expected map, but was string",
    );
}

#[test]
fn array_items_are_appended_or_matched() {
    check_applied(
        "- {name: a, v: 1}\n- {name: b}\n",
        "- {name: c}\n#@overlay/match by='name'\n- name: a\n  v: 2\n#@overlay/match by=lambda i, l, r: l['name'] == 'b'\n#@overlay/remove\n- {}\n",
        r#"[{"name":"a","v":2},{"name":"c"}]"#,
    );
    check_applied(
        "[1, 2]\n"
            .replace('[', "- ")
            .replace(", ", "\n- ")
            .replace(']', "")
            .as_str(),
        "#@overlay/match by=overlay.index(0)\n#@overlay/insert before=True, after=True\n- 9\n#@overlay/append\n- 8\n",
        "[9,1,9,2,8]",
    );
    check_applied(
        "- {x: 1}\n- {x: 2}\n",
        "#@overlay/match by=overlay.subset({'x': 1})\n#@overlay/insert after=True, via=lambda l, r: l['x'] + r\n- 9\n#@overlay/match by=overlay.and_op(overlay.all, overlay.not_op(overlay.subset({'x': 1}))), expects='1+'\n#@overlay/replace\n- 7\n",
        r#"[{"x":1},7,7]"#,
    );
    check_refused(
        "- {name: a}\n- {other: b}\n",
        "#@overlay/match by='name'\n- {name: a}\n",
        "12:7: Array item on line 8: Expected to find mapitem with key 'name', but did not",
    );
}

#[test]
fn items_are_replaced_by_value_or_function() {
    check_applied(
        "a: {x: 1}\nb: 2\n",
        "#@overlay/replace\na: {z: 1}\n#@overlay/replace via=lambda l, r: l + r\nb: 3\n#@overlay/match missing_ok=True\n#@overlay/replace or_add=True\nc: 4\n",
        r#"{"a":{"z":1},"b":5,"c":4}"#,
    );
}

#[test]
fn defaults_reach_all_children() {
    check_applied(
        "a: {b: {}}\n",
        "#@overlay/match-child-defaults missing_ok=True\na:\n  c: {d: 1}\n  #@overlay/match-child-defaults missing_ok=False\n  b:\n    #@overlay/match missing_ok=True\n    e: 1\n",
        r#"{"a":{"b":{"e":1},"c":{"d":1}}}"#,
    );
    check_applied(
        "- {name: a}\n",
        "#@overlay/match by=overlay.subset({'name': 'z'}), when=1\n- {name: q}\n",
        r#"[{"name":"a"}]"#,
    );
}

#[test]
fn assertions_are_checked() {
    check_applied(
        "a: 1\n",
        "#@overlay/assert via=lambda l, r: l == r\na: 1\n",
        r#"{"a":1}"#,
    );
    check_refused(
        "a: 1\n",
        "#@overlay/assert via=lambda l, r: (False, 'no')\na: 2\n",
        "11:7: Map item (key 'a') on line 7: Expected via invocation to return true, \
         but was false with message: no",
    );
}

#[test]
fn dicts_and_structs_may_be_merged() {
    check_documents(
        "#@ load('@ytt:overlay', 'overlay')\n#@ load('@ytt:data', 'data')\nkind: A\na: #@ overlay.apply(data.values.c, {'x': 2}, {'y': {'z': 3}})\n",
        r#"{"c": {"x": 1, "y": {"z": 1}}}"#,
        r#"{"a":{"x":2,"y":{"z":3}}}"#,
    );
}

#[test]
fn documents_that_match_are_applied_to_the_others() {
    let template = r#"#@ load("@ytt:overlay", "overlay")
---
kind: A
a: 1
---
kind: B
#@overlay/match by=overlay.subset({"kind": "A"})
---
a: 2
#@overlay/match missing_ok=True
b: 3
"#;
    check(template, "{}", r#"{"a":2,"b":3,"kind":"A"}"#);
    check_error(
        &template.replace("\"kind\": \"A\"", "\"kind\": \"C\""),
        "{}",
        "8: Document on line 8: Expected number of matched nodes to be 1, but was 0",
    );
}
