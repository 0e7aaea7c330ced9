//! What Git wants of a Shipment: its files at a revision, with the overlay of an Environment.

use std::sync::Arc;

use controllers::board::Key;
use controllers::shipment::spec::{self, Spec};
use controllers::{Halt, environment};
use delivery::{Overlay, Rendering, Subject};
use git::{CommitId, Credentials, Reference};
use kinds::{Environment, Shipment};
use kube::api::{Api, ListParams};

use super::source::{Checkout, credentials};
use crate::commands::get::short;
use crate::commands::target::Target;
use crate::error::CliError;
use crate::progress::Progress;

/// A Shipment and its repository.
pub(super) struct Case {
    pub(super) target: Target,
    pub(super) shipment: Shipment,
    pub(super) key: Key,
    pub(super) spec: Spec,
    pub(super) progress: Progress,
    source: Checkout,
}

impl Case {
    pub(super) async fn open(target: Target, name: &str) -> Result<Self, CliError> {
        let shipment = target.shipment(name).await?;
        let key = Key::new(&target.namespace, name);
        let spec = spec::parse(&shipment).map_err(|halt| halted(&halt))?;
        let credentials = match &spec.secret {
            Some(secret) => credentials(&target, &key.namespace, secret).await?,
            None => Credentials::default(),
        };
        let source = Checkout::open(spec.url.clone(), credentials).await?;
        let progress = Progress::start(format!("reading {}", spec.url));
        Ok(Self {
            target,
            shipment,
            key,
            spec,
            progress,
            source,
        })
    }

    /// Fetches a revision: what the Shipment follows, or what a text names. Tells how a status would show it.
    pub(super) async fn fetch(
        &self,
        revision: Option<&str>,
    ) -> Result<(CommitId, String), CliError> {
        let reference = match revision {
            None => self.spec.reference.clone(),
            Some(text) => self.reference(text).await?,
        };
        let commit = self
            .source
            .fetch(&reference, self.spec.branch.as_deref())
            .await?;
        let shown = match reference {
            Reference::Commit(commit) => format!("sha1:{commit}"),
            named => format!("{named}@sha1:{commit}"),
        };
        Ok((commit, short(&shown)))
    }

    async fn reference(&self, text: &str) -> Result<Reference, CliError> {
        let digits = text.rsplit_once("sha1:").map_or(text, |(_, commit)| commit);
        if let Ok(commit) = digits.parse() {
            return Ok(Reference::Commit(commit));
        }
        match delivered(&self.shipment, digits) {
            Some(commit) => Ok(Reference::Commit(commit)),
            None => self.source.named(text).await,
        }
    }

    /// The Environment that covers the Shipment.
    pub(super) async fn environment(&self) -> Result<Option<Arc<Environment>>, CliError> {
        let all: Api<Environment> = Api::all(self.target.client.clone());
        let list = all
            .list(&ListParams::default())
            .await
            .map_err(|error| without_overlay(self.target.refused(&error)))?;
        let all: Vec<_> = list.items.into_iter().map(Arc::new).collect();
        environment::choose(&all, &self.shipment).map_err(|halt| halted(&halt))
    }

    /// The part of the overlay that concerns the Shipment, if there is an Environment.
    pub(super) async fn overlay_of(
        &self,
        environment: Option<&Environment>,
    ) -> Result<Option<Overlay>, CliError> {
        match environment {
            Some(environment) => self.overlay_from(&self.target, environment).await,
            None => Ok(None),
        }
    }

    /// The part of an Environment's overlay that concerns the Shipment; `target` is where the Environment
    /// was read, and its Secret is.
    pub(super) async fn overlay_from(
        &self,
        target: &Target,
        environment: &Environment,
    ) -> Result<Option<Overlay>, CliError> {
        let Some(overlay) = &environment.spec.overlay else {
            return Ok(None);
        };
        let git = &overlay.git;
        self.progress.say(format!("reading {}", git.url));
        let credentials = match &git.secret_ref {
            Some(secret) => credentials(target, &secret.namespace, &secret.name)
                .await
                .map_err(without_overlay)?,
            None => Credentials::default(),
        };
        let url = spec::url(&git.url).map_err(|halt| halted(&halt))?;
        let (reference, branch) =
            spec::reference(git.reference.as_ref()).map_err(|halt| halted(&halt))?;
        let checkout = Checkout::open(url, credentials).await?;
        let commit = checkout
            .fetch(&reference, branch.as_deref())
            .await
            .map_err(without_overlay)?;
        let folders = environment::overlay_folders(environment, &self.key);
        let prefixes = [
            "all/".to_owned(),
            format!("{}/{}/", self.key.namespace, self.key.name),
        ];
        let ignore = environment::overlay_ignore(environment);
        let mut files: Vec<_> = checkout.ignore(commit, ignore).await?.into_iter().collect();
        for (folder, prefix) in folders.iter().zip(&prefixes) {
            files.extend(
                checkout
                    .files(commit, folder, prefix)
                    .await?
                    .unwrap_or_default(),
            );
        }
        Ok(Some(Overlay { files }))
    }

    /// The manifests at a revision.
    pub(super) async fn render(
        &self,
        commit: CommitId,
        overlay: Option<&Overlay>,
    ) -> Result<Rendering, CliError> {
        let files = self.source.files(commit, &self.spec.path, "").await?;
        let files = files.ok_or_else(|| {
            CliError::failed(format!(
                "{} has no folder `{}`",
                short(&format!("sha1:{commit}")),
                self.spec.path
            ))
        })?;
        let rendering = delivery::render(&self.subject(), files, overlay);
        match &rendering.refused {
            Some(refusal) => Err(CliError::failed(refusal)),
            None => Ok(rendering),
        }
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        Subject {
            namespace: &self.key.namespace,
            name: &self.key.name,
        }
    }
}

/// A commit that was delivered and begins with these digits.
fn delivered(shipment: &Shipment, digits: &str) -> Option<CommitId> {
    if digits.len() < 7 {
        return None;
    }
    let status = shipment.status.as_ref()?;
    let known = status
        .revision
        .iter()
        .chain(status.history.iter().map(|delivered| &delivered.revision));
    let commits =
        known.filter_map(|revision| revision.rsplit_once("sha1:").map(|(_, commit)| commit));
    commits
        .into_iter()
        .find(|commit| commit.starts_with(digits))?
        .parse()
        .ok()
}

pub(super) fn without_overlay(error: CliError) -> CliError {
    error.hint("--no-overlay compares without what the Environment adds")
}

pub(super) fn halted(halt: &Halt) -> CliError {
    CliError::failed(halt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinds::shipment::Delivered;
    use kinds::{ShipmentSpec, ShipmentStatus};

    #[test]
    fn the_first_digits_are_enough_for_what_was_delivered() {
        let (now, then) = ("a".repeat(40), "b".repeat(40));
        let mut shipment = Shipment::new("web", ShipmentSpec::default());
        shipment.status = Some(ShipmentStatus {
            revision: Some(format!("main@sha1:{now}")),
            history: vec![Delivered {
                revision: format!("main@sha1:{then}"),
                at: String::new(),
            }],
            ..ShipmentStatus::default()
        });
        let found = |digits: &str| delivered(&shipment, digits).map(|commit| commit.to_string());
        assert_eq!(
            (found("aaaaaaaa"), found("bbbbbbb")),
            (Some(now), Some(then))
        );
        assert_eq!((found("aaa"), found("ccccccc")), (None, None));
    }
}
