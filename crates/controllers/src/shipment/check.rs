//! Decides whether there is ground to work on, and names what is missing. Pure.

use std::sync::Arc;

use cluster::Owner;
use delivery::prune::Protection;
use kinds::{Environment, Reason};
use kube::ResourceExt as _;

use super::gather::{Gathered, OverlayAt};
use super::spec::Spec;
use crate::board::{Key, Wait};
use crate::environment;
use crate::halt::Halt;
use crate::source::{At, Trouble};

/// A Shipment that can be worked on.
pub(super) struct Checked {
    pub(super) key: Key,
    pub(super) owner: Owner,
    pub(super) spec: Spec,
    pub(super) at: At,
    /// Trouble with the source since then: what runs is still looked after.
    pub(super) stale: Option<Trouble>,
    pub(super) environment: Option<Arc<Environment>>,
    pub(super) overlay: Option<OverlayAt>,
    pub(super) protection: Protection,
    /// The digest of everything that decides what is applied and pruned.
    pub(super) inputs: String,
}

impl Checked {
    /// The revision, as a status shows it.
    pub(super) fn revision(&self) -> String {
        match &self.spec.reference {
            git::Reference::Commit(commit) => format!("sha1:{commit}"),
            reference => format!("{reference}@sha1:{}", self.at.commit),
        }
    }

    /// The Environment's name.
    pub(super) fn environment_name(&self) -> Option<String> {
        self.environment
            .as_ref()
            .map(|environment| environment.name_any())
    }
}

pub(super) fn check(key: &Key, spec: Spec, gathered: Gathered) -> Result<Checked, Halt> {
    if gathered.namespace_going {
        return Err(Halt::Waiting {
            reason: Reason::NamespaceMissing,
            what: format!("the namespace `{}`, which is on its way out", key.namespace),
            wait: Some(Wait::Namespace(key.namespace.clone())),
        });
    }
    let (at, stale) = source(&spec, &gathered)?;
    if !gathered.account_exists {
        return Err(Halt::Waiting {
            reason: Reason::ServiceAccountMissing,
            what: format!(
                "the ServiceAccount `{}/{}`, which does not exist",
                key.namespace, spec.account
            ),
            wait: Some(Wait::Account(key.namespace.clone(), spec.account.clone())),
        });
    }
    let overlay = match gathered.overlay {
        Some(Ok(overlay)) => Some(overlay),
        Some(Err(why)) => return Err(overlay_trouble(gathered.environment.as_deref(), &why)),
        None => None,
    };
    if let Some(way) = &gathered.circle {
        let way: Vec<String> = way.iter().map(|key| format!("`{key}`")).collect();
        return Err(Halt::Waiting {
            reason: Reason::DependencyCycle,
            what: format!(
                "itself: `spec.dependsOn` leads in a circle ({}), which has to be opened somewhere",
                way.join(" → ")
            ),
            // It is opened by an edit of any of them; the next one tells what came of that.
            wait: gathered
                .circle
                .as_ref()
                .and_then(|way| Some(Wait::Shipment(way.get(1)?.clone()))),
        });
    }
    if let Some((needed, why)) = gathered.missing.first() {
        return Err(Halt::Waiting {
            reason: Reason::DependencyNotReady,
            what: format!("Shipment `{needed}`, which {why}"),
            wait: Some(Wait::Shipment(needed.clone())),
        });
    }
    let protection = environment::protection(gathered.environment.as_deref())?;
    let inputs = inputs(&spec, at, overlay.as_ref(), &protection);
    Ok(Checked {
        owner: Owner::shipment(&key.namespace, &key.name),
        key: key.clone(),
        spec,
        at,
        stale,
        environment: gathered.environment,
        overlay,
        protection,
        inputs,
    })
}

/// The revision to work on: the last that was fetched, even where a later look failed, unless
/// the spec points somewhere else by now.
fn source(spec: &Spec, gathered: &Gathered) -> Result<(At, Option<Trouble>), Halt> {
    match (gathered.known.at, &gathered.known.trouble) {
        (Some(at), trouble) => Ok((at, trouble.clone())),
        (None, Some(why)) if why.transient => Err(Halt::Failed {
            reason: why.reason,
            attempt: format!("read the source: {}", why.message),
        }),
        (None, Some(why)) => Err(Halt::Stalled {
            reason: why.reason,
            why: why.message.clone(),
        }),
        (None, None) => Err(Halt::Waiting {
            reason: Reason::SourcePending,
            what: format!("the first look at `{}`", spec.url),
            wait: None,
        }),
    }
}

fn overlay_trouble(environment: Option<&Environment>, why: &Trouble) -> Halt {
    if why.reason == Reason::SourcePending {
        return Halt::Waiting {
            reason: Reason::SourcePending,
            what: "the first look at the overlay".to_owned(),
            wait: None,
        };
    }
    let name = environment
        .map(kube::ResourceExt::name_any)
        .unwrap_or_default();
    Halt::Waiting {
        reason: Reason::OverlayUnavailable,
        what: format!("the overlay of Environment `{name}`: {}", why.message),
        wait: None,
    }
}

fn inputs(spec: &Spec, at: At, overlay: Option<&OverlayAt>, protection: &Protection) -> String {
    let text = format!(
        "2\n{}\n{:?}\n{}\n{}\n{:?}\n{:?}\n{:?}",
        at.tree,
        overlay.map(|overlay| (
            overlay.all.map(|t| t.to_string()),
            overlay.own.map(|t| t.to_string())
        )),
        spec.account,
        spec.prune,
        spec.ignore,
        spec.confirmed,
        protection,
    );
    let ignore = overlay.and_then(|overlay| overlay.ignore.as_ref());
    let text = match ignore {
        Some(content) => format!("{text}\n{content:?}"),
        None => text,
    };
    manifest::fingerprint(&text, 32)
}
