//! One line for each of Cartographer's rules, in its order.

use serde_json::{Value, json};

use super::*;
use kinds::{ClusterDeploymentTemplate, ClusterRunTemplate, TemplateSpec};

fn said(result: Result<(), Invalid>) -> String {
    result.map_or_else(|why| why.to_string(), |()| "ok".to_owned())
}

fn read<T: serde::de::DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).expect("it is of its kind")
}

#[track_caller]
fn check_template(spec: Value, wanted: &str) {
    assert_eq!(said(template_spec(&read::<TemplateSpec>(spec))), wanted);
}

#[test]
fn a_template_has_one_form() {
    let object = json!({"kind": "ConfigMap"});
    check_template(json!({"template": object}), "ok");
    check_template(json!({"ytt": "#@ 1"}), "ok");
    check_template(
        json!({"ytt": ""}),
        "invalid template: must specify one of template or ytt, found neither",
    );
    check_template(
        json!({"template": object, "ytt": "#@ 1"}),
        "invalid template: must specify one of template or ytt, found both",
    );
}

#[test]
fn a_template_is_of_a_kind_and_in_no_namespace() {
    check_template(
        json!({"template": {"metadata": {"name": "a&b"}, "apiVersion": "v1"}}),
        r#"invalid template: failed to parse object: Object 'Kind' is missing in '{"apiVersion":"v1","metadata":{"name":"a\u0026b"}}'"#,
    );
    check_template(
        json!({"template": {"kind": "ConfigMap", "metadata": {"namespace": "shop"}}}),
        "invalid template: template should not set metadata.namespace on the child object",
    );
    check_template(
        json!({"template": {"kind": "ConfigMap", "metadata": {"namespace": ""}}}),
        "ok",
    );
}

#[track_caller]
fn check_rule(rule: &Value, wanted: &str) {
    check_template(json!({"ytt": "#@ 1", "healthRule": rule}), wanted);
}

#[test]
fn a_health_rule_has_one_form() {
    check_rule(&json!({"alwaysHealthy": {}}), "ok");
    check_rule(&json!({"singleConditionType": "Ready"}), "ok");
    check_rule(
        &json!({"singleConditionType": ""}),
        "invalid health rule: must specify one of alwaysHealthy, singleConditionType or multiMatch, found neither",
    );
    check_rule(
        &json!({"alwaysHealthy": {}, "singleConditionType": "Ready"}),
        "invalid health rule: must specify one of alwaysHealthy, singleConditionType or multiMatch, found multiple",
    );
}

#[test]
fn both_sides_of_a_health_rule_ask_for_something() {
    let condition = json!({"matchConditions": [{"type": "Ready", "status": "True"}]});
    let field = json!({"matchFields": [{"key": "status.phase", "operator": "Exists"}]});
    check_rule(
        &json!({"multiMatch": {"healthy": condition, "unhealthy": field}}),
        "ok",
    );
    check_rule(
        &json!({"multiMatch": {"healthy": {}, "unhealthy": {}}}),
        "invalid multi match health rule: unhealthy rule has no matchFields or matchConditions",
    );
    check_rule(
        &json!({"multiMatch": {"healthy": {}, "unhealthy": condition}}),
        "invalid multi match health rule: healthy rule has no matchFields or matchConditions",
    );
}

#[test]
fn what_is_changed_in_place_keeps_nothing_of_before() {
    let policy = json!({"maxFailedRuns": 1, "maxSuccessfulRuns": 1});
    let refused = "invalid template: if lifecycle is mutable, no retention policy may be set";
    check_template(json!({"ytt": "#@ 1", "retentionPolicy": policy}), refused);
    check_template(
        json!({"ytt": "#@ 1", "retentionPolicy": policy, "lifecycle": "tekton"}),
        "ok",
    );
    // Cartographer does not get this far where there is a health rule.
    check_template(
        json!({"ytt": "#@ 1", "retentionPolicy": policy, "healthRule": {"alwaysHealthy": {}}}),
        "ok",
    );
}

#[track_caller]
fn check_deployment(observed: Value, wanted: &str) {
    let mut spec = observed;
    spec["ytt"] = json!("#@ 1");
    let object = json!({"apiVersion": "carto.run/v1alpha1", "kind": "ClusterDeploymentTemplate", "metadata": {"name": "app"}, "spec": spec});
    let object: ClusterDeploymentTemplate = read(object);
    assert_eq!(said(template(&object.into())), wanted);
}

#[test]
fn a_deployment_is_observed_in_one_way() {
    let refused =
        "invalid spec: must set exactly one of spec.ObservedMatches and spec.ObservedCompletion";
    let completion = json!({"succeeded": {"key": "status.phase", "value": "Done"}});
    check_deployment(json!({"observedMatches": []}), "ok");
    check_deployment(json!({"observedCompletion": completion}), "ok");
    check_deployment(json!({}), refused);
    check_deployment(
        json!({"observedCompletion": completion, "observedMatches": []}),
        refused,
    );
}

#[track_caller]
fn check_run(object: &Value, wanted: &str) {
    let object = json!({"apiVersion": "carto.run/v1alpha1", "kind": "ClusterRunTemplate", "metadata": {"name": "run"}, "spec": {"template": object}});
    assert_eq!(
        said(run_template(&read::<ClusterRunTemplate>(object))),
        wanted
    );
}

#[test]
fn a_run_template_stamps_an_object_with_a_spec() {
    check_run(&json!({"kind": "TaskRun", "spec": {}}), "ok");
    check_run(
        &json!({"spec": {}}),
        r#"invalid template: failed to parse object: Object 'Kind' is missing in '{"spec":{}}'"#,
    );
    check_run(
        &json!({"kind": "TaskRun", "metadata": {"namespace": "shop"}}),
        "invalid template: template should not set metadata.namespace on the child object",
    );
    check_run(
        &json!({"kind": "ConfigMap", "data": {"b": "1", "a": "x"}}),
        "invalid template: object must have a spec; templated object: map[data:map[a:x b:1] kind:ConfigMap]",
    );
}

/// A blueprint of two resources that passes; `change` makes it one that does not.
fn chain(change: fn(&mut Value)) -> String {
    let mut spec = json!({
        "selector": {"type": "web"},
        "resources": [
            {"name": "code", "templateRef": {"kind": "ClusterSourceTemplate", "name": "git"}},
            {
                "name": "image",
                "templateRef": {"kind": "ClusterImageTemplate", "name": "kpack"},
                "sources": [{"name": "in", "resource": "code"}]
            }
        ]
    });
    change(&mut spec);
    let object = json!({"apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain", "metadata": {"name": "web"}, "spec": spec});
    let said = said(supply_chain(&read(object)));
    let place = "error validating clustersupplychain [web]: ";
    said.strip_prefix(place).unwrap_or(&said).to_owned()
}

fn delivered(change: fn(&mut Value)) -> String {
    let mut spec = json!({
        "selector": {"type": "web"},
        "resources": [
            {"name": "code", "templateRef": {"kind": "ClusterSourceTemplate", "name": "git"}},
            {
                "name": "app",
                "templateRef": {"kind": "ClusterDeploymentTemplate", "name": "app"},
                "deployment": {"resource": "code"}
            }
        ]
    });
    change(&mut spec);
    let object = json!({"apiVersion": "carto.run/v1alpha1", "kind": "ClusterDelivery", "metadata": {"name": "basic"}, "spec": spec});
    let said = said(delivery(&read(object)));
    let place = "error validating clusterdelivery [basic]: ";
    said.strip_prefix(place).unwrap_or(&said).to_owned()
}

/// What both kinds of blueprints refuse alike.
#[track_caller]
fn check_both(change: fn(&mut Value), wanted: &str) {
    assert_eq!(chain(change), wanted);
    assert_eq!(delivered(change), wanted);
}

#[test]
fn a_refusal_names_the_blueprint() {
    let object = json!({"apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain", "metadata": {"name": "web"}, "spec": {"resources": []}});
    assert_eq!(
        said(supply_chain(&read(object))),
        "error validating clustersupplychain [web]: at least one selector, selectorMatchExpression, selectorMatchField must be specified"
    );
    let object = json!({"apiVersion": "carto.run/v1alpha1", "kind": "ClusterDelivery", "metadata": {"name": "basic"}, "spec": {"resources": []}});
    assert_eq!(
        said(delivery(&read(object))),
        "error validating clusterdelivery [basic]: at least one selector, selectorMatchExpression, selectorMatchField must be specified"
    );
}

#[test]
fn a_blueprint_selects_and_has_values() {
    check_both(|_| (), "ok");
    check_both(
        |spec| spec["selector"] = json!({}),
        "at least one selector, selectorMatchExpression, selectorMatchField must be specified",
    );
    check_both(
        |spec| spec["params"] = json!([{"name": "p", "value": 1, "default": 2}]),
        "param [p] is invalid: must set exactly one of value and default",
    );
    check_both(
        |spec| spec["resources"][0]["params"] = json!([{"name": "p"}]),
        "resource [code] is invalid: param [p] is invalid: must set exactly one of value and default",
    );
}

#[test]
fn selectors_are_valid() {
    check_both(
        |spec| spec["selector"] = json!({"a": "-"}),
        "selector is not valid: values[0][a]: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    );
    check_both(
        |spec| spec["selectorMatchExpressions"] = json!([{"key": "a", "operator": "Like"}]),
        "selectorMatchExpressions are not valid: \"Like\" is not a valid label selector operator",
    );
}

fn with_field(spec: &mut Value, key: &str, operator: &str, values: &[&str]) {
    spec["selectorMatchFields"] = json!([{"key": key, "operator": operator, "values": values}]);
}

#[test]
fn requirements_on_fields_are_valid() {
    check_both(
        |spec| with_field(spec, "spec.source.git.url", "In", &["a"]),
        "ok",
    );
    check_both(
        |spec| with_field(spec, "metadata.annotations.a", "Exists", &[]),
        "ok",
    );
    check_both(
        |spec| with_field(spec, "spec.source", "Exists", &["a"]),
        "cannot specify values with operator [Exists]",
    );
    check_both(
        |spec| with_field(spec, "spec.source", "DoesNotExist", &["a"]),
        "cannot specify values with operator [DoesNotExist]",
    );
    check_both(
        |spec| with_field(spec, "spec.source", "NotIn", &[]),
        "must specify values with operator [NotIn]",
    );
    check_both(
        |spec| with_field(spec, "spec.source", "Like", &[]),
        "operator [Like] is invalid",
    );
    check_both(
        |spec| with_field(spec, "spec.source.git.depth", "Exists", &[]),
        "requirement key [spec.source.git.depth] is not a valid path",
    );
    // Read as text, so that what is no path is one.
    check_both(|spec| with_field(spec, "spec.params[", "Exists", &[]), "ok");
    let unclosed = chain(|spec| with_field(spec, "spec.params{[", "Exists", &[]));
    assert!(
        unclosed.starts_with("invalid jsonpath for key [spec.params{[]: "),
        "{unclosed}"
    );
}

#[test]
fn each_kind_of_owner_has_fields_of_its_own() {
    let built = |spec: &mut Value| with_field(spec, "spec.build.env", "Exists", &[]);
    assert_eq!(chain(built), "ok");
    assert_eq!(
        delivered(built),
        "requirement key [spec.build.env] is not a valid path"
    );
    let account = |spec: &mut Value| with_field(spec, "spec.serviceAccountName", "Exists", &[]);
    check_both(account, "ok");
}

#[test]
fn names_of_resources_differ() {
    let twice = |spec: &mut Value| spec["resources"][1]["name"] = json!("code");
    assert_eq!(chain(twice), "duplicate resource name [code] found");
    assert_eq!(
        delivered(twice),
        "spec.resources[1].name \"code\" cannot appear twice"
    );
}

fn with_options(spec: &mut Value, options: &Value) {
    spec["resources"][0]["templateRef"] =
        json!({"kind": "ClusterSourceTemplate", "options": options});
}

fn option(name: &str, value: &str) -> Value {
    json!({"name": name, "selector": {"matchLabels": {"lang": value}}})
}

fn passing(input: &str, value: &str) -> Value {
    json!({"passThrough": input, "selector": {"matchLabels": {"lang": value}}})
}

#[test]
fn names_of_options_differ() {
    check_both(
        |spec| with_options(spec, &json!([option("a", "java"), option("b", "go")])),
        "ok",
    );
    check_both(
        |spec| with_options(spec, &json!([option("a", "java"), option("a", "go")])),
        "duplicate template name [a] found in options for resource [code]",
    );
    check_both(
        |spec| with_options(spec, &json!([passing("x", "java"), passing("y", "go")])),
        "duplicate template name [] found in options for resource [code]",
    );
}

#[test]
fn a_resource_has_a_template_or_options() {
    check_both(
        |spec| {
            with_options(spec, &json!([option("a", "java"), option("b", "go")]));
            spec["resources"][0]["templateRef"]["name"] = json!("git");
        },
        "error validating resource [code]: exactly one of templateRef.Name or templateRef.Options must be specified, found both",
    );
    check_both(
        |spec| with_options(spec, &json!([option("a", "java")])),
        "error validating resource [code]: templateRef.Options must have more than one option",
    );
    check_both(
        |spec| with_options(spec, &json!([])),
        "error validating resource [code]: exactly one of templateRef.Name or templateRef.Options must be specified, found neither",
    );
}

#[test]
fn an_option_has_a_name_or_passes_something_through() {
    check_both(
        |spec| {
            let mut both = [passing("x", "java"), passing("y", "go")];
            both[0]["name"] = json!("a");
            with_options(spec, &json!(both));
        },
        "error validating resource [code]: cannot have more than one pass through option, found 2",
    );
    check_both(
        |spec| {
            let mut both = passing("x", "java");
            both["name"] = json!("a");
            with_options(spec, &json!([both, option("b", "go")]));
        },
        "error validating resource [code]: exactly one of option.Name or option.PassThrough must be specified, found both",
    );
    check_both(
        |spec| {
            let neither = json!({"selector": {"matchLabels": {"lang": "java"}}});
            with_options(spec, &json!([neither, option("b", "go")]));
        },
        "error validating resource [code]: exactly one of option.Name or option.PassThrough must be specified, found neither",
    );
}

#[track_caller]
fn check_selector(change: fn(&mut Value), wanted: &str) {
    let wanted =
        format!("error validating resource [code]: error validating option [a] selector: {wanted}");
    assert_eq!(chain(change), wanted);
    assert_eq!(delivered(change), wanted);
}

fn with_selector(spec: &mut Value, selector: &Value) {
    let one = json!({"name": "a", "selector": selector});
    with_options(spec, &json!([one, option("b", "go")]));
}

#[test]
fn an_option_selects() {
    check_selector(
        |spec| with_selector(spec, &json!({})),
        "at least one of matchLabels, matchExpressions or MatchFields must be specified",
    );
    check_selector(
        |spec| {
            with_selector(
                spec,
                &json!({"matchExpressions": [{"key": "a", "operator": "Like"}]}),
            );
        },
        "matchExpressions are not valid: \"Like\" is not a valid label selector operator",
    );
    check_selector(
        |spec| with_selector(spec, &json!({"matchLabels": {"a/b/c": "x"}})),
        "matchLabels are not valid: key: Invalid value: \"a/b/c\": a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    );
    check_selector(
        |spec| {
            with_selector(
                spec,
                &json!({"matchFields": [{"key": "spec.source", "operator": "In"}]}),
            );
        },
        "must specify values with operator [In]",
    );
}

#[test]
fn options_select_differently() {
    check_both(
        |spec| with_options(spec, &json!([option("a", "java"), option("b", "java")])),
        "error validating resource [code]: duplicate selector found in options [a, b]",
    );
    check_both(
        |spec| with_options(spec, &json!([option("a", "java"), passing("x", "java")])),
        "error validating resource [code]: duplicate selector found in options [a, passThrough]",
    );
}

#[test]
fn what_is_passed_through_is_an_input() {
    check_both(
        |spec| {
            spec["resources"][0]["sources"] = json!([{"name": "x", "resource": "code"}]);
            with_options(spec, &json!([option("a", "java"), passing("x", "go")]));
        },
        "ok",
    );
    check_both(
        |spec| {
            spec["resources"][0]["configs"] = json!([{"name": "x", "resource": "code"}]);
            with_options(spec, &json!([option("a", "java"), passing("x", "go")]));
        },
        "error validating resource [code]: pass through [x] does not refer to a known input",
    );
    check_both(
        |spec| {
            with_options(spec, &json!([option("a", "java"), passing("x", "go")]));
            spec["resources"][0]["templateRef"]["kind"] = json!("ClusterTemplate");
        },
        "error validating resource [code]: TemplateRef.Kind [ClusterTemplate] is not a known type",
    );
}

#[track_caller]
fn check_references(change: fn(&mut Value), wanted: &str) {
    assert_eq!(chain(change), wanted);
}

#[test]
fn what_goes_into_a_resource_of_a_supply_chain_is_provided() {
    check_references(
        |spec| spec["resources"][1]["sources"][0]["resource"] = json!("nowhere"),
        "invalid sources for resource [image]: [in] is provided by unknown resource [nowhere]",
    );
    check_references(
        |spec| spec["resources"][1]["images"] = json!([{"name": "base", "resource": "code"}]),
        "invalid images for resource [image]: resource [code] providing [base] must reference a ClusterImageTemplate",
    );
    check_references(
        |spec| spec["resources"][1]["configs"] = json!([{"name": "c", "resource": "code"}]),
        "invalid configs for resource [image]: resource [code] providing [c] must reference a ClusterConfigTemplate",
    );
    // Cartographer checks neither the order nor cycles, and nothing of it in deliveries.
    check_references(
        |spec| spec["resources"][0]["sources"] = json!([{"name": "self", "resource": "code"}]),
        "ok",
    );
    let unknown = |spec: &mut Value| {
        spec["resources"][0]["sources"] = json!([{"name": "in", "resource": "nowhere"}]);
    };
    assert_eq!(delivered(unknown), "ok");
}

#[test]
fn deployments_go_where_they_belong() {
    assert_eq!(
        delivered(|spec| spec["resources"][1]["deployment"] = Value::Null),
        "spec.resources[app] is a ClusterDeploymentTemplate and must receive a deployment"
    );
    assert_eq!(
        delivered(|spec| spec["resources"][0]["deployment"] = json!({"resource": "app"})),
        "spec.resources[code] receives a deployment but is not a ClusterDeploymentTemplate"
    );
    assert_eq!(
        delivered(|spec| {
            spec["resources"][1]["configs"] = json!([{"name": "c", "resource": "code"}]);
        }),
        "spec.resources[app] is a ClusterDeploymentTemplate and must not receive config"
    );
}
