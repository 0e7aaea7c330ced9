//! What a Runnable's pass decides.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a call with `json!` reads better without a reference"
)]

use kinds::cartographer::runnable::ResourceType;
use serde_json::json;

use super::*;

fn selector() -> ResourceSelector {
    ResourceSelector {
        resource: ResourceType {
            api_version: Some("v1".to_owned()),
            kind: Some("Test".to_owned()),
        },
        matching_labels: BTreeMap::from([
            ("b".to_owned(), "2".to_owned()),
            ("a".to_owned(), "1".to_owned()),
        ]),
    }
}

fn shown(draft: &Draft) -> String {
    let Draft { kind, verdict } = draft;
    let status = verdict.status.as_str();
    format!("{kind}={status} {}: {}", verdict.reason, verdict.message)
}

fn run(status: &str) -> Value {
    let conditions = json!([{"type": "Succeeded", "status": status, "message": "m"}]);
    json!({"status": {"conditions": conditions, "a": 1, "b": {"c": [2]}}})
}

#[test]
fn a_selector_finds_exactly_one() {
    let found = |count: usize| {
        let objects = (0..count).map(|index| json!(index)).collect();
        match selected(&selector(), objects) {
            Ok(object) => object.to_string(),
            Err(error) => shown(&template_condition(Some(&error))),
        }
    };
    assert_eq!(found(1), "0");
    let text = "RunTemplateReady=False TemplateStampFailure: unable to resolve selector [map[a:1 b:2]], apiVersion [v1], kind [Test]: selector";
    assert_eq!(found(0), format!("{text} did not match any objects"));
    assert_eq!(found(2), format!("{text} matched multiple objects"));
}

#[test]
fn the_condition_of_the_object_is_mirrored() {
    let of = |object: Option<&Value>| shown(&object_verdict(object));
    assert_eq!(
        of(Some(&run("True"))),
        "StampedObjectCondition=True SucceededCondition: m"
    );
    assert_eq!(
        of(Some(&run("False"))),
        "StampedObjectCondition=False SucceededCondition: m"
    );
    assert_eq!(
        of(Some(&json!({}))),
        "StampedObjectCondition=Unknown Unknown: "
    );
    assert_eq!(of(None), "StampedObjectCondition=Unknown Unknown: ");
}

fn paths(text: &str) -> BTreeMap<String, String> {
    text.split_whitespace()
        .filter_map(|word| word.split_once('='))
        .map(|(name, path)| (name.to_owned(), path.to_owned()))
        .collect()
}

#[track_caller]
fn check(given: &str, succeeded: Option<&Value>, expected: Value, problem: Option<&str>) {
    let previous = BTreeMap::from([("old".to_owned(), json!("kept"))]);
    let Outputs {
        values,
        problem: found,
    } = outputs(&paths(given), succeeded, &previous);
    assert_eq!(json!(values), expected);
    assert_eq!(found.as_deref(), problem);
}

#[test]
fn outputs_come_from_the_run_that_succeeded() {
    let run = run("True");
    check(
        "x=status.a y=status.b.c",
        Some(&run),
        json!({"x": 1, "y": [2]}),
        None,
    );
    check("x=status.a", None, json!({"old": "kept"}), None);
    check("", Some(&run), json!({"old": "kept"}), None);
}

#[test]
fn one_bad_path_leaves_the_others() {
    let run = run("True");
    let problem = "failed to evaluate path [status.no]: jsonpath returned empty list: status.no";
    check(
        "x=status.a y=status.no",
        Some(&run),
        json!({"x": 1}),
        Some(problem),
    );
    let error = RunError::Outputs {
        object: ObjectName {
            resource: "tests.test.run".to_owned(),
            namespace: "ns".to_owned(),
            name: "r1".to_owned(),
        },
        why: problem.to_owned(),
    };
    assert_eq!(
        shown(&template_condition(Some(&error))),
        format!(
            "RunTemplateReady=False OutputPathNotSatisfied: waiting to read value from resource [tests.test.run/r1] in namespace [ns]: {problem}"
        )
    );
    assert!(!error.retries());
}

#[test]
fn a_refusal_is_tried_again_unless_it_is_about_rights() {
    let rejected = |is_forbidden| RunError::Rejected {
        namespace: "ns".to_owned(),
        name: "r-".to_owned(),
        template: "T".to_owned(),
        is_forbidden,
        why: "no".to_owned(),
    };
    assert!(rejected(false).retries());
    assert!(!rejected(true).retries());
    assert_eq!(
        shown(&template_condition(Some(&rejected(true)))),
        "RunTemplateReady=False StampedObjectRejectedByAPIServer: unable to apply object [ns/r-] for run template [T]: no"
    );
}

#[test]
fn where_all_is_well_nothing_is_said() {
    assert_eq!(
        shown(&template_condition(None)),
        "RunTemplateReady=True Ready: "
    );
    assert_eq!(outcome(&run("True")), Status::True);
    assert_eq!(outcome(&json!({})), Status::Unknown);
}
