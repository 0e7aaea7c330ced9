//! Selectors against what the genuine server answered.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::*;

/// What kube-apiserver v1.36.3 answered to lists of these ConfigMaps in the namespace `recorded`.
fn recorded() -> Value {
    serde_json::from_str(include_str!("recorded.json")).expect("the text is right")
}

/// Each query with the genuine answer, and that of `answer`: names of objects, or a message.
#[track_caller]
fn check_recorded(part: &str, answer: impl Fn(&str) -> Result<Vec<String>, SelectorError>) {
    let recorded = recorded();
    let cases = recorded[part].as_array().expect("it is there");
    assert!(cases.len() > 30);
    for case in cases {
        let query = case[0].as_str().expect("it is there");
        let (code, text) = match answer(query) {
            Ok(mut names) => {
                names.sort();
                (200, names.join(" "))
            }
            Err(error) => (400, error.to_string()),
        };
        assert_eq!(json!([code, text]), json!([case[1], case[2]]), "{query:?}");
    }
}

fn objects() -> Vec<(String, Labels)> {
    let recorded = recorded();
    let objects = recorded["objects"].as_object().expect("it is there");
    let labels = |(name, labels): (&String, &Value)| (name.clone(), Labels::of(Some(labels)));
    objects.iter().map(labels).collect()
}

#[test]
fn label_selectors_pick_and_fail_as_on_the_genuine_server() {
    let objects = objects();
    check_recorded("labels", |query| {
        let selector = LabelSelector::parse(query)?;
        let fits = objects
            .iter()
            .filter(|(_, labels)| selector.matches(labels));
        Ok(fits.map(|(name, _)| name.clone()).collect())
    });
}

#[test]
fn a_label_selector_that_is_written_reads_as_the_same() {
    for case in recorded()["labels"].as_array().expect("it is there") {
        if let Ok(selector) = LabelSelector::parse(case[0].as_str().expect("the query is right")) {
            let again = LabelSelector::parse(&selector.to_string());
            assert_eq!(again, Ok(selector));
        }
    }
}

#[test]
fn field_selectors_pick_and_fail_as_on_the_genuine_server() {
    let objects = objects();
    check_recorded("fields", |query| {
        let selector = FieldSelector::parse(query, FieldTable::METADATA)?;
        let none = |_: &str| Cow::Borrowed("");
        let fits = objects
            .iter()
            .filter(|(name, _)| selector.matches("recorded", name, none));
        Ok(fits.map(|(name, _)| name.clone()).collect())
    });
}

#[test]
fn kinds_name_their_fields_and_refuse_others_in_their_own_words() {
    let known = &[
        ("metadata.name", "metadata.name"),
        ("spec.nodeName", "spec.nodeName"),
        ("spec.host", "spec.nodeName"),
    ];
    let table = |refusal| FieldTable { known, refusal };
    let pods = table(Refusal::NotSupported);
    for (query, table, wanted) in [
        ("spec.host=a", pods, Ok(true)),
        ("spec.nodeName==a,metadata.name=web", pods, Ok(true)),
        ("spec.nodeName!=a", pods, Ok(false)),
        ("spec.x=1", pods, Err("field label not supported: spec.x")),
        (
            "a=b",
            table(Refusal::NotSupportedFor("Job")),
            Err("field label \"a\" not supported for Job"),
        ),
    ] {
        let value = |field: &str| Cow::Borrowed(if field == "spec.nodeName" { "a" } else { "" });
        let fits = FieldSelector::parse(query, table)
            .map(|selector| selector.matches("shop", "web", value));
        let fits = fits.map_err(|error| error.to_string());
        assert_eq!(fits, wanted.map_err(str::to_owned), "{query}");
    }
}

#[test]
fn a_name_that_is_pinned_is_known() {
    let selector = FieldSelector::parse("metadata.name=a", FieldTable::METADATA)
        .expect("the folder can be read");
    assert_eq!(selector.exact("metadata.name"), Some("a"));
    assert!(!selector.needs_object());
    let selector = FieldSelector::parse("metadata.name!=a", FieldTable::METADATA)
        .expect("the folder can be read");
    assert_eq!(selector.exact("metadata.name"), None);
}

#[test]
fn selector_objects_mean_what_upstream_means_by_them() {
    let labels = Labels::of(Some(&json!({"app": "web", "tier": "front"})));
    for (object, wanted) in [
        (json!(null), Ok(false)),
        (json!({}), Ok(true)),
        (json!({"matchLabels": {"app": "web"}}), Ok(true)),
        (json!({"matchLabels": {"app": "db"}}), Ok(false)),
        (
            json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["db", "web"]}]}),
            Ok(true),
        ),
        (
            json!({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}),
            Ok(true),
        ),
        (
            json!({"matchExpressions": [{"key": "app", "operator": "Gt", "values": ["1"]}]}),
            Err("\"Gt\" is not a valid label selector operator"),
        ),
        (
            json!({"matchExpressions": [{"key": "app", "operator": "In"}]}),
            Err(
                "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
            ),
        ),
        (
            json!({"matchExpressions": [{"key": "app", "operator": "Exists", "values": ["a"]}]}),
            Err(
                "values: Invalid value: [\"a\"]: values set must be empty for exists and does not exist",
            ),
        ),
    ] {
        let fits =
            LabelSelector::from_object(Some(&object)).map(|selector| selector.matches(&labels));
        let fits = fits.map_err(|error| error.to_string());
        assert_eq!(fits, wanted.map_err(str::to_owned), "{object}");
    }
    assert_eq!(
        LabelSelector::from_object(None),
        Ok(LabelSelector::nothing())
    );
}

#[test]
fn a_selector_is_bounded() {
    let many = vec!["a"; MAX_REQUIREMENTS + 1].join(",");
    assert_eq!(LabelSelector::parse(&many), Err(SelectorError::too_many()));
    let many = vec!["metadata.name=a"; MAX_REQUIREMENTS + 1].join(",");
    let refused = FieldSelector::parse(&many, FieldTable::METADATA);
    assert_eq!(refused, Err(SelectorError::too_many()));
}
