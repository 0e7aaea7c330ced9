//! `Pod`, `PodTemplate`, and the templates that other kinds hold.
//!
//! What admission adds to new Pods on the genuine server without asking for other objects is added
//! here too: the account, the priority and the tolerations. The token's volume is not.

mod affinity;
mod change;
mod check;
mod container;
mod default;
mod mount;
mod probe;
mod quality;
mod resource;
mod security;
mod variable;
mod volume;

use serde_json::{Value, json};

pub(super) use affinity::node_selector;
pub(super) use check::{Owner, template as check_template};
pub(super) use default::template as default_template;
pub(super) use resource::{
    amount as resource_amount, container_name as container_resource_name, name as resource_name,
    quantity as resource_quantity, round_up,
};
pub(super) use volume::host_path;

use super::part::{self, Part as _, fill, fill_empty, keep, made};
use super::{PLAIN, STATUS, Ways, keep_spec, keep_status};
use crate::validate::Path;

pub(super) static POD: Ways = Ways {
    default: default::pod,
    prepare_create,
    prepare_update: keep_status,
    prepare_status_update: |new, old| {
        keep_spec(new, old);
        let metadata = made(new, "metadata");
        if let Some(metadata) = metadata {
            keep(metadata, old.part("metadata"), "ownerReferences");
        }
        if let Some(status) = made(new, "status")
            && status.text("qosClass").is_empty()
        {
            keep(status, old.part("status"), "qosClass");
        }
    },
    validate: |new, old| match old {
        None => check::create(new),
        Some(old) => change::check(new, old),
    },
    generation: true,
    grace: |pod| {
        // What runs nowhere, or no more, goes at once.
        let spec = pod.part("spec");
        let is_over = matches!(pod["status"].text("phase"), "Failed" | "Succeeded");
        let runs = !spec.text("nodeName").is_empty() && !is_over;
        runs.then(|| spec.number("terminationGracePeriodSeconds"))
    },
    selectable: &[
        ("spec.hostNetwork", |pod| {
            pod["spec"].is_true("hostNetwork").to_string()
        }),
        ("spec.nodeName", |pod| {
            pod["spec"].text("nodeName").to_owned()
        }),
        ("spec.restartPolicy", |pod| {
            pod["spec"].text("restartPolicy").to_owned()
        }),
        ("spec.schedulerName", |pod| {
            pod["spec"].text("schedulerName").to_owned()
        }),
        ("spec.serviceAccountName", |pod| {
            pod["spec"].text("serviceAccountName").to_owned()
        }),
        ("status.nominatedNodeName", |pod| {
            pod["status"].text("nominatedNodeName").to_owned()
        }),
        ("status.phase", |pod| pod["status"].text("phase").to_owned()),
        ("status.podIP", |pod| pod["status"].text("podIP").to_owned()),
        ("status.podIPs", |pod| {
            pod["status"].text("podIP").to_owned()
        }),
    ],
    status_resets: &[
        "spec",
        "metadata.deletionTimestamp",
        "metadata.ownerReferences",
    ],
    ..STATUS
};

pub(super) static POD_TEMPLATE: Ways = Ways {
    default: |object| default_template(object, "template"),
    validate: |new, _| {
        check_template(
            new.part("template"),
            &Path::at("template"),
            &Owner::default(),
        )
    },
    generation: true,
    ..PLAIN
};

fn prepare_create(pod: &mut Value) {
    if let Some(spec) = made(pod, "spec") {
        admit(spec);
    }
    let mut status = json!({"phase": "Pending", "qosClass": quality::of(pod.part("spec"))});
    if !pod["spec"].items("schedulingGates").is_empty() {
        status["conditions"] = json!([{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
            "lastProbeTime": null, "lastTransitionTime": pod["metadata"]["creationTimestamp"],
        }]);
    }
    part::put(pod, "status", status);
}

/// What admission adds.
fn admit(spec: &mut Value) {
    fill_empty(spec, "serviceAccountName", "default");
    fill_empty(spec, "serviceAccount", spec["serviceAccountName"].clone());
    if spec.text("priorityClassName").is_empty() {
        fill(spec, "priority", 0);
        fill(spec, "preemptionPolicy", "PreemptLowerPriority");
    }
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        let takes = |toleration: &Value| {
            let (own, effect) = (toleration.text("key"), toleration.text("effect"));
            (own == key || own.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        };
        if spec.items("tolerations").iter().any(takes) {
            continue;
        }
        fill(spec, "tolerations", json!([]));
        if let Some(tolerations) = spec["tolerations"].as_array_mut() {
            tolerations.push(json!({
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            }));
        }
    }
}
