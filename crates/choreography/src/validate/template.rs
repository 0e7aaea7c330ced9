//! The rules for templates and run templates.

use kinds::cartographer::template::{HealthRule, Lifecycle, MatchRule, MultiMatch, Outputs};
use kinds::{ClusterRunTemplate, Template, TemplateSpec};
use serde_json::Value;

use super::Invalid;
use crate::notation::{compact_json, display};

/// Whether a template of any kind may be submitted.
pub fn template(template: &Template) -> Result<(), Invalid> {
    template_spec(template.spec())?;
    match template.outputs() {
        Outputs::Deployment(deployed)
            if deployed.matches.is_some() == deployed.completion.is_some() =>
        {
            Err(Invalid::new(
                "invalid spec: must set exactly one of spec.ObservedMatches and spec.ObservedCompletion",
            ))
        }
        _ => Ok(()),
    }
}

/// Whether what every template has may be submitted.
pub fn template_spec(spec: &TemplateSpec) -> Result<(), Invalid> {
    let has_ytt = spec.ytt.as_ref().is_some_and(|ytt| !ytt.is_empty());
    match &spec.template {
        None if !has_ytt => {
            return Err(Invalid::new(
                "invalid template: must specify one of template or ytt, found neither",
            ));
        }
        Some(_) if has_ytt => {
            return Err(Invalid::new(
                "invalid template: must specify one of template or ytt, found both",
            ));
        }
        Some(object) => stampable(object)?,
        None => {}
    }
    if let Some(rule) = &spec.health_rule {
        // Cartographer looks no further, so that a retention policy is let through here.
        return health_rule(rule);
    }
    if spec.retention_policy.is_some() && spec.lifecycle == Lifecycle::Mutable {
        return Err(Invalid::new(
            "invalid template: if lifecycle is mutable, no retention policy may be set",
        ));
    }
    Ok(())
}

/// Whether a run template may be submitted.
pub fn run_template(template: &ClusterRunTemplate) -> Result<(), Invalid> {
    let object = &template.spec.template;
    stampable(object)?;
    if object.get("spec").is_none() {
        return Err(Invalid(format!(
            "invalid template: object must have a spec; templated object: {}",
            display(object)
        )));
    }
    Ok(())
}

fn stampable(object: &Value) -> Result<(), Invalid> {
    let kind = object.get("kind").and_then(Value::as_str);
    if kind.is_none_or(str::is_empty) {
        return Err(Invalid(format!(
            "invalid template: failed to parse object: Object 'Kind' is missing in '{}'",
            compact_json(object)
        )));
    }
    let namespace = object
        .pointer("/metadata/namespace")
        .and_then(Value::as_str);
    if namespace.is_some_and(|namespace| !namespace.is_empty()) {
        return Err(Invalid::new(
            "invalid template: template should not set metadata.namespace on the child object",
        ));
    }
    Ok(())
}

fn health_rule(rule: &HealthRule) -> Result<(), Invalid> {
    let has_single = rule
        .single_condition_type
        .as_ref()
        .is_some_and(|kind| !kind.is_empty());
    let set = [
        rule.always_healthy.is_some(),
        has_single,
        rule.multi_match.is_some(),
    ];
    let found = match set.into_iter().filter(|is_set| *is_set).count() {
        1 => return rule.multi_match.as_ref().map_or(Ok(()), multi_match),
        0 => "neither",
        _ => "multiple",
    };
    Err(Invalid(format!(
        "invalid health rule: must specify one of alwaysHealthy, singleConditionType or multiMatch, found {found}"
    )))
}

fn multi_match(rule: &MultiMatch) -> Result<(), Invalid> {
    let is_empty =
        |side: &MatchRule| side.match_conditions.is_empty() && side.match_fields.is_empty();
    for (side, name) in [(&rule.unhealthy, "unhealthy"), (&rule.healthy, "healthy")] {
        if is_empty(side) {
            return Err(Invalid(format!(
                "invalid multi match health rule: {name} rule has no matchFields or matchConditions"
            )));
        }
    }
    Ok(())
}
