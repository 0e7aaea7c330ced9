//! The OpenAPI v3 documents, turned into short type expressions.
//!
//! An expression is `string`, `int32`, `int64`, `number`, `boolean`, `int-or-string`, `quantity`,
//! `bytes`, `time`, `microtime`, `any`, the name of a type, or one of these behind what holds it:
//! `[]` an atomic list, `[=]` a set, `[name,port]` a list whose items are told apart by these fields,
//! `{}` a map, `{!}` a map with one owner. `!` before a name makes that struct atomic at this place,
//! `~` makes it granular.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::golang::{Declared, Sources};
use super::read_json;

const REFERENCE: &str = "#/components/schemas/";
const RAW: &str = "{!}any";

/// The component schemas of all documents, by name.
pub(super) type Documents = BTreeMap<String, Value>;

/// Reads all documents of a folder. The first one that has a schema wins: those few that differ do so
/// in the groups they are registered in.
pub(super) fn read(folder: &Path) -> Result<Documents, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let paths: BTreeSet<_> = entries.flatten().map(|entry| entry.path()).collect();
    let mut all = Documents::new();
    for path in paths {
        let mut document = read_json(&path)?;
        let Some(schemas) = document.pointer_mut("/components/schemas") else {
            continue;
        };
        for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
            all.entry(name.clone()).or_insert_with(|| schema.take());
        }
    }
    Ok(all)
}

/// The types that these group, version and kinds reach, each as its line.
pub(super) fn convert(
    documents: &Documents,
    roots: &BTreeSet<[String; 3]>,
    sources: &mut Sources,
) -> Result<BTreeMap<String, Value>, String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = Vec::new();
    for (name, schema) in documents {
        for gvk in kinds(schema) {
            // DeleteOptions and WatchEvent are registered in every group: the core one has them.
            if roots.contains(&gvk) && found.insert(gvk) {
                open.push(name.clone());
            }
        }
    }
    if let Some(missing) = roots.difference(&found).next() {
        return Err(format!("no document has {missing:?}"));
    }
    let mut types = BTreeMap::new();
    while let Some(name) = open.pop() {
        if types.contains_key(&name) {
            continue;
        }
        let schema = documents
            .get(&name)
            .ok_or_else(|| format!("no document has {name}"))?;
        let mut reached = BTreeSet::new();
        let line = line(&name, schema, roots, sources, &mut reached)?;
        types.insert(name, line);
        open.extend(reached);
    }
    Ok(types)
}

/// The group, version and kinds of a schema.
fn kinds(schema: &Value) -> impl Iterator<Item = [String; 3]> + '_ {
    let listed = schema["x-kubernetes-group-version-kind"].as_array();
    listed.into_iter().flatten().map(|gvk| {
        ["group", "version", "kind"].map(|part| gvk[part].as_str().unwrap_or_default().to_owned())
    })
}

fn line(
    name: &str,
    schema: &Value,
    roots: &BTreeSet<[String; 3]>,
    sources: &mut Sources,
    reached: &mut BTreeSet<String>,
) -> Result<Value, String> {
    let Some(properties) = schema["properties"].as_object() else {
        return expression(schema, reached).map(Value::from);
    };
    let declared = sources.fields(name)?;
    let required: BTreeSet<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut fields = Map::new();
    for (field, of) in properties {
        let expression = expression(of, reached).map_err(|why| format!("{name}.{field}: {why}"))?;
        let mut line = Map::new();
        if required.contains(field.as_str()) {
            line.insert("r".to_owned(), json!(1));
        }
        for (short, long) in [
            ("d", "default"),
            ("p", "x-kubernetes-patch-strategy"),
            ("k", "x-kubernetes-patch-merge-key"),
        ] {
            if let Some(value) = of.get(long) {
                line.insert(short.to_owned(), value.clone());
            }
        }
        match declared.get(field) {
            Some(declared) => absent(&expression, declared, &mut line),
            // TypeMeta is inlined from another package.
            None if field == "apiVersion" || field == "kind" => {
                line.insert("o".to_owned(), json!(1));
            }
            None => return Err(format!("{name} has no field {field} in Go's sources")),
        }
        let line = if line.is_empty() {
            Value::from(expression)
        } else {
            line.insert("t".to_owned(), Value::from(expression));
            Value::Object(line)
        };
        fields.insert(field.clone(), line);
    }
    let mut line = Map::new();
    line.insert("f".to_owned(), Value::Object(fields));
    if schema["x-kubernetes-map-type"] == "atomic" {
        line.insert("a".to_owned(), json!(1));
    }
    let served: Vec<[String; 3]> = kinds(schema).filter(|gvk| roots.contains(gvk)).collect();
    if !served.is_empty() {
        line.insert("g".to_owned(), json!(served));
    }
    Ok(Value::Object(line))
}

/// Notes what encoding/json does with an empty value: `o` where it is left out, `w` where it is written.
fn absent(expression: &str, declared: &Declared, line: &mut Map<String, Value>) {
    let Declared {
        pointer,
        omit_empty,
        omit_zero,
    } = *declared;
    let zero = zero(expression);
    // A struct is never empty to encoding/json, only zero.
    let is_struct = expression == RAW
        || matches!(
            expression,
            "time" | "microtime" | "int-or-string" | "quantity"
        )
        || zero.is_object();
    if pointer {
        if !omit_empty && !omit_zero {
            line.insert("w".to_owned(), Value::Null);
        }
    } else if omit_zero || (omit_empty && !is_struct) {
        line.insert("o".to_owned(), json!(1));
    } else {
        line.insert("w".to_owned(), zero);
    }
}

/// What Go's zero value is written as.
fn zero(expression: &str) -> Value {
    match expression {
        "string" => json!(""),
        "int32" | "int64" | "number" | "int-or-string" => json!(0),
        "boolean" => json!(false),
        "quantity" => json!("0"),
        "bytes" | "time" | "microtime" | "any" => Value::Null,
        held if held.starts_with(['[', '{']) => Value::Null,
        _ => json!({}),
    }
}

/// The type expression of a schema.
fn expression(schema: &Value, reached: &mut BTreeSet<String>) -> Result<String, String> {
    let reference = schema
        .get("$ref")
        .or_else(|| schema.pointer("/allOf/0/$ref"));
    if let Some(reference) = reference.and_then(Value::as_str) {
        return refer(reference, schema, reached);
    }
    let ty = schema["type"].as_str().unwrap_or_default();
    let format = schema["format"].as_str().unwrap_or_default();
    Ok(match (ty, format) {
        ("string", "") => "string".to_owned(),
        ("string", "byte") => "bytes".to_owned(),
        ("integer", "int32") => "int32".to_owned(),
        ("integer", "int64") => "int64".to_owned(),
        ("number", _) => "number".to_owned(),
        ("boolean", _) => "boolean".to_owned(),
        ("array", _) => {
            let item = expression(&schema["items"], reached)?;
            format!("[{}]{item}", list_kind(schema)?)
        }
        ("object", _) => {
            let atomic = schema["x-kubernetes-map-type"] == "atomic";
            let value = match schema.get("additionalProperties") {
                Some(value) => expression(value, reached)?,
                None => "any".to_owned(),
            };
            format!("{{{}}}{value}", if atomic { "!" } else { "" })
        }
        ("", _) => "any".to_owned(),
        other => return Err(format!("a type that is not known: {other:?}")),
    })
}

fn refer(
    reference: &str,
    schema: &Value,
    reached: &mut BTreeSet<String>,
) -> Result<String, String> {
    let name = reference
        .strip_prefix(REFERENCE)
        .ok_or_else(|| format!("a reference elsewhere: {reference}"))?;
    let known = match name {
        "io.k8s.apimachinery.pkg.api.resource.Quantity" => Some("quantity"),
        "io.k8s.apimachinery.pkg.apis.meta.v1.Time" => Some("time"),
        "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime" => Some("microtime"),
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString" => Some("int-or-string"),
        "io.k8s.apimachinery.pkg.runtime.RawExtension" => Some(RAW),
        _ => None,
    };
    if let Some(known) = known {
        return Ok(known.to_owned());
    }
    reached.insert(name.to_owned());
    let here = match schema["x-kubernetes-map-type"].as_str() {
        None => "",
        Some("atomic") => "!",
        Some("granular") => "~",
        Some(other) => return Err(format!("a map type that is not known: {other}")),
    };
    Ok(format!("{here}{name}"))
}

/// What stands between the brackets of a list.
fn list_kind(schema: &Value) -> Result<String, String> {
    let key = schema["x-kubernetes-patch-merge-key"].as_str();
    Ok(match schema["x-kubernetes-list-type"].as_str() {
        Some("atomic") => String::new(),
        Some("set") => "=".to_owned(),
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            let keys: Vec<&str> = keys
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            keys.join(",")
        }
        Some(other) => return Err(format!("a list type that is not known: {other}")),
        // Older than list types: lists that patches merge are lists with keys, or sets.
        None => match schema["x-kubernetes-patch-strategy"].as_str() {
            Some("merge" | "merge,retainKeys") => key.unwrap_or("=").to_owned(),
            _ => String::new(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_say_what_apply_has_to_know() {
        for (schema, wanted) in [
            (json!({"type": "string"}), "string"),
            (
                json!({"type": "array", "items": {"type": "string"}}),
                "[]string",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}),
                "[=]string",
            ),
            (
                json!({"type": "array", "items": {"$ref": "#/components/schemas/a.B"},
                    "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"]}),
                "[port,protocol]a.B",
            ),
            (
                json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-patch-strategy": "merge"}),
                "[=]string",
            ),
            (
                json!({"allOf": [{"$ref": "#/components/schemas/a.B"}], "x-kubernetes-map-type": "granular"}),
                "~a.B",
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": "atomic"}),
                "{!}string",
            ),
        ] {
            let expression = expression(&schema, &mut BTreeSet::new());
            assert_eq!(expression.as_deref(), Ok(wanted));
        }
    }
}
