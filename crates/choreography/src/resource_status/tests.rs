//! Entries of one pass after another.

use kinds::cartographer::blueprint::ResourceReference;
use kinds::cartographer::reason::Reason;
use serde_json::json;

use super::*;
use crate::owner::OwnerKind;

const PLACE: Place<'_> = Place {
    owner: OwnerKind::Workload,
    blueprint: "chain",
    resource: "build",
};

const NOTHING: Happened<'_> = Happened {
    template: None,
    stamped: None,
    output: None,
    is_passed_through: false,
    health: None,
    error: None,
};

fn resource() -> Resource {
    let from = |name: &str| ResourceReference {
        name: "in".to_owned(),
        resource: name.to_owned(),
    };
    Resource {
        name: "build".to_owned(),
        configs: vec![from("render")],
        sources: vec![from("git")],
        images: vec![from("base")],
        ..Resource::default()
    }
}

fn stamped(name: &str) -> CoreReference {
    CoreReference {
        kind: Some("Build".to_owned()),
        name: Some(name.to_owned()),
        ..CoreReference::default()
    }
}

fn image(text: &str) -> Output {
    Output::Image(json!(text))
}

fn good() -> Verdict {
    Verdict::good(Reason::OutputsAvailable)
}

fn pass(output: &Output, previous: Option<&ResourceStatus>, now: &str) -> ResourceStatus {
    let happened = Happened {
        template: Some((TemplateKind::ClusterImageTemplate, "kpack")),
        stamped: Some(&stamped("shop")),
        output: Some(output),
        health: Some(&good()),
        ..NOTHING
    };
    entry(&resource(), happened, previous, PLACE, now)
}

fn shown(entry: &ResourceStatus) -> String {
    let name = |reference: &Option<CoreReference>| {
        let name = reference
            .as_ref()
            .and_then(|reference| reference.name.clone());
        name.unwrap_or_else(|| "-".to_owned())
    };
    let inputs: Vec<_> = entry
        .inputs
        .iter()
        .map(|input| input.name.as_str())
        .collect();
    let outputs: Vec<_> = entry
        .outputs
        .iter()
        .map(|output| {
            format!(
                "{}={} at {}",
                output.name,
                output.preview.trim(),
                output.last_transition_time
            )
        })
        .collect();
    let conditions: Vec<_> = entry
        .conditions
        .iter()
        .map(|condition| {
            format!(
                "{}={} {} at {}",
                condition.kind, condition.status, condition.reason, condition.last_transition_time
            )
        })
        .collect();
    format!(
        "object {} template {} inputs {}\n{}\n{}",
        name(&entry.stamped_ref),
        name(&entry.template_ref),
        inputs.join(" "),
        outputs.join("\n"),
        conditions.join("\n")
    )
}

#[test]
fn an_entry_tells_all_of_its_resource() {
    assert_eq!(
        shown(&pass(&image("i1"), None, "t1")),
        "object shop template kpack inputs git base render\n\
         image=i1 at t1\n\
         ResourceSubmitted=True ResourceSubmissionComplete at t1\n\
         Healthy=True OutputsAvailable at t1\n\
         Ready=True Ready at t1"
    );
}

#[test]
fn times_move_only_with_what_they_belong_to() {
    let first = pass(&image("i1"), None, "t1");
    let same = pass(&image("i1"), Some(&first), "t2");
    assert_eq!(same, first);
    let other = pass(&image("i2"), Some(&first), "t3");
    assert_eq!(other.outputs[0].last_transition_time, "t3");
    assert_eq!(other.conditions, first.conditions);
}

#[test]
fn what_could_not_be_stamped_keeps_its_object_outputs_and_health() {
    let first = pass(&image("i1"), None, "t1");
    let error = ResourceError::Other("boom".to_owned());
    let failed = Happened {
        template: Some((TemplateKind::ClusterImageTemplate, "other")),
        health: Some(&Verdict::new(Status::Unknown, Reason::Unknown, "")),
        error: Some(&error),
        ..NOTHING
    };
    let second = entry(&resource(), failed, Some(&first), PLACE, "t2");
    assert_eq!(
        shown(&second),
        "object shop template kpack inputs git base render\n\
         image=i1 at t1\n\
         ResourceSubmitted=False UnknownError at t2\n\
         Healthy=True OutputsAvailable at t1\n\
         Ready=False UnknownError at t2"
    );
}

#[test]
fn what_was_never_stamped_has_the_health_of_nothing() {
    let error = ResourceError::Other("boom".to_owned());
    let without_template = Happened {
        error: Some(&error),
        ..NOTHING
    };
    let first = entry(&resource(), without_template, None, PLACE, "t1");
    assert_eq!(
        shown(&first),
        "object - template - inputs git base render\n\n\
         ResourceSubmitted=False UnknownError at t1\n\
         Ready=False UnknownError at t1"
    );
}

#[test]
fn an_object_without_output_loses_the_outputs_of_before() {
    let first = pass(&image("i1"), None, "t1");
    let silent = Happened {
        template: Some((TemplateKind::ClusterImageTemplate, "kpack")),
        stamped: Some(&stamped("shop")),
        ..NOTHING
    };
    let second = entry(&resource(), silent, Some(&first), PLACE, "t2");
    assert_eq!(second.outputs, []);
}

#[test]
fn what_is_passed_on_follows_its_input() {
    let passed = |output: &Output, previous: Option<&ResourceStatus>, now: &str| {
        let happened = Happened {
            output: Some(output),
            is_passed_through: true,
            ..NOTHING
        };
        entry(&resource(), happened, previous, PLACE, now)
    };
    let before = pass(&image("i1"), None, "t1");
    let first = passed(&image("i1"), Some(&before), "t2");
    assert_eq!(
        shown(&first),
        "object - template - inputs git base render\n\
         image=i1 at t1\n\
         ResourceSubmitted=True PassThrough at t2\n\
         Ready=True Ready at t1"
    );
    let second = passed(&image("i2"), Some(&first), "t3");
    assert_eq!(second.outputs[0].preview, "i2\n");
}

#[test]
fn a_source_has_two_outputs() {
    let source = Output::Source {
        url: json!("u"),
        revision: json!({"a": 1}),
    };
    let names: Vec<_> = outputs(Some(&source), &[], "t")
        .into_iter()
        .map(|output| (output.name, output.preview))
        .collect();
    assert_eq!(
        names,
        [
            ("url".to_owned(), "u\n".to_owned()),
            ("revision".to_owned(), "a: 1\n".to_owned())
        ]
    );
}
