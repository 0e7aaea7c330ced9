//! What is special about kubectl, whose users came from client-side apply: its annotation
//! `kubectl.kubernetes.io/last-applied-configuration` says what they applied, so that it is theirs.

use serde_json::Value;

use super::atom::Ty;
use super::collect;
use super::compare::compare;
use super::element::write_value;
use super::managed::Entry;
use super::owners::Conflicts;
use super::set::Set;
use super::tracker::Target;
use super::validate::{Duplicates, validate};

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The only manager this is done for.
const KUBECTL: &str = "kubectl";

/// How large annotations may be, names and values of all of them together, in bytes.
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// The conflicts that the annotation does not settle. None where it settles all of them: the apply is to
/// be repeated with force.
pub(super) fn unsettled(
    target: &Target<'_>,
    manager: &str,
    live: &Value,
    conflicts: Conflicts,
) -> Option<Conflicts> {
    if manager != KUBECTL {
        return Some(conflicts);
    }
    let Some(allowed) = unchanged_since(target, live) else {
        return Some(conflicts);
    };
    let rest = conflicts.0.into_iter().map(|entry| Entry {
        fields: entry.fields.difference(&allowed),
        ..entry
    });
    let rest: Vec<Entry> = rest.filter(|entry| !entry.fields.is_empty()).collect();
    (!rest.is_empty()).then_some(Conflicts(rest))
}

/// The fields that are as the annotation has them; none where it cannot be read.
fn unchanged_since(target: &Target<'_>, live: &Value) -> Option<Set> {
    let last: Value = serde_json::from_str(annotation(live)?).ok()?;
    if last.get("apiVersion")? != target.api_version || last.get("kind")? != target.kind {
        return None;
    }
    let root = Ty::Of(target.root);
    for object in [&last, live] {
        validate(target.schema, root, object, Duplicates::Refused).ok()?;
    }
    let fields = collect::fields(target.schema, root, &last);
    let changes = compare(target.schema, root, Some(&last), Some(live));
    let rest = fields.difference(&changes.modified);
    Some(rest.difference(&changes.added).difference(&changes.removed))
}

fn annotation(object: &Value) -> Option<&str> {
    let annotations = object.get("metadata")?.get("annotations")?;
    annotations
        .get(ANNOTATION)?
        .as_str()
        .filter(|text| !text.is_empty())
}

/// The text that the annotation is to have after kubectl has applied a configuration, if it is another one.
pub(super) fn refreshed(manager: &str, object: &Value, config: &Value) -> Option<String> {
    if manager != KUBECTL {
        return None;
    }
    let current = annotation(object)?;
    let mut config = config.clone();
    if let Some(metadata) = config.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(annotations) = metadata.get_mut("annotations")
    {
        match annotations.as_object_mut() {
            Some(annotations) => {
                annotations.remove(ANNOTATION);
            }
            None => {
                metadata.remove("annotations");
            }
        }
    }
    let mut text = String::new();
    write_value(&mut text, &config);
    text.push('\n');
    (text != current).then_some(text)
}

/// Sets the annotation, or removes it where it would be too large.
pub(super) fn set(object: &mut Value, text: String) {
    let annotations = object
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut);
    let Some(annotations) = annotations else {
        return;
    };
    annotations.insert(ANNOTATION.to_owned(), Value::String(text));
    let size = |(name, value): (&String, &Value)| name.len() + value.as_str().map_or(0, str::len);
    if annotations.iter().map(size).sum::<usize>() > MAX_ANNOTATIONS {
        annotations.remove(ANNOTATION);
    }
}
