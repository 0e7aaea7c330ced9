//! Names, labels and metadata, by the tables upstream tests them with.

use serde_json::{Value, json};

use super::*;

#[track_caller]
fn check(rule: NameRule, form: Form, good: &[&str], bad: &[&str]) {
    for name in good {
        assert_eq!(rule.faults(name, form), Vec::<String>::new(), "{name:?}");
    }
    for name in bad {
        assert!(!rule.faults(name, form).is_empty(), "{name:?}");
    }
}

/// From the tables of apimachinery's `pkg/util/validation` and `pkg/api/validate/content`.
#[test]
fn names_have_the_forms_of_upstream() {
    let (l63, l64, l253, l254) = (
        "a".repeat(63),
        "a".repeat(64),
        "a".repeat(253),
        "a".repeat(254),
    );
    let good = [
        "a",
        "ab",
        "a1",
        "a-1",
        "a--1--2--b",
        "0",
        "01",
        "1a",
        "1--a--b--2",
        &l63,
    ];
    let bad = [
        "", "A", "ABC", "-", "a-", "-a", "_", "a_", "a@b", " ", "a b", "1 2", "ä",
    ];
    let dots = ["a.a", "ab.ab", "0.0.0", "a1.a", "a--1.a"];
    let odd_dots = [".", "a.", ".a", "a..b", "a.-b", "a.A", "a.b_c"];
    check(NameRule::Label, Form::Whole, &good, &bad);
    check(NameRule::Label, Form::Whole, &[], &dots);
    check(NameRule::Label, Form::Whole, &[], &[&l64]);
    check(NameRule::Subdomain, Form::Whole, &good, &bad);
    check(NameRule::Subdomain, Form::Whole, &dots, &odd_dots);
    check(NameRule::Subdomain, Form::Whole, &[&l253], &[&l254]);
    check(
        NameRule::PathSegment,
        Form::Whole,
        &["", "a:b", ".test", "..test", "Iñtër@"],
        &[".", "..", "a/b", "a%b"],
    );
    check(
        NameRule::PathSegment,
        Form::Prefix,
        &[".", ".."],
        &["/", "%"],
    );
    check(
        NameRule::Subdomain,
        Form::Prefix,
        &["a-", "ab-", "a.b-", "A-"],
        &["-", "Ab-", "_a-"],
    );
    // Upstream forgets the character before the dash.
    check(NameRule::Subdomain, Form::Prefix, &["a_-"], &["a_"]);
}

#[test]
fn keys_and_values_of_labels_have_the_forms_of_upstream() {
    let (l63, l64, l253) = ("a".repeat(63), "a".repeat(64), "a".repeat(253));
    let long = format!("{l253}/{l63}");
    let longer = format!("{l253}a/abc");
    for key in [
        "simple",
        "now.with.dots/simple",
        "1.2.3.4/5678",
        "Uppercase_Is_OK_123",
        &l63,
        &long,
    ] {
        assert_eq!(qualified_name(key), Vec::<String>::new(), "{key}");
    }
    for key in [
        "nospecialchars%^=@",
        "a-",
        "-a",
        "only/one/slash",
        "Example.com/abc",
        "example.com/",
        "/simple",
        &l64,
        &longer,
        "",
    ] {
        assert!(!qualified_name(key).is_empty(), "{key}");
    }
    for value in ["", "simple", "1-starts-with-num", &l63] {
        assert_eq!(label_value(value), Vec::<String>::new(), "{value}");
    }
    for value in ["nospecialchars%^=@", "Māori", "-a", "a-", ".a", "a.", &l64] {
        assert!(!label_value(value).is_empty(), "{value}");
    }
}

fn texts(errors: &[crate::status::FieldError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

/// From apimachinery's `pkg/api/validation/objectmeta_test.go`.
#[test]
fn metadata_of_new_objects_is_checked() {
    for (scope, metadata, wanted) in [
        (
            Scope::Namespaced,
            json!({"name": "a", "namespace": "n"}),
            vec![],
        ),
        (
            Scope::Cluster,
            json!({}),
            vec!["metadata.name: Required value: name or generateName is required"],
        ),
        (
            Scope::Cluster,
            json!(null),
            vec!["metadata.name: Required value: name or generateName is required"],
        ),
        (
            Scope::Namespaced,
            json!({"name": "a"}),
            vec!["metadata.namespace: Required value"],
        ),
        (
            Scope::Cluster,
            json!({"name": "a", "namespace": "n"}),
            vec!["metadata.namespace: Forbidden: not allowed on this type"],
        ),
        (
            Scope::Cluster,
            json!({"name": "a", "generation": -1}),
            vec!["metadata.generation: Invalid value: -1: must be greater than or equal to 0"],
        ),
        (
            Scope::Cluster,
            json!({"name": "a", "annotations": {"k": "v".repeat(ANNOTATION_BYTES)}}),
            vec!["metadata.annotations: Too long: may not be more than 262144 bytes"],
        ),
        (
            Scope::Cluster,
            json!({"name": "a", "annotations": {"k": "v".repeat(ANNOTATION_BYTES - 1)}}),
            vec![],
        ),
        (
            Scope::Cluster,
            json!({"name": "a", "managedFields": [{"operation": "X", "fieldsType": "Y", "manager": "a\u{1}"}]}),
            vec![
                "metadata.managedFields[0].operation: Invalid value: \"X\": must be `Apply` or `Update`",
                "metadata.managedFields[0].fieldsType: Invalid value: \"Y\": must be `FieldsV1`",
                "metadata.managedFields[0].manager: Invalid value: \"a\\x01\": invalid character U+0001 (at position 1)",
            ],
        ),
    ] {
        assert_eq!(
            texts(&create(&metadata, scope, NameRule::Subdomain)),
            wanted,
            "{metadata}"
        );
    }
}

#[test]
fn an_update_cannot_change_what_an_object_is() {
    let old = json!({
        "name": "a", "uid": "u", "resourceVersion": "1", "generation": 3,
        "creationTimestamp": "2020-01-01T00:00:00Z", "deletionTimestamp": "2020-01-02T00:00:00Z",
        "deletionGracePeriodSeconds": 0, "finalizers": ["x/a"],
    });
    for (change, wanted) in [
        (json!({}), vec![]),
        // What a caller leaves out or has no say in is taken over.
        (
            json!({"uid": null, "creationTimestamp": "2000-01-01T00:00:00Z", "generation": 99, "deletionTimestamp": null, "deletionGracePeriodSeconds": null}),
            vec![],
        ),
        (json!({"finalizers": []}), vec![]),
        (
            json!({"name": "b"}),
            vec!["metadata.name: Invalid value: \"b\": field is immutable"],
        ),
        (
            json!({"uid": "v"}),
            vec!["metadata.uid: Invalid value: \"v\": field is immutable"],
        ),
        (
            json!({"deletionGracePeriodSeconds": 5}),
            vec!["metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable"],
        ),
        (
            json!({"resourceVersion": null}),
            vec!["metadata.resourceVersion: Invalid value: \"\": must be specified for an update"],
        ),
        (
            json!({"finalizers": ["x/c", "x/a", "x/b"]}),
            vec![
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"x/b\", \"x/c\"}",
            ],
        ),
    ] {
        let mut new = old.clone();
        for (name, value) in change.as_object().into_iter().flatten() {
            new[name] = value.clone();
        }
        carry_over(&mut new, &old);
        let found = texts(&update(&new, &old, Scope::Cluster));
        let twice: Vec<&str> = wanted.iter().chain(&wanted).copied().collect();
        assert_eq!(found, twice, "{change}");
    }
    carry_over(&mut Value::Null, &old);
}
