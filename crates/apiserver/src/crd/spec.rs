//! The spec of a definition as its author wrote it, read but not yet judged.

use serde_json::{Map, Value};

use super::model::Model;
use super::print::{Column, Printer};
use super::props::{Props, Reader, Source};
use super::scale::Scale;
use super::version::Version;
use super::{Definition, format::Format};
use crate::status::FieldError;
use crate::validate::{Path, Scope};

/// So many versions may a definition have.
const VERSIONS: usize = 100;

#[derive(Debug, Default)]
pub(super) struct Spec<'a> {
    pub(super) group: &'a str,
    pub(super) names: NamesOf<'a>,
    pub(super) scope: &'a str,
    pub(super) versions: Vec<VersionOf<'a>>,
    pub(super) strategy: &'a str,
    pub(super) preserve: bool,
}

#[derive(Debug, Default)]
pub(super) struct NamesOf<'a> {
    pub(super) plural: &'a str,
    pub(super) singular: &'a str,
    pub(super) kind: &'a str,
    pub(super) list_kind: &'a str,
    pub(super) short_names: Vec<&'a str>,
    pub(super) categories: Vec<&'a str>,
}

#[expect(clippy::struct_excessive_bools, reason = "as it is written")]
#[derive(Debug, Default)]
pub(super) struct VersionOf<'a> {
    pub(super) name: &'a str,
    pub(super) served: bool,
    pub(super) storage: bool,
    pub(super) deprecated: bool,
    pub(super) warning: Option<&'a str>,
    pub(super) schema: Option<Props<'a>>,
    pub(super) source: &'a Value,
    pub(super) has_status: bool,
    pub(super) scale: Option<ScaleOf<'a>>,
    pub(super) columns: Vec<ColumnOf<'a>>,
    pub(super) is_selectable: bool,
    /// `schema`, `subresources` and `additionalPrinterColumns` as they are written: upstream treats
    /// those that all versions share as the definition's own.
    pub(super) written: [Option<&'a Value>; 3],
}

#[derive(Debug, Default)]
pub(super) struct ScaleOf<'a> {
    pub(super) spec: &'a str,
    pub(super) status: &'a str,
    pub(super) selector: Option<&'a str>,
}

#[derive(Debug, Default)]
pub(super) struct ColumnOf<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
    pub(super) format: &'a str,
    pub(super) description: &'a str,
    pub(super) priority: i64,
    pub(super) path: &'a str,
}

impl<'a> NamesOf<'a> {
    /// Reads names, of a spec or of a status.
    pub(super) fn read(map: &'a Map<String, Value>, at: &Path<'_>, reader: &mut Reader) -> Self {
        let mut fields = Source { map, at, reader };
        Self {
            plural: fields.text("plural"),
            singular: fields.text("singular"),
            kind: fields.text("kind"),
            list_kind: fields.text("listKind"),
            short_names: fields.texts("shortNames"),
            categories: fields.texts("categories"),
        }
    }
}

impl<'a> Spec<'a> {
    /// Reads the spec of a definition, and what in it has the wrong type.
    pub(super) fn read(object: &'a Value) -> (Self, Vec<FieldError>) {
        let mut reader = Reader::default();
        let at = Path::at("spec");
        let mut spec = Self::default();
        if let Some(map) = object.get("spec").and_then(Value::as_object) {
            spec.fields(map, &at, &mut reader);
        }
        (spec, reader.errors)
    }

    fn fields(&mut self, map: &'a Map<String, Value>, at: &Path<'_>, reader: &mut Reader) {
        let mut fields = Source { map, at, reader };
        self.group = fields.text("group");
        self.scope = fields.text("scope");
        self.preserve = fields.flag("preserveUnknownFields");
        let names = fields.map("names");
        let conversion = fields.map("conversion");
        let versions = fields.list("versions");
        if let Some(map) = names {
            self.names = NamesOf::read(map, &at.field("names"), reader);
        }
        if let Some(map) = conversion {
            let at = &at.field("conversion");
            let mut fields = Source { map, at, reader };
            self.strategy = fields.text("strategy");
        }
        let list = at.field("versions");
        if versions.len() > VERSIONS {
            let count = versions.len();
            let error = FieldError::too_many(list.text(), count, VERSIONS as u64);
            reader.errors.push(error);
            return;
        }
        for (index, value) in versions.iter().enumerate() {
            let at = list.index(index);
            match value.as_object() {
                Some(map) => self.versions.push(VersionOf::read(map, &at, reader)),
                None => reader.wrong(&at, value, "an object"),
            }
        }
    }

    /// Whether all versions have the same in one of the fields that they may share.
    pub(super) fn shares(&self, field: usize) -> bool {
        let first = self.versions.first().map(|version| version.written[field]);
        let mut versions = self.versions.iter();
        versions.all(|version| Some(version.written[field]) == first)
    }

    /// Formats of the schemas that say nothing here.
    pub(super) fn unknown_formats(&self) -> Vec<&'a str> {
        let mut found = Vec::new();
        let several = if self.shares(0) { 1 } else { VERSIONS };
        for version in self.versions.iter().take(several) {
            let Some(schema) = &version.schema else {
                continue;
            };
            schema.visit(&mut |part| {
                let known = match part.kind {
                    "" | "string" => Format::named(part.format).is_some(),
                    "integer" => matches!(part.format, "int32" | "int64"),
                    "number" => matches!(part.format, "float" | "double"),
                    _ => false,
                };
                if !part.format.is_empty() && !known {
                    found.push(part.format);
                }
            });
        }
        found
    }

    /// What the server works with; for a spec without faults.
    pub(super) fn build(&self) -> Definition {
        let scope = if self.scope == "Namespaced" {
            Scope::Namespaced
        } else {
            Scope::Cluster
        };
        Definition {
            group: self.group.to_owned(),
            plural: self.names.plural.to_owned(),
            versions: self
                .versions
                .iter()
                .map(|version| version.build(self, scope))
                .collect(),
        }
    }

    /// What to tell whoever uses a version; none where it is not deprecated.
    fn deprecation(&self, version: &VersionOf<'_>) -> Option<String> {
        if !version.deprecated {
            return None;
        }
        let default = || {
            let (group, kind) = (self.group, self.names.kind);
            format!("{group}/{} {kind} is deprecated", version.name)
        };
        Some(version.warning.map_or_else(default, str::to_owned))
    }
}

impl<'a> VersionOf<'a> {
    fn read(map: &'a Map<String, Value>, at: &Path<'_>, reader: &mut Reader) -> Self {
        let mut fields = Source { map, at, reader };
        let mut version = Self {
            name: fields.text("name"),
            served: fields.flag("served"),
            storage: fields.flag("storage"),
            deprecated: fields.flag("deprecated"),
            warning: fields.maybe_text("deprecationWarning"),
            source: &Value::Null,
            written: ["schema", "subresources", "additionalPrinterColumns"]
                .map(|name| fields.value(name)),
            ..Self::default()
        };
        let (schema, subresources) = (fields.map("schema"), fields.map("subresources"));
        let columns = fields.list("additionalPrinterColumns");
        version.is_selectable = !fields.list("selectableFields").is_empty();
        if let Some(source) = schema.and_then(|map| map.get("openAPIV3Schema"))
            && !source.is_null()
        {
            let at = at.field("schema");
            version.source = source;
            version.schema = Some(reader.read(source, &at.field("openAPIV3Schema")));
        }
        if let Some(map) = subresources {
            let at = &at.field("subresources");
            let mut fields = Source { map, at, reader };
            version.has_status = fields.map("status").is_some();
            if let Some(map) = fields.map("scale") {
                let at = &at.field("scale");
                let mut fields = Source { map, at, reader };
                version.scale = Some(ScaleOf {
                    spec: fields.text("specReplicasPath"),
                    status: fields.text("statusReplicasPath"),
                    selector: fields.maybe_text("labelSelectorPath"),
                });
            }
        }
        let list = at.field("additionalPrinterColumns");
        for (index, value) in columns.iter().enumerate() {
            let at = &list.index(index);
            let Some(map) = value.as_object() else {
                reader.wrong(at, value, "an object");
                continue;
            };
            let mut fields = Source { map, at, reader };
            version.columns.push(ColumnOf {
                name: fields.text("name"),
                kind: fields.text("type"),
                format: fields.text("format"),
                description: fields.text("description"),
                priority: fields.count("priority").unwrap_or_default(),
                path: fields.text("jsonPath"),
            });
        }
        version
    }

    fn build(&self, spec: &Spec<'_>, scope: Scope) -> Version {
        let mut group: Vec<&str> = spec.group.split('.').collect();
        group.reverse();
        let (kind, group) = (spec.names.kind, group.join("."));
        let empty = Props::default();
        let schema = self.schema.as_ref().unwrap_or(&empty);
        let columns = self.columns.iter().map(|column| {
            let written = Column {
                name: column.name.to_owned(),
                kind: column.kind.to_owned(),
                format: column.format.to_owned(),
                description: column.description.to_owned(),
                priority: column.priority,
            };
            (written, column.path)
        });
        Version {
            name: self.name.to_owned(),
            served: self.served,
            deprecation: spec.deprecation(self),
            has_status: self.has_status,
            scale: self.scale.as_ref().map(|scale| Scale {
                spec_replicas: scale.spec.to_owned(),
                status_replicas: scale.status.to_owned(),
                label_selector: scale.selector.map(str::to_owned),
            }),
            written: format!("{}/{}", spec.group, self.name),
            kind: kind.to_owned(),
            scope,
            source: self.source.clone(),
            model: Model::of_kind(schema, format!("{group}.{}.{kind}", self.name)),
            printer: Printer::new(columns.collect()),
        }
    }
}
