//! Several documents: which one is the object.

use crate::{check, check_documents, check_error};

#[test]
fn the_first_document_that_is_not_empty_is_the_object() {
    let template = r#"#@ load("@ytt:data", "data")
#@ if data.values.kind == "x":
---
kind: X
#@ elif data.values.kind == "y":
---
kind: "Y"
#@ end
---
#@ if False:
a: 1
#@ end
---
kind: Z
"#;
    check(template, r#"{"kind": "x"}"#, r#"{"kind":"X"}"#);
    check(template, r#"{"kind": "y"}"#, r#"{"kind":"Y"}"#);
    check(template, r#"{"kind": "z"}"#, r#"{"kind":"Z"}"#);
    check("--- #@ {'kind': 'A'}\n", "{}", r#"{"kind":"A"}"#);
    check(
        "--- #@ None\n--- #@ {}\n--- #@ []\n---\nkind: A\n",
        "{}",
        r#"{"kind":"A"}"#,
    );
}

#[test]
fn what_is_no_object_is_refused() {
    check_error("#@ x = 1\n", "{}", " the template makes no object");
    check_error("# nothing\n", "{}", " the template makes no object");
    check_error("a: #@ 1\n", "{}", " the object has no `kind`");
    check_error("- #@ 1\n", "{}", " the template makes no object, but array");
    check_error(
        "kind: A\na: #@ float('nan')\n",
        "{}",
        " a number is not finite",
    );
    check_error(
        "kind: A\na: #@ {None: 1}\n",
        "{}",
        " a map has a key that is null",
    );
}

#[test]
fn a_whole_manifest_in_a_function_is_encoded() {
    let template = r#"#@ load("@ytt:yaml", "yaml")
#@ def manifests(name):
---
kind: Service
metadata:
  name: #@ name
---
kind: Route
ports: [80, 443]
#@ end
---
kind: A
a: #@ yaml.encode(manifests("shop"))
"#;
    check_documents(
        template,
        "{}",
        r#"{"a":"kind: Service\nmetadata:\n  name: shop\n---\nkind: Route\nports:\n- 80\n- 443\n"}"#,
    );
}

#[test]
fn keys_may_be_any_scalar_until_the_end() {
    check(
        "kind: A\nyes: #@ 1\n2: b\n1.5: c\n",
        "{}",
        r#"{"1.5":"c","2":"b","kind":"A","true":1}"#,
    );
}

#[test]
fn documents_are_replaced_by_several() {
    check(
        "#@ load('@ytt:template', 'template')\n--- #@ template.replace([{}, {'kind': 'A'}])\n---\nkind: B\n",
        "{}",
        r#"{"kind":"A"}"#,
    );
}
