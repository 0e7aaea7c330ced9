//! What people read of the built-in types: descriptions, and which words a field takes. The generator
//! wrote them.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::{Map, Value};

type Words = HashMap<String, Map<String, Value>>;

fn words() -> &'static Words {
    static LOADED: OnceLock<Words> = OnceLock::new();
    LOADED.get_or_init(|| {
        serde_json::from_str(include_str!("../../data/words.json"))
            .expect("the generated data is whole, which a test checks")
    })
}

/// The description of a field of a type.
pub(super) fn field(ty: &str, field: &str) -> Option<&'static str> {
    words().get(ty)?.get(field)?.as_str()
}

/// Writes into a type what it and its fields are.
pub(super) fn explain(name: &str, ty: &mut Map<String, Value>) {
    let Some(words) = words().get(name) else {
        return;
    };
    for (field, said) in words {
        let here = if field.is_empty() {
            Some(&mut *ty)
        } else {
            let properties = ty.get_mut("properties");
            properties.and_then(|properties| properties.get_mut(field)?.as_object_mut())
        };
        let Some(here) = here else { continue };
        let (text, taken) = match said {
            Value::Array(parts) => (&parts[0], parts.get(1)),
            text => (text, None),
        };
        if *text != "" {
            here.insert("description".to_owned(), text.clone());
        }
        if let Some(taken) = taken {
            here.insert("enum".to_owned(), taken.clone());
        }
    }
}

#[test]
fn types_and_fields_are_explained() {
    use serde_json::json;

    let mut ty = Map::new();
    ty.insert(
        "properties".to_owned(),
        json!({"type": {"type": "string"}, "rollingUpdate": {}}),
    );
    explain("io.k8s.api.apps.v1.DeploymentStrategy", &mut ty);
    assert_eq!(
        ty["description"],
        "DeploymentStrategy describes how to replace existing pods with new ones."
    );
    assert_eq!(
        ty["properties"]["type"]["enum"],
        json!(["Recreate", "RollingUpdate"])
    );
    let text = ty["properties"]["rollingUpdate"]["description"].as_str();
    assert!(text.is_some_and(|text| text.starts_with("Rolling update config params")));
}
