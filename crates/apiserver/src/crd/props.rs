//! The schema of a definition as its author wrote it (`JSONSchemaProps` upstream), borrowed from the
//! JSON and not yet judged.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::status::FieldError;
use crate::validate::Path;

/// So deep may a schema be; each level is two of JSON.
const DEPTH: usize = 64;
/// So many parts may the schemas of one definition have.
const PARTS: usize = 50_000;

/// A schema, or a part of one.
#[expect(clippy::struct_excessive_bools, reason = "as it is written")]
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Props<'a> {
    pub(super) id: &'a str,
    pub(super) dialect: &'a str,
    pub(super) reference: Option<&'a str>,
    pub(super) description: &'a str,
    pub(super) kind: &'a str,
    pub(super) format: &'a str,
    pub(super) title: &'a str,
    pub(super) default: Option<&'a Value>,
    pub(super) maximum: Option<f64>,
    pub(super) exclusive_maximum: bool,
    pub(super) minimum: Option<f64>,
    pub(super) exclusive_minimum: bool,
    pub(super) max_length: Option<i64>,
    pub(super) min_length: Option<i64>,
    pub(super) pattern: &'a str,
    pub(super) max_items: Option<i64>,
    pub(super) min_items: Option<i64>,
    pub(super) unique_items: bool,
    pub(super) multiple_of: Option<f64>,
    pub(super) options: &'a [Value],
    pub(super) max_properties: Option<i64>,
    pub(super) min_properties: Option<i64>,
    pub(super) required: Vec<&'a str>,
    pub(super) items: Option<Items<'a>>,
    pub(super) all_of: Vec<Props<'a>>,
    pub(super) one_of: Vec<Props<'a>>,
    pub(super) any_of: Vec<Props<'a>>,
    pub(super) not: Option<Box<Props<'a>>>,
    pub(super) properties: BTreeMap<&'a str, Props<'a>>,
    pub(super) additional: Option<Additional<'a>>,
    /// `patternProperties`, `definitions` and `dependencies`, which are forbidden.
    pub(super) forbidden: Forbidden,
    pub(super) nullable: bool,
    pub(super) preserve: Option<bool>,
    pub(super) embedded: bool,
    pub(super) int_or_string: bool,
    pub(super) list_keys: Vec<&'a str>,
    pub(super) list_type: Option<&'a str>,
    pub(super) map_type: Option<&'a str>,
    /// How many expressions there are in `x-kubernetes-validations`.
    pub(super) validations: usize,
}

/// What is written in `items`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Items<'a> {
    One(Box<Props<'a>>),
    Several(usize),
    None,
}

/// What is written in `additionalProperties`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Additional<'a> {
    Allowed(bool),
    Of(Box<Props<'a>>),
}

/// Which of the fields are there that no definition may have.
#[expect(clippy::struct_excessive_bools, reason = "as it is written")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Forbidden {
    pub(super) additional_items: bool,
    pub(super) pattern_properties: bool,
    pub(super) definitions: bool,
    pub(super) dependencies: bool,
}

impl<'a> Props<'a> {
    /// The one schema of the items.
    pub(super) fn item(&self) -> Option<&Props<'a>> {
        match &self.items {
            Some(Items::One(item)) => Some(item),
            _ => None,
        }
    }

    /// The schema of the entries that are no properties.
    pub(super) fn entry(&self) -> Option<&Props<'a>> {
        match &self.additional {
            Some(Additional::Of(entry)) => Some(entry),
            _ => None,
        }
    }

    /// Whether unknown fields are kept.
    pub(super) fn preserves(&self) -> bool {
        self.preserve == Some(true)
    }

    /// Whether this is a type and nothing else, as in the two ways to write an int-or-string.
    fn is_only(&self, kind: &str) -> bool {
        let only = Props {
            kind: self.kind,
            ..Props::default()
        };
        self.kind == kind && *self == only
    }

    /// Whether `anyOf` says no more than that a value is an integer or a text.
    pub(super) fn any_of_is_int_or_string(&self) -> bool {
        match self.any_of.as_slice() {
            [first, second] => first.is_only("integer") && second.is_only("string"),
            _ => false,
        }
    }

    /// Looks at this schema and at all below it, in upstream's order.
    pub(super) fn visit(&self, look: &mut dyn FnMut(&Props<'a>)) {
        look(self);
        let junctors = [&self.all_of, &self.any_of, &self.one_of];
        let parts = self
            .item()
            .into_iter()
            .chain(junctors.into_iter().flatten())
            .chain(self.not.as_deref())
            .chain(self.properties.values())
            .chain(self.entry());
        for part in parts {
            part.visit(look);
        }
    }
}

/// Reads schemas and counts their parts.
#[derive(Debug, Default)]
pub(super) struct Reader {
    parts: usize,
    too_large: bool,
    pub(super) errors: Vec<FieldError>,
}

impl Reader {
    /// Reads one schema; faults of form are left in `errors`.
    pub(super) fn read<'a>(&mut self, value: &'a Value, at: &Path<'_>) -> Props<'a> {
        self.part(value, at, 0)
    }

    fn part<'a>(&mut self, value: &'a Value, at: &Path<'_>, depth: usize) -> Props<'a> {
        self.parts += 1;
        if depth > DEPTH || self.parts > PARTS {
            // One sentence is enough for a schema that is too large.
            if !self.too_large {
                let why = format!("must not have more than {DEPTH} levels and {PARTS} parts");
                self.errors.push(FieldError::forbidden(at.text(), why));
            }
            self.too_large = true;
            return Props::default();
        }
        let Some(map) = value.as_object() else {
            if !value.is_null() {
                self.wrong(at, value, "an object");
            }
            return Props::default();
        };
        let mut fields = Source {
            map,
            at,
            reader: self,
        };
        let props = Props {
            id: fields.text("id"),
            dialect: fields.text("$schema"),
            reference: fields.maybe_text("$ref"),
            description: fields.text("description"),
            kind: fields.text("type"),
            format: fields.text("format"),
            title: fields.text("title"),
            default: fields.value("default"),
            maximum: fields.number("maximum"),
            exclusive_maximum: fields.flag("exclusiveMaximum"),
            minimum: fields.number("minimum"),
            exclusive_minimum: fields.flag("exclusiveMinimum"),
            max_length: fields.count("maxLength"),
            min_length: fields.count("minLength"),
            pattern: fields.text("pattern"),
            max_items: fields.count("maxItems"),
            min_items: fields.count("minItems"),
            unique_items: fields.flag("uniqueItems"),
            multiple_of: fields.number("multipleOf"),
            options: fields.list("enum"),
            max_properties: fields.count("maxProperties"),
            min_properties: fields.count("minProperties"),
            required: fields.texts("required"),
            nullable: fields.flag("nullable"),
            preserve: fields.maybe_flag("x-kubernetes-preserve-unknown-fields"),
            embedded: fields.flag("x-kubernetes-embedded-resource"),
            int_or_string: fields.flag("x-kubernetes-int-or-string"),
            list_keys: fields.texts("x-kubernetes-list-map-keys"),
            list_type: fields.maybe_text("x-kubernetes-list-type"),
            map_type: fields.maybe_text("x-kubernetes-map-type"),
            validations: fields.list("x-kubernetes-validations").len(),
            forbidden: Forbidden {
                additional_items: fields.value("additionalItems").is_some(),
                pattern_properties: fields.is_filled("patternProperties"),
                definitions: fields.is_filled("definitions"),
                dependencies: fields.value("dependencies").is_some(),
            },
            ..Props::default()
        };
        self.below(map, props, at, depth)
    }

    fn below<'a>(
        &mut self,
        map: &'a Map<String, Value>,
        mut props: Props<'a>,
        at: &Path<'_>,
        depth: usize,
    ) -> Props<'a> {
        for (name, list) in [
            ("allOf", &mut props.all_of),
            ("oneOf", &mut props.one_of),
            ("anyOf", &mut props.any_of),
        ] {
            let here = at.field(name);
            let source = Source {
                map,
                at,
                reader: self,
            }
            .list(name);
            for (index, value) in source.iter().enumerate() {
                list.push(self.part(value, &here.index(index), depth + 1));
            }
        }
        if let Some(value) = map.get("not").filter(|value| !value.is_null()) {
            let not = self.part(value, &at.field("not"), depth + 1);
            props.not = Some(Box::new(not));
        }
        let here = at.field("items");
        props.items = match map.get("items") {
            None | Some(Value::Null) => None,
            Some(Value::Array(several)) => Some(Items::Several(several.len())),
            Some(value @ Value::Object(_)) => {
                Some(Items::One(Box::new(self.part(value, &here, depth + 1))))
            }
            Some(_) => Some(Items::None),
        };
        let here = at.field("additionalProperties");
        props.additional = match map.get("additionalProperties") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(allowed)) => Some(Additional::Allowed(*allowed)),
            Some(value @ Value::Object(_)) => {
                Some(Additional::Of(Box::new(self.part(value, &here, depth + 1))))
            }
            Some(value) => {
                self.wrong(&here, value, "a boolean or a schema");
                None
            }
        };
        let here = at.field("properties");
        match map.get("properties") {
            None | Some(Value::Null) => {}
            Some(Value::Object(properties)) => {
                for (name, value) in properties {
                    let part = self.part(value, &here.key(name), depth + 1);
                    props.properties.insert(name, part);
                }
            }
            Some(value) => self.wrong(&here, value, "an object"),
        }
        props
    }

    /// Notes a value of the wrong type. Upstream does not get as far as to name such fields: it
    /// cannot decode the definition.
    pub(super) fn wrong(&mut self, at: &Path<'_>, value: &Value, wanted: &str) {
        let why = format!("must be {wanted}");
        self.errors
            .push(FieldError::type_invalid(at.text(), value.clone(), why));
    }
}

/// The fields of one JSON object.
pub(super) struct Source<'a, 'b> {
    pub(super) map: &'a Map<String, Value>,
    pub(super) at: &'b Path<'b>,
    pub(super) reader: &'b mut Reader,
}

impl<'a> Source<'a, '_> {
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn read<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(name)?;
        let read = read(value);
        if read.is_none() {
            self.reader.wrong(&self.at.field(name), value, wanted);
        }
        read
    }

    pub(super) fn maybe_text(&mut self, name: &str) -> Option<&'a str> {
        self.read(name, "a string", Value::as_str)
    }

    pub(super) fn text(&mut self, name: &str) -> &'a str {
        self.maybe_text(name).unwrap_or_default()
    }

    pub(super) fn maybe_flag(&mut self, name: &str) -> Option<bool> {
        self.read(name, "a boolean", Value::as_bool)
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.maybe_flag(name).unwrap_or_default()
    }

    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        self.read(name, "a number", Value::as_f64)
    }

    pub(super) fn count(&mut self, name: &str) -> Option<i64> {
        self.read(name, "a whole number", Value::as_i64)
    }

    pub(super) fn map(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        self.read(name, "an object", Value::as_object)
    }

    pub(super) fn list(&mut self, name: &str) -> &'a [Value] {
        let list = self.read(name, "an array", Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    pub(super) fn texts(&mut self, name: &str) -> Vec<&'a str> {
        let list = self.list(name);
        let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        if let Some(bad) = list.iter().find(|item| !item.is_string()) {
            self.reader.wrong(&self.at.field(name), bad, "a string");
        }
        texts
    }

    fn is_filled(&self, name: &str) -> bool {
        self.value(name)
            .and_then(Value::as_object)
            .is_some_and(|map| !map.is_empty())
    }
}
