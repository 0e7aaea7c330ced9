//! Field paths as the API server prints them in a conflict, such as
//! `.spec.template.spec.containers[name="web"].image`, found again in the object that was sent.
//!
//! The printed form is ambiguous on its own (a map key may hold dots), so it is always read
//! against the object.

use serde_json::Value;

/// One step into an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A member of a map.
    Key(String),
    /// An item of a list.
    Index(usize),
}

/// Finds where a printed path leads in an object; nothing when it leads nowhere.
pub(crate) fn resolve(object: &Value, path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut at = object;
    let mut rest = path;
    while !rest.is_empty() {
        let (step, next, after) = if let Some(body) = rest.strip_prefix('[') {
            let end = closing_bracket(body)?;
            let index = find_item(at.as_array()?, &body[..end])?;
            (Step::Index(index), at.get(index)?, &body[end + 1..])
        } else {
            let body = rest.strip_prefix('.')?;
            let key = longest_key(at.as_object()?.keys(), body)?;
            (Step::Key(key.to_owned()), at.get(key)?, &body[key.len()..])
        };
        steps.push(step);
        at = next;
        rest = after;
    }
    Some(steps)
}

/// What the API server says of a field that a kind does not have.
const UNDECLARED: &str = ": field not declared in schema";

/// Takes the fields out that a refused server-side apply names since the kind does not have them; tells which. None
/// where it was refused for anything else as well.
pub fn leave_undeclared_out(object: &mut Value, refusal: &str) -> Vec<String> {
    let Some((_, told)) = refusal.split_once("): ") else {
        return Vec::new();
    };
    let told = told.trim_start_matches("errors:");
    let paths: Option<Vec<&str>> = told
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.strip_suffix(UNDECLARED))
        .collect();
    let paths = paths.unwrap_or_default();
    let found: Option<Vec<_>> = paths.iter().map(|path| resolve(object, path)).collect();
    let mut found = found.unwrap_or_default();
    // From the end, so that what is before keeps its place.
    found.sort();
    for steps in found.iter().rev() {
        remove(object, steps);
    }
    if found.is_empty() {
        return Vec::new();
    }
    paths.into_iter().map(str::to_owned).collect()
}

/// The longest key that the text begins with, up to the path's end or its next step.
fn longest_key<'a>(keys: impl Iterator<Item = &'a String>, text: &str) -> Option<&'a str> {
    keys.map(String::as_str)
        .filter(|key| {
            text.strip_prefix(*key)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
        .max_by_key(|key| key.len())
}

/// The end of a bracket, outside of quoted text.
fn closing_bracket(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The item that `name="web"`, `containerPort=80,protocol="TCP"`, `="value"` or `3` names.
fn find_item(items: &[Value], selector: &str) -> Option<usize> {
    if let Ok(index) = selector.parse::<usize>() {
        return (index < items.len()).then_some(index);
    }
    if let Some(value) = selector.strip_prefix('=') {
        let value: Value = serde_json::from_str(value).ok()?;
        return items.iter().position(|item| *item == value);
    }
    let wanted: Vec<(&str, Value)> = split_pairs(selector)
        .into_iter()
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key, serde_json::from_str(value).ok()?))
        })
        .collect();
    // A key that the item leaves out has its schema default there (protocol: TCP).
    items.iter().position(|item| {
        !wanted.is_empty()
            && wanted
                .iter()
                .all(|(key, value)| item.get(key).is_none_or(|found| found == value))
            && wanted
                .iter()
                .any(|(key, value)| item.get(key) == Some(value))
    })
}

fn split_pairs(text: &str) -> Vec<&str> {
    let mut pairs = Vec::new();
    let mut start = 0;
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => {
                pairs.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pairs.push(&text[start..]);
    pairs
}

/// Whether a place is at or below a JSON pointer (RFC 6901), such as `/spec/replicas`.
pub(crate) fn is_under(steps: &[Step], pointer: &str) -> bool {
    let tokens: Vec<String> = pointer
        .split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect();
    !tokens.is_empty()
        && tokens.len() <= steps.len()
        && tokens.iter().zip(steps).all(|(token, step)| match step {
            Step::Key(key) => key == token,
            Step::Index(index) => token == "*" || *token == index.to_string(),
        })
}

/// Takes a place out of an object, with the maps that become empty through it.
pub(crate) fn remove(object: &mut Value, steps: &[Step]) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    match (first, object) {
        (Step::Key(key), Value::Object(map)) => {
            if rest.is_empty() {
                map.remove(key);
            } else if let Some(inner) = map.get_mut(key) {
                remove(inner, rest);
                if inner.as_object().is_some_and(serde_json::Map::is_empty) {
                    map.remove(key);
                }
            }
        }
        (Step::Index(index), Value::Array(items)) if *index < items.len() => {
            if rest.is_empty() {
                items.remove(*index);
            } else {
                remove(&mut items[*index], rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment() -> Value {
        json!({
            "metadata": {"labels": {"app.kubernetes.io/name": "web", "app": "x"}},
            "spec": {
                "replicas": 3,
                "template": {"spec": {"containers": [
                    {"name": "side", "image": "a"},
                    {"name": "web", "image": "b", "ports": [{"containerPort": 80}]}
                ]}}
            }
        })
    }

    #[track_caller]
    fn check(path: &str, pointer: &str) {
        let object = deployment();
        let steps = resolve(&object, path).expect("the path leads somewhere");
        assert!(
            is_under(&steps, pointer),
            "{steps:?} is not under {pointer}"
        );
    }

    #[test]
    fn finds_fields_keyed_items_and_keys_with_dots() {
        check(".spec.replicas", "/spec/replicas");
        check(
            ".spec.template.spec.containers[name=\"web\"].image",
            "/spec/template/spec/containers/1/image",
        );
        check(
            ".spec.template.spec.containers[name=\"web\"].image",
            "/spec/template/spec/containers/*/image",
        );
        check(
            ".spec.template.spec.containers[name=\"web\"].ports[containerPort=80,protocol=\"TCP\"]",
            "/spec/template/spec/containers/1/ports/0",
        );
        check(
            ".metadata.labels.app.kubernetes.io/name",
            "/metadata/labels/app.kubernetes.io~1name",
        );
    }

    #[test]
    fn a_pointer_does_not_cover_its_siblings() {
        let object = deployment();
        let steps = resolve(&object, ".spec.replicas").expect("replicas are there");
        assert!(!is_under(&steps, "/spec/template"));
        assert!(!is_under(&steps, "/spec/replicas/more"));
    }

    #[test]
    fn removing_a_field_leaves_the_rest() {
        let mut object = deployment();
        let steps = resolve(&object, ".spec.replicas").expect("replicas are there");
        remove(&mut object, &steps);
        assert_eq!(object["spec"].get("replicas"), None);
        assert!(object["spec"].get("template").is_some());
    }

    #[test]
    fn what_a_kind_does_not_have_is_left_out() {
        let begin = "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): ";
        let mut object = deployment();
        let told = ".spec.replicas: field not declared in schema";
        let out = leave_undeclared_out(&mut object, &format!("{begin}{told}"));
        assert_eq!(out, [".spec.replicas"]);
        assert_eq!(object["spec"].get("replicas"), None);
        let told = "errors:\n  .spec.template: field not declared in schema\n  .metadata.labels: field not declared in schema";
        let out = leave_undeclared_out(&mut object, &format!("{begin}{told}"));
        assert_eq!(out, [".spec.template", ".metadata.labels"]);
        assert_eq!(object, json!({}));
        let whole = deployment();
        for other in [
            ".spec.replicas: expected numeric (int or float), got string",
            "errors:\n  .spec.replicas: field not declared in schema\n  .spec: expected map",
            ".nowhere: field not declared in schema",
        ] {
            let mut object = whole.clone();
            assert!(leave_undeclared_out(&mut object, &format!("{begin}{other}")).is_empty());
            assert_eq!(object, whole);
        }
    }
}
