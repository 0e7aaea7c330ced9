//! Functions that build nodes, and what they return.

use crate::{check_documents, check_error, check_field};

#[test]
fn a_return_closes_what_the_function_began() {
    let template = r#"#@ def early(x):
#@ if x == 0:
#@   return
#@ elif x == 1:
#@   return "one"
#@ end
a: #@ x
#@ if x == 2:
#@   return
#@ end
b: #@ x
#@ end
---
kind: A
l:
- #@ early(0)
- #@ early(1)
- #@ early(2)
- #@ early(3)
"#;
    check_documents(
        template,
        "{}",
        r#"{"l":[null,"one",{"a":2},{"a":3,"b":3}]}"#,
    );
}

#[test]
fn a_fragment_is_read_like_a_collection() {
    let template = r#"#@ def map():
one: str
two:
  three: 3
#@ end
---
#@ def array():
- a
- b
#@ end
---
#@ def keywords(one=None, two=None):
#@   return [one, two]
#@ end
#@ def none():
#@ if False:
a: 1
#@ end
#@ end
---
kind: A
a: #@ [map()["one"], type(map()["two"]), map()["two"]["three"], len(map()), "one" in map()]
b: #@ [k for k in map()] + [v for v in array()]
c: #@ keywords(**map())
d: #@ dict(**map())
e: #@ [array()[1], 1 in array(), 2 in array(), bool(array()), bool(none()), type(none())]
f: #@ none()
g: #@ list(array())
h: #@ dict(map())["one"]
"#;
    check_documents(
        template,
        "{}",
        r#"{"a":["str","yamlfragment",3,2,true],"b":["one","two","a","b"],"c":["str",{"three":3}],"d":{"one":"str","two":{"three":3}},"e":["b",true,false,true,false,"yamlfragment"],"f":null,"g":["a","b"],"h":"str"}"#,
    );
}

#[test]
fn functions_nest_and_recur() {
    let template = r#"#@ def tree(n):
#@   def leaf():
#@     return "leaf"
#@   end
value: #@ n
#@ if n > 0:
child: #@ tree(n - 1)
#@ else:
child: #@ leaf()
#@ end
#@ end
---
kind: A
a: #@ tree(2)
"#;
    check_documents(
        template,
        "{}",
        r#"{"a":{"child":{"child":{"child":"leaf","value":0},"value":1},"value":2}}"#,
    );
}

#[test]
fn a_function_of_documents_is_no_value() {
    let template = "#@ def docs():\n---\na: 1\n---\nb: 2\n#@ end\n---\nkind: A\na: #@ docs()\n";
    check_error(
        template,
        "{}",
        "9:7: this is a document set: a value cannot be several documents; see template.replace",
    );
    check_documents(
        "#@ def docs():\n---\nx\n---\nk: 1\n#@ end\n---\nkind: A\na: #@ [docs()[0], docs()[1]['k'], len(docs())]\n",
        "{}",
        r#"{"a":["x",1,2]}"#,
    );
}

#[test]
fn a_function_is_no_value() {
    check_error(
        "#@ f = lambda: 1\na: #@ f\n",
        "{}",
        "2:7: a function does not encode; was it meant to be called?",
    );
}

#[test]
fn the_function_sugar_covers_one_node() {
    check_field(
        "#@ def/end f():\n_:\n  x: 1\na: #@ f()\n",
        "{}",
        r#"{"a":{"_":{"x":1}}}"#,
    );
    check_field(
        "a:\n#@ def f():\n- 1\n#@ end\nb: #@ f()\n",
        "{}",
        r#"{"a":[],"b":[1]}"#,
    );
}
