//! What is wrong with where a Pod wants to run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::validate::{NameRule, Path, label_value};
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;
use crate::ways::selector;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Looks at `affinity`.
pub(super) fn check(affinity: &Value, at: &Path<'_>, faults: &mut Faults) {
    if affinity.has("nodeAffinity") {
        let (nodes, at) = (affinity.part("nodeAffinity"), at.field("nodeAffinity"));
        if nodes.has(REQUIRED) {
            node_selector(nodes.part(REQUIRED), &at.field(REQUIRED), faults);
        }
        let at = at.field(PREFERRED);
        for (index, term) in nodes.items(PREFERRED).iter().enumerate() {
            let at = at.index(index);
            weight(term, &at, faults);
            node_term(
                term.part("preference"),
                &at.field("preference"),
                Values::Any,
                faults,
            );
        }
    }
    for name in ["podAffinity", "podAntiAffinity"] {
        let (pods, at) = (affinity.part(name), at.field(name));
        let required = at.field(REQUIRED);
        for (index, term) in pods.items(REQUIRED).iter().enumerate() {
            pod_term(term, &required.index(index), faults);
        }
        let preferred = at.field(PREFERRED);
        for (index, term) in pods.items(PREFERRED).iter().enumerate() {
            let at = preferred.index(index);
            weight(term, &at, faults);
            pod_term(
                term.part("podAffinityTerm"),
                &at.field("podAffinityTerm"),
                faults,
            );
        }
    }
}

fn weight(term: &Value, at: &Path<'_>, faults: &mut Faults) {
    let weight = term.number("weight");
    if !(1..=100).contains(&weight) {
        faults.invalid(&at.field("weight"), weight, "must be in the range 1-100");
    }
}

/// What a selector's values may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    /// What labels may be.
    Labels,
    /// Anything, as it once was.
    Any,
}

/// What is wrong with a selector of nodes.
pub(in crate::ways) fn node_selector(selector: &Value, at: &Path<'_>, faults: &mut Faults) {
    let at = at.field("nodeSelectorTerms");
    let terms = selector.items("nodeSelectorTerms");
    if terms.is_empty() {
        faults.required(&at, "must have at least one node selector term");
    }
    for (index, term) in terms.iter().enumerate() {
        node_term(term, &at.index(index), Values::Labels, faults);
    }
}

fn node_term(term: &Value, at: &Path<'_>, values: Values, faults: &mut Faults) {
    let expressions = at.field("matchExpressions");
    for (index, expression) in term.items("matchExpressions").iter().enumerate() {
        let at = expressions.index(index);
        let given = expression.items("values").len();
        let values_at = at.field("values");
        match expression.text("operator") {
            "In" | "NotIn" if given == 0 => {
                let why = "must be specified when `operator` is 'In' or 'NotIn'";
                faults.required(&values_at, why);
            }
            "Exists" | "DoesNotExist" if given > 0 => {
                let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                faults.forbidden(&values_at, why);
            }
            "Gt" | "Lt" if given != 1 => {
                let why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                faults.required(&values_at, why);
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => {}
            other => {
                faults.invalid(
                    &at.field("operator"),
                    other,
                    "not a valid selector operator",
                );
            }
        }
        faults.qualified(&at.field("key"), expression.text("key"));
        if values == Values::Labels {
            for (index, value) in expression.texts("values").enumerate() {
                faults.each(&values_at.index(index), value, label_value(value));
            }
        }
    }
    let fields = at.field("matchFields");
    for (index, field) in term.items("matchFields").iter().enumerate() {
        let at = fields.index(index);
        match field.text("operator") {
            "In" | "NotIn" => {
                if field.items("values").len() != 1 {
                    let why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                    faults.required(&at.field("values"), why);
                }
            }
            other => {
                faults.invalid(
                    &at.field("operator"),
                    other,
                    "not a valid selector operator",
                );
            }
        }
        let values_at = at.field("values");
        match field.text("key") {
            "metadata.name" => {
                for (index, value) in field.texts("values").enumerate() {
                    faults.subdomain(&values_at.index(index), value);
                }
            }
            key => faults.invalid(&at.field("key"), key, "not a valid field selector key"),
        }
    }
}

fn pod_term(term: &Value, at: &Path<'_>, faults: &mut Faults) {
    for name in ["labelSelector", "namespaceSelector"] {
        selector::check(term.part(name), &at.field(name), faults);
    }
    for namespace in term.texts("namespaces") {
        let found = NameRule::Label.faults(namespace, crate::validate::Form::Whole);
        faults.each(&at.field("namespace"), namespace, found);
    }
    let lists = ["matchLabelKeys", "mismatchLabelKeys"];
    for name in lists {
        label_keys(term, name, &at.field(name), faults);
    }
    let matching = at.field("matchLabelKeys");
    let others: BTreeSet<&str> = term.texts("mismatchLabelKeys").collect();
    for (index, key) in term.texts("matchLabelKeys").enumerate() {
        if others.contains(key) {
            let why = "exists in both matchLabelKeys and mismatchLabelKeys";
            faults.invalid(&matching.index(index), key, why);
        }
    }
    let key = term.text("topologyKey");
    if key.is_empty() {
        faults.required(&at.field("topologyKey"), "can not be empty");
    }
    faults.qualified(&at.field("topologyKey"), key);
}

fn label_keys(term: &Value, name: &str, at: &Path<'_>, faults: &mut Faults) {
    if term.items(name).is_empty() {
        return;
    }
    if !term.has("labelSelector") {
        faults.forbidden(at, "must not be specified when labelSelector is not set");
        return;
    }
    for (index, key) in term.texts(name).enumerate() {
        faults.qualified(&at.index(index), key);
    }
}

/// Looks at `topologySpreadConstraints`.
pub(super) fn spread(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let all = spec.items("topologySpreadConstraints");
    let mut count: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for constraint in all {
        let key = (
            constraint.text("topologyKey"),
            constraint.text("whenUnsatisfiable"),
        );
        *count.entry(key).or_default() += 1;
    }
    for (index, constraint) in all.iter().enumerate() {
        let at = at.index(index);
        let skew = constraint.number("maxSkew");
        if skew <= 0 {
            faults.invalid(&at.field("maxSkew"), skew, "must be greater than zero");
        }
        let (key, action) = (
            constraint.text("topologyKey"),
            constraint.text("whenUnsatisfiable"),
        );
        if key.is_empty() {
            faults.required(&at.field("topologyKey"), "can not be empty");
        }
        let known = ["DoNotSchedule", "ScheduleAnyway"];
        if !known.contains(&action) {
            faults.unsupported(&at.field("whenUnsatisfiable"), action, &known);
        }
        let left = count.get_mut(&(key, action));
        let left = left.map_or(0, |left| {
            *left -= 1;
            *left
        });
        // The last one is the one that is left.
        if left > 0 {
            let at = at.field("{topologyKey, whenUnsatisfiable}");
            faults.duplicate(&at, format!("{{{key}, {action}}}"));
        }
        if let Some(least) = constraint.some_number("minDomains") {
            let at = at.field("minDomains");
            if least <= 0 {
                faults.invalid(&at, least, "must be greater than zero");
            }
            if action != "DoNotSchedule" {
                let why = format!(
                    "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
                );
                faults.invalid(&at, least, why);
            }
        }
        for name in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            faults.one_of_if(&at.field(name), constraint.part(name), &["Honor", "Ignore"]);
        }
        label_keys(
            constraint,
            "matchLabelKeys",
            &at.field("matchLabelKeys"),
            faults,
        );
        selector::check(
            constraint.part("labelSelector"),
            &at.field("labelSelector"),
            faults,
        );
    }
}

/// Looks at `tolerations`.
pub(super) fn tolerations(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    for (index, toleration) in spec.items("tolerations").iter().enumerate() {
        let at = at.index(index);
        let (key, operator) = (toleration.text("key"), toleration.text("operator"));
        let (value, effect) = (toleration.text("value"), toleration.text("effect"));
        if key.is_empty() {
            if operator != "Exists" {
                let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
                faults.invalid(&at.field("operator"), operator, why);
            }
        } else {
            faults.qualified(&at.field("key"), key);
        }
        if toleration.has("tolerationSeconds") && effect != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            faults.invalid(&at.field("effect"), effect, why);
        }
        let operator_at = at.field("operator");
        match operator {
            "Equal" | "" => {
                let found = label_value(value);
                if !found.is_empty() {
                    faults.invalid(&operator_at, value, found.join(";"));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    let why = "value must be empty when `operator` is 'Exists'";
                    faults.invalid(&operator_at, value, why);
                }
            }
            "Lt" | "Gt" => {
                faults.unsupported(&operator_at, operator, &["Equal", "Exists", "Lt", "Gt"]);
            }
            other => faults.unsupported(&operator_at, other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() && !EFFECTS.contains(&effect) {
            faults.unsupported(&at.field("effect"), effect, &EFFECTS);
        }
    }
}
