//! Types in the short notation of the test data.
//!
//! A type is the name of a scalar (`string`, `numeric`, `boolean`, `untyped`), `any`, `#` and a name of
//! the table, or an object: `{"list": item, "keys": […]}`, `{"set": item}`, `{"atomic": item}`,
//! `{"map": value}`, `{"struct": fields, "defaults": values, "open": true}`; maps and structs may be
//! `"whole": true`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::schema::{Field, ListKind, Scalar, Schema, Shape, Struct, Type, TypeId};

/// Types, and the one that objects have.
pub(crate) struct Types {
    pub(crate) schema: Schema,
    pub(crate) root: TypeId,
}

/// Reads `{"root": type, "types": {name: type}}`.
pub(crate) fn types(notation: &Value) -> Types {
    let mut reader = Reader {
        schema: Schema::default(),
        names: BTreeMap::new(),
    };
    let table = notation["types"].as_object().cloned().unwrap_or_default();
    for name in table.keys() {
        let id = reader.schema.add(Type::any());
        reader.names.insert(name.clone(), id);
    }
    for (name, notation) in &table {
        let id = reader.read(notation);
        let ty = reader.schema.get(id).clone();
        reader.schema.set(reader.names[name], ty);
    }
    let root = reader.read(&notation["root"]);
    Types {
        schema: reader.schema,
        root,
    }
}

struct Reader {
    schema: Schema,
    names: BTreeMap<String, TypeId>,
}

impl Reader {
    fn read(&mut self, notation: &Value) -> TypeId {
        if let Some(name) = notation.as_str() {
            if let Some(name) = name.strip_prefix('#') {
                return self.names[name];
            }
            let shape = match name {
                "any" => Shape::Any,
                "string" => Shape::Scalar(Scalar::String),
                "numeric" => Shape::Scalar(Scalar::Number),
                "boolean" => Shape::Scalar(Scalar::Boolean),
                _ => Shape::Scalar(Scalar::IntOrString),
            };
            return self.schema.add(Type::of(shape));
        }
        let atomic = notation["whole"] == true;
        let shape = if let Some(item) = notation.get("list") {
            let keys = notation["keys"].as_array().into_iter().flatten();
            let keys = keys.filter_map(Value::as_str).map(Box::from).collect();
            self.list(item, ListKind::Map(keys))
        } else if let Some(item) = notation.get("set") {
            self.list(item, ListKind::Set)
        } else if let Some(item) = notation.get("atomic") {
            self.list(item, ListKind::Atomic)
        } else if let Some(value) = notation.get("map") {
            let value = self.read(value);
            Shape::Map { value, atomic }
        } else {
            let mut known = Struct {
                atomic,
                open: notation["open"] == true,
                ..Struct::default()
            };
            for (name, of) in notation["struct"].as_object().into_iter().flatten() {
                let mut field = Field::of(self.read(of));
                field.default = notation["defaults"].get(name).cloned();
                known.fields.insert(name.as_str().into(), field);
            }
            Shape::Struct(known)
        };
        self.schema.add(Type::of(shape))
    }

    fn list(&mut self, item: &Value, kind: ListKind) -> Shape {
        let item = self.read(item);
        Shape::List { item, kind }
    }
}
