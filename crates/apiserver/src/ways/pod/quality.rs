//! How well a Pod's resources are guaranteed.
//!
//! External rule: `ComputePodQOS` of k8s.io/kubernetes, pkg/apis/core/helper/qos.

use std::collections::BTreeMap;

use serde_json::Value;

use super::resource::amount;
use crate::ways::part::Part as _;

type Amounts = BTreeMap<String, i128>;

/// The class of a Pod with this spec.
pub(super) fn of(spec: &Value) -> &'static str {
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    let mut all_limited = true;
    let mut count = |resources: &Value| {
        add(&mut requests, resources.part("requests"));
        let limited = add(&mut limits, resources.part("limits"));
        all_limited &= limited == 2;
    };
    if spec.has("resources") {
        count(spec.part("resources"));
    } else {
        for list in ["containers", "initContainers"] {
            for container in spec.items(list) {
                count(container.part("resources"));
            }
        }
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if all_limited && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Adds what a list asks of processors and memory; how many of both it names.
fn add(sum: &mut Amounts, list: &Value) -> usize {
    let mut named = 0;
    for name in ["cpu", "memory"] {
        if let Some(amount) = list.get(name).and_then(amount).filter(|amount| *amount > 0) {
            let before = sum.entry(name.to_owned()).or_default();
            *before = before.saturating_add(amount);
            named += 1;
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_asked_for_decides_about_the_class() {
        let container = |requests: Value, limits: Value| {
            let resources = json!({"requests": requests, "limits": limits});
            json!({"containers": [{"resources": resources}]})
        };
        let both = json!({"cpu": "1", "memory": "1Gi"});
        for (spec, class) in [
            (json!({"containers": [{}]}), "BestEffort"),
            (container(json!({}), json!({"cpu": "0"})), "BestEffort"),
            (container(json!({"cpu": "1"}), json!({})), "Burstable"),
            (
                container(json!({"cpu": "1"}), json!({"cpu": "1"})),
                "Burstable",
            ),
            (container(both.clone(), both.clone()), "Guaranteed"),
            (
                container(json!({"cpu": "1000m", "memory": "1Gi"}), both.clone()),
                "Guaranteed",
            ),
            (
                container(json!({"cpu": "2", "memory": "1Gi"}), both),
                "Burstable",
            ),
        ] {
            assert_eq!(of(&spec), class, "{spec}");
        }
    }
}
