//! A schema as it works: shapes and rules of one version, or of a part of it.

use serde_json::{Map, Value};

use super::compile::{self, Purpose, Shapes};
use super::props::Props;
use super::prune::{self, Outermost};
use super::rules::Rules;
use super::unique;
use crate::schema::{Schema, Shape, TypeId, defaults, strict};
use crate::status::FieldError;
use crate::validate::Path;

/// Shapes and rules that belong together.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) schema: Schema,
    pub(super) root: TypeId,
    rules: Rules,
    outermost: Outermost,
}

impl Model {
    /// The model of a kind, under the name it has in OpenAPI.
    pub(super) fn of_kind(props: &Props<'_>, name: String) -> Self {
        let mut shapes = Shapes::default();
        let root = shapes.object(props, name);
        let rules = compile::rules(props, Purpose::Objects);
        Self::new(shapes.schema, root, rules, Outermost::Object)
    }

    /// The model of a part of a kind, by which its default is judged.
    pub(super) fn of_default(props: &Props<'_>) -> Self {
        let mut shapes = Shapes::default();
        let root = shapes.part(props);
        let rules = compile::rules(props, Purpose::Defaults);
        Self::new(shapes.schema, root, rules, Outermost::Part)
    }

    fn new(schema: Schema, root: TypeId, rules: Rules, outermost: Outermost) -> Self {
        Self {
            schema,
            root,
            rules,
            outermost,
        }
    }

    /// Removes unknown fields; their paths are added to `unknown`.
    pub(super) fn prune(&self, value: &mut Value, unknown: &mut Vec<String>) {
        prune::prune(value, &self.schema, self.root, self.outermost, unknown);
    }

    /// Removes nulls that stand for nothing.
    pub(super) fn prune_nulls(&self, value: &mut Value) {
        prune::prune_nulls(value, &self.schema, self.root, self.outermost);
    }

    /// Fills in defaults.
    pub(super) fn fill(&self, value: &mut Value) {
        defaults::apply(&self.schema, self.root, value);
    }

    /// Brings the metadata of an object into form: unknown fields and empty values go.
    ///
    /// # Errors
    /// What Go's decoder says about the first field of the wrong type.
    pub(super) fn coerce_metadata(
        &self,
        metadata: &mut Value,
        unknown: &mut Vec<String>,
    ) -> Result<(), String> {
        let of = match &self.schema.get(self.root).shape {
            Shape::Struct(root) => root.fields.get("metadata").map(|field| field.of),
            _ => None,
        };
        if metadata.is_null() {
            *metadata = Value::Object(Map::new());
        }
        let read = strict::decode_value(&self.schema, of, metadata.take())?;
        *metadata = read.value;
        let faults = read.faults.iter();
        unknown.extend(faults.map(|fault| format!("metadata.{}", fault.path)));
        if let Some(fields) = metadata.as_object_mut() {
            // That one is a pointer to Go, and 0 a value.
            let has_value = |name: &str, value: &Value| {
                name == "deletionGracePeriodSeconds" && !value.is_null()
            };
            fields.retain(|name, value| has_value(name, value) || !is_empty(value));
        }
        Ok(())
    }

    /// Finds items that are there twice.
    pub(super) fn duplicates(&self, value: &Value, errors: &mut Vec<FieldError>) {
        let outermost = self.outermost;
        let top = &Path::TOP;
        unique::duplicates(value, &self.schema, self.root, outermost, top, errors);
    }

    /// Checks values against the rules.
    pub(super) fn check(&self, value: &Value, base: &str, errors: &mut Vec<FieldError>) {
        self.rules.check(value, base, errors);
    }

    /// Checks one field of an object, as a status is checked alone.
    pub(super) fn check_field(&self, name: &str, object: &Value, errors: &mut Vec<FieldError>) {
        if let (Some(rules), Some(value)) = (self.rules.properties.get(name), object.get(name)) {
            rules.check(value, name, errors);
        }
    }
}

/// Whether Go would leave a field of metadata out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Bool(_) => false,
    }
}
