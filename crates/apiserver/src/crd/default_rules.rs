//! Defaults have to be values of their schema (`pkg/apiserver/schema/defaulting/validation.go`).

use serde_json::Value;

use super::embedded;
use super::model::Model;
use super::props::Props;
use super::prune::{META, Outermost};
use crate::status::FieldError;
use crate::validate::Path;

/// What is wrong with the defaults of a schema.
pub(super) fn faults(schema: &Props<'_>, at: &Path<'_>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut steps = Vec::new();
    let place = Place {
        object: schema,
        inside_meta: false,
    };
    node(schema, at, place, true, &mut steps, &mut errors);
    errors
}

#[derive(Clone, Copy)]
struct Place<'a, 'b> {
    /// The nearest object around.
    object: &'b Props<'a>,
    /// Whether this belongs to its apiVersion, kind or metadata.
    inside_meta: bool,
}

fn node<'a>(
    schema: &Props<'a>,
    at: &Path<'_>,
    place: Place<'a, '_>,
    is_root: bool,
    steps: &mut Vec<&'a str>,
    errors: &mut Vec<FieldError>,
) {
    if schema.embedded {
        let place = Place {
            object: schema,
            inside_meta: false,
        };
        below(schema, at, place, true, &mut Vec::new(), errors);
    } else {
        below(schema, at, place, is_root, steps, errors);
    }
}

fn below<'a>(
    schema: &Props<'a>,
    at: &Path<'_>,
    place: Place<'a, '_>,
    is_object: bool,
    steps: &mut Vec<&'a str>,
    errors: &mut Vec<FieldError>,
) {
    if let Some(default) = schema.default {
        let here = at.field("default");
        if place.inside_meta {
            inside_meta(schema, default, place.object, &here, steps, errors);
        } else {
            plain(schema, default, &here, errors);
        }
    }
    // Entries of maps are left out: there are no defaults for them.
    if let Some(item) = schema.item() {
        steps.push("[]");
        node(item, &at.field("items"), place, false, steps, errors);
        steps.pop();
    }
    let properties = at.field("properties");
    for (name, property) in &schema.properties {
        let place = Place {
            inside_meta: place.inside_meta || (is_object && META.contains(name)),
            ..place
        };
        steps.push(name);
        node(property, &properties.key(name), place, false, steps, errors);
        steps.pop();
    }
}

fn plain(schema: &Props<'_>, default: &Value, at: &Path<'_>, errors: &mut Vec<FieldError>) {
    let model = Model::of_default(schema);
    let mut pruned = default.clone();
    model.prune(&mut pruned, &mut Vec::new());
    if pruned != *default {
        let why = "must not have unknown fields";
        errors.push(FieldError::invalid(at.text(), default.clone(), why));
    }
    let mut coerced = default.clone();
    if let Err(error) = model.coerce_embedded(&mut coerced, at, &mut Vec::new()) {
        errors.push(error);
        return;
    }
    let before = errors.len();
    model.check_embedded(&coerced, at, errors);
    if errors.len() == before {
        model.check(&coerced, &at.text(), None, errors);
    }
}

fn inside_meta(
    schema: &Props<'_>,
    default: &Value,
    object: &Props<'_>,
    at: &Path<'_>,
    steps: &[&str],
    errors: &mut Vec<FieldError>,
) {
    let around = Model::of_default(object);
    let mut value = embedded::around(steps, default.clone());
    let (shapes, root) = (&around.schema, around.root);
    let top = &Path::TOP;
    let whole = Outermost::Object;
    let mut faults = Vec::new();
    match embedded::coerce(&mut value, shapes, root, whole, top, &mut Vec::new()) {
        Err(error) => faults.push(error),
        Ok(()) => embedded::check(&value, shapes, root, whole, top, &mut faults),
    }
    if faults.is_empty() {
        Model::of_default(schema).check(default, &at.text(), None, errors);
        return;
    }
    let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let texts = match texts.as_slice() {
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    let why = format!("must result in valid metadata: {texts}");
    errors.push(FieldError::invalid(at.text(), default.clone(), why));
}
