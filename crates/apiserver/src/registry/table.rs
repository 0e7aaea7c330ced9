//! Tables, as kubectl shows them: of built-in kinds and of custom resources.

use jiff::Timestamp;
use serde_json::Value;

use super::kind::Kind;
use crate::table::Printer;
use crate::table::object::{Include, Table, metadata_of};

impl Kind {
    /// A table of objects. `version` is that of meta.k8s.io; `metadata` is that of the list, none for the
    /// table of one object; `with_columns` is false from the second event of a watch on.
    pub(crate) fn table(
        &self,
        version: &str,
        objects: &[Value],
        metadata: Option<Value>,
        with_columns: bool,
        include: Include,
        now: Timestamp,
    ) -> Value {
        let metadata = metadata.unwrap_or_else(|| objects.first().map_or(Value::Null, metadata_of));
        let mut table = Table::new(version, include);
        // What `/scale` answers looks the same, whatever it scales.
        let is_scale = matches!(objects, [only]
            if only["kind"] == "Scale" && only["apiVersion"] == "autoscaling/v1");
        if let Some(custom) = self.custom.as_ref().filter(|_| !is_scale) {
            for object in objects {
                table.push(object, custom.cells(object, now), None);
            }
            return table.finish(metadata, with_columns.then(|| custom.columns()));
        }
        let printer = if is_scale {
            Printer::of("autoscaling", "scales")
        } else {
            Printer::of(&self.resource.group, &self.resource.plural)
        };
        for object in objects {
            table.push(
                object,
                printer.cells(object, now),
                printer.conditions(object),
            );
        }
        let mut table = table.finish(metadata, with_columns.then(|| printer.columns()));
        if objects.is_empty() && printer.null_if_empty() {
            table["rows"] = Value::Null;
        }
        table
    }
}
