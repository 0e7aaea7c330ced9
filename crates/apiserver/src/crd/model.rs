//! A schema as it works: shapes and rules of one version, or of a part of it.

use serde_json::Value;

use super::compile::{self, Purpose, Shapes};
use super::embedded;
use super::props::Props;
use super::prune::{self, Outermost};
use super::rules::{Old, Rules};
use super::unique;
use crate::schema::{Schema, TypeId};
use crate::status::FieldError;
use crate::validate::Path;

/// Shapes and rules that belong together.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) schema: Schema,
    pub(super) root: TypeId,
    rules: Rules,
    has_embedded: bool,
    outermost: Outermost,
}

impl Model {
    /// The model of a kind, under the name it has in OpenAPI.
    pub(super) fn of_kind(props: &Props<'_>, name: String) -> Self {
        let mut shapes = Shapes::new();
        let root = shapes.object(props, name);
        let rules = compile::rules(props, Purpose::Objects);
        Self::new(shapes.schema, root, rules, Outermost::Object)
    }

    /// The model of a part of a kind, by which its default is judged.
    pub(super) fn of_default(props: &Props<'_>) -> Self {
        let mut shapes = Shapes::new();
        let root = shapes.part(props);
        let rules = compile::rules(props, Purpose::Defaults);
        Self::new(shapes.schema, root, rules, Outermost::Part)
    }

    fn new(schema: Schema, root: TypeId, rules: Rules, outermost: Outermost) -> Self {
        Self {
            has_embedded: embedded::any(&schema),
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
        prune::fill(value, &self.schema, self.root);
    }

    /// Brings the metadata of embedded objects into form.
    pub(super) fn coerce_embedded(
        &self,
        value: &mut Value,
        at: &Path<'_>,
        unknown: &mut Vec<String>,
    ) -> Result<(), FieldError> {
        if !self.has_embedded {
            return Ok(());
        }
        let before = unknown.len();
        let part = Outermost::Part;
        let done = embedded::coerce(value, &self.schema, self.root, part, at, unknown);
        unknown[before..].sort_unstable();
        done
    }

    /// Checks embedded objects.
    pub(super) fn check_embedded(
        &self,
        value: &Value,
        at: &Path<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        if self.has_embedded {
            let part = Outermost::Part;
            embedded::check(value, &self.schema, self.root, part, at, errors);
        }
    }

    /// Finds items that are there twice.
    pub(super) fn duplicates(&self, value: &Value, errors: &mut Vec<FieldError>) {
        let outermost = self.outermost;
        let top = &Path::TOP;
        unique::duplicates(value, &self.schema, self.root, outermost, top, errors);
    }

    /// Checks values against the rules. Where an old one is given, what did not change is forgiven.
    pub(super) fn check(
        &self,
        value: &Value,
        base: &str,
        old: Option<&Value>,
        errors: &mut Vec<FieldError>,
    ) {
        let old = old.map(|value| Old {
            value,
            of: self.root,
        });
        self.rules.check(value, base, &self.schema, old, errors);
    }

    /// Checks one field of an object, as a status is checked alone.
    pub(super) fn check_field(
        &self,
        name: &str,
        object: &Value,
        old: &Value,
        errors: &mut Vec<FieldError>,
    ) {
        let (Some(rules), Some(value)) = (self.rules.properties.get(name), object.get(name)) else {
            return;
        };
        let old = Old {
            value: old,
            of: self.root,
        };
        let old = old.field(name, &self.schema);
        rules.check(value, name, &self.schema, old, errors);
    }
}
