//! Keeps an Environment's overlay followed and its status true.

use std::sync::Arc;
use std::time::Duration;

use git::Credentials;
use k8s_openapi::jiff::Timestamp;
use kinds::condition::{self, Condition, kind};
use kinds::{Environment, EnvironmentStatus, Reason};
use kube::ResourceExt as _;
use kube::core::ApiResource;
use kube::runtime::controller::Action;

use crate::context::Ctx;
use crate::halt::Halt;
use crate::pump;
use crate::secret::Welcome;
use crate::shipment::spec;
use crate::source::{Follower, Known, Wish};

/// Follows an Environment's overlay on behalf of all Shipments that it covers.
pub(crate) fn follower(environment: &Environment) -> Follower {
    Follower::Environment(environment.name_any())
}

/// One pass, and then one of each Shipment: it may be covered now, or no more.
pub(crate) async fn reconcile(environment: Arc<Environment>, ctx: Arc<Ctx>) -> Action {
    let action = pass(&environment, &ctx).await;
    pump::wake_everyone(&ctx);
    action
}

async fn pass(environment: &Environment, ctx: &Ctx) -> Action {
    if environment.metadata.deletion_timestamp.is_some() {
        ctx.sources.unfollow(&follower(environment));
        return Action::await_change();
    }
    let known = follow(environment, ctx).await;
    let (status, again) = status(environment, known);
    let value =
        |status: &EnvironmentStatus| serde_json::to_value(status).expect("a status is plain data");
    let before = value(&environment.status.clone().unwrap_or_default());
    let api = ApiResource::erase::<Environment>(&());
    let written = cluster::status::write(
        &ctx.caller,
        &api,
        None,
        &environment.name_any(),
        &before,
        &value(&status),
    )
    .await;
    match written {
        Err(error) => {
            tracing::warn!(error = %error, "could not write the status of Environment `{}`", environment.name_any());
            Action::requeue(Duration::from_secs(5))
        }
        Ok(_) => again.map_or_else(Action::await_change, Action::requeue),
    }
}

async fn follow(environment: &Environment, ctx: &Ctx) -> Result<Option<Known>, Halt> {
    crate::environment::protection(Some(environment))?;
    let Some(overlay) = &environment.spec.overlay else {
        ctx.sources.unfollow(&follower(environment));
        return Ok(None);
    };
    let follower = follower(environment);
    let welcome = match ctx.sources.known(&follower).trouble {
        Some(why) if why.reason.blames_secret() => Welcome::Refused,
        _ => Welcome::Open,
    };
    let credentials = match &overlay.git.secret_ref {
        Some(secret) => {
            ctx.secrets
                .credentials(&ctx.caller, &secret.namespace, &secret.name, welcome)
                .await?
        }
        None => Credentials::default(),
    };
    let (reference, branch) =
        spec::reference(overlay.git.reference.as_ref()).map_err(of_overlay)?;
    let wish = Wish {
        url: spec::url(&overlay.git.url).map_err(of_overlay)?,
        reference,
        branch,
        path: spec::path(overlay.path.as_deref()).map_err(of_overlay)?,
        credentials,
        interval: spec::duration(
            "spec.overlay.interval",
            overlay.interval.as_deref(),
            spec::INTERVAL,
        )?,
    };
    let known = ctx.sources.follow(&follower, &wish).await;
    known.map(Some).map_err(|why| Halt::Failed {
        reason: why.reason,
        attempt: format!("read the overlay: {}", why.message),
    })
}

/// The fields of an overlay have other names than those of a Shipment's source.
fn of_overlay(halt: Halt) -> Halt {
    match halt {
        Halt::Stalled { reason, why } => Halt::Stalled {
            reason,
            why: why
                .replace("`spec.source.git", "`spec.overlay.git")
                .replace("`spec.path`", "`spec.overlay.path`"),
        },
        other => other,
    }
}

fn status(
    environment: &Environment,
    known: Result<Option<Known>, Halt>,
) -> (EnvironmentStatus, Option<Duration>) {
    let before = environment.status.clone().unwrap_or_default();
    let mut next = EnvironmentStatus {
        observed_generation: environment.metadata.generation,
        ..EnvironmentStatus::default()
    };
    let mut again = None;
    let looked_up = !matches!(&known, Ok(Some(known)) if *known == Known::default());
    // After a restart every overlay is looked up anew; that says nothing about the one in use.
    if !looked_up && before.observed_generation == next.observed_generation {
        return (before, None);
    }
    let (ready, reason, message) = match known {
        Ok(None) => ("True", Reason::Ready, "no overlay".to_owned()),
        Ok(Some(Known {
            trouble: Some(why),
            at,
        })) => {
            next.overlay = at.map(|at| format!("sha1:{}", at.commit));
            ("False", why.reason, why.message)
        }
        Ok(Some(Known {
            at: Some(at),
            trouble: None,
        })) => {
            next.overlay = Some(format!("sha1:{}", at.commit));
            ("True", Reason::Ready, "the overlay is read".to_owned())
        }
        Ok(Some(Known {
            at: None,
            trouble: None,
        })) => (
            "Unknown",
            Reason::SourcePending,
            "looking the overlay up".to_owned(),
        ),
        Err(halt) => {
            // An edit comes as an event; a Secret that appears does not.
            again = matches!(halt, Halt::Failed { .. }).then_some(Duration::from_secs(5));
            ("False", halt.reason(), halt.to_string())
        }
    };
    let condition = |kind: &str, status: &str| Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.as_str().to_owned(),
        message: message.clone(),
        last_transition_time: String::new(),
        observed_generation: environment.metadata.generation,
    };
    next.conditions = vec![condition(kind::READY, ready)];
    condition::settle_times(&before.conditions, &mut next.conditions, Timestamp::now());
    (next, again)
}
