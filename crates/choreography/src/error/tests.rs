//! What a status says of each thing that goes wrong.

use super::*;

#[track_caller]
fn check_for(owner: OwnerKind, level: Level, error: &ResourceError, expected: &str) {
    let place = Place {
        owner,
        blueprint: "B",
        resource: "R",
    };
    let Draft { kind, verdict } = error.condition(level, place);
    let status = verdict.status.as_str();
    let retry = if error.retries() { " (retry)" } else { "" };
    let said = format!(
        "{kind}={status} {}{retry}: {}",
        verdict.reason, verdict.message
    );
    assert_eq!(said, expected);
}

#[track_caller]
fn check(error: &ResourceError, expected: &str) {
    check_for(OwnerKind::Workload, Level::Resource, error, expected);
}

fn output(health: Status, why: OutputError) -> ResourceError {
    ResourceError::Output {
        object: ObjectName {
            resource: "tests.test.run".to_owned(),
            namespace: "ns".to_owned(),
            name: "obj".to_owned(),
        },
        health,
        why,
    }
}

fn missing() -> OutputError {
    OutputError::MissingValue {
        path: "status.x".to_owned(),
        why: "…".to_owned(),
    }
}

fn rejected(is_forbidden: bool) -> ResourceError {
    ResourceError::Rejected {
        namespace: "ns".to_owned(),
        name: "obj".to_owned(),
        is_forbidden,
        why: "create: no".to_owned(),
    }
}

#[test]
fn a_template_that_cannot_be_read() {
    let error = ResourceError::Template {
        template: "T".to_owned(),
        why: "gone".to_owned(),
    };
    let text = "unable to get template [T] for resource [R] in supply chain [B]: gone";
    check(
        &error,
        &format!("ResourceSubmitted=False TemplateObjectRetrievalFailure (retry): {text}"),
    );
    check_for(
        OwnerKind::Deliverable,
        Level::Owner,
        &error,
        "ResourcesSubmitted=False TemplateObjectRetrievalFailure (retry): unable to get template [T] for resource [R] in delivery [B]: gone",
    );
}

#[test]
fn a_template_that_gives_no_object() {
    let why = StampError::Namespace;
    let error = ResourceError::Stamp {
        kind: TemplateKind::ClusterTemplate,
        template: "T".to_owned(),
        why,
    };
    check(
        &error,
        "ResourceSubmitted=False TemplateStampFailure: unable to stamp object for resource [R] for template [ClusterTemplate/T] in supply chain [B]: cannot set namespace in resource template",
    );
}

#[test]
fn a_template_that_waits_for_its_inputs() {
    let error = ResourceError::Waiting {
        producers: vec!["P".to_owned(), "Q".to_owned()],
        kind: TemplateKind::ClusterTemplate,
        template: "T".to_owned(),
        why: StampError::Engine("no".to_owned()),
    };
    check(
        &error,
        "ResourceSubmitted=Unknown WaitingForInput: waiting for output of [P, Q]: no",
    );
    check_for(
        OwnerKind::Deliverable,
        Level::Resource,
        &error,
        "ResourceSubmitted=False TemplateStampFailure: unable to stamp object for resource [R] for template [ClusterTemplate/T] in delivery [B]: no",
    );
}

#[test]
fn an_object_that_is_refused() {
    let text = "unable to apply object [ns/obj] for resource [R] in supply chain [B]: create: no";
    check(
        &rejected(false),
        &format!("ResourceSubmitted=False TemplateRejectedByAPIServer (retry): {text}"),
    );
    check(
        &rejected(true),
        &format!("ResourceSubmitted=False TemplateRejectedByAPIServer: {text}"),
    );
}

#[test]
fn objects_that_cannot_be_listed() {
    let error = ResourceError::List {
        is_forbidden: false,
        namespace: "ns".to_owned(),
        labels: Labels::from([
            ("b".to_owned(), "2".to_owned()),
            ("a".to_owned(), "1".to_owned()),
        ]),
        why: "no".to_owned(),
    };
    let text = "unable to list objects in namespace [ns] with labels [map[a:1 b:2]]: no";
    check(
        &error,
        &format!("ResourceSubmitted=False FailedToListCreatedObjects (retry): {text}"),
    );
    let theirs = format!("ResourceSubmitted=False UnknownError (retry): {text}");
    check_for(OwnerKind::Deliverable, Level::Resource, &error, &theirs);
}

#[test]
fn a_value_that_is_missing_by_health() {
    check(
        &output(Status::True, missing()),
        "ResourceSubmitted=Unknown MissingValueAtPath: cannot read value [status.x] from healthy object [tests.test.run/obj] in namespace [ns], contact Platform Eng",
    );
    check(
        &output(Status::False, missing()),
        "ResourceSubmitted=Unknown MissingValueAtPath: cannot read value [status.x] from unhealthy object [tests.test.run/obj] in namespace [ns], examine object, particularly whether it is receiving proper inputs",
    );
    check(
        &output(Status::Unknown, missing()),
        "ResourceSubmitted=Unknown MissingValueAtPath: waiting to read value [status.x] from object [tests.test.run/obj] in namespace [ns]",
    );
}

#[test]
fn a_cluster_scoped_object_has_no_namespace() {
    let error = ResourceError::Output {
        object: ObjectName {
            resource: "nodes".to_owned(),
            name: "n".to_owned(),
            namespace: String::new(),
        },
        health: Status::Unknown,
        why: missing(),
    };
    check(
        &error,
        "ResourceSubmitted=Unknown MissingValueAtPath: waiting to read value [status.x] from object [nodes/n]",
    );
}

#[test]
fn a_deployment_speaks_of_all_resources_at_either_level() {
    let check = |why, expected| {
        for level in [Level::Owner, Level::Resource] {
            check_for(
                OwnerKind::Deliverable,
                level,
                &output(Status::Unknown, why_of(why)),
                expected,
            );
        }
    };
    check(
        "gen",
        "ResourcesSubmitted=False TemplateStampFailure: resource [R] cannot satisfy observedCompletion without observedGeneration in object status",
    );
    check(
        "not",
        "ResourcesSubmitted=Unknown ConditionNotMet: resource [R] condition not met: d",
    );
    check(
        "failed",
        "ResourcesSubmitted=False FailedConditionMet: resource [R] failed condition met: d",
    );
    let error = output(Status::Unknown, OutputError::NoDeployment);
    check_for(
        OwnerKind::Deliverable,
        Level::Resource,
        &error,
        "ResourceSubmitted=False UnknownError (retry): deployment not found in upstream template",
    );
}

fn why_of(word: &str) -> OutputError {
    match word {
        "gen" => OutputError::NoObservedGeneration("d".to_owned()),
        "not" => OutputError::NotMet("d".to_owned()),
        _ => OutputError::Failed("d".to_owned()),
    }
}

#[test]
fn an_input_to_pass_on_that_is_missing() {
    let error = ResourceError::PassThrough {
        input: "x".to_owned(),
    };
    let text = "SupplyChainReady=False PassThrough: unable to find passthrough [x] in []";
    check(&error, text);
    check_for(OwnerKind::Workload, Level::Owner, &error, text);
    check_for(
        OwnerKind::Deliverable,
        Level::Owner,
        &error,
        "ResourcesSubmitted=False UnknownError: unable to find passthrough [x] in []",
    );
}

#[test]
fn where_nothing_went_wrong() {
    let reason = |level, passed| submitted(level, passed).verdict.reason;
    assert_eq!(reason(Level::Resource, false), "ResourceSubmissionComplete");
    assert_eq!(reason(Level::Resource, true), "PassThrough");
    assert_eq!(reason(Level::Owner, true), "ResourceSubmissionComplete");
}
