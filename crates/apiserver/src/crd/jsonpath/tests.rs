//! Paths of columns, each beside the value it leads to.

use serde_json::json;

use super::*;

#[track_caller]
fn check(path: &str, wanted: &str) {
    let value = json!({
        "a": {"b": [1, 2, 3], "c.d": "dots", "e": null},
        "list": [{"n": "x", "v": 1}, {"n": "y", "v": 2}, {"v": 3}],
    });
    let found = match JsonPath::parse(path) {
        None => "no path".to_owned(),
        Some(path) => path
            .first(&value)
            .map_or_else(|| "nothing".to_owned(), Value::to_string),
    };
    assert_eq!(found, wanted, "{path}");
}

#[test]
fn paths_lead_to_values() {
    check(".a.b", "[1,2,3]");
    check("$.a.b[0]", "1");
    check(".a.b[-1]", "3");
    check(".a.b[-4]", "nothing");
    check(".a.b[*]", "1");
    check(".a.b[5]", "nothing");
    check(".a['c\\.d']", "\"dots\"");
    check(".a.c\\.d", "\"dots\"");
    check(".a.x.y", "nothing");
    check(".a.e", "null");
    check(".a.e.f", "nothing");
    check(".list[*].n", "\"x\"");
    check(".list[?(@.n==\"y\")].v", "2");
    check(".list[?(@.v == 2)].n", "\"y\"");
    check(".list[?(@.n)].v", "1");
    check(".list[?(@.n!='x')].v", "2");
    check(".list[?(@.v>1)].n", "\"y\"");
    check(".list[?(@.v <= 1)].n", "\"x\"");
    check(".list[?(2<=@.v)].v", "2");
    check(".list[?(@.v==@.w)].v", "nothing");
    check(".list[?(@.n is odd)].v", "nothing");
    check(".a.b[1:]", "2");
    check(".a.b[-1:]", "3");
    check(".a.b[:-1]", "1");
    check(".a.b[1:3:2]", "2");
    check(".a.b[::2]", "1");
    check(".a.b[5:]", "nothing");
    check(".a.b[0:2:0]", "nothing");
    check(".a.b[7,1]", "2");
    check("..n", "\"x\"");
    check("..b[1]", "2");
    check(".a.*", "[1,2,3]");
    // As the definitions of Cartographer have it.
    check(".a['x.y','c\\.d']", "\"dots\"");
    check(".list[0]['x.y','v']", "1");
    check(".a.b[1:2:3:4]", "no path");
    check(".a.b[]", "1");
    check(".a.b ", "[1,2,3]");
    check(".a.b[0]word", "nothing");
    check(". a", "nothing");
    check("'a'", "no path");
    check(".a['x',y]", "no path");
    check(".a.b[x]", "no path");
    check(".a.b[", "no path");
    check(".list[?(@.n", "no path");
    check("a", "nothing");
}
