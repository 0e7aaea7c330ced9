//! What a schema may say, beyond being structural (`ValidateCustomResourceDefinitionOpenAPISchema` in
//! upstream's `pkg/apis/apiextensions/validation`).

use serde_json::{Value, json};

use super::props::{Additional, Items, Props};
use crate::status::FieldError;
use crate::validate::Path;

const META: [&str; 3] = ["metadata", "kind", "apiVersion"];
const KINDS: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Why there may be no default here.
#[derive(Clone, Copy)]
struct Context<'a> {
    no_default: Option<&'a str>,
}

/// What is wrong with a schema, in upstream's order (properties by name).
pub(super) fn faults(schema: &Props<'_>, at: &Path<'_>) -> Vec<FieldError> {
    let mut rules = Rules { errors: Vec::new() };
    let context = Context { no_default: None };
    rules.node(schema, at, context, true);
    rules.errors
}

struct Rules {
    errors: Vec<FieldError>,
}

impl Rules {
    fn forbidden(&mut self, at: &Path<'_>, why: impl Into<String>) {
        self.errors.push(FieldError::forbidden(at.text(), why));
    }

    fn required(&mut self, at: &Path<'_>, why: &str) {
        self.errors.push(FieldError::required(at.text(), why));
    }

    fn invalid(&mut self, at: &Path<'_>, value: Value, why: &str) {
        self.errors.push(FieldError::invalid(at.text(), value, why));
    }

    fn node(&mut self, schema: &Props<'_>, at: &Path<'_>, context: Context<'_>, is_root: bool) {
        self.standard(schema, at, context);
        if schema.unique_items {
            let why =
                "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.forbidden(&at.field("uniqueItems"), why);
        }
        let additional = at.field("additionalProperties");
        let further = !matches!(schema.additional, None | Some(Additional::Allowed(true)));
        if further && !schema.properties.is_empty() {
            let why = "additionalProperties and properties are mutual exclusive";
            self.forbidden(&additional, why);
        }
        if let Some(entry) = schema.entry() {
            self.node(entry, &additional, context, false);
        }
        let properties = at.field("properties");
        for (name, property) in &schema.properties {
            let mut context = context;
            let reason = format!("in top-level {name}");
            if is_root && META.contains(name) {
                context.no_default = Some(&reason);
            }
            self.node(property, &properties.key(name), context, false);
        }
        if let Some(not) = &schema.not {
            self.node(not, &at.field("not"), context, false);
        }
        for (name, list) in [
            ("allOf", &schema.all_of),
            ("oneOf", &schema.one_of),
            ("anyOf", &schema.any_of),
        ] {
            let here = at.field(name);
            for (index, clause) in list.iter().enumerate() {
                self.node(clause, &here.index(index), context, false);
            }
        }
        if let Some(item) = schema.item() {
            self.node(item, &at.field("items"), context, false);
        }
        if schema.preserve == Some(false) {
            let at = at.field("x-kubernetes-preserve-unknown-fields");
            self.invalid(&at, json!(false), "must be true or undefined");
        }
        self.extensions(schema, at);
        // Nothing here evaluates expressions. To take such a definition would be to promise what
        // is not kept, so it is refused.
        if schema.validations > 0 {
            let why = "this server does not evaluate CEL expressions; remove them, or use a genuine kube-apiserver";
            self.forbidden(&at.field("x-kubernetes-validations"), why);
        }
        if schema.embedded {
            let why = "this server does not look into objects within others; remove it, or use a genuine kube-apiserver";
            self.forbidden(&at.field("x-kubernetes-embedded-resource"), why);
        }
    }

    fn standard(&mut self, schema: &Props<'_>, at: &Path<'_>, context: Context<'_>) {
        if !schema.kind.is_empty() && !KINDS.contains(&schema.kind) {
            let at = at.field("type").text();
            let error = FieldError::not_supported(at, json!(schema.kind), &KINDS);
            self.errors.push(error);
        }
        if let (Some(_), Some(reason)) = (schema.default, context.no_default) {
            self.forbidden(&at.field("default"), format!("must not be set {reason}"));
        }
        let forbidden = &schema.forbidden;
        for (there, name) in [
            (!schema.id.is_empty(), "id"),
            (forbidden.additional_items, "additionalItems"),
            (forbidden.pattern_properties, "patternProperties"),
            (forbidden.definitions, "definitions"),
            (forbidden.dependencies, "dependencies"),
            (schema.reference.is_some(), "$ref"),
        ] {
            if there {
                self.forbidden(&at.field(name), format!("{name} is not supported"));
            }
        }
        if schema.kind == "null" {
            let why = "type cannot be set to null, use nullable as an alternative";
            self.forbidden(&at.field("type"), why);
        }
        if matches!(schema.items, Some(Items::Several(1..))) {
            let why = "items must be a schema object and not an array";
            self.forbidden(&at.field("items"), why);
        }
    }

    fn extensions(&mut self, schema: &Props<'_>, at: &Path<'_>) {
        let map_type = at.field("x-kubernetes-map-type");
        if let Some(given) = schema.map_type {
            self.kind_of(
                schema,
                "object",
                at,
                "must be object if x-kubernetes-map-type is specified",
            );
            if !matches!(given, "atomic" | "granular") {
                let known = ["atomic", "granular"];
                let error = FieldError::not_supported(map_type.text(), json!(given), &known);
                self.errors.push(error);
            }
        }
        let list_type = at.field("x-kubernetes-list-type");
        if let Some(given) = schema.list_type {
            if schema.kind != "array" {
                self.kind_of(
                    schema,
                    "array",
                    at,
                    "must be array if x-kubernetes-list-type is specified",
                );
            } else if given == "set" {
                self.set(schema, at);
            }
            if !matches!(given, "atomic" | "set" | "map") {
                let known = ["atomic", "set", "map"];
                let error = FieldError::not_supported(list_type.text(), json!(given), &known);
                self.errors.push(error);
            }
        }
        if !schema.list_keys.is_empty() {
            let why = "must be map if x-kubernetes-list-map-keys is non-empty";
            match schema.list_type {
                None => self.required(&list_type, why),
                Some("map") => {}
                Some(other) => self.invalid(&list_type, json!(other), why),
            }
        }
        if schema.list_type == Some("map") {
            self.list_map(schema, at);
        }
        self.nullable_items(schema, at);
    }

    fn kind_of(&mut self, schema: &Props<'_>, wanted: &str, at: &Path<'_>, why: &str) {
        let at = at.field("type");
        if schema.kind.is_empty() {
            self.required(&at, why);
        } else if schema.kind != wanted {
            self.invalid(&at, json!(schema.kind), why);
        }
    }

    fn set(&mut self, schema: &Props<'_>, at: &Path<'_>) {
        let Some(item) = schema.item() else { return };
        let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
        let at = at.field("items");
        if item.kind == "array" && item.list_type.is_some_and(|it| it != "atomic") {
            let at = at.field("x-kubernetes-list-type");
            self.invalid(&at, json!(item.list_type), why);
        }
        if item.kind == "object" && item.map_type != Some("atomic") {
            // Upstream shows the list's type here, which is hardly ever there.
            let at = at.field("x-kubernetes-map-type");
            self.invalid(&at, json!(item.list_type), why);
        }
    }

    fn list_map(&mut self, schema: &Props<'_>, at: &Path<'_>) {
        let keys = at.field("x-kubernetes-list-map-keys");
        let items = at.field("items");
        if schema.list_keys.is_empty() {
            self.required(&keys, "must not be empty if x-kubernetes-list-type is map");
        }
        let Some(item) = schema.item() else {
            if schema.items.is_none() {
                self.required(
                    &items,
                    "must have a schema if x-kubernetes-list-type is map",
                );
            } else {
                let why = "must only have a single schema if x-kubernetes-list-type is map";
                self.invalid(&items, json!({}), why);
            }
            return;
        };
        if item.kind != "object" {
            let why = "must be object if parent array's x-kubernetes-list-type is map";
            self.invalid(&items.field("type"), json!(item.kind), why);
            return;
        }
        let properties = items.field("properties");
        for (index, key) in schema.list_keys.iter().enumerate() {
            match item.properties.get(key) {
                Some(property) if matches!(property.kind, "array" | "object") => {
                    let why =
                        "must be a scalar type if parent array's x-kubernetes-list-type is map";
                    let at = properties.key(key);
                    self.invalid(&at.field("type"), json!(item.kind), why);
                }
                Some(_) => {}
                None => {
                    let why = "entries must all be names of item properties";
                    self.invalid(&keys, json!(schema.list_keys), why);
                }
            }
            if schema.list_keys[..index].contains(key) {
                let why = "must not contain duplicate entries";
                self.invalid(&keys, json!(schema.list_keys), why);
            }
        }
    }

    fn nullable_items(&mut self, schema: &Props<'_>, at: &Path<'_>) {
        let (Some(item), Some(list @ ("set" | "map"))) = (schema.item(), schema.list_type) else {
            return;
        };
        let items = at.field("items");
        if item.nullable {
            let why = format!("cannot be nullable when x-kubernetes-list-type is {list}");
            self.forbidden(&items.field("nullable"), why);
        }
        if list == "set" {
            return;
        }
        let properties = items.field("properties");
        for key in &schema.list_keys {
            let Some(property) = item.properties.get(key) else {
                continue;
            };
            let at = properties.key(key);
            if !item.required.contains(key) && property.default.is_none() {
                let why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
                self.required(&at.field("default"), why);
            }
            if property.nullable {
                let why =
                    "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
                self.forbidden(&at.field("nullable"), why);
            }
        }
    }
}
