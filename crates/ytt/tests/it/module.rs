//! The modules of `@ytt:`.

use crate::{check_documents, check_error, check_field};

#[test]
fn json_is_written_and_read_as_go_does() {
    let template = r#"#@ load("@ytt:json", "json")
#@ load("@ytt:data", "data")
#@ load("@ytt:yaml", "yaml")
#@ def fragment():
x: [1, {z: 1, a: false}]
#@ end
---
kind: A
a: #@ json.encode({"b": [1, 2.0, 1e21, {}, []], "a": "<&>\n\u00e9", "f": fragment()})
b: #@ json.encode({"a": [1, {}], "b": {"c": None}}, indent=2)
c: #@ json.encode(data.values.m, escape_html=False)
d: #@ json.decode('{"z": 12345678901, "a": [1, 1.5, null]}')
e: #@ str(json.decode("1000000")) + " " + str(json.decode("12345678901")) + " " + str(2.0)
f: #@ yaml.encode(json.decode('{"n": 12345678901}'))
"#;
    check_documents(
        template,
        r#"{"m": {"b": "<x>", "a": 1}}"#,
        r#"{"a":"{\"a\":\"\\u003c\\u0026\\u003e\\né\",\"b\":[1,2,1e+21,{},[]],\"f\":{\"x\":[1,{\"a\":false,\"z\":1}]}}","b":"{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": {\n    \"c\": null\n  }\n}","c":"{\"a\":1,\"b\":\"<x>\"}","d":{"a":[1,1.5,null],"z":12345678901},"e":"1e+06 1.23457e+10 2","f":"\"n\": 1.2345678901e+10\n"}"#,
    );
    check_error(
        "#@ load('@ytt:json', 'json')\na: #@ json.encode({1: 2})\n",
        "{}",
        "2:7: json.encode: a key is int, not a string",
    );
}

#[test]
fn yaml_is_written_and_read_as_go_does() {
    let template = r#"#@ load("@ytt:yaml", "yaml")
#@ load("@ytt:data", "data")
#@ def empty():
#@ if False:
x: 1
#@ end
#@ end
---
kind: A
a: #@ yaml.encode({"z": [1, {"b": "yes", "a": None}], "a": {}})
b: #@ [yaml.encode({}), yaml.encode([]), yaml.encode(None), yaml.encode(empty())]
c: #@ yaml.decode("b: yes\na: [012, ~]\n")
d: #@ [yaml.decode(""), type(yaml.decode("{}"))]
e: #@ yaml.encode(data.values.m)
"#;
    check_documents(
        template,
        r#"{"m": {"z": 1, "a": {"y": "1", "b": 1e6}}}"#,
        r#"{"a":"z:\n- 1\n- b: \"yes\"\n  a: null\na: {}\n","b":["{}\n","[]\n","",""],"c":{"a":[10,null],"b":true},"d":[null,"dict"],"e":"a:\n  b: 1000000\n  \"y\": \"1\"\nz: 1\n"}"#,
    );
    check_error(
        "#@ load('@ytt:yaml', 'yaml')\na: #@ yaml.decode('a: 1\\n---\\nb: 2')\n",
        "{}",
        "2:7: yaml.decode: expected exactly one document",
    );
}

#[test]
fn base64_is_both_ways() {
    check_field(
        "#@ load('@ytt:base64', 'base64')\na: #@ base64.encode('hi?>')\nb: #@ base64.encode('hi?>', url=True, raw=True)\nc: #@ base64.decode('aGk/Pg==')\n",
        "{}",
        r#"{"a":"aGk/Pg==","b":"aGk_Pg","c":"hi?>"}"#,
    );
    check_error(
        "#@ load('@ytt:base64', 'base64')\na: #@ base64.encode(1)\n",
        "{}",
        "2:7: base64.encode: expected a string, but was int",
    );
}

#[test]
fn structs_are_made_bound_and_taken_apart() {
    let template = r#"#@ load("@ytt:struct", "struct")
#@ def two(self, other): return self + "-" + other
#@ s = struct.make(a="x", f=lambda x: x, g=struct.bind(two, "b"), h=struct.bind(two, "b", "c"))
#@ o = struct.make_and_bind("me", f=lambda x: x, g=two, a=1)
#@ e = struct.encode({"a": [1, {"c": 2}], "b": {"d": 3}})
a: #@ [s.a, s.f(1), s.g("o"), s.h(), s["g"]("o"), o.f(), o.g("o"), o.a]
b: #@ [e.a[1].c, e.b.d, "a" in e, "x" in e, len(e), dict(**e)["b"].d]
c: #@ struct.decode(struct.make(a=[1], b={"c": 2}))
d: #@ str(e) + " " + str([e, 1.0])
e: #@ struct.decode(struct.encode({"x": {"y": 1}}))
"#;
    check_field(
        template,
        "{}",
        r#"{"a":["x",1,"b-o","b-c","b-o","me","me-o",1],"b":[2,3,true,false,2,3],"c":{"a":[1],"b":{"c":2}},"d":"struct(...) [struct(...), 1]","e":{"x":{"y":1}}}"#,
    );
}

#[test]
fn patterns_match_and_replace() {
    let template = r#"#@ load("@ytt:regexp", "regexp")
a: #@ [regexp.match("b+$", "abb"), regexp.match("^b", "abb")]
b: #@ regexp.replace("([a-z]+)\/(\d+)", "ab/12", "$2:${1}x$1W")
c: #@ regexp.replace("[a-z]+", "ab1cd", lambda m: m.upper())
"#;
    check_field(
        template,
        "{}",
        r#"{"a":[true,false],"b":"12:abx","c":"AB1CD"}"#,
    );
}

#[test]
fn assertions_fail_with_their_text() {
    check_error(
        "#@ load('@ytt:assert', 'assert')\n#@ False or assert.fail('two\\nlines')\na: 1\n",
        "{}",
        "2:13: assert.fail: fail: two\nlines",
    );
    let template = r#"#@ load("@ytt:assert", "assert")
#@ def f():
x: #@ fail("inner")
#@ end
#@ value, error = assert.try_to(f)
a: #@ [value, error != None]
b: #@ assert.try_to(lambda: 3)
#@ assert.equals([1, {"a": 2}], [1, {"a": 2}])
#@ assert.min(1).check(2)
#@ def items():
l:
- a
- 2
#@ end
#@ assert.min(["a", 1]).check(items()["l"])
#@ assert.max(items()["l"]).check(["a", 2])
#@ assert.max_len(3).check("abc")
#@ assert.not_null("x")
#@ assert.one_not_null(["a", "b"]).check({"a": 1, "b": None, "c": 3})
#@ assert.one_of("x", "y").check("x")
c: 1
"#;
    check_field(template, "{}", r#"{"a":[null,true],"b":[3,null],"c":1}"#);
    check_error(
        "#@ load('@ytt:assert', 'assert')\n#@ assert.one_of(['x', 'y']).check('z')\na: 1\n",
        "{}",
        "2:4: check: the value is not one of those allowed",
    );
}

#[test]
fn nodes_are_replaced_by_children() {
    let template = r#"#@ load("@ytt:template", "template")
#@ load("@ytt:data", "data")
#@ def more():
c: 3
#@ end
a:
- 1
- #@ template.replace(data.values.l)
- #@ template.replace([])
- 4
b:
  a: 1
  _: #@ template.replace(more())
  __: #@ template.replace({"a": 9, "d": 4})
  e: 5
"#;
    check_field(
        template,
        r#"{"l": [2, {"n": 3}]}"#,
        r#"{"a":[1,2,{"n":3},4],"b":{"a":9,"c":3,"d":4,"e":5}}"#,
    );
    check_error(
        "#@ load('@ytt:template', 'template')\na:\n  _: #@ template.replace([1])\n",
        "{}",
        "3:9: template.replace: expected value to be map, but was array",
    );
}
