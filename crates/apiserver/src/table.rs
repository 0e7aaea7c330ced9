//! Tables: what `kubectl get` shows of the built-in kinds. How custom resources are shown is said by their
//! definitions.
//!
//! One table names, for each kind, the function that makes its cells. The columns are recorded from
//! kube-apiserver v1.36.3 (`data/columns.json`, by `data/columns.sh`). No other code knows a kind by its name. All is pure.
//!
//! External rules: `pkg/printers/internalversion/printers.go` of k8s.io/kubernetes, which the server always
//! asks for the wide form; `pkg/registry/rest/table.go` of k8s.io/apiserver for kinds that have no function
//! there. Kinds that are only stored are shown as those are.

mod access;
mod cell;
mod claim;
mod event;
pub(crate) mod object;
mod pod;
mod service;
mod workload;

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::Value;

use crate::crd::Column;
use cell::Row;

/// How the objects of a kind are shown.
#[derive(Debug)]
pub(crate) struct Printer {
    group: &'static str,
    resource: &'static str,
    cells: fn(Row<'_>) -> Vec<Value>,
    conditions: fn(&Value) -> Option<Value>,
    null_if_empty: bool,
}

/// A kind without peculiarities.
const fn kind(
    group: &'static str,
    resource: &'static str,
    cells: fn(Row<'_>) -> Vec<Value>,
) -> Printer {
    Printer {
        group,
        resource,
        cells,
        conditions: |_| None,
        null_if_empty: false,
    }
}

/// Kinds that are not in the table below: name and time of creation.
static OTHER: Printer = Printer {
    null_if_empty: true,
    ..kind("", "", |row| vec![row.name(), row.created_at()])
};

const RBAC: &str = "rbac.authorization.k8s.io";

#[rustfmt::skip]
static PRINTERS: &[Printer] = &[
    kind("", "configmaps", access::config_map),
    kind("", "events", event::core),
    kind("", "namespaces", |row| vec![row.name(), row.text("status.phase").into(), row.age()]),
    kind("", "persistentvolumeclaims", claim::claim),
    Printer { conditions: pod::conditions, ..kind("", "pods", pod::cells) },
    kind("", "secrets", access::secret),
    kind("", "serviceaccounts", |row| vec![row.name(), row.age()]),
    kind("", "services", service::service),
    kind("apps", "daemonsets", workload::daemon_set),
    kind("apps", "deployments", workload::deployment),
    kind("apps", "replicasets", workload::replica_set),
    kind("apps", "statefulsets", workload::stateful_set),
    kind("autoscaling", "scales", workload::scale),
    kind("batch", "jobs", workload::job),
    kind("coordination.k8s.io", "leases", |row| vec![row.name(), row.text("spec.holderIdentity").into(), row.age()]),
    kind("events.k8s.io", "events", event::regarding),
    kind(RBAC, "clusterrolebindings", access::role_binding),
    kind(RBAC, "rolebindings", access::role_binding),
];

impl Printer {
    /// How a built-in kind is shown, by the name of its group (empty for the core group) and its plural.
    pub(crate) fn of(group: &str, resource: &str) -> &'static Self {
        let found = PRINTERS
            .iter()
            .find(|known| known.resource == resource && known.group == group);
        found.unwrap_or(&OTHER)
    }

    /// The columns.
    pub(crate) fn columns(&self) -> &'static [Column] {
        let all = &*COLUMNS;
        let known = all.get(&(self.group, self.resource));
        known.map_or(&[], Vec::as_slice)
    }

    /// The cells of an object. What is absent or of a wrong type is shown as upstream shows what is
    /// unset, so that an object without anything in it can be shown, as it is in bookmarks.
    pub(crate) fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        (self.cells)(Row { object, now })
    }

    /// The conditions of an object's row (`TableRowCondition`): whether it is `Completed`.
    pub(crate) fn conditions(&self, object: &Value) -> Option<Value> {
        (self.conditions)(object)
    }

    /// Whether a list without objects has `null` for rows, which upstream has for kinds that show nothing
    /// but name and time of creation.
    pub(crate) fn null_if_empty(&self) -> bool {
        self.null_if_empty
    }
}

type Columns = HashMap<(&'static str, &'static str), Vec<Column>>;

static COLUMNS: LazyLock<Columns> = LazyLock::new(|| {
    let recorded = serde_json::from_str(include_str!("../data/columns.json")).unwrap_or_default();
    PRINTERS
        .iter()
        .chain([&OTHER])
        .map(|printer| ((printer.group, printer.resource), read(&recorded, printer)))
        .collect()
});

fn read(recorded: &Value, printer: &Printer) -> Vec<Column> {
    let key = match (printer.group, printer.resource) {
        ("", "") => "@default".to_owned(),
        ("", resource) => resource.to_owned(),
        (group, resource) => format!("{group}/{resource}"),
    };
    let text = |column: &Value, field: &str| cell::text(column, field).to_owned();
    let column = |column: &Value| {
        // Names and ages are described alike everywhere.
        let description = cell::text(column, "description");
        let shared = &recorded["@descriptions"][description];
        Column {
            name: text(column, "name"),
            kind: text(column, "type"),
            format: text(column, "format"),
            description: shared.as_str().unwrap_or(description).to_owned(),
            priority: cell::whole(column, "priority"),
        }
    };
    let columns = recorded[&key].as_array();
    columns.into_iter().flatten().map(column).collect()
}

#[cfg(test)]
mod tests;
