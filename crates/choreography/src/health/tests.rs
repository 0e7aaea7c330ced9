//! Health by each form of rule.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a call with `json!` reads better without a reference"
)]

use kinds::cartographer::template::ConditionRequirement;
use serde_json::json;

use super::*;

fn rule(text: Value) -> HealthRule {
    serde_json::from_value(text).expect("it is a rule")
}

fn object(conditions: Value) -> Value {
    json!({"status": {"conditions": conditions, "phase": "Up", "note": "n", "count": 1_400_000}})
}

fn shown(verdict: &Verdict) -> String {
    let status = verdict.status.as_str();
    format!("{status} {}: {}", verdict.reason, verdict.message)
}

#[track_caller]
fn check(given: Value, object: Option<&Value>, expected: &str) {
    let rule = rule(given);
    let verdict = of_resource(Judged {
        rule: Some(&rule),
        kind: TemplateKind::ClusterTemplate,
        lifecycle: Lifecycle::Mutable,
        has_outputs: false,
        object,
    });
    assert_eq!(shown(&verdict), expected);
}

#[test]
fn without_a_rule_outputs_decide() {
    let something = json!({});
    let judge = |kind, has_outputs, object| {
        shown(&of_resource(Judged {
            rule: None,
            kind,
            lifecycle: Lifecycle::Mutable,
            has_outputs,
            object,
        }))
    };
    let source = TemplateKind::ClusterSourceTemplate;
    let plain = TemplateKind::ClusterTemplate;
    assert_eq!(
        judge(source, true, Some(&something)),
        "True OutputsAvailable: "
    );
    assert_eq!(
        judge(source, false, Some(&something)),
        "Unknown OutputNotAvailable: "
    );
    assert_eq!(
        judge(plain, false, Some(&something)),
        "True AlwaysHealthy: "
    );
    assert_eq!(judge(plain, false, None), "Unknown NoStampedObject: ");
}

#[test]
fn a_tekton_template_without_a_rule_looks_for_succeeded() {
    let done = object(json!([{"type": "Succeeded", "status": "False", "message": "boom"}]));
    let verdict = of_resource(Judged {
        rule: None,
        kind: TemplateKind::ClusterSourceTemplate,
        lifecycle: Lifecycle::Tekton,
        has_outputs: true,
        object: Some(&done),
    });
    assert_eq!(shown(&verdict), "False SucceededCondition: boom");
    assert_eq!(of_object(None, Lifecycle::Tekton, &done), Status::False);
    assert_eq!(of_object(None, Lifecycle::Immutable, &done), Status::True);
}

#[test]
fn always_is_always_once_there_is_an_object() {
    let something = json!({});
    check(
        json!({"alwaysHealthy": {}}),
        Some(&something),
        "True AlwaysHealthy: ",
    );
    check(
        json!({"alwaysHealthy": {}}),
        None,
        "Unknown NoStampedObject: ",
    );
}

#[test]
fn a_single_condition_is_taken_over() {
    let single = json!({"singleConditionType": "Ready"});
    let of = |status: &str| object(json!([{"type": "Ready", "status": status, "message": "m"}]));
    check(single.clone(), Some(&of("True")), "True ReadyCondition: m");
    check(
        single.clone(),
        Some(&of("False")),
        "False ReadyCondition: m",
    );
    check(
        single.clone(),
        Some(&of("Maybe")),
        "Unknown ReadyCondition: m",
    );
    check(
        single.clone(),
        Some(&object(json!([]))),
        "Unknown ReadyCondition: condition with type [Ready] not found on resource status",
    );
    check(single.clone(), None, "Unknown Unknown: ");
}

#[test]
fn a_reason_is_one_whatever_the_type_is() {
    let of = |kind: &str| condition_reason(kind);
    assert_eq!(of("example.com/Ready"), "example_com_ReadyCondition");
    assert_eq!(of("0.x"), "T0_xCondition");
}

#[test]
fn conditions_with_one_that_is_none_count_as_empty() {
    let single = json!({"singleConditionType": "Ready"});
    let text = "Unknown ReadyCondition: condition with type [Ready] not found on resource status";
    for odd in [
        json!("x"),
        json!({"type": 5}),
        json!({"lastTransitionTime": "yesterday"}),
        json!({"observedGeneration": "1"}),
    ] {
        check(
            single.clone(),
            Some(&object(json!([{"type": "Ready", "status": "True"}, odd]))),
            text,
        );
    }
    let fine = json!([{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}, {"type": null, "lastTransitionTime": null}]);
    check(single, Some(&object(fine)), "True ReadyCondition: ");
}

fn multi(healthy: Value, unhealthy: Value) -> Value {
    json!({"multiMatch": {"healthy": healthy, "unhealthy": unhealthy}})
}

#[test]
fn one_bad_match_is_enough_and_all_good_ones_are_needed() {
    let rule = multi(
        json!({"matchConditions": [{"type": "A", "status": "True"}], "matchFields": [{"key": "status.phase", "operator": "In", "values": ["Up"], "messagePath": "status.note"}]}),
        json!({"matchConditions": [{"type": "B", "status": "True"}], "matchFields": [{"key": "status.bad", "operator": "Exists"}]}),
    );
    let of = |a: &str, b: &str| {
        object(
            json!([{"type": "A", "status": a, "message": "ma"}, {"type": "B", "status": b, "message": "mb"}]),
        )
    };
    check(
        rule.clone(),
        Some(&of("True", "False")),
        "True MatchedCondition: condition status: True, message: ma",
    );
    check(
        rule.clone(),
        Some(&of("True", "True")),
        "False MatchedCondition: condition status: True, message: mb",
    );
    check(
        rule,
        Some(&of("False", "False")),
        "Unknown NoMatchesFulfilled: ",
    );
}

#[test]
fn a_matched_field_shows_value_and_message() {
    let field = |path: &str| {
        multi(
            json!({"matchFields": [{"key": "status.count", "operator": "Exists", "messagePath": path}]}),
            json!({"matchConditions": [{"type": "B", "status": "True"}]}),
        )
    };
    let object = object(json!([]));
    check(
        field("status.note"),
        Some(&object),
        "True MatchedField: field value: 1.4e+06, message: n",
    );
    check(
        field("status.x"),
        Some(&object),
        "True MatchedField: field value: 1.4e+06, message: unknown, error retrieving message path [status.x]",
    );
    let absent = multi(
        json!({"matchFields": [{"key": "status.x", "operator": "DoesNotExist"}]}),
        json!({}),
    );
    check(
        absent,
        Some(&object),
        "True MatchedField: field value: <error retrieving field value>, message: unknown, error retrieving message path []",
    );
}

#[test]
fn requirements_on_fields_tell_absent_from_null() {
    let object = json!({"n": null, "s": "a", "e": "", "l": []});
    let holds = |key: &str, operator: &str| {
        let requirement = FieldRequirement {
            key: key.to_owned(),
            operator: operator.to_owned(),
            values: vec!["a".to_owned()],
        };
        field_matches(&requirement, &object)
            .map_or("error", |holds| if holds { "yes" } else { "no" })
    };
    let row = |key| ["In", "NotIn", "Exists", "DoesNotExist"].map(|operator| holds(key, operator));
    assert_eq!(row("absent"), ["no", "no", "no", "yes"]);
    assert_eq!(row("n"), ["no", "yes", "no", "yes"]);
    assert_eq!(row("s"), ["yes", "no", "yes", "no"]);
    assert_eq!(row("e"), ["no", "yes", "yes", "no"]);
    assert_eq!(row("l[0]"), ["error"; 4]);
}

#[test]
fn an_owners_health_follows_its_resources() {
    let verdict = |status, message: &str| Verdict::new(status, Reason::AlwaysHealthy, message);
    let all = |verdicts: &[Verdict]| shown(&of_owner(verdicts));
    assert_eq!(all(&[]), "Unknown HealthyConditionRule: ");
    assert_eq!(
        all(&[verdict(Status::True, "x")]),
        "True HealthyConditionRule: "
    );
    let mixed = [
        verdict(Status::Unknown, "u"),
        verdict(Status::False, "f"),
        verdict(Status::Unknown, "v"),
    ];
    assert_eq!(all(&mixed), "False HealthyConditionRule: f");
}

#[test]
fn an_empty_rule_tells_nothing() {
    check(json!({}), Some(&json!({})), "Unknown Unknown: ");
    let empty = MatchRule::default();
    assert!(empty.match_conditions.is_empty() && ConditionRequirement::default().kind.is_empty());
}
