//! Whether Cartographer's own controller is at work on a cluster, to which Deliverables are left then: two
//! writers of one status never rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cluster::caller::Want;
use cluster::{ApiError, Caller, Resource};
use k8s_openapi::api::apps::v1::Deployment;
use kinds::Deliverable;
use kube::core::ApiResource;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::context::Ctx;
use crate::stamping::news;

/// The namespace of Cartographer's own controller.
pub const NAMESPACE: &str = "cartographer-system";
/// Its Deployment.
pub const NAME: &str = "cartographer-controller";

/// How long it has to be away before Deliverables are taken over: one that is gone for a moment, while it
/// is installed anew, must not find a second writer when it is back.
const AWAY: Duration = Duration::from_secs(30);
/// When to ask again where the API server did not say.
const AGAIN: Duration = Duration::from_secs(2);

/// Whether Deliverables are left to it.
#[derive(Debug, Default)]
pub struct Left(AtomicBool);

impl Left {
    /// Whether they are.
    pub fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Leaves Deliverables to it where it is at work, from the start and whenever it comes, and takes them
/// over when it has gone.
///
/// # Errors
///
/// When the API server does not say how it is at the start.
pub(crate) async fn begin(ctx: &Arc<Ctx>) -> Result<(), ApiError> {
    turn(ctx, is_at_work(&ctx.caller).await?);
    let moved = Arc::new(Notify::new());
    tokio::spawn(follow(ctx.clone(), moved.clone()));
    let api = ApiResource::erase::<Deployment>(&());
    ctx.watches
        .one(&api, (NAMESPACE, NAME), move || moved.notify_one());
    Ok(())
}

async fn follow(ctx: Arc<Ctx>, moved: Arc<Notify>) {
    loop {
        moved.notified().await;
        let mut at_work = ask(&ctx.caller).await;
        if !at_work && ctx.left.is_so() {
            while !at_work && timeout(AWAY, moved.notified()).await.is_ok() {
                at_work = ask(&ctx.caller).await;
            }
        }
        turn(&ctx, at_work);
    }
}

/// Asks until it is said.
async fn ask(caller: &Caller) -> bool {
    loop {
        match is_at_work(caller).await {
            Ok(at_work) => return at_work,
            Err(error) => {
                tracing::warn!(error = %error, "could not see whether Cartographer is at work");
                sleep(AGAIN).await;
            }
        }
    }
}

/// Begins or ends to leave Deliverables to it, and says so.
fn turn(ctx: &Ctx, at_work: bool) {
    if ctx.left.0.swap(at_work, Ordering::Relaxed) == at_work {
        return;
    }
    if at_work {
        tracing::error!(
            "Cartographer is at work here (Deployment `{NAME}` in `{NAMESPACE}`): \
             Deliverables are left to it; scale it to 0 to have Shipway take them over"
        );
        return;
    }
    tracing::info!("Cartographer is not at work here any more: Deliverables are taken over");
    news::wake_everyone(ctx);
}

/// Whether Cartographer's own controller is to run here.
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
