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
        template: "T".to_owned(),
        why: problem.to_owned(),
    };
    assert_eq!(
        shown(&template_condition(Some(&error))),
        format!(
            "RunTemplateReady=False OutputPathNotSatisfied: waiting to read value from resource [tests.test.run/r1] in namespace [ns]: unable to retrieve outputs from stamped object [ns/r1] of type [tests.test.run] for run template [T]: {problem}"
        )
    );
    assert!(!error.retries());
}

#[test]
fn a_refusal_is_tried_again_unless_somebody_tells_what_helps() {
    let rejected = |may_pass| RunError::Rejected {
        namespace: "ns".to_owned(),
        name: "r-".to_owned(),
        template: "T".to_owned(),
        may_pass,
        why: "create: no".to_owned(),
    };
    assert!(rejected(true).retries());
    assert!(!rejected(false).retries());
    assert_eq!(
        shown(&template_condition(Some(&rejected(true)))),
        "RunTemplateReady=False StampedObjectRejectedByAPIServer: unable to apply object [ns/r-] for run template [T]: create: no"
    );
}

#[test]
fn a_run_template_that_is_missing_is_waited_for() {
    let error = RunError::Template("T".to_owned());
    assert!(!error.retries());
    assert_eq!(
        shown(&template_condition(Some(&error))),
        "RunTemplateReady=False RunTemplateNotFound: unable to get run template [T]: failed to get run template object \
         from api server [ClusterRunTemplate/T]: ClusterRunTemplate.carto.run \"T\" not found"
    );
}

#[test]
fn without_an_account_nothing_is_said_of_an_object() {
    let of = |error: Option<&RunError>, object: Option<&Value>| {
        let drafts = conditions(error, object);
        let shown: Vec<_> = drafts.iter().map(shown).collect();
        shown.join("; ")
    };
    let account = RunError::ServiceAccount("gone".to_owned());
    assert_eq!(
        of(Some(&account), None),
        "RunTemplateReady=False ServiceAccountError: gone"
    );
    let template = RunError::Template("T".to_owned());
    let said = of(Some(&template), None);
    assert!(
        said.ends_with("; StampedObjectCondition=Unknown Unknown: "),
        "{said}"
    );
    assert_eq!(
        of(None, Some(&run("True"))),
        "RunTemplateReady=True Ready: ; StampedObjectCondition=True SucceededCondition: m"
    );
}

#[test]
fn the_object_has_values_of_the_runnable_and_of_what_is_selected() {
    let runnable = json!({
        "metadata": {"name": "tests", "namespace": "dev", "uid": "u1"},
        "spec": {"inputs": {"url": "git", "list": [1, "2"]}},
    });
    let owner = Owner::new(crate::owner::OwnerKind::Runnable, runnable);
    let template = json!({
        "apiVersion": "v1", "kind": "Run", "metadata": {"generateName": "$(runnable.metadata.name)$-"},
        "spec": {
            "url": "$(runnable.spec.inputs.url)$", "list": "$(runnable.spec.inputs.list)$",
            "stage": "$(selected.data.stage)$",
        },
    });
    let labels = crate::labels::of_run(&owner, "T");
    let selected = json!({"data": {"stage": "test"}});
    let object = stamped(&owner, &template, Some(selected), &labels).expect("it can be filled");
    assert_eq!(object["metadata"]["generateName"], "tests-");
    assert_eq!(object["metadata"]["namespace"], "dev");
    assert_eq!(object["metadata"]["ownerReferences"][0]["kind"], "Runnable");
    assert_eq!(
        object["metadata"]["labels"]["carto.run/runnable-name"],
        "tests"
    );
    assert_eq!(
        object["spec"],
        json!({"url": "git", "list": [1, "2"], "stage": "test"})
    );
    let without = stamped(&owner, &template, None, &labels);
    let why = without.expect_err("nothing is selected").to_string();
    assert!(
        why.contains("jsonpath returned empty list: selected.data.stage"),
        "{why}"
    );
}

#[test]
fn the_current_run_speaks_for_all_if_it_succeeded() {
    let run = |name: &str, second: u32, status: &str| {
        let created = format!("2026-01-01T00:00:0{second}Z");
        json!({
            "metadata": {"name": name, "creationTimestamp": created},
            "status": {"conditions": [{"type": "Succeeded", "status": status}]},
        })
    };
    let policy = RetentionPolicy {
        max_failed_runs: 1,
        max_successful_runs: 1,
    };
    let judged = |objects: &[Value]| {
        let paths = paths("name=metadata.name");
        let Judged { outputs, doomed } = judge(objects, &paths, policy, &BTreeMap::new());
        let doomed: Vec<_> = doomed
            .iter()
            .map(|it| it["metadata"]["name"].as_str())
            .collect();
        (json!(outputs.values), json!(doomed))
    };
    // The change to b was taken back.
    let (outputs, doomed) = judged(&[run("a", 1, "True"), run("b", 2, "True")]);
    assert_eq!((outputs, doomed), (json!({"name": "a"}), json!(["b"])));
    let (outputs, doomed) = judged(&[
        run("c", 3, "False"),
        run("a", 1, "True"),
        run("b", 2, "False"),
    ]);
    assert_eq!((outputs, doomed), (json!({"name": "a"}), json!(["b"])));
    let (outputs, doomed) = judged(&[run("b", 2, "Unknown"), run("a", 1, "True")]);
    assert_eq!((outputs, doomed), (json!({"name": "a"}), json!([])));
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

#[test]
fn a_job_tells_by_its_own_conditions_how_it_ended() {
    let job = |kind: &str, status: &str| {
        let conditions = json!([{"type": kind, "status": status, "message": "so"}]);
        json!({"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": conditions}})
    };
    let so = |status| Some((status, "so".to_owned()));
    assert_eq!(told(&job("Complete", "True")), so(Status::True));
    assert_eq!(told(&job("Failed", "True")), so(Status::False));
    assert_eq!(told(&job("Suspended", "True")), None);
    assert_eq!(told(&job("Complete", "False")), None);
    assert_eq!(told(&job("Succeeded", "Unknown")), so(Status::Unknown));
    let mut other = job("Complete", "True");
    other["apiVersion"] = json!("jobs.example/v1");
    assert_eq!(told(&other), None);
}
