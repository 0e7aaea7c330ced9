//! Tables: what `kubectl get` shows of the built-in kinds. How custom resources are shown is said by their
//! definitions.
//!
//! One table names, for each kind, the function that makes its cells. The columns are recorded from
//! kube-apiserver v1.36.3 (`data/columns.json`). No other code knows a kind by its name. All is pure.
//!
//! External rules: `pkg/printers/internalversion/printers.go` of k8s.io/kubernetes, which the server always
//! asks for the wide form; `pkg/registry/rest/table.go` of k8s.io/apiserver for kinds that have no function
//! there; `pkg/registry/apiservice/etcd` of k8s.io/kube-aggregator.

mod access;
mod admission;
mod cell;
mod event;
mod flow;
mod network;
mod node;
pub mod object;
mod pod;
mod scaling;
mod storage;
mod workload;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::Value;

use crate::crd::Column;
use cell::Row;

/// How the objects of a kind are shown.
#[derive(Debug)]
pub struct Printer {
    group: &'static str,
    resource: &'static str,
    cells: fn(Row<'_>) -> Vec<Value>,
    conditions: fn(&Value) -> Option<Value>,
    order: Option<fn(&Value, &Value) -> Ordering>,
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
        order: None,
        null_if_empty: false,
    }
}

/// Kinds that are not in the table below: name and time of creation.
static OTHER: Printer = Printer {
    null_if_empty: true,
    ..kind("", "", |row| vec![row.name(), row.created_at()])
};

const ADMISSION: &str = "admissionregistration.k8s.io";
const FLOW: &str = "flowcontrol.apiserver.k8s.io";
const NETWORK: &str = "networking.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const STORAGE: &str = "storage.k8s.io";

#[rustfmt::skip]
static PRINTERS: &[Printer] = &[
    kind("", "componentstatuses", node::component),
    kind("", "configmaps", access::config_map),
    kind("", "endpoints", network::endpoints),
    kind("", "events", event::core),
    kind("", "namespaces", node::namespace),
    kind("", "nodes", node::node),
    kind("", "persistentvolumeclaims", storage::claim),
    kind("", "persistentvolumes", storage::volume),
    Printer { conditions: pod::conditions, ..kind("", "pods", pod::cells) },
    kind("", "podtemplates", workload::pod_template),
    kind("", "replicationcontrollers", workload::replication_controller),
    kind("", "resourcequotas", scaling::quota),
    kind("", "secrets", access::secret),
    kind("", "serviceaccounts", |row| vec![row.name(), row.age()]),
    kind("", "services", network::service),
    kind(ADMISSION, "mutatingadmissionpolicies", admission::mutating_policy),
    kind(ADMISSION, "mutatingadmissionpolicybindings", admission::binding),
    kind(ADMISSION, "mutatingwebhookconfigurations", admission::webhooks),
    kind(ADMISSION, "validatingadmissionpolicies", admission::validating_policy),
    kind(ADMISSION, "validatingadmissionpolicybindings", admission::binding),
    kind(ADMISSION, "validatingwebhookconfigurations", admission::webhooks),
    kind("apiregistration.k8s.io", "apiservices", admission::api_service),
    kind("apps", "controllerrevisions", workload::revision),
    kind("apps", "daemonsets", workload::daemon_set),
    kind("apps", "deployments", workload::deployment),
    kind("apps", "replicasets", workload::replica_set),
    kind("apps", "statefulsets", workload::stateful_set),
    kind("autoscaling", "horizontalpodautoscalers", scaling::autoscaler),
    kind("autoscaling", "scales", scaling::scale),
    kind("batch", "cronjobs", workload::cron_job),
    kind("batch", "jobs", workload::job),
    kind("certificates.k8s.io", "certificatesigningrequests", access::signing_request),
    kind("coordination.k8s.io", "leases", node::lease),
    kind("discovery.k8s.io", "endpointslices", network::endpoint_slice),
    kind("events.k8s.io", "events", event::regarding),
    Printer { order: Some(flow::order), ..kind(FLOW, "flowschemas", flow::schema) },
    kind(FLOW, "prioritylevelconfigurations", flow::level),
    kind(NETWORK, "ingressclasses", network::ingress_class),
    kind(NETWORK, "ingresses", network::ingress),
    kind(NETWORK, "ipaddresses", network::address),
    kind(NETWORK, "networkpolicies", network::policy),
    kind(NETWORK, "servicecidrs", network::range),
    kind("node.k8s.io", "runtimeclasses", node::runtime_class),
    kind("policy", "poddisruptionbudgets", scaling::disruption_budget),
    kind(RBAC, "clusterrolebindings", access::role_binding),
    kind(RBAC, "rolebindings", access::role_binding),
    kind("scheduling.k8s.io", "priorityclasses", node::priority_class),
    kind(STORAGE, "csidrivers", storage::driver),
    kind(STORAGE, "csinodes", storage::node),
    kind(STORAGE, "storageclasses", storage::class),
    kind(STORAGE, "volumeattachments", storage::attachment),
];

impl Printer {
    /// How a built-in kind is shown, by the name of its group (empty for the core group) and its plural.
    pub fn of(group: &str, resource: &str) -> &'static Self {
        let found = PRINTERS
            .iter()
            .find(|known| known.resource == resource && known.group == group);
        found.unwrap_or(&OTHER)
    }

    /// The columns. Upstream has kinds with more cells than columns, which kubectl does not show.
    pub fn columns(&self) -> &'static [Column] {
        let all = &*COLUMNS;
        let known = all.get(&(self.group, self.resource));
        known.map_or(&[], Vec::as_slice)
    }

    /// The cells of an object. What is absent or of a wrong type is shown as upstream shows what is
    /// unset, so that an object without anything in it can be shown, as it is in bookmarks.
    pub fn cells(&self, object: &Value, now: Timestamp) -> Vec<Value> {
        (self.cells)(Row { object, now })
    }

    /// The conditions of an object's row (`TableRowCondition`): whether it is `Completed`.
    pub fn conditions(&self, object: &Value) -> Option<Value> {
        (self.conditions)(object)
    }

    /// In which order a list shows its objects; none for the order in which they are stored.
    pub fn order(&self) -> Option<fn(&Value, &Value) -> Ordering> {
        self.order
    }

    /// Whether a list without objects has `null` for rows, which upstream has for kinds that show nothing
    /// but name and time of creation.
    pub fn null_if_empty(&self) -> bool {
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
