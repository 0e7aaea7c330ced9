//! Selection by labels and fields, and what is said where it fails.

use kinds::{ClusterDelivery, ClusterSupplyChain};
use serde_json::json;

use super::*;

fn web() -> Owner {
    Owner::workload(&json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "Workload",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"type": "web", "lang": "java"}},
        "spec": {"source": {"git": {"url": "https://git.example/web"}}, "params": [{"name": "p", "value": 1}]}
    }))
}

fn chain(name: &str, spec: &Value) -> ClusterSupplyChain {
    let mut spec = spec.clone();
    spec["resources"] = json!([]);
    let object = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain",
        "metadata": {"name": name}, "spec": spec
    });
    serde_json::from_value(object).expect("it is a ClusterSupplyChain")
}

fn said<T>(result: Result<T, NotServed>, name: impl Fn(T) -> String) -> String {
    match result {
        Ok(found) => name(found),
        Err(why) => format!("{}: {why}", why.reason().as_str()),
    }
}

#[track_caller]
fn check(specs: &[(&str, Value)], wanted: &str) {
    let chains: Vec<_> = specs.iter().map(|(name, spec)| chain(name, spec)).collect();
    let found = blueprint(&chains, &web());
    assert_eq!(said(found, |chain| chain.name().to_owned()), wanted);
}

#[test]
fn the_more_requirements_match_the_better() {
    check(
        &[
            ("plain", json!({"selector": {"type": "web"}})),
            ("java", json!({"selector": {"type": "web", "lang": "java"}})),
            (
                "go",
                json!({"selector": {"type": "web", "lang": "go", "os": "linux"}}),
            ),
        ],
        "java",
    );
    check(
        &[
            ("labels", json!({"selector": {"type": "web"}})),
            (
                "all",
                json!({
                    "selector": {"type": "web"},
                    "selectorMatchExpressions": [{"key": "lang", "operator": "Exists"}],
                    "selectorMatchFields": [{"key": "spec.source.git.url", "operator": "Exists"}]
                }),
            ),
        ],
        "all",
    );
}

#[test]
fn two_that_match_equally_well_are_refused() {
    check(
        &[
            ("one", json!({"selector": {"type": "web"}})),
            (
                "two",
                json!({"selectorMatchFields": [{"key": "spec.source", "operator": "Exists"}]}),
            ),
        ],
        "MultipleSupplyChainMatches: workload may only match a single supply chain's selector",
    );
}

#[test]
fn labels_are_printed_as_go_does() {
    check(
        &[("db", json!({"selector": {"type": "db"}}))],
        "SupplyChainNotFound: no supply chain found where full selector is satisfied by labels: map[lang:java type:web]",
    );
    check(
        &[("empty", json!({}))],
        "SupplyChainNotFound: no supply chain found where full selector is satisfied by labels: map[lang:java type:web]",
    );
}

#[test]
fn a_deliverable_has_its_own_words() {
    let none: [ClusterDelivery; 0] = [];
    let bare = Owner::deliverable(&json!({"metadata": {"name": "web"}}));
    assert_eq!(
        said(blueprint(&none, &bare), |_| String::new()),
        "DeliverableLabelsMissing: deliverable has no labels to match to delivery"
    );
    let labelled = Owner::deliverable(&json!({"metadata": {"labels": {"a": "b"}}}));
    assert_eq!(
        said(blueprint(&none, &labelled), |_| String::new()),
        "DeliveryNotFound: no delivery found where full selector is satisfied by labels: map[a:b]"
    );
    let two = ["one", "two"].map(|name| {
        let spec = json!({"selector": {"a": "b"}, "resources": []});
        ClusterDelivery::new(name, serde_json::from_value(spec).expect("it is a spec"))
    });
    assert_eq!(
        said(blueprint(&two, &labelled), |_| String::new()),
        "MultipleDeliveryMatches: deliverable may only match a single delivery's selector"
    );
}

#[test]
fn without_labels_nothing_is_compared() {
    let chains = [chain(
        "fields",
        &json!({"selectorMatchFields": [{"key": "spec.build", "operator": "Exists"}]}),
    )];
    let bare = Owner::workload(&json!({"metadata": {"name": "web"}, "spec": {}}));
    assert_eq!(
        said(blueprint(&chains, &bare), |_| String::new()),
        "WorkloadLabelsMissing: workload has no labels to match to supply chain"
    );
}

#[test]
fn a_broken_blueprint_is_the_answer_only_where_nothing_else_matches() {
    let broken = json!({
        "selector": {"type": "web"},
        "selectorMatchFields": [{"key": "spec.env[0].name", "operator": "In", "values": ["a", "b"]}]
    });
    check(
        &[
            ("broken", broken.clone()),
            ("good", json!({"selector": {"type": "web"}})),
        ],
        "good",
    );
    check(
        &[("broken", broken)],
        "UnknownError: error handling selectors, selectorMatchExpressions or selectorMatchFields of [ClusterSupplyChain/broken]: failed to evaluate selector matchFields: unable to match field requirement with key [spec.env[0].name] operator [In] values [[a b]]: evaluate: failed to find results: array index out of bounds: index 0, length 0",
    );
    check(
        &[(
            "other",
            json!({
                "selector": {"type": "db"},
                "selectorMatchFields": [{"key": "spec.env[0]", "operator": "Exists"}]
            }),
        )],
        "SupplyChainNotFound: no supply chain found where full selector is satisfied by labels: map[lang:java type:web]",
    );
}

/// The table of the operators, for a path that is absent, null, empty and a text.
#[test]
fn fields_are_compared_by_operator() {
    let owner = Owner::workload(&json!({
        "metadata": {"labels": {"a": "b"}},
        "spec": {"image": "registry.example/web"}
    }));
    let mut table = String::new();
    for operator in ["In", "NotIn", "Exists", "DoesNotExist"] {
        table.push_str(operator);
        for key in [
            "metadata.labels.missing",
            "spec.source",
            "spec.serviceAccountName",
            "spec.image",
        ] {
            let requirement = FieldRequirement {
                key: key.to_owned(),
                operator: operator.to_owned(),
                values: vec!["registry.example/web".to_owned()],
            };
            table.push_str(match holds(&requirement, &owner) {
                Ok(true) => " yes",
                Ok(false) => " no",
                Err(_) => " error",
            });
        }
        table.push('\n');
    }
    assert_eq!(
        table,
        "In no no no yes\nNotIn no yes yes no\nExists no no yes yes\nDoesNotExist yes yes no no\n"
    );
}

#[track_caller]
fn check_options(reference: Value, wanted: &str) {
    let reference = serde_json::from_value(reference).expect("it is a templateRef");
    let resource = Resource {
        name: "image".to_owned(),
        template_ref: reference,
        ..Resource::default()
    };
    let chain = chain("web", &json!({}));
    let said = match template(&chain, &resource, &web()) {
        Ok(Chosen::Template(name)) => name.to_owned(),
        Ok(Chosen::PassThrough(input)) => format!("pass {input} through"),
        Err(why) => format!("{}: {why}", why.reason().as_str()),
    };
    assert_eq!(said, wanted);
}

#[test]
fn a_resource_has_one_template_or_one_of_its_options() {
    let kind = "ClusterImageTemplate";
    check_options(json!({"kind": kind, "name": "kpack"}), "kpack");
    let java = json!({"name": "java", "selector": {"matchLabels": {"lang": "java"}}});
    let go = json!({"name": "go", "selector": {"matchLabels": {"lang": "go"}}});
    check_options(json!({"kind": kind, "options": [go, java]}), "java");
    let built = json!({"passThrough": "built", "selector": {
        "matchLabels": {"type": "web"},
        "matchFields": [{"key": "spec.image", "operator": "DoesNotExist"}]
    }});
    check_options(
        json!({"kind": kind, "options": [java, built]}),
        "pass built through",
    );
}

#[test]
fn not_exactly_one_option_is_said_with_its_names() {
    let option =
        |name: &str, lang: &str| json!({"name": name, "selector": {"matchLabels": {"lang": lang}}});
    let kind = "ClusterImageTemplate";
    check_options(
        json!({"kind": kind, "options": [option("a", "java"), option("b", "java")]}),
        "TemplateOptionsMatchError: get template name from resource: find matching template option: expected exactly 1 option to match, found [2] matching options [a, b] for resource [image] in supply chain [web]",
    );
    check_options(
        json!({"kind": kind, "options": [option("a", "go"), option("b", "rust")]}),
        "TemplateOptionsMatchError: get template name from resource: find matching template option: expected exactly 1 option to match, found [0] matching options [] for resource [image] in supply chain [web]",
    );
}

#[test]
fn an_option_that_cannot_be_evaluated_is_named() {
    let broken = json!({"name": "broken", "selector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}});
    check_options(
        json!({"kind": "ClusterImageTemplate", "options": [broken]}),
        "ResolveTemplateOptionsError: get template name from resource: find matching template option: error matching against template option [broken] for resource [image] in supply chain [web]: selector labels or matchExpressions are not valid: \"Like\" is not a valid label selector operator",
    );
}
