//! `Pod`, and the templates that other kinds hold.
//!
//! What admission adds to new Pods on the genuine server without asking for other objects is added
//! here too: the account, the priority and the tolerations. The token's volume is in `registry/account.rs`.

mod change;
mod check;
mod container;
mod default;
mod probe;
mod quality;
mod resource;
mod variable;
mod volume;

use serde_json::{Value, json};

pub(super) use check::template as check_template;
pub(super) use default::template as default_template;
pub(super) use resource::{amount as resource_amount, round_up};

use super::fault::Faults;
use super::part::{self, Part as _, fill, fill_empty, keep, made};
use super::{STATUS, Ways, keep_spec, keep_status};

pub(super) static POD: Ways = Ways {
    default: default::pod,
    prepare_create,
    prepare_update: keep_status,
    prepare_status_update: |new, old| {
        keep_spec(new, old);
        if let Some(metadata) = made(new, "metadata") {
            keep(metadata, old.part("metadata"), "ownerReferences");
        }
        if let Some(status) = made(new, "status")
            && status.text("qosClass").is_empty()
        {
            keep(status, old.part("status"), "qosClass");
        }
    },
    validate: |new, old| match old {
        None => {
            let mut faults = Faults::default();
            check::pod(new, &mut faults);
            faults.into_errors()
        }
        Some(old) => change::check(new, old),
    },
    generation: true,
    special: crate::ways::Special::ActsAsAccount,
    grace: |pod| {
        // What runs nowhere, or no more, goes at once.
        let spec = pod.part("spec");
        let is_over = matches!(pod["status"].text("phase"), "Failed" | "Succeeded");
        let runs = !spec.text("nodeName").is_empty() && !is_over;
        runs.then(|| spec.number("terminationGracePeriodSeconds"))
    },
    selectable: &[
        ("spec.nodeName", |pod| {
            pod["spec"].text("nodeName").to_owned()
        }),
        ("status.phase", |pod| pod["status"].text("phase").to_owned()),
    ],
    status_resets: &[
        "spec",
        "metadata.deletionTimestamp",
        "metadata.ownerReferences",
    ],
    ..STATUS
};

fn prepare_create(pod: &mut Value) {
    if let Some(spec) = made(pod, "spec") {
        admit(spec);
    }
    let class = quality::of(pod.part("spec"));
    part::put(
        pod,
        "status",
        json!({"phase": "Pending", "qosClass": class}),
    );
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
