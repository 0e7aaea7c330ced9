//! Values, code, blocks, functions, nodes.

use crate::{check, check_documents, check_error, check_field};

#[test]
fn values_come_from_the_data() {
    check_field(
        "#@ load('@ytt:data', 'data')\nname: #@ data.values.workload.name\nlist: #@ data.values.l\n",
        r#"{"workload": {"name": "shop"}, "l": [1, 2.0, 1.5, null, true]}"#,
        r#"{"list":[1,2,1.5,null,true],"name":"shop"}"#,
    );
}

#[test]
fn blocks_choose_and_repeat() {
    let template = r#"#@ load("@ytt:data", "data")
#@ if data.values.x > 1:
a: big
#@ elif data.values.x == 1:
a: one
#@ else:
a: small
#@ end
l:
#@ for i in range(3):
#@ if i == 1:
#@ continue
#@ end
- #@ i
- x: #@ str(i)
#@ end
"#;
    check_field(
        template,
        r#"{"x": 2}"#,
        r#"{"a":"big","l":[0,{"x":"0"},2,{"x":"2"}]}"#,
    );
    check_field(
        template,
        r#"{"x": 1}"#,
        r#"{"a":"one","l":[0,{"x":"0"},2,{"x":"2"}]}"#,
    );
    check_field(
        template,
        r#"{"x": 0}"#,
        r#"{"a":"small","l":[0,{"x":"0"},2,{"x":"2"}]}"#,
    );
}

#[test]
fn a_function_that_holds_nodes_returns_them() {
    check_documents(
        r#"#@ def labels(app):
app: #@ app
tier:
  - web
  #@ if app == "shop":
  - db
  #@ end
#@ end
---
kind: A
a: #@ labels("shop")
b: #@ labels("other")
"#,
        "{}",
        r#"{"a":{"app":"shop","tier":["web","db"]},"b":{"app":"other","tier":["web"]}}"#,
    );
}

#[test]
fn plain_yaml_is_read_by_the_rules_of_yaml_1_1() {
    check(
        "kind: A # a comment\nyes: x\na: 012\nb: 2001-01-01\nc: 1\nc: 2\nd: &d {e: 08}\nf: *d\n",
        "{}",
        r#"{"a":10,"b":"2001-01-01","c":2,"d":{"e":8},"f":{"e":8},"kind":"A","true":"x"}"#,
    );
}

#[test]
fn an_error_names_line_column_and_calls() {
    check_error(
        r#"#@ load("@ytt:data", "data")
#@ def param(key):
#@   return data.values.params[key]
#@ end
kind: A
a: #@ param("a/b")
"#,
        r#"{"params": {"c": 1}}"#,
        "3:13: key \"a/b\" not in struct\n  in param, called at :6:7",
    );
}
