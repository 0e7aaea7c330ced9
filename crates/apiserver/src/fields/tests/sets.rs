//! Sets and their text, as upstream computes and writes them.

use serde_json::{Value, json};

use crate::fields::element::{Element, Malformed};
use crate::fields::set::{PathText, Set};

/// Reads a set from its text.
fn set(text: &str) -> Set {
    let value = serde_json::from_str(text).expect("sets of the data are JSON");
    Set::from_value(&value).expect("sets of the data can be read")
}

#[test]
fn sets_are_joined_and_subtracted_as_upstream_does_it() {
    for line in include_str!("sets.jsonl").lines() {
        let step: Value = serde_json::from_str(line).expect("each line is JSON");
        let text = |name: &str| step[name].as_str().unwrap_or_default();
        let (a, b) = (set(text("a")), set(text("b")));
        for (got, name) in [
            (a.clone(), "a"),
            (a.union(&b), "union"),
            (a.intersection(&b), "both"),
            (a.difference(&b), "without"),
            (a.recursive_difference(&b), "without_below"),
        ] {
            assert_eq!(
                got.to_value(),
                set(text(name)).to_value(),
                "{name} of {line}"
            );
        }
        let mut paths = Vec::new();
        a.each(|path| {
            assert!(a.has(path));
            paths.push(PathText(path).to_string());
        });
        if paths.is_empty() {
            paths.push(String::new());
        }
        assert_eq!(json!(paths), step["paths"], "{line}");
        assert_eq!(a.is_empty(), step["size"] == 0, "{line}");
        assert_eq!(a.is_within(&b), a.difference(&b).is_empty(), "{line}");
    }
}

#[test]
fn elements_survive_being_written() {
    for text in [
        "i:0",
        "i:1234",
        "f:",
        "f: a b  ",
        r#"k:{"name":"web"}"#,
        r#"k:{"port":"8080","protocol":"TCP"}"#,
        r#"k:{"optional":null}"#,
        r#"k:{"deep":{"A":1,"B":null,"C":"D","E":{"F":"G"}}}"#,
        r#"k:{"list":["1","2"]}"#,
        r#"k:{"name":"app-🚀 你好"}"#,
        "v:null",
        "v:1234",
        "v:1.5",
        "v:-0.25",
        "v:1e+21",
        "v:1e-7",
        "v:true",
        r#"v:"\u003ca\u003e\u0026\u2028""#,
    ] {
        let mut out = String::new();
        let element = Element::parse(text).expect(text);
        element.write(&mut out);
        let expected = text.replace("1e-7", "1e-07");
        assert_eq!(out, expected);
    }
}

#[test]
fn broken_elements_are_refused_and_unknown_ones_passed_over() {
    for text in [
        "",
        "no-colon",
        "i:x",
        "i:1.23",
        "i:",
        "v:x y",
        "v:",
        "k:x",
        r#"k:{"name":x}"#,
    ] {
        let error = Element::parse(text).expect_err(text);
        assert!(matches!(error, Malformed::Broken(_)), "{text}");
    }
    assert_eq!(Element::parse("r:x"), Err(Malformed::Unknown));
    assert_eq!(set(r#"{"f:a":{},"r:b":{}}"#).to_value(), json!({"f:a": {}}));
    for text in [r#"{"f:a":1}"#, r#"{"f:a":[]}"#, "[]", r#"{"x":{}}"#] {
        let value: Value = serde_json::from_str(text).expect("JSON");
        assert!(Set::from_value(&value).is_err(), "{text}");
    }
}

#[test]
fn sets_are_sorted_whatever_order_they_come_in() {
    let text = r#"{"k:{\"port\":8080}":{},"k:{\"port\":80}":{"f:b":{}},"k:{ \"port\": 443 }":{},"f:z":null,"f:a":{".":{},"f:x":{}}}"#;
    let expected = ".a\n.z\n[port=443]\n[port=8080]\n.a.x\n[port=80].b";
    assert_eq!(set(text).to_string(), expected);
}

#[test]
fn elements_are_ordered_fields_keys_values_indexes() {
    let sorted = [
        "f:a",
        "f:b",
        r#"k:{"a":1}"#,
        r#"k:{"a":1,"b":1}"#,
        r#"k:{"a":2}"#,
        r#"k:{"b":1}"#,
        "v:1",
        "v:1.5",
        "v:2",
        r#"v:"a""#,
        "v:false",
        "v:true",
        "v:[]",
        "v:[1]",
        r#"v:{"a":1}"#,
        r#"v:{"a":2}"#,
        "v:null",
        "i:0",
        "i:2",
    ];
    let elements: Vec<Element> = sorted
        .iter()
        .map(|text| Element::parse(text).expect(text))
        .collect();
    assert!(elements.is_sorted_by(|left, right| left < right));
}
