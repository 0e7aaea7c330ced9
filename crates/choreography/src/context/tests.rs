//! What expressions find in a context.

use kinds::cartographer::blueprint::{DeploymentReference, ResourceReference};

use super::*;
use crate::jsonpath::one;
use crate::owner::OwnerKind;

fn reference(text: &str) -> ResourceReference {
    let (name, resource) = text.split_once('=').expect("name=resource");
    ResourceReference {
        name: name.to_owned(),
        resource: resource.to_owned(),
    }
}

fn outputs() -> Outputs {
    let source = |url: &str| Output::Source {
        url: json!(url),
        revision: json!("r"),
    };
    Outputs::from([
        ("git".to_owned(), source("u1")),
        ("other".to_owned(), source("u2")),
        ("build".to_owned(), Output::Image(json!("i"))),
        ("render".to_owned(), Output::Config(json!({"k": [1]}))),
    ])
}

fn context(resource: &Resource) -> Context {
    let owner = Owner::new(
        OwnerKind::Workload,
        json!({"metadata": {"name": "shop"}, "spec": {}}),
    );
    let labels = Labels::from([("carto.run/workload-name".to_owned(), "shop".to_owned())]);
    let params = BTreeMap::from([("p".to_owned(), json!({"k": 1}))]);
    Context::of_resource(&owner, params, &Inputs::of(resource, &outputs()), &labels)
}

#[track_caller]
fn check(context: &Context, path: &str, expected: &str) {
    let found = match one(path, context.typed()) {
        Ok(value) => value.to_string(),
        Err(error) if error.is_does_not_exist() => "missing".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{path}");
}

#[test]
fn inputs_may_be_given_without_a_resource() {
    let resource = Resource {
        sources: vec![reference("src=git")],
        images: vec![reference("img=build")],
        configs: vec![reference("cfg=render")],
        ..Resource::default()
    };
    let mut given = Inputs::default();
    for (name, from) in [("src", "git"), ("img", "build"), ("cfg", "render")] {
        given.insert(name, outputs()[from].clone());
    }
    assert_eq!(given, Inputs::of(&resource, &outputs()));
}

#[test]
fn inputs_have_long_names_and_where_alone_short_ones() {
    let context = context(&Resource {
        sources: vec![reference("src=git")],
        images: vec![reference("img=build")],
        configs: vec![reference("cfg=render")],
        ..Resource::default()
    });
    check(&context, "sources.src.url", "\"u1\"");
    check(&context, "sources.src.name", "\"src\"");
    check(&context, "source.revision", "\"r\"");
    check(&context, "images.img.image", "\"i\"");
    check(&context, "image", "\"i\"");
    check(&context, "configs.cfg.config.k[0]", "1");
    check(&context, "config.k[*]", "1");
    check(&context, "source.url.x", "missing");
}

#[test]
fn two_available_inputs_have_no_short_name() {
    let both = vec![
        reference("a=git"),
        reference("b=other"),
        reference("c=absent"),
    ];
    let two = context(&Resource {
        sources: both.clone(),
        ..Resource::default()
    });
    check(&two, "source", "missing");
    check(&two, "sources.b.url", "\"u2\"");
    check(&two, "sources.c", "missing");
    let one_is_there = context(&Resource {
        sources: vec![both[0].clone(), both[2].clone()],
        ..Resource::default()
    });
    check(&one_is_there, "source.url", "\"u1\"");
}

#[test]
fn an_output_of_another_type_is_no_input() {
    let context = context(&Resource {
        sources: vec![reference("a=build")],
        ..Resource::default()
    });
    check(&context, "sources", "{}");
}

#[test]
fn a_deployment_is_null_where_there_is_none() {
    check(&context(&Resource::default()), "deployment", "null");
    check(&context(&Resource::default()), "deployment.url", "missing");
    let with = context(&Resource {
        deployment: Some(DeploymentReference {
            resource: "git".to_owned(),
        }),
        ..Resource::default()
    });
    check(&with, "deployment.url", "\"u1\"");
    check(&with, "deployment.name", "\"\"");
}

#[test]
fn the_owner_goes_by_both_names_and_parameters_nest() {
    let context = context(&Resource::default());
    check(&context, "workload.metadata.name", "\"shop\"");
    check(&context, "deliverable.metadata.name", "\"shop\"");
    check(&context, "params.p.k", "1");
    check(&context, "labels.carto\\.run/workload-name", "\"shop\"");
    check(
        &context,
        "params[0]",
        "evaluate: failed to find results: map[string]interface {} is not array or slice",
    );
}

#[test]
fn ytt_gets_json_for_each_name() {
    let values = context(&Resource::default()).values();
    assert_eq!(values["params"], json!({"p": {"k": 1}}));
    let workload = json!({"metadata": {"name": "shop"}, "spec": {"build": {}}, "status": {"supplyChainRef": {}}});
    assert_eq!(values["workload"], workload);
    assert_eq!(values["deployment"], Value::Null);
}

#[test]
fn a_run_template_sees_the_selected_object() {
    let runnable = Owner::new(OwnerKind::Runnable, json!({"spec": {"inputs": {"k": "v"}}}));
    let without = Context::of_run(&runnable, None);
    check(&without, "selected", "null");
    check(&without, "runnable.spec.inputs.k", "\"v\"");
    let with = Context::of_run(&runnable, Some(json!({"spec": {"x": 1}})));
    check(&with, "selected.spec.x", "1");
}
