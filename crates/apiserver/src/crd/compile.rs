//! From a checked schema to what the server works with: the shared model of shapes, and beside it the
//! rules for values.

use std::collections::BTreeMap;

use super::format::Format;
use super::props::{Additional, Props};
use super::rules::{Entries, Numbers, Rules};
use crate::schema::{Field, ListKind, Patch, Scalar, Schema, Shape, Struct, Type, TypeId};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.";

/// The shapes of one schema.
#[derive(Default)]
pub(super) struct Shapes {
    pub(super) schema: Schema,
    /// How many of the parts around keep unknown fields.
    keeping: usize,
}

/// Whether unknown fields are kept because the list around says so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inherited {
    Nothing,
    Open,
}

impl Shapes {
    /// The type of objects of a kind: that of the definition, with apiVersion, kind and metadata.
    pub(super) fn object(&mut self, props: &Props<'_>, name: String) -> TypeId {
        self.keeping += usize::from(props.preserves());
        let mut root = self.structure(props, Inherited::Nothing);
        self.keeping -= usize::from(props.preserves());
        self.with_meta(&mut root);
        self.schema.add(Type {
            name: Some(name.into()),
            shape: Shape::Struct(root),
            nullable: false,
        })
    }

    /// The type of a part.
    pub(super) fn part(&mut self, props: &Props<'_>) -> TypeId {
        self.inheriting(props, Inherited::Nothing)
    }

    fn inheriting(&mut self, props: &Props<'_>, inherited: Inherited) -> TypeId {
        self.keeping += usize::from(props.preserves());
        let shape = self.shape(props, inherited);
        self.keeping -= usize::from(props.preserves());
        self.schema.add(Type {
            name: None,
            shape,
            nullable: props.nullable,
        })
    }

    fn shape(&mut self, props: &Props<'_>, inherited: Inherited) -> Shape {
        if props.int_or_string && !matches!(props.kind, "array" | "object") {
            return Shape::Scalar(Scalar::IntOrString);
        }
        let open = props.preserves() || inherited == Inherited::Open;
        match props.kind {
            "string" if matches!(props.format, "" | "byte") => Shape::Scalar(Scalar::String),
            "string" => Shape::Scalar(Scalar::Formatted),
            "integer" if props.format == "int32" => Shape::Scalar(Scalar::Int32),
            "integer" => Shape::Scalar(Scalar::Int64),
            "number" => Shape::Scalar(Scalar::Number),
            "boolean" => Shape::Scalar(Scalar::Boolean),
            "array" => {
                let inherited = if open {
                    Inherited::Open
                } else {
                    Inherited::Nothing
                };
                let item = match props.item() {
                    Some(item) => self.inheriting(item, inherited),
                    None => self.schema.add(Type::any()),
                };
                let kind = match props.list_type {
                    Some("set") => ListKind::Set,
                    Some("map") => {
                        ListKind::Map(props.list_keys.iter().map(|&key| key.into()).collect())
                    }
                    _ => ListKind::Atomic,
                };
                Shape::List { item, kind }
            }
            _ if !props.properties.is_empty() => Shape::Struct(self.structure(props, inherited)),
            _ => self.map(props, open),
        }
    }

    fn map(&mut self, props: &Props<'_>, open: bool) -> Shape {
        let atomic = props.map_type == Some("atomic");
        match &props.additional {
            Some(Additional::Of(entry)) => Shape::Map {
                value: self.part(entry),
                atomic,
            },
            // Upstream keeps the entries of such a map, and nothing that is within them.
            Some(Additional::Allowed(_)) => Shape::Map {
                value: self.schema.add(Type {
                    nullable: true,
                    ..Type::of(Shape::Struct(Struct::default()))
                }),
                atomic,
            },
            None if open && props.kind.is_empty() => Shape::Any,
            None => Shape::Struct(Struct {
                atomic,
                open,
                lenient: true, // it declares nothing, which takes everything
                ..Struct::default()
            }),
        }
    }

    fn structure(&mut self, props: &Props<'_>, inherited: Inherited) -> Struct {
        let mut fields = BTreeMap::new();
        for (name, property) in &props.properties {
            let field = Field {
                required: props.required.contains(name),
                default: property.default.cloned(),
                ..Field::of(self.part(property))
            };
            fields.insert(Box::from(*name), field);
        }
        Struct {
            fields,
            atomic: props.map_type == Some("atomic"),
            lenient: self.keeping > 0,
            open: props.preserves()
                || inherited == Inherited::Open
                || props.additional == Some(Additional::Allowed(true)),
        }
    }

    /// Adds what every object has.
    fn with_meta(&mut self, structure: &mut Struct) {
        for name in ["apiVersion", "kind"] {
            let text = self.schema.add(Type::of(Shape::Scalar(Scalar::String)));
            let field = Field {
                required: true,
                ..Field::of(text)
            };
            structure.fields.insert(name.into(), field);
        }
        let meta = Field::of(self.meta());
        structure.fields.insert("metadata".into(), meta);
    }

    /// The metadata of objects.
    fn meta(&mut self) -> TypeId {
        let text = self.schema.add(Type::of(Shape::Scalar(Scalar::String)));
        let number = self.schema.add(Type::of(Shape::Scalar(Scalar::Int64)));
        let flag = self.schema.add(Type::of(Shape::Scalar(Scalar::Boolean)));
        let time = self.schema.add(Type::of(Shape::Scalar(Scalar::Time)));
        let texts = self.schema.add(Type::of(Shape::Map {
            value: text,
            atomic: false,
        }));
        let any = self.schema.add(Type::any());
        let mut owner = Struct {
            atomic: true,
            fields: fields(&[
                ("apiVersion", text),
                ("blockOwnerDeletion", flag),
                ("controller", flag),
                ("kind", text),
                ("name", text),
            ]),
            ..Struct::default()
        };
        // By its uid an owner is told apart from others, also by none.
        let uid = Field {
            default: Some("".into()),
            ..Field::of(text)
        };
        owner.fields.insert("uid".into(), uid);
        let owner = self.named("OwnerReference", owner);
        let entry = self.named(
            "ManagedFieldsEntry",
            Struct {
                fields: fields(&[
                    ("apiVersion", text),
                    ("fieldsType", text),
                    ("fieldsV1", any),
                    ("manager", text),
                    ("operation", text),
                    ("subresource", text),
                    ("time", time),
                ]),
                ..Struct::default()
            },
        );
        let owners = self.list(owner, ListKind::Map(vec!["uid".into()]));
        let finalizers = self.list(text, ListKind::Set);
        let managers = self.list(entry, ListKind::Atomic);
        let mut fields = fields(&[
            ("annotations", texts),
            ("creationTimestamp", time),
            ("deletionGracePeriodSeconds", number),
            ("deletionTimestamp", time),
            ("finalizers", finalizers),
            ("generateName", text),
            ("generation", number),
            ("labels", texts),
            ("managedFields", managers),
            ("name", text),
            ("namespace", text),
            ("ownerReferences", owners),
            ("resourceVersion", text),
            ("selfLink", text),
            ("uid", text),
        ]);
        for (name, key) in [("finalizers", None), ("ownerReferences", Some("uid"))] {
            if let Some(field) = fields.get_mut(name) {
                field.patch = Patch {
                    merge: true,
                    replace: false,
                    retain_keys: false,
                    key: key.map(Box::from),
                };
            }
        }
        self.named(
            "ObjectMeta",
            Struct {
                fields,
                ..Struct::default()
            },
        )
    }

    fn named(&mut self, name: &str, structure: Struct) -> TypeId {
        self.schema.add(Type {
            name: Some(format!("{META}{name}").into()),
            shape: Shape::Struct(structure),
            nullable: false,
        })
    }

    fn list(&mut self, item: TypeId, kind: ListKind) -> TypeId {
        self.schema.add(Type::of(Shape::List { item, kind }))
    }
}

fn fields(list: &[(&str, TypeId)]) -> BTreeMap<Box<str>, Field> {
    let list = list.iter();
    list.map(|(name, of)| (Box::from(*name), Field::of(*of)))
        .collect()
}

/// What values are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Those of objects.
    Objects,
    /// Defaults. Upstream builds these rules by another way, on which an int-or-string has the type
    /// that is written beside it, and formats count wherever they stand.
    Defaults,
}

/// The rules for values of a schema. Patterns were checked before; one that is broken matches nothing.
pub(super) fn rules(props: &Props<'_>, purpose: Purpose) -> Rules {
    let kinds: &[&str] = match props.kind {
        _ if props.int_or_string && purpose == Purpose::Objects => &["integer", "string"],
        "string" => &["string"],
        "integer" => &["integer"],
        "number" => &["number"],
        "boolean" => &["boolean"],
        "array" => &["array"],
        "object" => &["object"],
        _ => &[],
    };
    let known = match kinds {
        [] | ["string"] | [_, _] => Format::named(props.format),
        _ if purpose == Purpose::Defaults => Format::named(props.format),
        _ => None,
    };
    let format_counts = match kinds {
        _ if purpose == Purpose::Defaults => true,
        ["integer"] => matches!(props.format, "int32" | "int64"),
        ["number"] => matches!(props.format, "float" | "double"),
        _ => known.is_some(),
    };
    let rules = |props: &Props<'_>| rules(props, purpose);
    let list = |list: &[Props<'_>]| list.iter().map(rules).collect();
    Rules {
        kinds,
        nullable: props.nullable,
        format_name: if format_counts {
            props.format.into()
        } else {
            Box::default()
        },
        format: known,
        numbers: Numbers {
            maximum: props.maximum,
            exclusive_maximum: props.exclusive_maximum,
            minimum: props.minimum,
            exclusive_minimum: props.exclusive_minimum,
            multiple_of: props.multiple_of,
        },
        max_length: props.max_length,
        min_length: props.min_length,
        pattern: (!props.pattern.is_empty())
            .then(|| super::pattern::compile(props.pattern).ok())
            .flatten()
            .map(|compiled| (props.pattern.into(), compiled)),
        max_items: props.max_items,
        min_items: props.min_items,
        options: props.options.to_vec(),
        max_properties: props.max_properties,
        min_properties: props.min_properties,
        required: props.required.iter().map(|&name| name.into()).collect(),
        all_of: list(&props.all_of),
        any_of: list(&props.any_of),
        one_of: list(&props.one_of),
        not: props.not.as_deref().map(rules).map(Box::new),
        items: props.item().map(rules).map(Box::new),
        properties: props
            .properties
            .iter()
            .map(|(name, property)| (Box::from(*name), rules(property)))
            .collect(),
        entries: match &props.additional {
            None | Some(Additional::Allowed(true)) => Entries::Any,
            Some(Additional::Allowed(false)) => Entries::Forbidden,
            Some(Additional::Of(entry)) => Entries::Of(Box::new(rules(entry))),
        },
    }
}
