//! What `yaml.encode` writes, by table.

use super::*;

fn text(text: &str) -> String {
    emit(&Plain::Text(text.to_owned()))
}

#[test]
fn strings_are_quoted_where_go_yaml_quotes_them() {
    for double in [
        "1",
        "yes",
        "y",
        "null",
        "~",
        "",
        "2001-01-01",
        "1e3",
        "0o7",
        "1:30",
        "1_000",
        ".5",
        "012",
    ] {
        assert_eq!(text(double), format!("\"{double}\"\n"));
    }
    assert_eq!(text("a\tb\r"), "\"a\\tb\\r\"\n");
    assert_eq!(text("\u{1F600}"), "\"\\U0001F600\"\n");
    assert_eq!(text("a \nb"), "\"a \\nb\"\n");
    for single in [
        " a", "a ", "a: b", "a:", "a #b", "- a", "? a", ": a", ", a", "[a", "]", "{a", "}", "#a",
        "&a", "*a", "!a", "|a", ">a", "%a", "@a", "`a", "\"a", "---", "-",
    ] {
        assert_eq!(text(single), format!("'{single}'\n"));
    }
    assert_eq!(text("'a"), "'''a'\n");
    for plain in [
        "a", "a:b", "a#b", "a'b", "a, b", "=", "<<", "é", "-a", "?a", ":a", "08x", "$(a)",
    ] {
        assert_eq!(text(plain), format!("{plain}\n"));
    }
}

#[test]
fn blocks_say_how_they_end_and_begin() {
    assert_eq!(text("a\nb"), "|-\n  a\n  b\n");
    assert_eq!(text("a\nb\n"), "|\n  a\n  b\n");
    assert_eq!(text("a\n\n\n"), "|+\n  a\n\n\n");
    assert_eq!(text("  a\nb"), "|2-\n    a\n  b\n");
    assert_eq!(text("\n"), "|2+\n\n");
}

fn map(items: Vec<(&str, Plain)>) -> Plain {
    let pair = |(key, value): (&str, Plain)| (Plain::Text(key.to_owned()), value);
    Plain::Map(items.into_iter().map(pair).collect())
}

#[test]
fn collections_are_laid_out_as_go_yaml_lays_them_out() {
    let inner = Plain::List(vec![
        Plain::Int(1),
        Plain::List(vec![Plain::Int(2), Plain::Null]),
    ]);
    let value = map(vec![
        ("z", inner.clone()),
        (
            "a",
            map(vec![
                ("b", Plain::Text("x\ny\n".to_owned())),
                ("c", Plain::Map(vec![])),
            ]),
        ),
        (
            "l",
            Plain::List(vec![map(vec![("k", Plain::Bool(true)), ("s", inner)])]),
        ),
        ("m\nn", Plain::Float(2.0)),
    ]);
    let expected = "\
z:
- 1
- - 2
  - null
a:
  b: |
    x
    y
  c: {}
l:
- k: true
  s:
  - 1
  - - 2
    - null
? |-
  m
  n
: 2
";
    assert_eq!(emit(&value), expected);
    assert_eq!(emit(&Plain::Null), "");
    assert_eq!(emit(&Plain::List(vec![])), "[]\n");
    let documents = Plain::Documents(vec![Plain::Int(1), Plain::Int(2)]);
    assert_eq!(emit(&documents), "1\n---\n2\n");
}
