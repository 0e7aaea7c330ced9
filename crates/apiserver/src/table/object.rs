//! The `Table` itself (meta.k8s.io/v1 and v1beta1): columns, rows, and what comes along of each object.
//!
//! External rules: `asTable` in `pkg/endpoints/handlers/response.go` of k8s.io/apiserver.

use serde_json::{Map, Value, json};

use crate::crd::Column;
use crate::status::Status;

/// What comes along of the object that a row is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Include {
    /// Nothing: null.
    None,
    /// Its metadata, as a `PartialObjectMetadata`.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// Reads a query's `includeObject`; empty where there is none.
    ///
    /// # Errors
    /// 400 for any other word, in the words of the genuine server.
    pub(crate) fn read(text: &str) -> Result<Self, Status> {
        match text {
            "None" => Ok(Self::None),
            "" | "Metadata" => Ok(Self::Metadata),
            "Object" => Ok(Self::Object),
            other => Err(Status::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: \
                 must be 'Metadata', 'Object', 'None', or empty"
            ))),
        }
    }
}

/// A table that is being written.
#[derive(Debug)]
pub(crate) struct Table {
    api_version: String,
    include: Include,
    rows: Vec<Value>,
}

impl Table {
    /// A table without rows. `version` is that of meta.k8s.io (`v1`, `v1beta1`).
    pub(crate) fn new(version: &str, include: Include) -> Self {
        Self {
            api_version: format!("meta.k8s.io/{version}"),
            include,
            rows: Vec::new(),
        }
    }

    /// Adds the row of an object. `conditions` is left out where there is none.
    pub(crate) fn push(&mut self, object: &Value, cells: Vec<Value>, conditions: Option<Value>) {
        let object = match self.include {
            Include::None if !ends_initial(object) => Value::Null,
            Include::None | Include::Metadata => self.partial(object),
            Include::Object => object.clone(),
        };
        let mut row = map([("cells", cells.into()), ("object", object)]);
        if let Some(conditions) = conditions {
            row.insert("conditions".to_owned(), conditions);
        }
        self.rows.push(row.into());
    }

    fn partial(&self, object: &Value) -> Value {
        let metadata = object.get("metadata").cloned();
        let partial = [
            ("kind", "PartialObjectMetadata".into()),
            ("apiVersion", self.api_version.as_str().into()),
            ("metadata", metadata.unwrap_or_else(|| json!({}))),
        ];
        map(partial).into()
    }

    /// The table. `metadata` is that of the list, or what [`metadata_of`] makes of an object; `columns` are
    /// left out from the second event of a watch on.
    pub(crate) fn finish(self, metadata: Value, columns: Option<&[Column]>) -> Value {
        let columns = columns.map(|all| all.iter().map(Column::to_json).collect::<Value>());
        let table = [
            ("kind", "Table".into()),
            ("apiVersion", self.api_version.into()),
            ("metadata", metadata),
            ("columnDefinitions", columns.into()),
            ("rows", self.rows.into()),
        ];
        map(table).into()
    }
}

/// An object of these fields. The macro of `serde_json` would copy each of them.
fn map<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    fields.into_iter().collect()
}

/// Whether this is the bookmark that tells a watcher that it has seen all there is: it keeps its metadata,
/// which say so.
fn ends_initial(object: &Value) -> bool {
    let annotations = object.pointer("/metadata/annotations");
    annotations.is_some_and(|all| all["k8s.io/initial-events-end"] == "true")
}

/// The metadata of a table of one object: its version alone.
pub(crate) fn metadata_of(object: &Value) -> Value {
    match object.pointer("/metadata/resourceVersion") {
        Some(version) => json!({"resourceVersion": version}),
        None => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "spec": {"nodeName": "n"},
            "metadata": {"name": "web", "resourceVersion": "7"}})
    }

    #[track_caller]
    fn check(version: &str, include: &str, object: &Value, expected: &Value) {
        let include = Include::read(include).expect("a word that is known");
        let mut table = Table::new(version, include);
        table.push(object, vec!["web".into()], None);
        let table = table.finish(metadata_of(object), None);
        assert_eq!(table["apiVersion"], format!("meta.k8s.io/{version}"));
        assert_eq!(table["metadata"], json!({"resourceVersion": "7"}));
        assert_eq!(table["columnDefinitions"], Value::Null);
        assert_eq!(
            table["rows"],
            json!([{"cells": ["web"], "object": expected}])
        );
    }

    #[test]
    fn a_row_has_as_much_of_its_object_as_was_asked_for() {
        let partial = |version| {
            json!({"apiVersion": version, "kind": "PartialObjectMetadata",
                "metadata": {"name": "web", "resourceVersion": "7"}})
        };
        check("v1", "", &pod(), &partial("meta.k8s.io/v1"));
        check(
            "v1beta1",
            "Metadata",
            &pod(),
            &partial("meta.k8s.io/v1beta1"),
        );
        check("v1", "None", &pod(), &Value::Null);
        check("v1", "Object", &pod(), &pod());
        let refused = Include::read("All").expect_err("not a word that is known");
        assert_eq!(
            refused.to_json()["message"],
            "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be \
             'Metadata', 'Object', 'None', or empty"
        );
    }

    #[test]
    fn the_bookmark_that_ends_the_beginning_says_so_even_where_no_objects_are_wanted() {
        let metadata =
            json!({"resourceVersion": "7", "annotations": {"k8s.io/initial-events-end": "true"}});
        let partial = json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata});
        check("v1", "None", &json!({"metadata": metadata}), &partial);
    }

    #[test]
    fn columns_and_conditions_are_there_where_there_are_some() {
        let mut table = Table::new("v1", Include::None);
        table.push(&pod(), Vec::new(), Some(json!([{"type": "Completed"}])));
        let columns = crate::table::Printer::of("", "serviceaccounts").columns();
        let table = table.finish(json!({"continue": "x"}), Some(columns));
        assert_eq!(
            table["rows"][0]["conditions"],
            json!([{"type": "Completed"}])
        );
        assert_eq!(table["columnDefinitions"][1]["name"], "Age");
        assert_eq!(table["metadata"], json!({"continue": "x"}));
    }
}
