//! What a version has beside its schema: the scale and columns; and what a status of
//! its own asks of the schema.

use serde_json::json;

use super::Rules;
use crate::crd::props::{Forbidden, Props};
use crate::crd::spec::{ColumnOf, ScaleOf};
use crate::validate::Path;

impl Rules {
    pub(super) fn scale(&mut self, scale: &ScaleOf<'_>, at: &Path<'_>) {
        for (name, path, start, why) in [
            (
                "scale.specReplicasPath",
                scale.spec,
                ".spec.",
                "should be a json path under .spec",
            ),
            (
                "scale.statusReplicasPath",
                scale.status,
                ".status.",
                "should be a json path under .status",
            ),
        ] {
            let at = at.field(name);
            if path.is_empty() {
                self.required(&at, "");
            } else if self.simple_path(path, &at) && !path.starts_with(start) {
                self.invalid(&at, path, why);
            }
        }
        if let Some(path) = scale.selector.filter(|path| !path.is_empty()) {
            let at = at.field("scale.labelSelectorPath");
            let fits = path.starts_with(".spec.") || path.starts_with(".status.");
            if self.simple_path(path, &at) && !fits {
                let why = "should be a json path under either .spec or .status";
                self.invalid(&at, path, why);
            }
        }
    }

    fn simple_path(&mut self, path: &str, at: &Path<'_>) -> bool {
        let fits = path.starts_with('.');
        if !fits {
            self.invalid(at, path, "must be a simple json path starting with .");
        }
        fits
    }

    pub(super) fn columns(&mut self, columns: &[ColumnOf<'_>], at: &Path<'_>) {
        const KINDS: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
        const FORMATS: [&str; 8] = [
            "byte",
            "date",
            "date-time",
            "double",
            "float",
            "int32",
            "int64",
            "password",
        ];
        for (index, column) in columns.iter().enumerate() {
            let at = at.index(index);
            if column.name.is_empty() {
                self.required(&at.field("name"), "");
            }
            let why = format!("must be one of {}", KINDS.join(","));
            if column.kind.is_empty() {
                self.required(&at.field("type"), why);
            } else if !KINDS.contains(&column.kind) {
                self.invalid(&at.field("type"), column.kind, why);
            }
            if !column.format.is_empty() && !FORMATS.contains(&column.format) {
                let why = format!("must be one of {}", FORMATS.join(","));
                self.invalid(&at.field("format"), column.format, why);
            }
            let path = at.field("JSONPath");
            if column.path.is_empty() {
                self.required(&path, "");
            } else {
                self.simple_path(column.path, &path);
            }
        }
    }

    /// With a status of its own, an object is validated in two parts, so that the root may say nothing
    /// that needs both.
    pub(super) fn root_beside_status(&mut self, schema: &Props<'_>, at: &Path<'_>) {
        if !matches!(schema.kind, "" | "object") {
            let why = "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
            self.invalid(&at.field("type"), schema.kind, why);
            return;
        }
        let allowed = Props {
            id: "",
            dialect: "",
            reference: None,
            default: None,
            options: &[],
            max_properties: None,
            min_properties: None,
            all_of: Vec::new(),
            one_of: Vec::new(),
            any_of: Vec::new(),
            not: None,
            additional: None,
            forbidden: Forbidden::default(),
            nullable: false,
            embedded: false,
            int_or_string: false,
            list_keys: Vec::new(),
            list_type: None,
            map_type: None,
            ..schema.clone()
        };
        if allowed != *schema {
            let why = "only [Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations] fields are allowed at the root of the schema if the status subresource is enabled";
            // Upstream shows the whole schema here, by its internal names.
            self.invalid(at, json!({}), why);
        }
    }
}
