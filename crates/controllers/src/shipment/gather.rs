//! Reads what is wanted and whether the ground for it is there. Decides nothing.

use std::sync::Arc;

use git::{CommitId, Content, Credentials, TreeId};
use kinds::condition::{self, kind};
use kinds::{Environment, Shipment};

use super::circle::circle;
use super::spec::{Spec, depends_on};
use crate::board::Key;
use crate::context::Ctx;
use crate::environment;
use crate::halt::Halt;
use crate::secret::Welcome;
use crate::source::{Follower, Known, Trouble, Wish};

/// What is wanted, as far as it is known.
pub(super) struct Gathered {
    /// The source.
    pub(super) known: Known,
    /// The Environment that covers the Shipment.
    pub(super) environment: Option<Arc<Environment>>,
    /// Its overlay, if it has one.
    pub(super) overlay: Option<Result<OverlayAt, Trouble>>,
    /// Whether the account exists.
    pub(super) account_exists: bool,
    /// Whether the Shipment's namespace is on its way out.
    pub(super) namespace_going: bool,
    /// Dependencies that are not ready: which, and why.
    pub(super) missing: Vec<(Key, &'static str)>,
    /// The way along the dependencies back to the Shipment itself, where it waits for that.
    pub(super) circle: Option<Vec<Key>>,
}

/// An overlay at a revision, and the trees in it that concern one Shipment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OverlayAt {
    pub(super) follower: Follower,
    pub(super) commit: CommitId,
    pub(super) all: Option<TreeId>,
    pub(super) own: Option<TreeId>,
    /// Its `.shipwayignore`, if it has one.
    pub(super) ignore: Option<Content>,
}

pub(super) fn follower(key: &Key) -> Follower {
    Follower::Shipment(key.namespace.clone(), key.name.clone())
}

pub(super) async fn gather(
    ctx: &Ctx,
    shipment: &Shipment,
    key: &Key,
    spec: &Spec,
    welcome: Welcome,
) -> Result<Gathered, Halt> {
    let known = source(ctx, key, spec, welcome).await?;
    let environment = environment::choose(&ctx.environments.all(), shipment)?;
    let overlay = match &environment {
        Some(environment) if environment.spec.overlay.is_some() => {
            Some(overlay(ctx, key, environment).await)
        }
        _ => None,
    };
    let missing: Vec<_> = spec
        .depends_on
        .iter()
        .filter_map(|needed| Some((needed.clone(), not_ready(ctx, needed)?)))
        .collect();
    let needs = |other: &Key| needs(ctx, other);
    Ok(Gathered {
        known,
        circle: (!missing.is_empty()).then(|| circle(key, &needs)).flatten(),
        missing,
        environment,
        overlay,
        account_exists: ctx.presence.is_account(&key.namespace, &spec.account),
        namespace_going: ctx.presence.is_namespace_going(&key.namespace),
    })
}

async fn source(ctx: &Ctx, key: &Key, spec: &Spec, mut welcome: Welcome) -> Result<Known, Halt> {
    let follower = follower(key);
    let mut wish = Wish {
        url: spec.url.clone(),
        reference: spec.reference.clone(),
        branch: spec.branch.clone(),
        path: spec.path.clone(),
        credentials: Credentials::default(),
        interval: spec.interval,
    };
    loop {
        if let Some(name) = &spec.secret {
            let found = ctx
                .secrets
                .credentials(&ctx.caller, &key.namespace, name, welcome);
            wish.credentials = match found.await {
                Ok(credentials) => credentials,
                Err(halt) => return still_known(ctx, &follower, &wish, halt),
            };
        }
        let known = match ctx.sources.follow(&follower, &wish).await {
            Ok(known) => known,
            Err(why) => {
                let halt = Halt::Failed {
                    reason: why.reason,
                    attempt: format!("follow the source: {}", why.message),
                };
                return still_known(ctx, &follower, &wish, halt);
            }
        };
        let turned_away = known
            .trouble
            .as_ref()
            .is_some_and(|why| why.reason.blames_secret());
        if welcome != Welcome::Open || !turned_away || spec.secret.is_none() {
            return Ok(known);
        }
        welcome = Welcome::Refused;
    }
}

/// What runs is looked after although its source cannot be asked any more.
fn still_known(ctx: &Ctx, follower: &Follower, wish: &Wish, why: Halt) -> Result<Known, Halt> {
    let Some(known) = ctx.sources.pause(follower, wish) else {
        return Err(why);
    };
    let trouble = Trouble {
        reason: why.reason(),
        message: why.to_string(),
        transient: matches!(why, Halt::Failed { .. }),
    };
    Ok(Known {
        trouble: Some(trouble),
        ..known
    })
}

async fn overlay(ctx: &Ctx, key: &Key, environment: &Environment) -> Result<OverlayAt, Trouble> {
    let follower = environment::follower(environment);
    let known = ctx.sources.known(&follower);
    let Some(at) = known.at else {
        return Err(known.trouble.unwrap_or_else(|| Trouble {
            reason: kinds::Reason::SourcePending,
            message: "the overlay is being looked up".to_owned(),
            transient: true,
        }));
    };
    let [all, own] = environment::overlay_folders(environment, key);
    let all = ctx.sources.tree(&follower, at.commit, all).await?;
    let own = ctx.sources.tree(&follower, at.commit, own).await?;
    let ignore = if all.is_some() || own.is_some() {
        let path = environment::overlay_ignore(environment);
        ctx.sources.file(&follower, at.commit, path).await?
    } else {
        None
    };
    Ok(OverlayAt {
        follower,
        commit: at.commit,
        all,
        own,
        ignore,
    })
}

/// What a Shipment depends on.
fn needs(ctx: &Ctx, key: &Key) -> Vec<Key> {
    ctx.shipments
        .get(key)
        .map_or_else(Vec::new, |shipment| depends_on(&shipment))
}

/// Why a dependency is not ready, if it is not.
fn not_ready(ctx: &Ctx, needed: &Key) -> Option<&'static str> {
    let Some(shipment) = ctx.shipments.get(needed) else {
        return Some("does not exist");
    };
    if let Some(ready) = ctx.board.is_ready(needed, shipment.metadata.generation) {
        return (!ready).then_some("is not ready");
    }
    let status = shipment.status.clone().unwrap_or_default();
    let current = status.observed_generation == shipment.metadata.generation;
    let ready =
        condition::find(&status.conditions, kind::READY).is_some_and(condition::Condition::is_true);
    (!current || !ready).then_some("is not ready")
}
