//! What objects look like: one model for the built-in kinds, whose schema is generated data, and for
//! each version of a `CustomResourceDefinition`.
//!
//! Server-side apply, strategic merge, strict decoding, pruning, defaulting and the OpenAPI documents
//! all read this, and nothing else.

pub(crate) mod builtin;
pub(crate) mod defaults;
pub(crate) mod quantity;
pub(crate) mod strict;

use std::collections::BTreeMap;

use serde_json::Value;

/// A type within its [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeId(u32);

/// Types that refer to each other: all built-in ones, or those of one version of a definition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    types: Vec<Type>,
}

/// One type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Type {
    /// The name it has in OpenAPI (`io.k8s.api.core.v1.PodSpec`); none where it stands in place.
    pub(crate) name: Option<Box<str>>,
    /// What is in it.
    pub(crate) shape: Shape,
    /// Whether `null` is a value of it.
    pub(crate) nullable: bool,
}

/// What is in a type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Anything. Nothing is known of it: lists in it are atomic, maps granular ("deduced").
    Any,
    /// One value.
    Scalar(Scalar),
    /// A list.
    List {
        /// The type of its items.
        item: TypeId,
        /// What its items are told apart by.
        kind: ListKind,
    },
    /// A map from any string.
    Map {
        /// The type of its values.
        value: TypeId,
        /// Whether it has one owner as a whole (`x-kubernetes-map-type: atomic`).
        atomic: bool,
    },
    /// A map of known fields.
    Struct(Struct),
}

/// A map of known fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Struct {
    /// The fields.
    pub(crate) fields: BTreeMap<Box<str>, Field>,
    /// Whether it has one owner as a whole (`x-kubernetes-map-type: atomic`).
    pub(crate) atomic: bool,
    /// Whether other fields are kept as they are (`x-kubernetes-preserve-unknown-fields`).
    pub(crate) open: bool,
    /// Whether an apply may name other fields, even those that are dropped later.
    pub(crate) lenient: bool,
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// Its type.
    pub(crate) of: TypeId,
    /// Whether it has to be there.
    pub(crate) required: bool,
    /// What it is where it is absent.
    pub(crate) default: Option<Value>,
    /// How strategic merge patches treat it.
    pub(crate) patch: Patch,
    /// What becomes of its empty value.
    pub(crate) empty: Empty,
}

/// What the genuine server makes of a field's empty value: it decodes built-in objects into Go's
/// structs, keeps them as protobuf and writes them with encoding/json, none of which tells all empty
/// values from absent ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Empty {
    /// It stays as it is: the fields of custom resources, and those that are pointers in Go.
    #[default]
    Kept,
    /// It is left out (`omitempty`, `omitzero`).
    Omitted,
    /// It is written as this, also where the field is absent.
    Written(Value),
}

/// How strategic merge patches treat a field (`x-kubernetes-patch-strategy`, `-merge-key`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Patch {
    /// Whether a list is merged rather than replaced.
    pub(crate) merge: bool,
    /// Whether a map is replaced rather than merged (the selector of PodDisruptionBudgets alone).
    pub(crate) replace: bool,
    /// Whether `$retainKeys` is understood.
    pub(crate) retain_keys: bool,
    /// What items of a merged list are told apart by; none for a set of scalars.
    pub(crate) key: Option<Box<str>>,
}

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// Text.
    String,
    /// Text of some format, for which an apply takes any single value.
    Formatted,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A whole number or text (`x-kubernetes-int-or-string`).
    IntOrString,
    /// A quantity such as `500m`, written as text or as a number.
    Quantity,
    /// Text that holds bytes in base64.
    Bytes,
    /// A point in time, of seconds.
    Time,
    /// A point in time, of microseconds.
    MicroTime,
}

/// What the items of a list are told apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// Nothing: the list has one owner as a whole.
    Atomic,
    /// Their values.
    Set,
    /// These of their fields.
    Map(Vec<Box<str>>),
}

impl Schema {
    /// Adds a type.
    pub(crate) fn add(&mut self, ty: Type) -> TypeId {
        let id = TypeId(u32::try_from(self.types.len()).unwrap_or(u32::MAX));
        self.types.push(ty);
        id
    }

    /// A type of this schema.
    ///
    /// # Panics
    /// When the id comes from another schema that is larger.
    pub(crate) fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }

    /// Replaces a type: those that refer to themselves are added before they are known.
    ///
    /// # Panics
    /// When the id comes from another schema that is larger.
    pub(crate) fn set(&mut self, id: TypeId, ty: Type) {
        self.types[id.0 as usize] = ty;
    }
}

impl Type {
    /// A type without a name of which nothing is known.
    pub(crate) fn any() -> Self {
        Self::of(Shape::Any)
    }

    /// A type without a name.
    pub(crate) fn of(shape: Shape) -> Self {
        Self {
            name: None,
            shape,
            nullable: false,
        }
    }
}

impl Field {
    /// A field that may be absent, has no default and is replaced by patches.
    pub(crate) fn of(of: TypeId) -> Self {
        Self {
            of,
            required: false,
            default: None,
            patch: Patch::default(),
            empty: Empty::default(),
        }
    }
}
