//! Whether a stamped object is healthy, by the rule of its template.

use kinds::TemplateKind;
use kinds::cartographer::reason::Reason;
use kinds::cartographer::selector::FieldRequirement;
use kinds::cartographer::template::{
    HealthFieldRequirement, HealthRule, Lifecycle, MatchRule, MultiMatch,
};
use serde_json::Value;

use crate::conditions::aggregate;
use crate::jsonpath::{PathError, one};
use crate::notation::display;
use crate::verdict::{Status, Verdict};

/// What a resource's health is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The template's rule.
    pub rule: Option<&'a HealthRule>,
    /// The template's kind.
    pub kind: TemplateKind,
    /// The template's lifecycle.
    pub lifecycle: Lifecycle,
    /// Whether the resource's status has outputs.
    pub has_outputs: bool,
    /// The object that is stamped now.
    pub object: Option<&'a Value>,
}

/// The health of a resource.
pub fn of_resource(judged: Judged<'_>) -> Verdict {
    match rule(judged.rule, judged.lifecycle) {
        Rule::None => without_rule(judged),
        Rule::Always if judged.object.is_some() => Verdict::good(Reason::AlwaysHealthy),
        Rule::Always => Verdict::new(Status::Unknown, Reason::NoStampedObject, ""),
        Rule::Single(kind) => judged
            .object
            .map_or_else(unknown, |object| by_condition(object, kind)),
        Rule::Multi(rule) => judged
            .object
            .map_or_else(unknown, |object| by_matches(object, rule)),
        Rule::Empty => unknown(),
    }
}

/// Whether one of several objects of an immutable template is healthy. Without a rule it is.
pub fn of_object(rule_given: Option<&HealthRule>, lifecycle: Lifecycle, object: &Value) -> Status {
    match rule(rule_given, lifecycle) {
        Rule::None | Rule::Always => Status::True,
        Rule::Single(kind) => by_condition(object, kind).status,
        Rule::Multi(rule) => by_matches(object, rule).status,
        Rule::Empty => Status::Unknown,
    }
}

/// The health of an owner: what those of its resources come to, in their order.
pub fn of_owner<'v>(resources: impl IntoIterator<Item = &'v Verdict>) -> Verdict {
    let all = aggregate(resources);
    let (status, message) = all.map_or((Status::Unknown, String::new()), |all| {
        (all.status, all.message)
    });
    Verdict::new(status, Reason::HealthyConditionRule, message)
}

/// A condition of an object's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectCondition<'a> {
    /// Its status.
    pub status: &'a str,
    /// Its message.
    pub message: &'a str,
}

/// The condition of a type that an object has. None where any of its conditions is none at all.
pub fn object_condition<'a>(object: &'a Value, kind: &str) -> Option<ObjectCondition<'a>> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    if !conditions.iter().all(is_condition) {
        return None;
    }
    let text = |condition: &'a Value, field: &str| {
        let value = condition.get(field);
        value.and_then(Value::as_str).unwrap_or_default()
    };
    let condition = conditions
        .iter()
        .find(|condition| text(condition, "type") == kind)?;
    Some(ObjectCondition {
        status: text(condition, "status"),
        message: text(condition, "message"),
    })
}

enum Rule<'a> {
    None,
    Always,
    Single(&'a str),
    Multi(&'a MultiMatch),
    Empty,
}

fn rule(rule: Option<&HealthRule>, lifecycle: Lifecycle) -> Rule<'_> {
    let Some(rule) = rule else {
        return match lifecycle {
            Lifecycle::Tekton => Rule::Single("Succeeded"),
            Lifecycle::Mutable | Lifecycle::Immutable => Rule::None,
        };
    };
    let single = rule.single_condition_type.as_deref();
    match (&rule.always_healthy, single, &rule.multi_match) {
        (Some(_), _, _) => Rule::Always,
        (None, Some(kind), _) if !kind.is_empty() => Rule::Single(kind),
        (None, _, Some(rule)) => Rule::Multi(rule),
        _ => Rule::Empty,
    }
}

fn unknown() -> Verdict {
    Verdict::new(Status::Unknown, Reason::Unknown, "")
}

fn without_rule(judged: Judged<'_>) -> Verdict {
    if judged.has_outputs {
        return Verdict::good(Reason::OutputsAvailable);
    }
    match (judged.kind, judged.object) {
        (TemplateKind::ClusterTemplate, Some(_)) => Verdict::good(Reason::AlwaysHealthy),
        (TemplateKind::ClusterTemplate, None) => {
            Verdict::new(Status::Unknown, Reason::NoStampedObject, "")
        }
        _ => Verdict::new(Status::Unknown, Reason::OutputNotAvailable, ""),
    }
}

/// What is said where the conditions are older than the spec. Cartographer does not look at that.
const BEHIND: &str = "the object's status is of an earlier generation";

fn by_condition(object: &Value, kind: &str) -> Verdict {
    let (status, message) = match object_condition(object, kind) {
        Some(_) if is_behind(object) => (Status::Unknown, BEHIND.to_owned()),
        Some(condition) => (Status::read(condition.status), condition.message.to_owned()),
        None => (
            Status::Unknown,
            format!("condition with type [{kind}] not found on resource status"),
        ),
    };
    Verdict {
        status,
        reason: condition_reason(kind),
        message,
    }
}

/// Whether a status says that it speaks of an earlier spec.
pub(crate) fn is_behind(object: &Value) -> bool {
    let generation = object["metadata"]["generation"].as_i64();
    let observed = object["status"]["observedGeneration"].as_i64();
    matches!((observed, generation), (Some(observed), Some(generation)) if observed < generation)
}

/// `<T>Condition`, with what no reason may contain replaced: a type may be `example.com/Ready`.
fn condition_reason(kind: &str) -> String {
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | ',' | ':');
    let mut reason: String = kind
        .chars()
        .map(|char| if allowed(char) { char } else { '_' })
        .collect();
    if !reason.starts_with(|first: char| first.is_ascii_alphabetic()) {
        reason.insert(0, 'T');
    }
    reason + "Condition"
}

fn by_matches(object: &Value, rule: &MultiMatch) -> Verdict {
    let has_conditions = |side: &MatchRule| !side.match_conditions.is_empty();
    if is_behind(object) && (has_conditions(&rule.healthy) || has_conditions(&rule.unhealthy)) {
        return Verdict::new(Status::Unknown, Reason::NoMatchesFulfilled, BEHIND);
    }
    if let Some(hit) = any_hit(object, &rule.unhealthy) {
        return hit.verdict(Status::False);
    }
    match all_hits(object, &rule.healthy) {
        Some(hit) => hit.verdict(Status::True),
        None => Verdict::new(Status::Unknown, Reason::NoMatchesFulfilled, ""),
    }
}

/// What of a rule was fulfilled.
struct Hit {
    reason: Option<Reason>,
    message: String,
}

impl Hit {
    fn verdict(self, status: Status) -> Verdict {
        Verdict {
            status,
            reason: self.reason.map_or("", Reason::as_str).to_owned(),
            message: self.message,
        }
    }

    fn of_condition(condition: ObjectCondition<'_>) -> Self {
        let ObjectCondition { status, message } = condition;
        Self {
            reason: Some(Reason::MatchedCondition),
            message: format!("condition status: {status}, message: {message}"),
        }
    }

    fn of_field(object: &Value, field: &HealthFieldRequirement) -> Self {
        let value = one(&field.requirement.key, object).map_or_else(
            |_| "<error retrieving field value>".to_owned(),
            |value| display(&value),
        );
        let path = field.message_path.as_deref().unwrap_or_default();
        let message = one(path, object).map_or_else(
            |_| format!("unknown, error retrieving message path [{path}]"),
            |message| display(&message),
        );
        Self {
            reason: Some(Reason::MatchedField),
            message: format!("field value: {value}, message: {message}"),
        }
    }
}

fn any_hit(object: &Value, rule: &MatchRule) -> Option<Hit> {
    for wanted in &rule.match_conditions {
        let found = object_condition(object, &wanted.kind);
        if let Some(found) = found.filter(|found| found.status == wanted.status) {
            return Some(Hit::of_condition(found));
        }
    }
    let field = rule
        .match_fields
        .iter()
        .find(|field| field_matches(&field.requirement, object).unwrap_or(false))?;
    Some(Hit::of_field(object, field))
}

/// The first of all requirements, if every one is fulfilled.
fn all_hits(object: &Value, rule: &MatchRule) -> Option<Hit> {
    let mut first = None;
    for wanted in &rule.match_conditions {
        let found = object_condition(object, &wanted.kind);
        let found = found.filter(|found| found.status == wanted.status)?;
        first.get_or_insert_with(|| Hit::of_condition(found));
    }
    for field in &rule.match_fields {
        if !field_matches(&field.requirement, object).unwrap_or(false) {
            return None;
        }
        first.get_or_insert_with(|| Hit::of_field(object, field));
    }
    // Admission refuses a side without requirements; an object of before may still have one.
    first.or(Some(Hit {
        reason: Some(Reason::MatchedCondition),
        message: String::new(),
    }))
}

fn field_matches(requirement: &FieldRequirement, object: &Value) -> Result<bool, PathError> {
    let found = match one(&requirement.key, object) {
        Ok(value) => Some(value),
        Err(error) if error.is_does_not_exist() => None,
        Err(error) => return Err(error),
    };
    let is_among = |value: &Value| {
        let text = value.as_str();
        text.is_some_and(|text| requirement.values.iter().any(|value| value == text))
    };
    let is_set = found.as_ref().is_some_and(|value| !value.is_null());
    Ok(match requirement.operator.as_str() {
        "In" => found.as_ref().is_some_and(is_among),
        "NotIn" => found.is_some_and(|value| !is_among(&value)),
        "Exists" => is_set,
        "DoesNotExist" => !is_set,
        _ => false,
    })
}

/// Whether Go could decode the value as a condition.
fn is_condition(value: &Value) -> bool {
    let Some(condition) = value.as_object() else {
        return false;
    };
    let is = |field: &str, fits: fn(&Value) -> bool| {
        condition
            .get(field)
            .is_none_or(|value| value.is_null() || fits(value))
    };
    ["type", "status", "reason", "message"]
        .iter()
        .all(|field| is(field, Value::is_string))
        && is("lastTransitionTime", is_time)
        && is("observedGeneration", Value::is_i64)
}

/// Roughly RFC 3339, which is all that Go decodes.
fn is_time(value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return false;
    };
    let bytes = text.as_bytes();
    let shape = b"0000-00-00T00:00:00";
    bytes.len() > shape.len()
        && shape.iter().zip(bytes).all(|(shape, byte)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => shape == byte,
        })
}

#[cfg(test)]
mod tests;
