//! The ClusterRoles that the controller works under, as they are installed and as the suites use them.
//!
//! It names the built-in kinds but Secrets, since RBAC has no "all but", and aggregates what
//! operators add for their own kinds. Writing is left to the accounts that the controller acts as.

use serde_json::{Value, json};

use crate::crd::Profile;
use crate::names::{GROUP, WEBHOOKS};

/// Operators add rights for their own kinds with ClusterRoles that carry this label.
pub const AGGREGATE_LABEL: &str = "shipway.run/aggregate-to-controller";

/// Built-in kinds whose metadata is watched, by group.
const WATCHED: [(&str, &[&str]); 15] = [
    (
        "",
        &[
            "configmaps",
            "endpoints",
            "limitranges",
            "namespaces",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "podtemplates",
            "replicationcontrollers",
            "resourcequotas",
            "serviceaccounts",
            "services",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        ],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    (
        "apps",
        &[
            "controllerrevisions",
            "daemonsets",
            "deployments",
            "replicasets",
            "statefulsets",
        ],
    ),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("batch", &["cronjobs", "jobs"]),
    ("carto.run", &["*"]),
    ("coordination.k8s.io", &["leases"]),
    ("discovery.k8s.io", &["endpointslices"]),
    (
        "flowcontrol.apiserver.k8s.io",
        &["flowschemas", "prioritylevelconfigurations"],
    ),
    (
        "networking.k8s.io",
        &["ingressclasses", "ingresses", "networkpolicies"],
    ),
    ("policy", &["poddisruptionbudgets"]),
    (
        "rbac.authorization.k8s.io",
        &[
            "clusterrolebindings",
            "clusterroles",
            "rolebindings",
            "roles",
        ],
    ),
    ("scheduling.k8s.io", &["priorityclasses"]),
];

/// Further built-in groups whose kinds are few and hold no secrets.
const WATCHED_WHOLE: [&str; 3] = ["node.k8s.io", "storage.k8s.io", "resource.k8s.io"];

/// What the controller says of Cartographer's kinds.
const STATUSES: [&str; 5] = [
    "clusterdeliveries/status",
    "clustersupplychains/status",
    "deliverables/status",
    "runnables/status",
    "workloads/status",
];

/// The namespace, the account, the roles of this profile and their bindings.
pub fn all(profile: Profile) -> Vec<Value> {
    let labels = json!({"app.kubernetes.io/name": "shipway", "shipway.run/installation": "true"});
    let subject =
        json!([{"kind": "ServiceAccount", "name": "shipway", "namespace": "shipway-system"}]);
    let binding = |role: &str| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": role, "labels": labels},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": subject,
        })
    };
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shipway-system", "labels": labels}}),
        json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "shipway", "namespace": "shipway-system", "labels": labels}
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "shipway-controller", "labels": labels},
            "rules": rules(profile),
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "shipway-controller-aggregated", "labels": labels},
            // Its rules are the server's to write: whoever applies some of them, even none, owns them.
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {AGGREGATE_LABEL: "true"}}]},
        }),
        binding("shipway-controller"),
        binding("shipway-controller-aggregated"),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "metadata": {"name": "shipway-lease", "namespace": "shipway-system", "labels": labels},
            "rules": [{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "patch"]}],
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "shipway-lease", "namespace": "shipway-system", "labels": labels},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "shipway-lease"},
            "subjects": subject,
        }),
    ]
}

fn rules(profile: Profile) -> Vec<Value> {
    let mut rules: Vec<Value> = WATCHED
        .iter()
        .map(|(group, resources)| json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list", "watch"]}))
        .collect();
    rules.push(
        json!({"apiGroups": WATCHED_WHOLE, "resources": ["*"], "verbs": ["get", "list", "watch"]}),
    );
    rules.extend([
        json!({"apiGroups": [GROUP], "resources": ["environments", "inventories", "shipments"], "verbs": ["get", "list", "watch"]}),
        json!({"apiGroups": [GROUP], "resources": ["inventories"], "verbs": ["create", "patch", "delete"]}),
        // The finalizer. Everything else about a Shipment is somebody else's to write.
        json!({"apiGroups": [GROUP], "resources": ["shipments"], "verbs": ["patch"]}),
        json!({"apiGroups": [GROUP], "resources": ["environments/status", "shipments/status"], "verbs": ["patch"]}),
        // Inventories are owned by their Shipment and keep it until they are gone.
        json!({"apiGroups": [GROUP], "resources": ["shipments/finalizers"], "verbs": ["update"]}),
        json!({"apiGroups": ["carto.run"], "resources": STATUSES, "verbs": ["patch"]}),
        // One Secret at a time, by name, where a Shipment names it; never a list of them.
        json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}),
        json!({"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["impersonate"]}),
        json!({"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}),
    ]);
    if profile == Profile::Full {
        // The one object by which a cluster asks before it stores blueprints and templates.
        rules.push(json!({
            "apiGroups": ["admissionregistration.k8s.io"], "resources": ["validatingwebhookconfigurations"],
            "resourceNames": [WEBHOOKS], "verbs": ["create", "patch"],
        }));
    }
    rules
}
