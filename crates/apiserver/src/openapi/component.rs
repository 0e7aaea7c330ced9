//! Types as OpenAPI writes them.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::{gvk, words};
use crate::catalogue::Resource;
use crate::schema::builtin::Builtin;
use crate::schema::{Field, ListKind, Patch, Scalar, Schema, Shape, Struct, TypeId};

/// The type of a patch, whose content is up to its media type.
const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
/// A kind with the usual fields.
const ANY_KIND: &str = "io.k8s.api.core.v1.ConfigMap";
const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";

/// The types of one document: what its paths name, and all that these reach.
#[derive(Default)]
pub(super) struct Components {
    /// By name; `Null` while a type is written.
    written: BTreeMap<String, Value>,
}

impl Components {
    /// A reference to the type of a built-in kind; none where there is no such type.
    pub(super) fn builtin(&mut self, group: &str, version: &str, kind: &str) -> Option<Value> {
        let id = Builtin::load().by_gvk(group, version, kind)?;
        self.reach(id)
    }

    /// A reference to the type of a patch.
    pub(super) fn patch(&mut self) -> Value {
        let patch = json!({"type": "object"});
        self.written.insert(PATCH.to_owned(), patch);
        reference(PATCH)
    }

    /// References to the type of a custom resource and to that of its lists.
    pub(super) fn custom(&mut self, resource: &Resource, schema: Option<&Value>) -> [Value; 2] {
        let name = custom_name(resource, &resource.kind);
        let list = custom_name(resource, &resource.list_kind);
        if !self.written.contains_key(&name) {
            let metadata = self.named(OBJECT_META);
            let mut ty = match schema {
                Some(Value::Object(schema)) => schema.clone(),
                _ => Map::new(),
            };
            ty.insert("type".to_owned(), json!("object"));
            let properties = ty.entry("properties").or_insert_with(|| json!({}));
            kind_fields(properties, &metadata);
            ty.insert(GVK.to_owned(), json!([own_gvk(resource, &resource.kind)]));
            self.written.insert(name.clone(), Value::Object(ty));

            let mut properties = json!({"items": {"type": "array", "items": reference(&name)}});
            kind_fields(&mut properties, &self.named(LIST_META));
            let ty = json!({
                "type": "object",
                "required": ["items"],
                "properties": properties,
                GVK: [own_gvk(resource, &resource.list_kind)],
            });
            self.written.insert(list.clone(), ty);
        }
        [reference(&name), reference(&list)]
    }

    /// All types by name.
    pub(super) fn finish(mut self) -> Value {
        let mut kinds: HashMap<TypeId, Vec<Value>> = HashMap::new();
        let builtin = Builtin::load();
        for (group, version, kind, of) in builtin.kinds() {
            kinds.entry(of).or_default().push(gvk(group, version, kind));
        }
        for (name, ty) in &mut self.written {
            let of = builtin.by_name(name).and_then(|of| kinds.remove(&of));
            if let (Some(kinds), Some(ty)) = (of, ty.as_object_mut()) {
                ty.insert(GVK.to_owned(), Value::Array(kinds));
            }
        }
        self.written.into_iter().collect()
    }

    fn named(&mut self, name: &str) -> Value {
        if let Some(id) = Builtin::load().by_name(name) {
            self.reach(id);
        }
        reference(name)
    }

    /// A reference to a named type, which is written unless it is there.
    fn reach(&mut self, id: TypeId) -> Option<Value> {
        let schema = &Builtin::load().schema;
        let name = schema.get(id).name.as_deref()?;
        if !self.written.contains_key(name) {
            // Types refer to themselves: this ends the descent.
            self.written.insert(name.to_owned(), Value::Null);
            // The type as it is named, not as a field makes it at its place.
            let id = Builtin::load().by_name(name).unwrap_or(id);
            let mut ty = self.shape(schema, &schema.get(id).shape);
            words::explain(name, &mut ty);
            self.written.insert(name.to_owned(), Value::Object(ty));
        }
        Some(reference(name))
    }

    /// A reference to a scalar that has a name; none where it has not.
    fn named_scalar(&mut self, kind: Scalar) -> Option<Value> {
        let name = match kind {
            Scalar::IntOrString => "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
            Scalar::Quantity => "io.k8s.apimachinery.pkg.api.resource.Quantity",
            Scalar::Time => "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
            Scalar::MicroTime => "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
            _ => return None,
        };
        self.written.entry(name.to_owned()).or_insert_with(|| {
            let mut ty = scalar(kind);
            words::explain(name, &mut ty);
            Value::Object(ty)
        });
        Some(reference(name))
    }

    fn shape(&mut self, schema: &Schema, shape: &Shape) -> Map<String, Value> {
        let mut ty = Map::new();
        let mut put = |key: &str, value: Value| {
            ty.insert(key.to_owned(), value);
        };
        match shape {
            Shape::Any => {}
            Shape::Scalar(kind) => return scalar(*kind),
            Shape::List { item, kind } => {
                put("type", json!("array"));
                put("items", self.value(schema, *item));
                match kind {
                    ListKind::Atomic => put("x-kubernetes-list-type", json!("atomic")),
                    ListKind::Set => put("x-kubernetes-list-type", json!("set")),
                    ListKind::Map(keys) => {
                        let keys = keys.iter().map(|key| Value::from(&**key)).collect();
                        put("x-kubernetes-list-type", json!("map"));
                        put("x-kubernetes-list-map-keys", keys);
                    }
                }
            }
            Shape::Map { value, atomic } => {
                put("type", json!("object"));
                // Of a map of anything nothing more is to be said.
                if schema.get(*value).shape != Shape::Any {
                    put("additionalProperties", self.value(schema, *value));
                    if *atomic {
                        put("x-kubernetes-map-type", json!("atomic"));
                    }
                }
            }
            Shape::Struct(Struct { fields, atomic, .. }) => {
                put("type", json!("object"));
                let mut properties = Map::new();
                for (name, field) in fields {
                    properties.insert(name.to_string(), self.field(schema, field));
                }
                put("properties", Value::Object(properties));
                let required = fields.iter().filter(|(_, field)| field.required);
                let required: Vec<Value> = required.map(|(name, _)| json!(&**name)).collect();
                if !required.is_empty() {
                    put("required", Value::Array(required));
                }
                if *atomic {
                    put("x-kubernetes-map-type", json!("atomic"));
                }
            }
        }
        ty
    }

    /// What is in a list or map.
    fn value(&mut self, schema: &Schema, id: TypeId) -> Value {
        let reference = match &schema.get(id).shape {
            Shape::Scalar(kind) => self.named_scalar(*kind),
            _ => self.reach(id),
        };
        match reference {
            Some(reference) => json!({"allOf": [reference]}),
            None => Value::Object(self.shape(schema, &schema.get(id).shape)),
        }
    }

    fn field(&mut self, schema: &Schema, field: &Field) -> Value {
        let mut ty = match self.value(schema, field.of) {
            Value::Object(ty) => ty,
            _ => Map::new(),
        };
        if let Some(relation) = relation_here(schema, field.of) {
            ty.insert("x-kubernetes-map-type".to_owned(), json!(relation));
        }
        if let Some(default) = &field.default {
            ty.insert("default".to_owned(), default.clone());
        }
        let Patch {
            merge,
            replace,
            retain_keys,
            key,
        } = &field.patch;
        let strategy = match (merge, retain_keys) {
            (true, true) => Some("merge,retainKeys"),
            (true, false) => Some("merge"),
            (false, true) => Some("retainKeys"),
            (false, false) if *replace => Some("replace"),
            (false, false) => None,
        };
        if let Some(strategy) = strategy {
            ty.insert("x-kubernetes-patch-strategy".to_owned(), json!(strategy));
        }
        if let Some(key) = key {
            ty.insert("x-kubernetes-patch-merge-key".to_owned(), json!(&**key));
        }
        Value::Object(ty)
    }
}

const GVK: &str = "x-kubernetes-group-version-kind";

/// How a field's struct is owned where that differs from what its name says.
fn relation_here(schema: &Schema, of: TypeId) -> Option<&'static str> {
    let ty = schema.get(of);
    let named = Builtin::load().by_name(ty.name.as_deref()?)?;
    let atomic = |id: TypeId| match &schema.get(id).shape {
        Shape::Struct(Struct { atomic, .. }) | Shape::Map { atomic, .. } => *atomic,
        _ => false,
    };
    match (atomic(named), atomic(of)) {
        (false, true) => Some("atomic"),
        (true, false) => Some("granular"),
        _ => None,
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn scalar(kind: Scalar) -> Map<String, Value> {
    let (ty, format) = match kind {
        Scalar::String | Scalar::Formatted => ("string", ""),
        Scalar::Int32 => ("integer", "int32"),
        Scalar::Int64 => ("integer", "int64"),
        Scalar::Number => ("number", "double"),
        Scalar::Boolean => ("boolean", ""),
        Scalar::IntOrString => ("", "int-or-string"),
        Scalar::Quantity => ("", ""),
        Scalar::Bytes => ("string", "byte"),
        Scalar::Time | Scalar::MicroTime => ("string", "date-time"),
    };
    let mut map = Map::new();
    for (key, value) in [("type", ty), ("format", format)] {
        if !value.is_empty() {
            map.insert(key.to_owned(), json!(value));
        }
    }
    let either = match kind {
        Scalar::IntOrString => "integer",
        Scalar::Quantity => "number",
        _ => return map,
    };
    let one_of = json!([{"type": either}, {"type": "string"}]);
    map.insert("oneOf".to_owned(), one_of);
    map
}

/// `com.example.v1.Widget`. External rule: `ToRESTFriendlyName` of kube-openapi.
fn custom_name(resource: &Resource, kind: &str) -> String {
    let parts: Vec<&str> = resource.group.rsplit('.').collect();
    format!("{}.{}.{kind}", parts.join("."), resource.version)
}

fn own_gvk(resource: &Resource, kind: &str) -> Value {
    gvk(&resource.group, &resource.version, kind)
}

fn kind_fields(properties: &mut Value, metadata: &Value) {
    if let Some(properties) = properties.as_object_mut() {
        for (name, mut ty) in [
            ("apiVersion", json!({"type": "string"})),
            ("kind", json!({"type": "string"})),
            ("metadata", json!({"allOf": [metadata]})),
        ] {
            // All kinds say the same of these.
            if let Some(text) = words::field(ANY_KIND, name) {
                ty["description"] = json!(text);
            }
            properties.insert(name.to_owned(), ty);
        }
    }
}
