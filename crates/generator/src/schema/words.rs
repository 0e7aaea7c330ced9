//! What people read of types: descriptions, and which words a field takes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::openapi::Documents;

/// Types that are a scalar wherever they are named.
const SCALARS: [&str; 4] = [
    "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
];

/// By type: its description under the empty name, and those of its fields, as text, or as a list of the
/// text and of the words that the field takes.
pub(super) fn of(
    documents: &Documents,
    types: &BTreeMap<String, Value>,
    taken: &Taken,
) -> BTreeMap<String, Value> {
    let names = types.keys().map(String::as_str).chain(SCALARS);
    let mut all = BTreeMap::new();
    for name in names {
        let Some(schema) = documents.get(name) else {
            continue;
        };
        let mut words = Map::new();
        if let Some(text) = schema.get("description") {
            words.insert(String::new(), text.clone());
        }
        for (field, of) in schema["properties"].as_object().into_iter().flatten() {
            let text = of.get("description").cloned().unwrap_or_else(|| json!(""));
            match taken.get(&(go_name(name), field.clone())) {
                Some(both) => words.insert(field.clone(), both.clone()),
                None if text != "" => words.insert(field.clone(), text),
                None => None,
            };
        }
        all.insert(name.to_owned(), Value::Object(words));
    }
    all
}

/// Where Go's sources tell of the words that fields take. The published documents leave them out.
pub(super) const DEFINITIONS: &str = "pkg/generated/openapi/zz_generated.openapi.go";

/// By Go's name of a type and a field's name: a list of its description and of the words that it takes.
pub(super) type Taken = BTreeMap<(String, String), Value>;

/// `schema_k8sio_api_apps_v1_Deployment` for `io.k8s.api.apps.v1.Deployment`.
fn go_name(name: &str) -> String {
    let inner = name.strip_prefix("io.k8s.").unwrap_or(name);
    let inner = match inner.strip_prefix("api.") {
        Some(rest) => format!("k8sio_api.{rest}"),
        None => inner
            .split_once('.')
            .map_or(inner, |(_, rest)| rest)
            .to_owned(),
    };
    format!("schema_{}", inner.replace('.', "_"))
}

/// Reads the words that fields take.
pub(super) fn taken(source: &str) -> Taken {
    const FIELD: &str = "\t\t\t\t\t\"";
    const INSIDE: &str = "\t\t\t\t\t\t\t";
    let (mut ty, mut field, mut text) = (String::new(), String::new(), Value::Null);
    let mut all = Taken::new();
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("func ") {
            let name = rest.split('(').next().unwrap_or_default();
            name.clone_into(&mut ty);
        } else if let Some(rest) = line.strip_prefix(FIELD) {
            let name = rest.split('"').next().unwrap_or_default();
            name.clone_into(&mut field);
            text = json!("");
        } else if let Some(rest) = line.strip_prefix(INSIDE) {
            if let Some(literal) = rest.strip_prefix("Description: ") {
                text = literal_of(literal.trim_end_matches(','));
            } else if let Some(list) = rest.strip_prefix("Enum:") {
                let list = list.trim().trim_start_matches("[]interface{}{");
                let list = list.trim_end_matches([',', '}']);
                let words = literal_of(&format!("[{list}]"));
                all.insert((ty.clone(), field.clone()), json!([text, words]));
            }
        }
    }
    all
}

/// A literal of Go, which is one of JSON as long as no bytes are written out.
fn literal_of(literal: &str) -> Value {
    serde_json::from_str(literal).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_tell_what_they_are_and_what_they_take() {
        let schema = json!({"description": "A lamp.", "properties": {
            "colour": {"description": "Its colour."},
            "name": {"description": "Its name."},
            "plain": {"type": "string"},
        }});
        let source = "func schema_k8sio_api_a_v1_Lamp(ref string) {\n\t\t\t\t\t\"colour\": {\n\t\t\t\t\t\t\tDescription: \"It \\\"is\\\".\",\n\t\t\t\t\t\t\tEnum:        []interface{}{\"blue\", \"red\"},\n";
        let name = "io.k8s.api.a.v1.Lamp".to_owned();
        let documents = Documents::from([(name.clone(), schema)]);
        let types = BTreeMap::from([(name.clone(), json!({}))]);
        let words = of(&documents, &types, &taken(source));
        let wanted = json!({
            "": "A lamp.", "colour": ["It \"is\".", ["blue", "red"]], "name": "Its name.",
        });
        assert_eq!(words[&name], wanted);
    }
}
