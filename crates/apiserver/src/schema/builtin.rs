//! The types of the built-in kinds, read once from the data that the generator wrote.
//!
//! The data's notation is explained in `crates/generator/src/schema/openapi.rs`.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::{Empty, Field, ListKind, Patch, Scalar, Schema, Shape, Struct, Type, TypeId};

/// The types of the built-in kinds.
#[derive(Debug)]
pub(crate) struct Builtin {
    /// The types.
    pub(crate) schema: Schema,
    names: HashMap<Box<str>, TypeId>,
    /// By kind, since most kinds are in one group and version.
    kinds: HashMap<Box<str>, Vec<Served>>,
}

#[derive(Debug)]
struct Served {
    group: Box<str>,
    version: Box<str>,
    of: TypeId,
}

/// Group, version and kind.
type Gvk = [Box<str>; 3];

impl Builtin {
    /// The types, which are read at the first call.
    pub(crate) fn load() -> &'static Self {
        static LOADED: OnceLock<Builtin> = OnceLock::new();
        LOADED.get_or_init(|| {
            read(include_str!("../../data/types.json"))
                .expect("the generated data is whole, which a test checks")
        })
    }

    /// The type with this OpenAPI name (`io.k8s.api.core.v1.PodSpec`).
    pub(crate) fn by_name(&self, name: &str) -> Option<TypeId> {
        self.names.get(name).copied()
    }

    /// The type of a kind; the core group is empty.
    pub(crate) fn by_gvk(&self, group: &str, version: &str, kind: &str) -> Option<TypeId> {
        let served = self.kinds.get(kind)?;
        served
            .iter()
            .find(|served| *served.group == *group && *served.version == *version)
            .map(|served| served.of)
    }

    /// All kinds as group, version, kind and type, in no order.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (&str, &str, &str, TypeId)> {
        self.kinds.iter().flat_map(|(kind, served)| {
            served
                .iter()
                .map(move |served| (&*served.group, &*served.version, &**kind, served.of))
        })
    }
}

fn read(text: &'static str) -> Result<Builtin, String> {
    let data: Map<String, Value> = serde_json::from_str(text).map_err(|why| why.to_string())?;
    let mut reader = Reader::default();
    for name in data.keys() {
        let id = reader.schema.add(Type::any());
        reader.names.insert(name.as_str().into(), id);
    }
    let mut kinds: HashMap<Box<str>, Vec<Served>> = HashMap::new();
    for (name, line) in data {
        let of = reader.names[name.as_str()];
        let (ty, served) = reader.line(&name, line)?;
        reader.schema.set(of, ty);
        for [group, version, kind] in served {
            let served = Served { group, version, of };
            kinds.entry(kind).or_default().push(served);
        }
    }
    reader.finish_overrides();
    Ok(Builtin {
        schema: reader.schema,
        names: reader.names,
        kinds,
    })
}

#[derive(Default)]
struct Reader {
    schema: Schema,
    names: HashMap<Box<str>, TypeId>,
    /// The types that stand in place, by their notation.
    in_place: HashMap<Box<str>, TypeId>,
    /// Structs that have another relation to their owners than they have by name.
    overrides: Vec<(TypeId, TypeId, bool)>,
}

impl Reader {
    fn line(&mut self, name: &str, line: Value) -> Result<(Type, Vec<Gvk>), String> {
        let named = |shape| Type {
            name: Some(name.into()),
            shape,
            nullable: false,
        };
        let mut line = match line {
            Value::String(expression) => return Ok((named(self.shape(&expression)?), Vec::new())),
            Value::Object(line) => line,
            _ => return Err(format!("{name} is neither a struct nor an expression")),
        };
        let mut served = Vec::new();
        for gvk in line
            .get("g")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            served.push([0, 1, 2].map(|at| gvk[at].as_str().unwrap_or_default().into()));
        }
        let Some(Value::Object(listed)) = line.remove("f") else {
            return Err(format!("{name} has no fields"));
        };
        let mut read = Vec::with_capacity(listed.len());
        for (field, value) in listed {
            read.push((field.into(), self.field(value)?));
        }
        let shape = Shape::Struct(Struct {
            fields: read.into_iter().collect(),
            atomic: line.contains_key("a"),
            ..Struct::default()
        });
        Ok((named(shape), served))
    }

    fn field(&mut self, value: Value) -> Result<Field, String> {
        let mut value = match value {
            Value::String(expression) => return Ok(Field::of(self.of(&expression)?)),
            Value::Object(value) => value,
            _ => return Err("a field is neither an object nor an expression".to_owned()),
        };
        let of = value.get("t").and_then(Value::as_str).unwrap_or_default();
        let of = self.of(of)?;
        let strategy = value.get("p").and_then(Value::as_str).unwrap_or_default();
        let patch = Patch {
            merge: strategy.starts_with("merge"),
            replace: strategy.starts_with("replace"),
            retain_keys: strategy.ends_with("retainKeys"),
            key: value.get("k").and_then(Value::as_str).map(Into::into),
        };
        let empty = match value.remove("w") {
            Some(written) => Empty::Written(written),
            None if value.contains_key("o") => Empty::Omitted,
            None => Empty::Kept,
        };
        Ok(Field {
            of,
            required: value.contains_key("r"),
            default: value.remove("d"),
            patch,
            empty,
        })
    }

    fn of(&mut self, expression: &str) -> Result<TypeId, String> {
        if let Some(id) = self
            .names
            .get(expression)
            .or_else(|| self.in_place.get(expression))
        {
            return Ok(*id);
        }
        let id = if let Some(name) = expression.strip_prefix('!') {
            self.overridden(name, true)?
        } else if let Some(name) = expression.strip_prefix('~') {
            self.overridden(name, false)?
        } else {
            let shape = self.shape(expression)?;
            self.schema.add(Type::of(shape))
        };
        self.in_place.insert(expression.into(), id);
        Ok(id)
    }

    fn overridden(&mut self, name: &str, atomic: bool) -> Result<TypeId, String> {
        let of = *self
            .names
            .get(name)
            .ok_or_else(|| format!("{name} is missing"))?;
        let id = self.schema.add(Type::any());
        self.overrides.push((id, of, atomic));
        Ok(id)
    }

    /// Once all structs are known.
    fn finish_overrides(&mut self) {
        for (id, of, here) in std::mem::take(&mut self.overrides) {
            let mut ty = self.schema.get(of).clone();
            if let Shape::Struct(Struct { atomic, .. }) | Shape::Map { atomic, .. } = &mut ty.shape
            {
                *atomic = here;
            }
            self.schema.set(id, ty);
        }
    }

    fn shape(&mut self, expression: &str) -> Result<Shape, String> {
        let scalar = match expression {
            "any" => return Ok(Shape::Any),
            "string" => Scalar::String,
            "int32" => Scalar::Int32,
            "int64" => Scalar::Int64,
            "number" => Scalar::Number,
            "boolean" => Scalar::Boolean,
            "int-or-string" => Scalar::IntOrString,
            "quantity" => Scalar::Quantity,
            "bytes" => Scalar::Bytes,
            "time" => Scalar::Time,
            "microtime" => Scalar::MicroTime,
            _ => return self.holder(expression),
        };
        Ok(Shape::Scalar(scalar))
    }

    fn holder(&mut self, expression: &str) -> Result<Shape, String> {
        let unknown = || format!("{expression} is no type");
        if let Some(rest) = expression.strip_prefix('[') {
            let (keys, item) = rest.split_once(']').ok_or_else(unknown)?;
            let kind = match keys {
                "" => ListKind::Atomic,
                "=" => ListKind::Set,
                keys => ListKind::Map(keys.split(',').map(Into::into).collect()),
            };
            let item = self.of(item)?;
            return Ok(Shape::List { item, kind });
        }
        let rest = expression.strip_prefix('{').ok_or_else(unknown)?;
        let (atomic, value) = rest.split_once('}').ok_or_else(unknown)?;
        let value = self.of(value)?;
        let atomic = atomic == "!";
        Ok(Shape::Map { value, atomic })
    }
}

#[cfg(test)]
mod tests;
