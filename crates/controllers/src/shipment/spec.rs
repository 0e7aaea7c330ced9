//! A Shipment's spec, checked: what is wrong in itself is found here, by field.

use std::time::Duration;

use git::{CommitId, GitUrl, Reference};
use k8s_openapi::jiff::SignedDuration;
use kinds::shipment::{GitReference, Ignore};
use kinds::{Reason, Shipment, names};
use kube::ResourceExt as _;

use crate::board::Key;
use crate::halt::Halt;

/// How often a source is looked up where nothing is said.
pub const INTERVAL: Duration = Duration::from_secs(30);
/// How long objects may take to become healthy where nothing is said.
const TIMEOUT: Duration = Duration::from_mins(5);

/// A checked spec.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The repository.
    pub url: GitUrl,
    /// The revision.
    pub reference: Reference,
    /// The branch beside a pinned commit.
    pub branch: Option<String>,
    /// The folder; empty for the whole repository.
    pub path: String,
    /// The Secret with credentials.
    pub secret: Option<String>,
    /// The ServiceAccount to act as.
    pub account: String,
    /// How often to look.
    pub interval: Duration,
    /// How long objects may take.
    pub timeout: Duration,
    /// Whether nothing is to be done.
    pub suspended: bool,
    /// Whether what leaves the source is deleted.
    pub prune: bool,
    /// What must be ready first.
    pub depends_on: Vec<Key>,
    /// Fields that others may own.
    pub ignore: Vec<Ignore>,
    /// The digest of a prune list that somebody agreed to.
    pub confirmed: Option<String>,
}

/// Checks a spec.
///
/// # Errors
/// [`Halt::Stalled`] that names the field.
pub fn parse(shipment: &Shipment) -> Result<Spec, Halt> {
    let spec = &shipment.spec;
    let git = spec.source.git.as_ref().ok_or_else(|| {
        invalid("`spec.source.git` is missing: image sources are not supported yet")
    })?;
    let (reference, branch) = reference(git.reference.as_ref())?;
    for ignore in &spec.ignore {
        if let Some(path) = ignore.paths.iter().find(|path| !path.starts_with('/')) {
            return Err(invalid(&format!(
                "`spec.ignore` has the path `{path}`: a JSON pointer begins with `/`"
            )));
        }
    }
    Ok(Spec {
        url: url(&git.url)?,
        reference,
        branch,
        path: path(spec.path.as_deref())?,
        secret: git.secret_ref.as_ref().map(|secret| secret.name.clone()),
        account: spec
            .service_account_name
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "default".to_owned()),
        interval: duration("spec.interval", spec.interval.as_deref(), INTERVAL)?,
        timeout: duration("spec.timeout", spec.timeout.as_deref(), TIMEOUT)?,
        suspended: spec.suspend.unwrap_or(false),
        prune: spec.prune.unwrap_or(true),
        depends_on: depends_on(shipment),
        ignore: spec.ignore.clone(),
        confirmed: shipment
            .annotations()
            .get(names::CONFIRM_ANNOTATION)
            .cloned(),
    })
}

/// Checks a repository's URL.
///
/// # Errors
/// [`Halt::Stalled`] that says what is wrong with it.
pub fn url(text: &str) -> Result<GitUrl, Halt> {
    GitUrl::parse(text).map_err(|error| invalid(&format!("`spec.source.git.url`: {error}")))
}

/// Reads a reference: a commit wins over a tag, a tag over a branch; `main` where none is named.
/// Beside a commit stands the branch to look for it on.
///
/// # Errors
/// [`Halt::Stalled`] where the commit is none.
pub fn reference(reference: Option<&GitReference>) -> Result<(Reference, Option<String>), Halt> {
    let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let Some(reference) = reference else {
        return Ok((Reference::Branch("main".to_owned()), None));
    };
    let branch = named(&reference.branch);
    if let Some(commit) = named(&reference.commit) {
        let id: CommitId = commit.parse().map_err(|_| {
            invalid(&format!("`spec.source.git.ref.commit` `{commit}` is not the 40 hexadecimal digits of a commit"))
        })?;
        return Ok((Reference::Commit(id), branch));
    }
    if let Some(tag) = named(&reference.tag) {
        return Ok((Reference::Tag(tag), None));
    }
    Ok((
        Reference::Branch(branch.unwrap_or_else(|| "main".to_owned())),
        None,
    ))
}

/// The Shipments that have to be ready first.
pub(crate) fn depends_on(shipment: &Shipment) -> Vec<Key> {
    let here = shipment.namespace().unwrap_or_default();
    let needed = shipment.spec.depends_on.iter();
    needed
        .map(|needed| {
            let namespace = needed.namespace.as_ref().unwrap_or(&here);
            Key::new(namespace, &needed.name)
        })
        .collect()
}

/// Reads a folder: relative, without a way out.
///
/// # Errors
/// [`Halt::Stalled`] where it leads out.
pub fn path(text: Option<&str>) -> Result<String, Halt> {
    let text = text.unwrap_or_default();
    let mut parts = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() => {}
            ".." => {
                return Err(invalid(&format!(
                    "`spec.path` `{text}` leads out of the repository"
                )));
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Reads a duration such as `30s` or `5m`.
pub(crate) fn duration(
    field: &str,
    text: Option<&str>,
    default: Duration,
) -> Result<Duration, Halt> {
    let Some(text) = text else { return Ok(default) };
    let read: Option<Duration> = text
        .parse::<SignedDuration>()
        .ok()
        .and_then(|duration| duration.try_into().ok());
    let read = read.filter(|duration| {
        *duration >= Duration::from_secs(1) && *duration <= Duration::from_hours(24)
    });
    read.ok_or_else(|| {
        invalid(&format!(
            "`{field}` `{text}` is not a duration between `1s` and `24h`, such as `30s` or `5m`"
        ))
    })
}

fn invalid(why: &str) -> Halt {
    Halt::Stalled {
        reason: Reason::SpecInvalid,
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, ()>) {
        let read = path(Some(text)).map_err(|_| ());
        assert_eq!(read.as_deref(), expected.as_deref());
    }

    #[test]
    fn a_path_may_turn_back_but_not_lead_out() {
        check("./app//web/", Ok("app/web"));
        check("app/../other", Ok("other"));
        check("app/web/../../other", Ok("other"));
        check("app/..", Ok(""));
        check("../other", Err(()));
        check("app/../../other", Err(()));
    }
}
