//! Whether Cartographer's own controller is at work on a cluster, to which Deliverables are left then: two
//! writers of one status never rest.

use cluster::caller::Want;
use cluster::{ApiError, Caller, Resource};
use k8s_openapi::api::apps::v1::Deployment;
use kinds::Deliverable;
use kube::core::ApiResource;

/// The namespace of Cartographer's own controller.
pub const NAMESPACE: &str = "cartographer-system";
/// Its Deployment.
pub const NAME: &str = "cartographer-controller";

/// Whether Cartographer's own controller is to run here.
///
/// Our controller asks when it starts, and once: one that is scaled to nothing for a moment, while it is
/// installed anew, must not find a second writer when it is back.
///
/// # Errors
///
/// When the API server does not say, such as to somebody who may not read that namespace.
pub async fn is_at_work(caller: &Caller) -> Result<bool, ApiError> {
    let api = ApiResource::erase::<Deployment>(&());
    let place = Resource::object(&api, Some(NAMESPACE), NAME);
    match caller.get(&place, Want::Whole).await {
        Ok(answer) => {
            let deployment: Deployment = answer.decode()?;
            let replicas = deployment.spec.and_then(|spec| spec.replicas);
            Ok(replicas.unwrap_or(1) > 0)
        }
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a Deliverable, as it is now, was stamped by us: its status then names our Shipment.
#[must_use]
pub fn is_stamped_by_us(deliverable: &Deliverable) -> bool {
    let status = deliverable.status.as_ref();
    status.is_some_and(|status| {
        let ours = status.resources.iter().any(|resource| {
            let stamped = resource.stamped_ref.as_ref();
            stamped.is_some_and(|stamped| stamped.kind.as_deref() == Some("Shipment"))
        });
        ours && status.observed_generation == deliverable.metadata.generation
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::is_stamped_by_us;

    #[track_caller]
    fn check(status: &Value, expected: bool) {
        let deliverable = json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "Deliverable",
            "metadata": {"name": "shop", "generation": 2}, "spec": {}, "status": status,
        });
        let deliverable = serde_json::from_value(deliverable).expect("it is a Deliverable");
        assert_eq!(is_stamped_by_us(&deliverable), expected);
    }

    #[test]
    fn a_stamped_shipment_of_the_latest_generation_is_ours() {
        let stamped = |kind: &str| json!([{"name": "deployer", "stampedRef": {"kind": kind, "name": "shop"}}]);
        check(
            &json!({"observedGeneration": 2, "resources": stamped("Shipment")}),
            true,
        );
        check(
            &json!({"observedGeneration": 1, "resources": stamped("Shipment")}),
            false,
        );
        check(
            &json!({"observedGeneration": 2, "resources": stamped("App")}),
            false,
        );
        check(&json!({"observedGeneration": 2}), false);
        check(&json!({}), false);
    }
}
