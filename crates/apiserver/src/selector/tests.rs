//! Selectors against what the genuine server answered.

use std::borrow::Cow;

use serde_json::Value;

use super::*;

/// What kube-apiserver v1.36.3 answered to lists of these ConfigMaps in the namespace `recorded`.
fn recorded() -> Value {
    serde_json::from_str(include_str!("recorded.json")).expect("the text is right")
}

/// Each query with the genuine answer, and that of `answer`: names of objects, or that it is refused.
#[track_caller]
fn check_recorded(part: &str, answer: impl Fn(&str) -> Result<Vec<String>, SelectorError>) {
    let recorded = recorded();
    let cases = recorded[part].as_array().expect("it is there");
    assert!(cases.len() > 30);
    let mut wrong = Vec::new();
    for case in cases {
        let query = case[0].as_str().expect("it is there");
        let (code, text) = match answer(query) {
            Ok(mut names) => {
                names.sort();
                (200, names.join(" "))
            }
            Err(error) => (400, error.to_string()),
        };
        let same = case[1] == code && (code == 400 || case[2] == text);
        if !same {
            wrong.push(format!("{query:?} is {code} {text}, not {case}"));
        }
    }
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
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

#[expect(clippy::unnecessary_wraps, reason = "as selectors ask for it")]
fn unknown(field: &str) -> Option<String> {
    Some(format!("field label not supported: {field}"))
}

#[test]
fn field_selectors_pick_and_fail_as_on_the_genuine_server() {
    let objects = objects();
    check_recorded("fields", |query| {
        let selector = FieldSelector::parse(query, unknown)?;
        let none = |_: &str| Cow::Borrowed("");
        let fits = objects
            .iter()
            .filter(|(name, _)| selector.matches("recorded", name, none));
        Ok(fits.map(|(name, _)| name.clone()).collect())
    });
}

#[test]
fn kinds_name_their_fields_and_refuse_others() {
    let refuse = |field: &str| unknown(field).filter(|_| field != "spec.nodeName");
    for (query, wanted) in [
        ("spec.nodeName==a,metadata.name=web", Ok(true)),
        ("spec.nodeName!=a", Ok(false)),
        ("spec.x=1", Err("field label not supported: spec.x")),
    ] {
        let value = |field: &str| Cow::Borrowed(if field == "spec.nodeName" { "a" } else { "" });
        let fits = FieldSelector::parse(query, refuse)
            .map(|selector| selector.matches("shop", "web", value));
        let fits = fits.map_err(|error| error.to_string());
        assert_eq!(fits, wanted.map_err(str::to_owned), "{query}");
    }
}

#[test]
fn a_name_that_is_pinned_is_known() {
    let selector =
        FieldSelector::parse("metadata.name=a", unknown).expect("the folder can be read");
    assert_eq!(selector.exact("metadata.name"), Some("a"));
    assert!(!selector.needs_object());
    let selector =
        FieldSelector::parse("metadata.name!=a", unknown).expect("the folder can be read");
    assert_eq!(selector.exact("metadata.name"), None);
}

#[test]
fn a_selector_is_bounded() {
    let many = vec!["a"; MAX_REQUIREMENTS + 1].join(",");
    assert_eq!(LabelSelector::parse(&many), Err(SelectorError::too_many()));
    let many = vec!["metadata.name=a"; MAX_REQUIREMENTS + 1].join(",");
    let refused = FieldSelector::parse(&many, unknown);
    assert_eq!(refused, Err(SelectorError::too_many()));
}
