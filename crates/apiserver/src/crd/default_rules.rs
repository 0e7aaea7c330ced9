//! Defaults have to be values of their schema (`pkg/apiserver/schema/defaulting/validation.go`).

use serde_json::Value;

use super::model::Model;
use super::props::Props;
use crate::status::FieldError;
use crate::validate::Path;

/// What is wrong with the defaults of a schema. Entries of maps are left out: there are no defaults for
/// them.
pub(super) fn faults(schema: &Props<'_>, at: &Path<'_>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    node(schema, at, &mut errors);
    errors
}

fn node(schema: &Props<'_>, at: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(default) = schema.default {
        value(schema, default, &at.field("default"), errors);
    }
    if let Some(item) = schema.item() {
        node(item, &at.field("items"), errors);
    }
    let properties = at.field("properties");
    for (name, property) in &schema.properties {
        node(property, &properties.key(name), errors);
    }
}

fn value(schema: &Props<'_>, default: &Value, at: &Path<'_>, errors: &mut Vec<FieldError>) {
    let model = Model::of_default(schema);
    let mut pruned = default.clone();
    model.prune(&mut pruned, &mut Vec::new());
    if pruned != *default {
        let why = "must not have unknown fields";
        errors.push(FieldError::invalid(at.text(), default.clone(), why));
    }
    model.check(default, &at.text(), errors);
}
