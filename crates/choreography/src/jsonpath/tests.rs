//! Paths, compared with what client-go said of them.

use serde_json::{Value, json};

use super::*;
use crate::typed::Typed;

/// What `k8s.io/client-go/util/jsonpath` v0.28.2 said about each path over `data.json`, with
/// integers as `int64`: path, `value` or `error`, text.
const JUDGED: &str = include_str!("tests/judged.jsonl");

fn data() -> Value {
    serde_json::from_str(include_str!("tests/data.json")).expect("it is JSON")
}

fn shown(found: Result<Value, PathError>) -> (&'static str, String) {
    match found {
        Ok(value) => ("value", value.to_string()),
        Err(error) => ("error", error.to_string()),
    }
}

#[test]
fn paths_give_what_the_reference_gave() {
    let data = data();
    for line in JUDGED.lines() {
        let (path, kind, text): (String, String, String) =
            serde_json::from_str(line).expect("a line is three texts");
        let (our_kind, our_text) = shown(one(&path, &data));
        // The reference shows the values of several blocks as `<interface {} Value>`.
        let cut = text.len().min(our_text.len());
        let ours = if text.contains("more queries") {
            &our_text[..cut]
        } else {
            our_text.as_str()
        };
        let theirs = serde_json::from_str::<Value>(&text)
            .map_or_else(|_| text.clone(), |value| value.to_string());
        assert_eq!((our_kind, ours), (kind.as_str(), theirs.as_str()), "{path}");
    }
}

#[test]
fn an_empty_path_is_refused() {
    assert_eq!(one("", &data()), Err(PathError::Empty));
}

#[test]
fn only_a_missing_value_counts_as_does_not_exist() {
    let data = data();
    let fails = |path: &str| one(path, &data).expect_err("it has no value");
    assert!(fails("a.missing").is_does_not_exist());
    assert!(!fails("empty[0]").is_does_not_exist());
    assert!(!fails("list[*].name").is_does_not_exist());
}

#[test]
fn numbers_compare_by_value_however_they_are_written() {
    let data = json!({"list": [{"n": 1.0, "name": "float"}, {"n": 9_007_199_254_740_993_i64, "name": "big"}]});
    assert_eq!(one("list[?(@.n==1)].name", &data), Ok(json!("float")));
    let big = "list[?(@.n==9007199254740993)].name";
    assert_eq!(one(big, &data), Ok(json!("big")));
    let near = "list[?(@.n==9007199254740992)].name";
    assert!(one(near, &data).is_err());
}

#[test]
fn a_path_that_multiplies_places_is_refused() {
    let mut deep = json!(1);
    for _ in 0..60 {
        deep = json!({"a": deep, "b": [1, 2, 3]});
    }
    let path = format!("{}x", "..['a','b']".repeat(12));
    let error = one(&path, &deep).expect_err("it reaches too many places");
    assert!(error.to_string().contains("too many places"), "{error}");
}

#[test]
fn a_path_can_be_checked_without_data() {
    assert_eq!(check("spec.source['a\\.b']"), Ok(()));
    assert!(check("spec[").is_err());
}

#[test]
fn a_hint_says_where_a_path_leaves_the_data() {
    let data = data();
    let of = |path: &str| {
        hint(path, &data).map(|hint| {
            let names = hint.names.join(",");
            format!("{}>{}: {names}", hint.reached, hint.missing)
        })
    };
    assert_eq!(of("a.x.y").as_deref(), Some("a>x: b,b.c,n"));
    assert_eq!(of("list[0].nam").as_deref(), Some("list>nam: n,name,value"));
    assert_eq!(of("value.text.x").as_deref(), Some("value.text>x: "));
    assert!(of("nope").is_some_and(|hint| hint.starts_with(">nope: a,b,deep,")));
    assert_eq!(of("a.b"), None);
    assert_eq!(of("list[*].x"), None);
    assert_eq!(of("list["), None);
    let said = |path: &str| hint(path, &data).map(|hint| hint.to_string());
    let some = said("list[0].nam");
    assert_eq!(
        some.as_deref(),
        Some("`list` has no `nam`, but `n`, `name`, `value`")
    );
    let none = said("value.text.x");
    assert_eq!(
        none.as_deref(),
        Some("`value.text` has no `x`, nor anything else")
    );
    let owner = Typed::deliverable(&json!({}));
    let names = hint("spec.build", &owner).map(|hint| hint.names.join(","));
    assert_eq!(names.as_deref(), Some("params,serviceAccountName,source"));
}

#[test]
fn odd_paths_and_data_never_panic() {
    let data = data();
    let typed =
        Typed::workload(&json!({"metadata": {"name": "w"}, "spec": {"env": [{"name": "a"}]}}));
    let tokens = [
        "a",
        "list",
        "spec",
        "env",
        "params",
        "name",
        "n",
        ".",
        ".",
        "..",
        "[",
        "]",
        "[0]",
        "[-1]",
        "[*]",
        "[0:2]",
        "[::0]",
        "['a']",
        "[?(@.name==\"x\")]",
        "[?(",
        ")]",
        "*",
        "{",
        "}",
        "\\",
        "'",
        "\"",
        "@",
        "$",
        " ",
        "-",
        ":",
        ",",
        "[0,1]",
        "==",
        "<",
        "true",
        "1",
        "9".repeat(30).leak(),
        "\n",
        "é",
        "\u{1F600}",
        "[-9223372036854775808]",
        "[9223372036854775807:]",
        "[:-9223372036854775808]",
    ];
    let mut random = crate::fuzz::Random::new(7);
    for _ in 0..30_000 {
        let path: String = (0..random.below(8))
            .map(|_| *random.pick(&tokens))
            .collect();
        let _ = one(&path, &data);
        let _ = one(&path, &typed);
        let _ = (check(&path), hint(&path, &data), hint(&path, &typed));
    }
}
