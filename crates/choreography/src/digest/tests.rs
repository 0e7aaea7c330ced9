//! YAML as go-yaml writes it, and the digests that upstream asserts.

use serde_json::{Value, json};

use super::*;

/// What `gopkg.in/yaml.v3` v3.0.1 wrote of each value: the value, its YAML.
const JUDGED: &str = include_str!("tests/judged.jsonl");

#[test]
fn values_are_written_as_the_reference_wrote_them() {
    for line in JUDGED.lines() {
        let (value, theirs): (Value, String) = serde_json::from_str(line).expect("it is a pair");
        assert_eq!(yaml(&value), theirs, "{value}");
    }
}

#[test]
fn digests_are_those_that_upstreams_suite_asserts() {
    for (value, known) in [
        (
            "three",
            "f6936912184481f5edd4c304ce27c5a1a827804fc7f329f43d273b8621870776",
        ),
        (
            "5",
            "11fd182657d58787e0e5b61c5da79195f8715fef7f957b9cdba2d8a581b2ca33",
        ),
        (
            "knitting",
            "ccea367d03c124f9594e3ba0aa97e533c35a47694f62757e4dce79039ca361d7",
        ),
    ] {
        assert_eq!(digest(&json!(value)), format!("sha256:{known}"), "{value}");
    }
    assert!(digest(&json!("not-tested")).starts_with("sha256:87d44d70"));
    assert!(digest(&json!("test-source")).starts_with("sha256:656fa43d"));
}

#[test]
fn the_object_of_upstreams_status_case_has_its_digest_and_preview() {
    let dots = ".".repeat(100);
    let data = |end: &str| format!("bar{dots}{end}");
    let line = data("");
    let value = json!({
        "data": {"player_initial_lives": "three", "player_loves": "hockey"},
        "apiVersion": "example.com/v1alpha1",
        "kind": "SomeService",
        "metadata": {"name": "service"},
        "spec": {"template": {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "example-second-configmap"},
            "data": {
                "aa": line, "bb": line, "cc": line, "dd": line, "ee": line, "ff": line,
                "gg": format!("bar{}you can see me now you cant", ".".repeat(72)),
            },
        }},
    });
    let (digest, preview) = digest_and_preview(&value);
    assert_eq!(yaml(&value).len(), 1123);
    assert_eq!(
        digest,
        "sha256:868a6f6b23762ce221f64bee95aacb0d431b6f0900bb2d23cce6f1f02224a56a"
    );
    assert!(preview.ends_with("you can see me"), "{preview}");
    assert_eq!(preview.len(), 1024);
}

#[test]
fn texts_are_quoted_where_they_would_be_read_as_something_else() {
    for (text, written) in [
        ("5", "\"5\""),
        ("true", "\"true\""),
        ("yes", "\"yes\""),
        ("on", "\"on\""),
        ("~", "\"~\""),
        ("", "\"\""),
        ("null", "\"null\""),
        ("12:30", "\"12:30\""),
        ("1_000", "\"1_000\""),
        ("0x1F", "\"0x1F\""),
        ("2021-01-01", "\"2021-01-01\""),
        ("a: b", "'a: b'"),
        ("a #b", "'a #b'"),
        ("- x", "'- x'"),
        (" lead", "' lead'"),
        ("{a}", "'{a}'"),
        ("@at", "'@at'"),
        ("%p", "'%p'"),
        ("*s", "'*s'"),
        ("!x", "'!x'"),
        ("'q'", "'''q'''"),
        ("a\nb", "|-\n    a\n    b"),
        ("a\n", "|\n    a"),
        ("https://example.com/a?b=c", "https://example.com/a?b=c"),
        ("sha256:abc", "sha256:abc"),
        ("main@sha1:abc", "main@sha1:abc"),
        ("日本", "日本"),
        ("a\tb", "\"a\\tb\""),
    ] {
        assert_eq!(yaml(&json!(text)), format!("{written}\n"), "{text:?}");
    }
}

#[test]
fn numbers_are_floats() {
    for (number, written) in [
        (json!(55), "55"),
        (json!(123_456), "123456"),
        (json!(1_400_000), "1.4e+06"),
        (json!(1_234_567), "1.234567e+06"),
        (json!(0.5), "0.5"),
        (json!(-0.00001), "-1e-05"),
        (json!(0), "0"),
    ] {
        assert_eq!(yaml(&number), format!("{written}\n"));
    }
}

#[test]
fn keys_are_sorted_as_people_count() {
    let value = json!({"b": 0, "a10": 0, "a2": 0, "a": 0, "A": 0, "1": 0});
    assert_eq!(yaml(&value), "\"1\": 0\nA: 0\na: 0\na2: 0\na10: 0\nb: 0\n");
}

#[test]
fn a_preview_ends_before_a_character_that_does_not_fit() {
    let preview = preview(&json!("é".repeat(600)));
    assert_eq!(preview.len(), 1024);
    let odd = super::preview(&json!(format!("a{}", "é".repeat(600))));
    assert_eq!(odd.len(), 1023);
}
