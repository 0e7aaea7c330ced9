//! Files become objects, or problems that quote nothing.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;

/// Compares the objects of a file, as `line identity`, or what is wrong with it.
#[track_caller]
fn check_file(path: &str, text: &[u8], seen: &str) {
    let lines: Vec<String> = match parse_file(path, text) {
        Ok(objects) => objects
            .iter()
            .map(|object| format!("{} {}", object.line, object.id(None)))
            .collect(),
        Err(problems) => problems
            .iter()
            .map(|problem| format!("{}: {problem}", problem.reason))
            .collect(),
    };
    assert_eq!(lines.join("\n"), seen);
}

#[track_caller]
fn check(text: &str, seen: &str) {
    check_file("a.yaml", text.as_bytes(), seen);
}

/// Compares the value of the key `data` of a ConfigMap.
#[track_caller]
fn check_data(data: &str, value: &Value) {
    let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n{data}\n");
    let objects = parse_file("a.yaml", text.as_bytes()).expect("reads");
    assert_eq!(objects[0].value()["data"], *value);
}

const A: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
const B: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n";

#[test]
fn a_document_that_is_no_object_stands_as_it_is() {
    let text = "status: {a: 1.0}\n---\n- b\n";
    let documents = parse_documents("a.yaml", text.as_bytes()).expect("reads");
    let seen: Vec<_> = documents
        .into_iter()
        .map(|Document { line, value }| (line, value))
        .collect();
    let expected = [(1, json!({"status": {"a": 1}})), (3, json!(["b"]))];
    assert_eq!(seen, expected);
}

#[test]
fn reads_every_document_with_the_line_of_its_first_key() {
    check(&format!("{A}---\n{B}"), "1 ConfigMap/a\n6 ConfigMap/b");
    check(
        &format!("# licence\n\n---\n# a comment\n{A}"),
        "5 ConfigMap/a",
    );
    check(
        &format!("%YAML 1.2\n---\n{A}...\n---\n{B}"),
        "3 ConfigMap/a\n9 ConfigMap/b",
    );
    check(
        "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
        "1 ConfigMap/a",
    );
    check(
        &format!("{A}--- # next\n{B}").replace('\n', "\r\n"),
        "1 ConfigMap/a\n6 ConfigMap/b",
    );
}

#[test]
fn takes_a_marker_inside_an_indented_text_for_text() {
    check(
        &format!("{A}data:\n  script: |\n    ---\n    x\n---\n{B}"),
        "1 ConfigMap/a\n10 ConfigMap/b",
    );
}

#[test]
fn yields_nothing_for_empty_documents_and_comments() {
    for text in [
        "",
        "\n\n",
        "# only a comment\n",
        "---\n---\n# x\n---\n",
        "---\n~\n",
        "...\n",
        "%YAML 1.2\n---\n",
    ] {
        check(text, "");
    }
    check(&format!("---\n---\n{A}---\n"), "3 ConfigMap/a");
}

#[test]
fn reads_long_comments_between_keys() {
    let comments = "# a line of a licence\n".repeat(200);
    check(
        &format!(
            "{comments}apiVersion: v1\nkind: ConfigMap\n{comments}metadata:\n{comments}  name: a\n{comments}"
        ),
        "201 ConfigMap/a",
    );
}

#[test]
fn expands_a_list_to_its_items() {
    let item =
        |name: &str| format!("- {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}\n");
    let (a, b) = (item("a"), item("b"));
    check(
        &format!("\napiVersion: v1\nkind: List\nitems:\n{a}{b}"),
        "2 ConfigMap/a\n2 ConfigMap/b",
    );
    check(
        &format!("apiVersion: v1\nkind: ConfigMapList\nitems:\n{a}"),
        "1 ConfigMap/a",
    );
    check("apiVersion: v1\nkind: List\nitems: []\n", "");
    check(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n",
        "NoKind: a.yaml:1: item 1 of the list: the document has no `kind`",
    );
    check(
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: []}\n",
        "NestedList: a.yaml:1: item 1 of the list: a List in a List is refused",
    );
}

#[test]
fn takes_a_kind_that_ends_in_list_for_an_object_unless_it_has_items() {
    check(
        "apiVersion: x.io/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {items: []}\n",
        "1 AllowList.x.io/a",
    );
}

#[test]
fn reads_values_as_kubernetes_does() {
    check_data(
        "data: {a: yes, b: on, c: off, d: y, e: 'yes'}",
        &json!({"a": true, "b": true, "c": false, "d": true, "e": "yes"}),
    );
    check_data(
        "data: {a: 0644, b: 0o644, c: 08, d: 1.0, e: 1.5, f: 0x10}",
        &json!({"a": 420, "b": 420, "c": 8, "d": 1, "e": 1.5, "f": 16}),
    );
    check_data(
        "data: {y: 1, n: 2, on: 3}",
        &json!({"y": 1, "n": 2, "on": 3}),
    );
    check_data(
        "base: &b {a: 1, b: 2}\ndata: {<<: *b, b: 3}",
        &json!({"a": 1, "b": 3}),
    );
    check_data(
        "data: {a: ~, b: null, c: 2026-01-02}",
        &json!({"a": null, "b": null, "c": "2026-01-02"}),
    );
    check_data(
        "data: {a: !!binary aGVsbG8=, b: !Ref x}",
        &json!({"a": "hello", "b": "x"}),
    );
    check_data(
        "data: {a: 18446744073709551615, b: -5, c: 1e3}",
        &json!({"a": 18_446_744_073_709_551_615_u64, "b": -5, "c": 1000}),
    );
}

#[test]
fn drops_what_the_server_owns() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, uid: u, resourceVersion: '1', generation: 2, creationTimestamp: null, selfLink: x, managedFields: [], labels: {l: m}}\nstatus: {}\n";
    let objects = parse_file("a.yaml", text.as_bytes()).expect("reads");
    assert_eq!(
        *objects[0].value(),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"l": "m"}}})
    );
}

#[test]
fn names_what_identifies_no_object() {
    check(
        "kind: A\nmetadata: {name: a}\n",
        "NoApiVersion: a.yaml:1: the document has no `apiVersion`",
    );
    check(
        "apiVersion: v1\nmetadata: {name: a}\n",
        "NoKind: a.yaml:1: the document has no `kind`",
    );
    check(
        "apiVersion: v1\nkind: A\n",
        "NoName: a.yaml:1: the document has no `metadata.name`",
    );
    check(
        "apiVersion: v1\nkind: A\nmetadata: {name: no}\n",
        "NoName: a.yaml:1: `metadata.name` is not text; put it in quotes",
    );
    check(
        "apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: 5}\n",
        "NoNamespace: a.yaml:1: `metadata.namespace` is not text; put it in quotes",
    );
    check(
        "apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: ''}\n",
        "1 A/a",
    );
    check(
        "apiVersion: 1\nkind: A\nmetadata: {name: a}\n",
        "NoApiVersion: a.yaml:1: `apiVersion` is not text; put it in quotes",
    );
    check(
        "apiVersion: v1\nkind: A\nmetadata: {generateName: a-}\n",
        "GenerateName: a.yaml:1: `metadata.generateName` is refused: every apply would create another object",
    );
    check(
        "- a\n",
        "NotAMapping: a.yaml:1: the document is not a mapping",
    );
    check(
        "just text\n",
        "NotAMapping: a.yaml:1: the document is not a mapping",
    );
}

#[test]
fn one_broken_document_costs_the_file_and_each_is_named() {
    check(
        &format!("{A}---\nkind: A\n---\n{B}---\napiVersion: v1\n"),
        "NoApiVersion: a.yaml:6: the document has no `apiVersion`\nNoKind: a.yaml:13: the document has no `kind`",
    );
    check(
        &format!("{A}---\na: {{b\n---\n{B}"),
        "Unparseable: a.yaml:6: not valid YAML: unclosed bracket '{'",
    );
}

#[test]
fn refuses_a_name_that_no_object_can_have() {
    let named = |name: &str| format!("apiVersion: v1\nkind: A\nmetadata: {{name: {name}}}\n");
    for name in ["half-100%", "web/status", ".", "..", "a%2Fb"] {
        check(
            &named(name),
            "NameInvalid: a.yaml:1: `metadata.name` is `.` or `..`, or has a `/` or `%` in it, as no name may",
        );
    }
    check(&named("system:a..b"), "1 A/system:a..b");
    check(
        "apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: ../b}\n",
        "NameInvalid: a.yaml:1: `metadata.namespace` is `.` or `..`, or has a `/` or `%` in it, as no name may",
    );
}

#[test]
fn says_what_is_wrong_with_the_yaml() {
    check(
        &format!("{A}data:\n\tx: 1\n"),
        "Tab: a.yaml:6: a tab is used to indent; YAML allows spaces only",
    );
    check(
        &format!("{A}kind: Other\n"),
        "DuplicateKey: a.yaml:5: the key `kind` is written twice",
    );
    check(
        "a: *nothing\n",
        "Unparseable: a.yaml:1: an alias names no anchor of the document",
    );
    check(
        "a: 'open\n",
        "Unparseable: a.yaml:1: not valid YAML: unclosed quote",
    );
    check(
        "a: b: c\n",
        "Unparseable: a.yaml:1: not valid YAML: mapping values are not allowed in this context",
    );
    check(
        "a: 1\n b: 2\n",
        "Unparseable: a.yaml:2: not valid YAML: mapping values are not allowed in this context",
    );
    check("a: .nan\n", "Unparseable: a.yaml:1: a number is not finite");
    check(
        "<<: 1\n",
        "Unparseable: a.yaml:1: the value of a merge key `<<` is no mapping",
    );
    check(
        "a: \"\\q\"\n",
        "Unparseable: a.yaml:1: not valid YAML: while parsing a quoted scalar, found unknown escape character",
    );
    check(
        "a: !!int x\n",
        "Unparseable: a.yaml:1: a value is not what its tag says",
    );
    check(
        "null: 1\n",
        "Unparseable: a.yaml:1: a key of a mapping is not text",
    );
    check(
        "? {a: 1}\n: 2\n",
        "Unparseable: a.yaml:1: a key of a mapping is not text",
    );
}

#[test]
fn refuses_what_is_not_utf_8_text() {
    check_file(
        "a.yaml",
        b"\xef\xbb\xbfapiVersion: v1\nkind: A\nmetadata: {name: a}\n",
        "1 A/a",
    );
    check_file(
        "a.yaml",
        b"\xff\xfea\0",
        "Binary: a.yaml: the file is UTF-16, which Kubernetes does not read; save it as UTF-8",
    );
    check_file(
        "a.yaml",
        b"a: 1\nb: \xc3\x28\n",
        "Binary: a.yaml:2: the file is not UTF-8 text",
    );
    check_file(
        "a.yaml",
        b"a: 1\n\0\n",
        "Binary: a.yaml:2: the file is not text",
    );
}

#[test]
fn reads_json_texts() {
    let a = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#;
    check_file(
        "a.json",
        format!("\n{a}\n\n{a}").as_bytes(),
        "2 ConfigMap/a\n4 ConfigMap/a",
    );
    check_file("a.json", b" \n", "");
    check_file(
        "a.json",
        b"{\n\"kind\": \"A\",\n\"kind\": \"B\"}",
        "DuplicateKey: a.json:3: a key is written twice",
    );
    check_file(
        "a.json",
        b"{\"a\": 1",
        "Unparseable: a.json:1: not valid JSON: the text ends too early",
    );
    check_file(
        "a.json",
        b"{\"a\": hunter2}",
        "Unparseable: a.json:1: not valid JSON: expected value",
    );
    check_file(
        "a.json",
        b"[]",
        "NotAMapping: a.json:1: the document is not a mapping",
    );
    check_file("a.yaml", a.as_bytes(), "1 ConfigMap/a");
}

#[test]
fn quotes_no_value_of_a_broken_file() {
    let secrets = [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  p: hunter2\n  p: hunter2\n",
        "apiVersion: v1\nkind: Secret\ndata: {p: hunter2, q: {hunter2\n",
        "p: hunter2\n\tq: hunter2\n",
        "p: 'hunter2\n",
        "p: \"hunter2 \\q\"\n",
        "p: !!int hunter2\n",
        "p: !!binary hunter2\n",
        "p: hunter2: hunter2\n",
        "p: %hunter2\n",
        "p: *hunter2\n",
        "p: @hunter2\n",
        "p: [hunter2\n",
        "p: hunter2\nhunter2\n",
        "!hunter2! p: 1\n",
    ];
    for text in secrets {
        let problems = parse_file("a.yaml", text.as_bytes()).expect_err(text);
        for problem in problems {
            assert!(!problem.to_string().contains("hunter2"), "{problem}");
        }
    }
}

/// A hostile file is refused, for this reason, soon enough.
#[track_caller]
fn check_bound(path: &str, text: &str, reason: ProblemReason) {
    let problems = soon(|| parse_file(path, text.as_bytes())).expect_err("refused");
    assert_eq!(problems[0].reason, reason, "{}", problems[0]);
    assert!(problems.len() <= MAX_PROBLEMS);
}

/// Does some work, which must not take long: far longer than it takes, for the sake of busy
/// machines, and far shorter than a hostile file would without its bound.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "there is no runtime here whose clock could be paused"
)]
fn soon<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "took {:?}",
        start.elapsed()
    );
    done
}

#[test]
fn bounds_the_size_of_a_file() {
    check_bound(
        "a.yaml",
        &"#".repeat(MAX_FILE_BYTES + 1),
        ProblemReason::TooLarge,
    );
    let text = format!(
        "{A}data:\n  x: |\n{}",
        "    some text of a line\n".repeat(MAX_FILE_BYTES / 25)
    );
    soon(|| check(&text, "1 ConfigMap/a"));
}

#[test]
fn bounds_the_number_of_documents() {
    check_bound(
        "a.yaml",
        &"---\na: b\n".repeat(100_000),
        ProblemReason::TooLarge,
    );
    check_bound("a.json", &"{}".repeat(100_000), ProblemReason::TooLarge);
    check_bound(
        "a.yaml",
        &"---\na: b\n".repeat(10_000),
        ProblemReason::NoApiVersion,
    );
    check_bound(
        "a.yaml",
        &"---\na: [\n".repeat(10_000),
        ProblemReason::Unparseable,
    );
}

#[test]
fn bounds_the_depth() {
    for depth in [1_000, 100_000, 1_000_000] {
        check_bound("a.yaml", &"[".repeat(depth), ProblemReason::TooDeep);
        check_bound("a.json", &"[".repeat(depth), ProblemReason::TooDeep);
        check_bound(
            "a.yaml",
            &format!("a:\n{}", "- ".repeat(depth)),
            ProblemReason::TooDeep,
        );
        check_bound("a.yaml", &"{a: ".repeat(depth), ProblemReason::TooDeep);
    }
    let levels: Vec<String> = (0..1_000)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect();
    let nested = levels.concat();
    check_bound("a.yaml", &nested, ProblemReason::TooDeep);
    let near = format!("{A}data: {}{}\n", "[".repeat(46), "]".repeat(46));
    check(&near, "1 ConfigMap/a");
}

#[test]
fn bounds_what_aliases_expand_to() {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (from, to) in ('a'..'j').zip('b'..'k') {
        let aliases = vec![format!("*{from}"); 10].join(", ");
        writeln!(bomb, "{to}: &{to} [{aliases}]").expect("a String takes all");
    }
    check_bound("a.yaml", &bomb, ProblemReason::TooLarge);

    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1024 * 1024),
        "*a, ".repeat(900)
    );
    check_bound("a.yaml", &long, ProblemReason::TooLarge);

    let many = format!("a: &a x\nb: [{}]\n", "*a, ".repeat(100_000));
    check_bound("a.yaml", &many, ProblemReason::TooLarge);
    check_bound(
        "a.yaml",
        &format!("a: [{}]\n", "1, ".repeat(600_000)),
        ProblemReason::TooLarge,
    );
}
