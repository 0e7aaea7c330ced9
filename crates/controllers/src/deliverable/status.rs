//! A Deliverable's whole status, in Cartographer's words and order. Pure.

use k8s_openapi::jiff::Timestamp;
use kinds::cartographer::owner::{CoreReference, ObjectReference, ResourceStatus};
use kinds::condition::{self, kind};
use kinds::{Condition, Deliverable, DeliverableStatus, Shipment, names};
use kube::ResourceExt as _;

use super::condition::{Conditions, Refusal, Submitted};
use super::select::{DELIVERY, NotSelected};
use super::stamp::{RESOURCE, TEMPLATE, TEMPLATE_KIND};

pub(super) fn status(
    deliverable: &Deliverable,
    not_selected: Option<NotSelected>,
    submitted: Option<Submitted>,
    shipment: Option<&Shipment>,
) -> DeliverableStatus {
    let before = deliverable.status.clone().unwrap_or_default();
    let mut next = DeliverableStatus {
        observed_generation: deliverable.metadata.generation,
        ..before.clone()
    };
    let mut conditions = Conditions::default();
    match not_selected {
        Some(NotSelected::LabelsMissing) => {
            conditions.add(
                "DeliveryReady",
                "False",
                "DeliverableLabelsMissing",
                "deliverable has no labels to match to delivery",
            );
        }
        Some(NotSelected::NotFound) => conditions.add(
            "DeliveryReady",
            "False",
            "DeliveryNotFound",
            &not_found(deliverable),
        ),
        None => {
            next.delivery_ref = Some(ObjectReference {
                kind: Some("ClusterDelivery".to_owned()),
                name: Some(DELIVERY.to_owned()),
                ..ObjectReference::default()
            });
            conditions.add("DeliveryReady", "True", "Ready", "");
        }
    }
    if let Some(submitted) = submitted {
        walk(&mut next, &mut conditions, &submitted, shipment, &before);
    }
    next.conditions = conditions.finish();
    let now = Timestamp::now();
    condition::settle_times(&before.conditions, &mut next.conditions, now);
    for resource in &mut next.resources {
        let known = before
            .resources
            .iter()
            .find(|known| known.name == resource.name);
        condition::settle_times(
            known.map_or(&[], |known| &known.conditions),
            &mut resource.conditions,
            now,
        );
    }
    next
}

fn walk(
    next: &mut DeliverableStatus,
    conditions: &mut Conditions,
    submitted: &Submitted,
    shipment: Option<&Shipment>,
    before: &DeliverableStatus,
) {
    let refusal = submitted.as_ref().err().cloned();
    match &refusal {
        None => conditions.add(
            "ResourcesSubmitted",
            "True",
            "ResourceSubmissionComplete",
            "",
        ),
        Some(refusal) => conditions.add(
            "ResourcesSubmitted",
            "False",
            refusal.reason,
            &refusal.message,
        ),
    }
    if refusal.as_ref().is_some_and(|refusal| refusal.early) {
        return;
    }
    let healthy = if refusal.is_none() {
        Some(health(shipment))
    } else {
        carried_over(before)
    };
    match &healthy {
        Some((status, _, message)) => {
            let message = if status == "True" {
                ""
            } else {
                message.as_str()
            };
            conditions.add("ResourcesHealthy", status, "HealthyConditionRule", message);
        }
        None => conditions.add("ResourcesHealthy", "Unknown", "HealthyConditionRule", ""),
    }
    next.resources = vec![resource(
        refusal.as_ref(),
        healthy.as_ref(),
        shipment,
        before,
    )];
}

/// How the stamped object is: `True`, `False` or `Unknown`, once that is told.
pub(super) fn healthy(status: &DeliverableStatus) -> Option<&str> {
    let resource = status.resources.first()?;
    let healthy = condition::find(&resource.conditions, "Healthy")?;
    Some(&healthy.status)
}

/// The health rule of the template: the condition `Ready` of the stamped object.
fn health(shipment: Option<&Shipment>) -> (String, String, String) {
    let current = shipment.filter(|shipment| {
        shipment
            .status
            .as_ref()
            .is_some_and(|status| status.observed_generation == shipment.metadata.generation)
    });
    let conditions = current
        .and_then(|shipment| shipment.status.as_ref())
        .map(|status| status.conditions.as_slice());
    let ready = conditions.and_then(|conditions| condition::find(conditions, kind::READY));
    let (status, message) = ready.map_or(
        (
            "Unknown",
            "condition with type [Ready] not found on resource status",
        ),
        |ready| (ready.status.as_str(), ready.message.as_str()),
    );
    (
        status.to_owned(),
        "ReadyCondition".to_owned(),
        message.to_owned(),
    )
}

fn carried_over(before: &DeliverableStatus) -> Option<(String, String, String)> {
    let healthy = condition::find(&before.resources.first()?.conditions, "Healthy")?;
    Some((
        healthy.status.clone(),
        healthy.reason.clone(),
        healthy.message.clone(),
    ))
}

fn resource(
    refusal: Option<&Refusal>,
    healthy: Option<&(String, String, String)>,
    shipment: Option<&Shipment>,
    before: &DeliverableStatus,
) -> ResourceStatus {
    let mut conditions = Conditions::default();
    match refusal {
        None => conditions.add(
            "ResourceSubmitted",
            "True",
            "ResourceSubmissionComplete",
            "",
        ),
        Some(refusal) => conditions.add(
            "ResourceSubmitted",
            "False",
            refusal.reason,
            &refusal.message,
        ),
    }
    if let Some((status, reason, message)) = healthy {
        conditions.add("Healthy", status, reason, message);
    }
    let conditions: Vec<Condition> = conditions.finish();
    if let (Some(_), Some(known)) = (refusal, before.resources.first()) {
        return ResourceStatus {
            conditions,
            ..known.clone()
        };
    }
    ResourceStatus {
        name: RESOURCE.to_owned(),
        stamped_ref: shipment
            .filter(|_| refusal.is_none())
            .map(|shipment| CoreReference {
                api_version: Some("shipway.run/v1alpha1".to_owned()),
                kind: Some("Shipment".to_owned()),
                name: Some(shipment.name_any()),
                namespace: shipment.namespace(),
                resource: Some("shipments.shipway.run".to_owned()),
            }),
        template_ref: Some(CoreReference {
            api_version: Some("carto.run/v1alpha1".to_owned()),
            kind: Some(TEMPLATE_KIND.to_owned()),
            name: Some(TEMPLATE.to_owned()),
            ..CoreReference::default()
        }),
        inputs: Vec::new(),
        outputs: Vec::new(),
        conditions,
    }
}

/// Go prints a map with its keys sorted. The owner label is ours and was not there to be matched.
fn not_found(deliverable: &Deliverable) -> String {
    let labels = deliverable
        .labels()
        .iter()
        .filter(|(key, _)| *key != names::OWNER_LABEL);
    let labels: Vec<String> = labels
        .map(|(key, value)| format!("{key}:{value}"))
        .collect();
    format!(
        "no delivery found where full selector is satisfied by labels: map[{}]",
        labels.join(" ")
    )
}
