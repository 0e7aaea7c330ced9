//! What makes a schema structural: every value has one type that can be read off without looking at
//! logical junctors (upstream's `pkg/apiserver/schema/{validation,complete,convert}.go`).

use serde_json::json;

use super::props::{Additional, Items, Props};
use crate::status::FieldError;
use crate::validate::Path;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Why a schema has parts that no structural one can have.
pub(super) fn unsupported(schema: &Props<'_>) -> Option<String> {
    let forbidden = &schema.forbidden;
    let is_reference = schema.reference.is_some_and(|it| !it.is_empty());
    for (there, name) in [
        (!schema.id.is_empty(), "id"),
        (!schema.dialect.is_empty(), "schema"),
        (is_reference, "$ref"),
        (forbidden.pattern_properties, "patternProperties"),
        (forbidden.dependencies, "dependencies"),
        (forbidden.additional_items, "additionalItems"),
        (forbidden.definitions, "definitions"),
    ] {
        if there {
            return Some(format!("OpenAPIV3Schema '{name}' is not supported"));
        }
    }
    if schema.preserve == Some(false) {
        let why =
            "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
        return Some(why.to_owned());
    }
    if matches!(schema.items, Some(Items::Several(1..))) {
        return Some("OpenAPIV3Schema 'items' must be a schema, but is an array".to_owned());
    }
    let junctors = [&schema.all_of, &schema.any_of, &schema.one_of];
    let not = schema.not.as_deref();
    not.into_iter()
        .chain(junctors.into_iter().flatten())
        .chain(schema.item())
        .chain(schema.properties.values())
        .chain(schema.entry())
        .find_map(unsupported)
}

/// What keeps a schema from being structural, sorted by text as upstream does.
pub(super) fn violations(schema: &Props<'_>, at: &Path<'_>) -> Vec<FieldError> {
    let mut judge = Judge { errors: Vec::new() };
    judge.node(schema, Level::Root, at);
    judge.complete(schema, Some(schema), at, at);
    let mut errors = judge.errors;
    errors.sort_by_cached_key(ToString::to_string);
    errors
}

struct Judge {
    errors: Vec<FieldError>,
}

impl Judge {
    fn required(&mut self, at: &Path<'_>, why: impl Into<String>) {
        self.errors.push(FieldError::required(at.text(), why));
    }

    fn forbidden(&mut self, at: &Path<'_>, why: &str) {
        self.errors.push(FieldError::forbidden(at.text(), why));
    }

    fn wrong_kind(&mut self, at: &Path<'_>, kind: &str, why: &str) {
        let at = at.field("type");
        self.errors
            .push(FieldError::invalid(at.text(), json!(kind), why));
    }

    fn node(&mut self, schema: &Props<'_>, level: Level, at: &Path<'_>) {
        if schema.kind == "array" && schema.item().is_none() {
            self.required(&at.field("items"), "must be specified");
        }
        if let Some(item) = schema.item() {
            self.node(item, Level::Item, &at.field("items"));
        }
        let properties = at.field("properties");
        for (name, property) in &schema.properties {
            self.node(property, Level::Field, &properties.key(name));
        }
        let additional = at.field("additionalProperties");
        if schema.additional.is_some() && level == Level::Root {
            self.forbidden(&additional, "must not be used at the root");
        }
        if let Some(entry) = schema.entry() {
            self.node(entry, Level::Field, &additional);
        }
        if schema.int_or_string && schema.preserves() {
            let at = at.field("x-kubernetes-preserve-unknown-fields").text();
            let why = "must be false if x-kubernetes-int-or-string is true";
            self.errors.push(FieldError::invalid(at, json!(true), why));
        }
        let all_of_first = schema
            .all_of
            .first()
            .is_some_and(Props::any_of_is_int_or_string);
        self.values(schema, schema.any_of_is_int_or_string(), all_of_first, at);
        self.kind(schema, level, at);
        self.metadata(schema, level, at);
    }

    fn kind(&mut self, schema: &Props<'_>, level: Level, at: &Path<'_>) {
        let kind = at.field("type");
        if schema.kind.is_empty() && !schema.int_or_string && !schema.preserves() {
            self.required(
                &kind,
                match level {
                    Level::Root => "must not be empty at the root",
                    Level::Item => "must not be empty for specified array items",
                    Level::Field => "must not be empty for specified object fields",
                },
            );
        }
        if level == Level::Root && !matches!(schema.kind, "" | "object") {
            self.wrong_kind(at, schema.kind, "must be object at the root");
        }
    }

    fn metadata(&mut self, schema: &Props<'_>, level: Level, at: &Path<'_>) {
        let properties = at.field("properties");
        let is_object = level == Level::Root;
        for name in ["kind", "apiVersion"] {
            if let Some(property) = schema.properties.get(name)
                && is_object
                && property.kind != "string"
            {
                self.wrong_kind(&properties.key(name), property.kind, "must be string");
            }
        }
        if let Some(metadata) = schema.properties.get("metadata") {
            let at = properties.key("metadata");
            if is_object && metadata.kind != "object" {
                self.wrong_kind(&at, metadata.kind, "must be object");
            }
            if level == Level::Root && !only_names(metadata) {
                let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
                self.forbidden(&at, why);
            }
        }
    }

    fn values(
        &mut self,
        schema: &Props<'_>,
        skip_any_of: bool,
        skip_first_all_of: bool,
        at: &Path<'_>,
    ) {
        let here = at.field("anyOf");
        for (index, clause) in schema.any_of.iter().enumerate() {
            if !skip_any_of {
                self.clause(clause, false, &here.index(index));
            }
        }
        let here = at.field("allOf");
        for (index, clause) in schema.all_of.iter().enumerate() {
            self.clause(clause, skip_first_all_of && index == 0, &here.index(index));
        }
        let here = at.field("oneOf");
        for (index, clause) in schema.one_of.iter().enumerate() {
            self.clause(clause, false, &here.index(index));
        }
        if let Some(not) = &schema.not {
            self.clause(not, false, &at.field("not"));
        }
        if !schema.pattern.is_empty()
            && let Err(why) = super::pattern::compile(schema.pattern)
        {
            let at = at.field("pattern").text();
            let why = format!("must be a valid regular expression, but isn't: {why}");
            self.errors
                .push(FieldError::invalid(at, json!(schema.pattern), why));
        }
    }

    fn clause(&mut self, clause: &Props<'_>, skip_any_of: bool, at: &Path<'_>) {
        self.values(clause, skip_any_of, false, at);
        if let Some(item) = clause.item() {
            self.clause(item, false, &at.field("items"));
        }
        let properties = at.field("properties");
        for (name, property) in &clause.properties {
            self.clause(property, false, &properties.key(name));
        }
        let defined = match &clause.additional {
            None | Some(Additional::Allowed(false)) => false,
            Some(Additional::Allowed(true) | Additional::Of(_)) => true,
        };
        for (there, name, must) in [
            (!clause.kind.is_empty(), "type", "empty"),
            (defined, "additionalProperties", "undefined"),
            (clause.default.is_some(), "default", "undefined"),
            (!clause.title.is_empty(), "title", "empty"),
            (!clause.description.is_empty(), "description", "empty"),
            (clause.nullable, "nullable", "false"),
            (
                clause.preserves(),
                "x-kubernetes-preserve-unknown-fields",
                "false",
            ),
            (clause.int_or_string, "x-kubernetes-int-or-string", "false"),
            (
                !clause.list_keys.is_empty(),
                "x-kubernetes-list-map-keys",
                "empty",
            ),
            (
                clause.list_type.is_some(),
                "x-kubernetes-list-type",
                "undefined",
            ),
            (
                clause.map_type.is_some(),
                "x-kubernetes-map-type",
                "undefined",
            ),
            (clause.validations > 0, "x-kubernetes-validations", "empty"),
        ] {
            if there {
                let why = format!("must be {must} to be structural");
                self.forbidden(&at.field(name), &why);
            }
        }
        if clause.properties.contains_key("metadata") {
            let why = "must not be specified in a nested context";
            self.forbidden(&properties.key("metadata"), why);
        }
    }

    /// Whatever a junctor speaks of has to be there in the structure beside it, too.
    fn complete(
        &mut self,
        values: &Props<'_>,
        structure: Option<&Props<'_>>,
        at: &Path<'_>,
        values_at: &Path<'_>,
    ) {
        if let Some(not) = &values.not {
            self.complete_clause(not, structure, at, &values_at.field("not"));
        }
        for (name, list) in [
            ("allOf", &values.all_of),
            ("anyOf", &values.any_of),
            ("oneOf", &values.one_of),
        ] {
            let here = values_at.field(name);
            for (index, clause) in list.iter().enumerate() {
                self.complete_clause(clause, structure, at, &here.index(index));
            }
        }
    }

    fn complete_clause(
        &mut self,
        clause: &Props<'_>,
        structure: Option<&Props<'_>>,
        at: &Path<'_>,
        clause_at: &Path<'_>,
    ) {
        let Some(structure) = structure else {
            self.required(at, format!("because it is defined in {clause_at}"));
            return;
        };
        self.complete(clause, Some(structure), at, clause_at);
        if let Some(item) = clause.item() {
            let (at, clause_at) = (at.field("items"), clause_at.field("items"));
            self.complete_clause(item, structure.item(), &at, &clause_at);
        }
        let (at, clause_at) = (at.field("properties"), clause_at.field("properties"));
        for (name, property) in &clause.properties {
            let (at, clause_at) = (at.key(name), clause_at.key(name));
            let structure = structure.properties.get(name);
            self.complete_clause(property, structure, &at, &clause_at);
        }
    }
}

/// Whether the metadata of an object says no more than what its names have to look like.
fn only_names(metadata: &Props<'_>) -> bool {
    let named = metadata
        .properties
        .keys()
        .all(|name| matches!(*name, "name" | "generateName"));
    let rest = Props {
        kind: "",
        default: None,
        properties: std::collections::BTreeMap::new(),
        ..metadata.clone()
    };
    named && rest == Props::default()
}
