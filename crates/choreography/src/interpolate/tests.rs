//! Templates with their tags filled.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a call with `json!` reads better without a reference"
)]

use serde_json::json;

use super::*;
use crate::fuzz::Random;
use crate::typed::Member;

fn context() -> Typed {
    Typed::Struct(vec![
        Member::new(
            "workload",
            Typed::workload(&json!({"metadata": {"name": "shop"}, "spec": {}})),
        ),
        Member::new(
            "params",
            Typed::Json(
                json!({"port": 8080, "obj": {"b": "<x>", "a": [1, null]}, "on": true, "big": 9_007_199_254_740_993_i64}),
            ),
        ),
        Member::new(
            "sources",
            Typed::Json(json!({"solo": {"revision": "main"}})),
        ),
    ])
}

#[track_caller]
fn check(template: Value, expected: Value) {
    assert_eq!(interpolate(&template, &context()), Ok(expected));
}

#[track_caller]
fn check_error(template: Value, expected: &str) {
    let error = interpolate(&template, &context()).expect_err("it does not fit");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_text_that_is_one_tag_becomes_the_value() {
    check(json!("$(params.port)$"), json!(8080));
    check(
        json!({"a": ["$(params.obj)$"]}),
        json!({"a": [{"b": "<x>", "a": [1, null]}]}),
    );
    check(json!("$(workload.spec.source)$"), json!(null));
    check(json!("$(workload.spec.build)$"), json!({}));
    check(json!("$(params.obj.b)$"), json!("<x>"));
}

#[test]
fn in_other_texts_tags_become_text() {
    check(json!("a $(workload.metadata.name)$ b"), json!("a shop b"));
    check(json!("$(params.port)$$(params.on)$"), json!("8080true"));
    check(
        json!("-$(params.obj)$"),
        json!("-{\"a\":[1,null],\"b\":\"\\u003cx\\u003e\"}"),
    );
    check(json!("$$(params.port)$"), json!("$8080"));
}

#[test]
fn a_tag_that_is_never_closed_is_text() {
    check(json!("a $(b"), json!("a $(b"));
    check(
        json!("$(HOME) $(params.port)"),
        json!("$(HOME) $(params.port)"),
    );
    check(json!("$(params.port)$ $(b $(c"), json!("8080 $(b $(c"));
}

#[test]
fn what_is_no_text_stays_as_it_is() {
    let template = json!({"$(a)$": 1, "n": 9_007_199_254_740_993_i64, "e": [], "o": {}, "z": null, "f": 1.5, "b": false});
    check(template.clone(), template);
    check(
        json!(["$(params.big)$", "x$(params.big)$"]),
        json!([9_007_199_254_740_993_i64, "x9007199254740993"]),
    );
}

#[test]
fn what_a_tag_gives_is_not_looked_at_again() {
    let context = Typed::Json(json!({"a": "$(b)$", "b": 1}));
    assert_eq!(interpolate(&json!("$(a)$"), &context), Ok(json!("$(b)$")));
}

#[test]
fn errors_say_where_and_why() {
    check_error(
        json!({"data": {"foo": "$(sources.source.url)$"}}),
        "failed to interpolate template at path [data.foo]: evaluate tag $(sources.source.url)$: jsonpath returned empty list: sources.source.url",
    );
    check_error(
        json!({"spec": {"list": [{"name": "a-$(nothing)$"}]}}),
        "failed to interpolate template at path [spec.list.[0]name]: interpolate tag: evaluate jsonpath: jsonpath returned empty list: nothing",
    );
    check_error(
        json!({"a": "x$(workload.spec.source)$"}),
        "failed to interpolate template at path [a]: interpolate tag: tag must not point to nil value: workload.spec.source",
    );
    check_error(
        json!({"a": "$()$"}),
        "failed to interpolate template at path [a]: evaluate tag $()$: empty jsonpath not allowed",
    );
    check_error(
        json!({"a": "$(^)$"}),
        "failed to interpolate template at path [a]: evaluate tag $(^)$: jsonpath returned empty list: ^",
    );
}

#[test]
fn a_shell_variable_before_a_tag_swallows_it() {
    let error = interpolate(&json!("$(HOME)/$(params.port)$"), &context()).expect_err("it is none");
    assert_eq!(error.why.expression(), "HOME)/$(params.port");
}

#[test]
fn a_tag_that_opens_nothing_can_be_written() {
    check(
        json!("$(\"$(\")$HOME)/$(params.port)$"),
        json!("$(HOME)/8080"),
    );
    check(
        json!("$(. \"$(\")$HOME)/$(params.port)$"),
        json!("$(HOME)/8080"),
    );
    check(json!("$(\"$(x)\")$"), json!("$(x)"));
}

#[test]
fn odd_templates_never_panic() {
    let context = context();
    let tokens = [
        "$(", ")$", "$", "(", ")", "params", ".", "port", "\"", "'", "[", "]", "é", " ", "{", "}",
        "workload", "spec", "..", "*",
    ];
    let mut random = Random::new(11);
    for _ in 0..20_000 {
        let text: String = (0..random.below(10))
            .map(|_| *random.pick(&tokens))
            .collect();
        let _ = interpolate(&json!({"a": [text]}), &context);
    }
}
