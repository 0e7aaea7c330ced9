//! Paths of columns, each beside the values it leads to.

use serde_json::json;

use super::*;

#[track_caller]
fn check(path: &str, wanted: &str) {
    let value = json!({
        "a": {"b": [1, 2, 3], "c.d": "dots", "e": null},
        "list": [{"n": "x", "v": 1}, {"n": "y", "v": 2}, {"v": 3}],
    });
    let found = JsonPath::parse(path).map(|path| path.all(&value));
    let found = match found {
        None => "no path".to_owned(),
        Some(Err(_)) => "broken".to_owned(),
        Some(Ok(found)) => json!(found).to_string(),
    };
    assert_eq!(found, wanted, "{path}");
}

#[test]
fn paths_lead_to_values() {
    check(".a.b", "[[1,2,3]]");
    check("$.a.b[0]", "[1]");
    check(".a.b[-1]", "[3]");
    check(".a.b[1:]", "[2,3]");
    check(".a.b[:2]", "[1,2]");
    check(".a.b[::2]", "[1,3]");
    check(".a.b[*]", "[1,2,3]");
    check(".a.b[0,2]", "[1,3]");
    check(".a.b[5]", "broken");
    check(".a['c\\.d']", "[\"dots\"]");
    check(".a.c\\.d", "[\"dots\"]");
    check(".a.x.y", "[]");
    check(".a.e.f", "[]");
    check(".list[*].n", "[\"x\",\"y\"]");
    check(".list[?(@.n==\"y\")].v", "[2]");
    check(".list[?(@.v>=2)].v", "[2,3]");
    check(".list[?(@.n)].v", "[1,2]");
    check(".list[?(@.n!='x')].v", "[2]");
    check("..n", "[\"x\",\"y\"]");
    check(".a.*", "[[1,2,3],\"dots\",null]");
    check(".a.b[x]", "no path");
    check(".a.b[", "no path");
    check(".list[?(@.n", "no path");
    check("a", "no path");
}
