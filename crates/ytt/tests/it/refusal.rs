//! What is refused, and where.

use crate::check_error;

#[test]
fn what_is_left_out_is_refused_by_name() {
    check_error(
        "#@ while True:\n#@ end\na: 1\n",
        "{}",
        "1:4: `while` is not supported",
    );
    check_error(
        "a: 1\n#@ load('x.star', 'f')\nb: 1\n",
        "{}",
        "2:4: cannot load `x.star`: a template is alone, there are no other files",
    );
    check_error(
        "#@ load('@ytt:toml', 'toml')\na: 1\n",
        "{}",
        "1:4: module `@ytt:toml` is not supported",
    );
    check_error(
        "#@ load('@ytt:html', 'html')\na: 1\n",
        "{}",
        "1:4: there is no module `@ytt:html`",
    );
    check_error(
        "#@ load('@ytt:data', 'values')\na: 1\n",
        "{}",
        "1:4: module `@ytt:data` has no `values`",
    );
    check_error(
        "#@schema/type any=True\na: 1\n",
        "{}",
        "1:1: the annotation `@schema/type` is not supported",
    );
    check_error(
        "#@data/values\n---\na: 1\n",
        "{}",
        "1:1: the annotation `@data/values` is not supported",
    );
    check_error(
        "#@ load('@ytt:data', 'data')\na: #@ data.read('x')\n",
        "{}",
        "2:7: data.read: no files besides the template",
    );
    check_error(
        "#@ load('@ytt:data', 'data')\na: #@ data.list()\n",
        "{}",
        "2:7: data.list: no files besides the template",
    );
}

#[test]
fn blocks_have_to_be_closed_and_opened() {
    let mismatch = "mismatched set of block openings (if/else/elif/for/def) and closing (end)";
    check_error(
        "a: 1\n#@ if True:\nb: 1\n",
        "{}",
        &format!("2:4: {mismatch}"),
    );
    check_error(
        "#@ if True:\na: 1\n#@ end\n#@ end\n",
        "{}",
        "4:4: unexpected end",
    );
    check_error(
        "#@ for x in []:\n#@ else:\na: 1\n#@ end\n",
        "{}",
        &format!("2:4: {mismatch}"),
    );
    check_error(
        "#@ if True\na: 1\n#@ end\n",
        "{}",
        "1:4: a `if` needs a `:` at its end",
    );
    check_error(
        "#@ pass\na: 1\n",
        "{}",
        "1:4: `pass` is not used in ytt: a block may be empty",
    );
    check_error(
        "#@ if a && b:\na: 1\n#@ end\n",
        "{}",
        "1:9: `&&` is written `and`",
    );
    check_error(
        "#@ if/end True:\n#@ x = 1\na: 1\n",
        "{}",
        "2:4: unexpected code after use of '*/end', expected YAML node",
    );
}

#[test]
fn undefined_names_are_named() {
    check_error("a: #@ labesl\n", "{}", "1:7: undefined: labesl");
    check_error("a: #@ true\n", "{}", "1:7: undefined: true (use `True`)");
    check_error(
        "#@ def f():\n#@   return g(1)\n#@ end\n#@ def g(x):\n#@   return x.y\n#@ end\na: #@ f()\n",
        "{}",
        "5:13: int has no .y field or method\n  in g, called at :2:13\n  in f, called at :7:7",
    );
}

#[test]
fn what_the_data_lack_is_named() {
    let data = r#"{"params": {"port": 1}}"#;
    let load = "#@ load('@ytt:data', 'data')\n";
    check_error(
        &format!("{load}a: #@ data.values.params['a/b']\n"),
        data,
        "2:7: key \"a/b\" not in struct",
    );
    check_error(
        &format!("{load}a: #@ data.values.params.prt\n"),
        data,
        "2:7: struct has no .prt field or method (did you mean .port?)",
    );
    check_error(
        &format!("{load}a: #@ data.values.params.get('x')\n"),
        data,
        "2:7: struct has no .get field or method",
    );
}

#[test]
fn equal_keys_are_refused_unless_one_overrides() {
    check_error(
        "a: #@ 1\nb: 2\na: 3\n",
        "{}",
        "3:1: expected key 'a' to not be specified again (unless 'yaml/map-key-override' \
         annotation is added); it is on line 1",
    );
    check_error(
        "#@ for i in range(2):\na: #@ i\n#@ end\n",
        "{}",
        "2:1: expected key 'a' to not be specified again (unless 'yaml/map-key-override' \
         annotation is added); it is on line 2",
    );
}

#[test]
fn no_text_of_the_data_is_shown() {
    check_error(
        "#@ load('@ytt:data', 'data')\nkind: #@ data.values.m['solo-source']\n",
        r#"{"m": {"a": "solo", "b": "solo-s"}}"#,
        "2:10: key \"solo-source\" not in struct",
    );
    let load = "#@ load('@ytt:data', 'data')\n#@ load('@ytt:assert', 'assert')\n";
    let data = r#"{"password": "s3cret-word", "key": "begin\nmiddle\nend"}"#;
    check_error(
        &format!("{load}a: #@ assert.fail('it is ' + data.values.password)\n"),
        data,
        "3:7: assert.fail: fail: it is ***",
    );
    check_error(
        &format!("{load}a: #@ fail(data.values.key, data.values)\n"),
        data,
        "3:7: fail: *** struct(...)",
    );
    check_error(
        &format!("{load}a: #@ {{}}[data.values.password]\n"),
        data,
        "3:7: Key `\"***\"` was not found",
    );
}

#[test]
fn yaml_that_is_none_is_refused_with_its_line() {
    check_error(
        "a: 1\n\tb: 2\n",
        "{}",
        "1:4: not YAML: while scanning a plain scalar, found a tab",
    );
}
