//! Label selectors, with Kubernetes' rules and its words for what breaks them.

use std::collections::BTreeMap;

use kinds::cartographer::selector::{LabelRequirement, Matches};

/// The longest value of a label.
pub(crate) const VALUE_MAX: usize = 63;

const NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const NAME_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const PREFIX: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const PREFIX_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

/// Whether labels carry everything that a selector asks of them. An error where the selector is
/// none that Kubernetes takes, in its words.
pub(crate) fn select(
    matches: Matches<'_>,
    labels: &BTreeMap<String, String>,
) -> Result<bool, String> {
    check_labels(matches.labels)?;
    check_expressions(matches.expressions)?;
    let carried = |(key, value)| labels.get(key) == Some(value);
    Ok(matches.labels.iter().all(carried)
        && matches
            .expressions
            .iter()
            .all(|requirement| holds(requirement, labels)))
}

/// Whether labels may be selected by, in Kubernetes' words.
pub(crate) fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), String> {
    for (key, value) in labels {
        let mut wrong = wrong_key(key);
        wrong.extend(wrong_value(key, 0, value));
        aggregate(wrong)?;
    }
    Ok(())
}

/// Whether requirements on labels are any, in Kubernetes' words.
pub(crate) fn check_expressions(requirements: &[LabelRequirement]) -> Result<(), String> {
    for LabelRequirement {
        key,
        operator,
        values,
    } in requirements
    {
        let mut wrong = wrong_key(key);
        match operator.as_str() {
            "In" | "NotIn" if values.is_empty() => wrong.push(
                "values: Invalid value: []string(nil): for 'in', 'notin' operators, values set can't be empty"
                    .to_owned(),
            ),
            "Exists" | "DoesNotExist" if !values.is_empty() => wrong.push(format!(
                "values: Invalid value: {}: values set must be empty for exists and does not exist",
                listed(values)
            )),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => return Err(format!("{operator:?} is not a valid label selector operator")),
        }
        for (index, value) in values.iter().enumerate() {
            wrong.extend(wrong_value(key, index, value));
        }
        aggregate(wrong)?;
    }
    Ok(())
}

/// What is wrong with a text as a label's value.
pub(crate) fn value_errors(value: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if value.len() > VALUE_MAX {
        wrong.push(too_long(VALUE_MAX));
    }
    if !value.is_empty() && !is_name(value) {
        let rule = format!(
            "a valid label must be an empty string or {}",
            &NAME_RULE[5..]
        );
        let shape = format!("({NAME})?");
        wrong.push(against(&rule, &shape, &["MyValue", "my_value", "12345"]));
    }
    wrong
}

fn holds(requirement: &LabelRequirement, labels: &BTreeMap<String, String>) -> bool {
    let value = labels.get(&requirement.key);
    let is_listed = value.is_some_and(|value| requirement.values.contains(value));
    match requirement.operator.as_str() {
        "In" => is_listed,
        "NotIn" => !is_listed,
        "Exists" => value.is_some(),
        _ => value.is_none(),
    }
}

fn wrong_key(key: &str) -> Vec<String> {
    let errors = key_errors(key);
    if errors.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "key: Invalid value: {key:?}: {}",
        errors.join("; ")
    )]
}

fn wrong_value(key: &str, index: usize, value: &str) -> Option<String> {
    let errors = value_errors(value);
    (!errors.is_empty()).then(|| {
        let errors = errors.join("; ");
        format!("values[{index}][{key}]: Invalid value: {value:?}: {errors}")
    })
}

fn key_errors(key: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let parts: Vec<&str> = key.split('/').collect();
    let name = match parts[..] {
        [name] => name,
        [prefix, name] => {
            wrong.extend(prefix_errors(prefix).map(|error| format!("prefix part {error}")));
            name
        }
        _ => {
            let rule = against(NAME_RULE, NAME, &["MyName", "my.name", "123-abc"]);
            return vec![format!(
                "a qualified name {rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if name.len() > VALUE_MAX {
        wrong.push(format!("name part {}", too_long(VALUE_MAX)));
    }
    if !is_name(name) {
        let rule = against(NAME_RULE, NAME, &["MyName", "my.name", "123-abc"]);
        wrong.push(format!("name part {rule}"));
    }
    wrong
}

fn prefix_errors(prefix: &str) -> impl Iterator<Item = String> {
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !matches!(bytes, [] | [b'-', ..] | [.., b'-'])
    };
    let empty = prefix.is_empty().then(|| "must be non-empty".to_owned());
    let long = (prefix.len() > 253).then(|| too_long(253));
    let ill = (!prefix.is_empty() && !prefix.split('.').all(is_label))
        .then(|| against(PREFIX_RULE, PREFIX, &["example.com"]));
    [empty, long, ill].into_iter().flatten()
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    is_outer(bytes.first())
        && is_outer(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn too_long(most: usize) -> String {
    format!("must be no more than {most} characters")
}

// The two spaces before each `or` are Kubernetes'.
fn against(rule: &str, shape: &str, examples: &[&str]) -> String {
    let examples: Vec<_> = examples.iter().map(|text| format!("'{text}', ")).collect();
    format!(
        "{rule} (e.g. {}regex used for validation is '{shape}')",
        examples.join(" or ")
    )
}

fn listed(values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|value| format!("{value:?}")).collect();
    format!("[]string{{{}}}", values.join(", "))
}

fn aggregate(mut wrong: Vec<String>) -> Result<(), String> {
    match wrong.len() {
        0 => Ok(()),
        1 => Err(wrong.remove(0)),
        _ => Err(format!("[{}]", wrong.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(selector: serde_json::Value, selects: &str) {
        let selector: kinds::cartographer::selector::OptionSelector =
            serde_json::from_value(selector).expect("it is a selector");
        let labels = [("a", "b"), ("shop.example/tier", "web")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let labels = BTreeMap::from(labels);
        let said = match select(selector.matches(), &labels) {
            Ok(true) => "yes".to_owned(),
            Ok(false) => "no".to_owned(),
            Err(why) => why,
        };
        assert_eq!(said, selects);
    }

    #[track_caller]
    fn expression(key: &str, operator: &str, values: &[&str], selects: &str) {
        let requirement = json!({"key": key, "operator": operator, "values": values});
        check(json!({"matchExpressions": [requirement]}), selects);
    }

    #[test]
    fn labels_are_carried_or_not() {
        check(json!({}), "yes");
        check(json!({"matchLabels": {"a": "b"}}), "yes");
        check(
            json!({"matchLabels": {"a": "b", "shop.example/tier": "db"}}),
            "no",
        );
    }

    #[test]
    fn expressions_follow_their_operator() {
        expression("a", "In", &["x", "b"], "yes");
        expression("a", "In", &["x"], "no");
        expression("missing", "In", &["x"], "no");
        expression("a", "NotIn", &["x"], "yes");
        expression("a", "NotIn", &["b"], "no");
        expression("missing", "NotIn", &["x"], "yes");
        expression("a", "Exists", &[], "yes");
        expression("missing", "Exists", &[], "no");
        expression("a", "DoesNotExist", &[], "no");
        expression("missing", "DoesNotExist", &[], "yes");
    }

    #[test]
    fn what_kubernetes_refuses_is_refused_in_its_words() {
        expression(
            "a",
            "Like",
            &[],
            "\"Like\" is not a valid label selector operator",
        );
        expression(
            "a",
            "In",
            &[],
            "values: Invalid value: []string(nil): for 'in', 'notin' operators, values set can't be empty",
        );
        expression(
            "a",
            "Exists",
            &["b"],
            "values: Invalid value: []string{\"b\"}: values set must be empty for exists and does not exist",
        );
        check(
            json!({"matchLabels": {"-a": "b"}}),
            "key: Invalid value: \"-a\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        );
        check(
            json!({"matchLabels": {"a": "not a label"}}),
            "values[0][a]: Invalid value: \"not a label\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        );
    }
}
