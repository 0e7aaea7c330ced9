//! Which node a comment belongs to, and what it means.

use crate::{check_error, check_field};

#[test]
fn a_comment_belongs_to_the_last_node_of_its_line_or_the_next_one_below() {
    check_field("a:\n  #@ 1\nb: #@ 2\n", "{}", r#"{"a":null,"b":2}"#);
    check_field(
        "l:\n- a: #@ 1\n- - #@ 2\n-\n  #@ x = 3\n  b: #@ x\n",
        "{}",
        r#"{"l":[{"a":1},[2],{"b":3}]}"#,
    );
    check_field(
        "l:\n  -\n    #@ if False:\n    a: 1\n    #@ end\n  - #@ 2\n  -\n\n\n    x\n  - 'a\n    - b'\n  - #@ 3\n",
        "{}",
        r#"{"l":[{},2,"x","a - b",3]}"#,
    );
}

#[test]
fn remarks_are_ignored_and_hashes_in_text_are_text() {
    check_field(
        "#! remark\na: 'x #@ y' #@comment z\nb: |\n  #@ no code\n  # nor a comment\nc: #@ 1\n",
        "{}",
        r##"{"a":"x #@ y","b":"#@ no code\n# nor a comment\n","c":1}"##,
    );
}

#[test]
fn a_plain_comment_in_a_template_is_an_error_with_its_line() {
    check_error(
        "a: #@ 1\n# plain\nb: 2\n",
        "{}",
        "2:1: a plain comment in a template: use `#@` for code or `#!` for a remark",
    );
}

#[test]
fn a_value_and_a_yaml_value_exclude_each_other() {
    let both = "expected YAML node to have either computed or YAML value, but found both";
    check_error("a: 1 #@ 2\n", "{}", &format!("1:9: {both}"));
    check_error("a: {} #@ 2\n", "{}", &format!("1:10: {both}"));
    check_error("a: [1, #@ 2\n  3]\n", "{}", &format!("1:11: {both}"));
    check_field("a: ~ #@ 2\n", "{}", r#"{"a":2}"#);
}

#[test]
fn a_value_is_one_line_in_parentheses() {
    check_field(
        "a: #@ 1, 2\nb: #@\nc: #@ {'x': 1}\n",
        "{}",
        r#"{"a":[1,2],"b":[],"c":{"x":1}}"#,
    );
    check_error("a: #@ [1,\n#@ 2]\n", "{}", "1:7: `[` is not closed");
    check_error("a: #@ 1) + (2\n", "{}", "1:8: `)` closes nothing");
    check_error(
        "a: #@ 1 # one\n",
        "{}",
        "1:9: a value cannot have a comment behind it",
    );
    check_field(
        "#@ x = [ # one\n#@   1,\n#@ ]\na: #@ x\n",
        "{}",
        r#"{"a":[1]}"#,
    );
}

#[test]
fn code_behind_the_last_node_runs() {
    check_error(
        "kind: A\na: #@ 1\n#@ fail('late')\n",
        "{}",
        "3:4: fail: late",
    );
}

#[test]
fn an_if_without_space_is_an_annotation() {
    check_error(
        "#@if True:\na: 1\n",
        "{}",
        "1:10: Parse error: unexpected symbol ':'",
    );
}

#[test]
fn annotations_evaluate_their_arguments() {
    check_field("#@custom/one a=1, b=[2]\na: 1\n", "{}", r#"{"a":1}"#);
    check_error("#@custom/one x\na: 1\n", "{}", "1:14: undefined: x");
}

#[test]
fn line_ends_of_other_systems_are_line_ends() {
    check_field(
        "#@ x = 1\r\n#@ if x:\r\na: #@ x\r\n#@ end\r\nb: |\r\n  t\r\n",
        "{}",
        r#"{"a":1,"b":"t\n"}"#,
    );
}

#[test]
fn array_items_begin_at_their_dash_however_deep_it_is() {
    let note = "#@yaml/text-templated-strings\n";
    let text = "'(@= str(1) @)'";
    for (indent, below) in [("", "  "), ("  ", "    ")] {
        let template = format!(
            "l:\n{indent}{note}{indent}- a: {text}\n{below}b: {text}\n{indent}- a: {text}\n{indent}{note}{indent}-\n{below}#@ x = 2\n{below}- #@ x\n{below}- {text}\n"
        );
        let plain = "(@= str(1) @)";
        check_field(
            &template,
            "{}",
            &format!(r#"{{"l":[{{"a":"1","b":"1"}},{{"a":"{plain}"}},[2,"1"]]}}"#),
        );
    }
}

#[test]
fn an_item_of_several_lines_begins_at_its_own_dash() {
    check_field(
        "l:\n- x\n#@ if True:\n- 'a\n  - b'\n#@ end\n- #@ 3\n- [1,\n  2]\n- #@ 4\n",
        "{}",
        r#"{"l":["x","a - b",3,[1,2],4]}"#,
    );
}
