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

#[test]
fn labels_are_merged_from_structs_and_dicts() {
    let template = r#"#@ load("@ytt:data", "data")
#@ def merge_labels(fixed):
#@   labels = {}
#@   if hasattr(data.values.workload.metadata, "labels"):
#@     labels.update(data.values.workload.metadata.labels)
#@   end
#@   labels.update(fixed)
#@   return labels
#@ end
#@ def param(key):
#@   if not key in data.values.params:
#@     return None
#@   end
#@   return data.values.params[key]
#@ end
---
kind: A
labels: #@ merge_labels({"component": "run"})
#@ if/end param("a/b"):
ab: #@ param("a/b")
#@ if/end param("c") != None:
c: #@ param("c")
"#;
    check_documents(
        template,
        r#"{"workload": {"metadata": {"labels": {"z": "1", "a": "2"}}}, "params": {"a/b": "x"}}"#,
        r#"{"ab":"x","labels":{"a":"2","component":"run","z":"1"}}"#,
    );
    check_documents(
        template,
        r#"{"workload": {"metadata": {}}, "params": {"c": ""}}"#,
        r#"{"c":"","labels":{"component":"run"}}"#,
    );
}

#[test]
fn structs_are_asked_for_what_they_have() {
    let template = r#"#@ load("@ytt:data", "data")
#@ v = data.values
a: #@ [hasattr(v, "a"), hasattr(v, "x"), getattr(v, "x", 7), getattr(v, "a/b", 0), type(v), type(v.m), type({})]
b: #@ [k for k in v.m]
c: #@ ["z" in v.m, "q" not in v.m, len(v.m), bool(v.e), v.m == v.m, dir(v.m)]
d: #@ dict(v.m)
#@ f = lambda **kw: sorted(kw)
e: #@ f(**v.m)
f: #@ [x.n for x in v.l] + v.l[:-1][:0]
"#;
    check_field(
        template,
        r#"{"a": 1, "a/b": 2, "m": {"z": 1, "b": 2}, "e": {}, "l": [{"n": 1}, {"n": 2}]}"#,
        r#"{"a":[true,false,7,2,"struct","struct","dict"],"b":["b","z"],"c":[true,true,2,false,true,["b","z"]],"d":{"b":2,"z":1},"e":["b","z"],"f":[1,2]}"#,
    );
}

#[test]
fn strings_are_joined_split_and_formatted() {
    let template = r#"#@ load("@ytt:data", "data")
#@ repo = "registry/path"
a: #@ "/".join([repo, "-".join([data.values.name, "ns"])])
b: #@ "a/b:c".split("/")[-1].split(":")[0] + ":" + "x,y"[:-1]
c: #@ "{} is {}".format("a", 1) + " %s %d" % ("b", 2) + "\/\@"
d: #@ "a" if data.values.name == "shop" else "b"
e: #@ " x ".strip().replace("x", "y").startswith("y")
f: #@ [str(1.0), str(123456789.0), str(True), str(None), str([1, "a", 2.5]), repr("a")]
"#;
    check_field(
        template,
        r#"{"name": "shop"}"#,
        r#"{"a":"registry/path/shop-ns","b":"b:x,","c":"a is 1 b 2\\/\\@","d":"a","e":true,"f":["1","1.23457e+08","True","None","[1, \"a\", 2.5]","\"a\""]}"#,
    );
}

#[test]
fn indentation_means_nothing() {
    let template = "#@  if True:\n#@       a = 1\n#@  else:\n#@  a = 2\n#@    end\na: #@ a\n#@ for x in [1]:\n#@for_remark\n#@   for y in [2]:\nb: #@ x + y\n#@ end\n#@       end\n#@ if True: c = 3\nc: #@ c\n#@ s = \"1\\n\\\n#@    2\"\nd: #@ s\n#@ t = \"\"\"x\n#@  y\"\"\"\ne: #@ t\n#@ u = 1 + \\\n#@   2\nf: #@ u\n#@ if False:\n#@ elif False:\n#@ end\n#@ for z in []:\n#@ end\ng: 1\n";
    check_field(
        template,
        "{}",
        r#"{"a":1,"b":3,"c":3,"d":"1\n   2","e":"x\n y","f":3,"g":1}"#,
    );
}

#[test]
fn the_sugar_covers_exactly_its_node() {
    let template = r"#@ if False:
a: 1
#@ else/end:
a: 2
#@ if False:
b: if
#@ elif True:
b: elif
#@ else/end:
b: else
l:
#@ for/end x in [1, 2]:
- x: #@ x
  more: yes
- 3
#@ if/end False:
c:
  d: 1
e: 1
";
    check_field(
        template,
        "{}",
        r#"{"a":2,"b":"elif","e":1,"l":[{"more":true,"x":1},{"more":true,"x":2},3]}"#,
    );
}

#[test]
fn an_override_stands_at_its_own_place() {
    check_field(
        "#@ load('@ytt:json', 'json')\na: 1\nb: 2\n#@yaml/map-key-override\na: 3\n",
        "{}",
        r#"{"a":3,"b":2}"#,
    );
}

#[test]
fn names_that_only_the_crate_reserves_are_free() {
    check_field(
        "#@ load('@ytt:assert', 'assert')\n#@ load('@ytt:struct', s='struct')\n#@ async = s.make(await=1, x=2)\na: #@ async.await + async.x\nb: #@ [k for k in async]\n#@ if True:\n#@ load('@ytt:assert', 'assert')\n#@ end\nc: #@ type(assert)\n",
        "{}",
        r#"{"a":3,"b":["await","x"],"c":"namespace"}"#,
    );
}

#[test]
fn anchors_are_copied() {
    let template = "base: &b\n  x: 1\n  l: [1]\n#@ def f():\nwhy:\n  <<: *b\n  z: 2\n#@ end\nc: *b\nd: #@ f()\n";
    check_field(
        template,
        "{}",
        r#"{"base":{"l":[1],"x":1},"c":{"l":[1],"x":1},"d":{"why":{"l":[1],"x":1,"z":2}}}"#,
    );
    crate::check_error(
        "base: &b\n  x: 1\nc:\n  <<: *b\n  x: #@ 2\n",
        "{}",
        "5:3: expected key 'x' to not be specified again (unless 'yaml/map-key-override' \
         annotation is added); it is on line 2",
    );
}

#[test]
fn numbers_of_the_data_were_floats_once() {
    check_field(
        "#@ load('@ytt:data', 'data')\na: #@ data.values.l\nb: #@ [type(x) for x in data.values.l]\n",
        r#"{"l": [2.0, 12345678901, 1e21, 9007199254740993, 0.5]}"#,
        r#"{"a":[2,12345678901,1e+21,9007199254740992,0.5],"b":["int","int","float","int","float"]}"#,
    );
}

#[test]
fn every_plain_scalar_in_a_template_follows_yaml_1_1() {
    check_field(
        "a: [y, No, on, ~, 0x1F, 012, 0o14, 0b1, 1_000, -5, +1, 1.5, 1e3, .5, 08, 2001-01-01, 12:30:45, !!str 1, !!int '3', !!binary aGk=, !custom x]\nb: #@ 1\n",
        "{}",
        r#"{"a":[true,false,true,null,31,10,12,1,1000,-5,1,1.5,1000,0.5,8,"2001-01-01","12:30:45","1",3,"hi","x"],"b":1}"#,
    );
}
