//! A repository as this machine reads it: into a folder that goes away at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cluster::Resource;
use cluster::caller::Want;
use delivery::TreeFile;
use git::{CommitId, Credentials, File, GitError, GitUrl, Limits, Reference, Repository};
use k8s_openapi::api::core::v1::Secret;
use kube::core::ApiResource;

use crate::commands::target::Target;
use crate::error::CliError;

/// A repository that is being read.
pub(super) struct Checkout {
    repository: Arc<Repository>,
    _folder: tempfile::TempDir,
}

impl Checkout {
    /// Opens a repository; asks no server yet.
    pub(super) async fn open(url: GitUrl, credentials: Credentials) -> Result<Self, CliError> {
        let folder = tempfile::tempdir()
            .map_err(|error| CliError::failed(format!("no temporary folder: {error}")))?;
        let place = folder.path().to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            Repository::open(&place, url, credentials, Limits::default())
        })
        .await;
        let repository = opened
            .map_err(|_| broken_off())?
            .map_err(|error| unreadable(&error))?;
        Ok(Self {
            repository: Arc::new(repository),
            _folder: folder,
        })
    }

    /// Fetches where a reference stands now. A pinned commit may stand on a branch.
    pub(super) async fn fetch(
        &self,
        reference: &Reference,
        branch: Option<&str>,
    ) -> Result<CommitId, CliError> {
        let (reference, branch) = (reference.clone(), branch.map(str::to_owned));
        self.work(move |repository| {
            let stop = AtomicBool::new(false);
            if let Reference::Commit(commit) = reference {
                repository.fetch_pinned(commit, branch.as_deref(), &stop)?;
                return Ok(commit);
            }
            let found = repository.look_up(std::slice::from_ref(&reference))?;
            let missing = || GitError::ReferenceMissing {
                url: repository.url().clone(),
                reference: reference.clone(),
            };
            let commit = found
                .get(&reference)
                .copied()
                .flatten()
                .ok_or_else(missing)?;
            repository.fetch(&reference, commit, &stop)?;
            Ok(commit)
        })
        .await
    }

    /// What a name stands for: a tag, or else a branch.
    pub(super) async fn named(&self, name: &str) -> Result<Reference, CliError> {
        let wanted = [
            Reference::Tag(name.to_owned()),
            Reference::Branch(name.to_owned()),
        ];
        let asked = wanted.clone();
        let found = self
            .work(move |repository| repository.look_up(&asked))
            .await?;
        let is_there = |reference: &Reference| found.get(reference).copied().flatten().is_some();
        wanted.into_iter().find(is_there).ok_or_else(|| {
            CliError::failed(format!(
                "`{}` has no tag and no branch `{name}`",
                self.repository.url()
            ))
            .hint("a commit needs all of its 40 digits, since Git servers look no shorter ones up")
        })
    }

    /// The files of a folder of a fetched commit, below a prefix; nothing where there is no such folder.
    pub(super) async fn files(
        &self,
        commit: CommitId,
        path: &str,
        prefix: &str,
    ) -> Result<Option<Vec<TreeFile>>, CliError> {
        let (path, prefix) = (path.to_owned(), prefix.to_owned());
        self.work(move |repository| {
            let tree = match repository.tree_id(commit, &path) {
                Err(GitError::PathMissing { .. }) => return Ok(None),
                tree => tree?,
            };
            let files = repository.read(tree, &delivery::is_read)?;
            let files = files
                .into_iter()
                .map(|file| controllers::shipment::tree_file(file, &prefix));
            Ok(Some(files.collect()))
        })
        .await
    }

    /// The `.shipwayignore` at a path of a fetched commit, as a file at the top of its tree.
    pub(super) async fn ignore(
        &self,
        commit: CommitId,
        path: String,
    ) -> Result<Option<TreeFile>, CliError> {
        self.work(move |repository| {
            let content = repository.file(commit, &path)?;
            Ok(content.map(|content| {
                let path = delivery::IGNORE_FILE.to_owned();
                controllers::shipment::tree_file(File { path, content }, "")
            }))
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Repository) -> Result<T, GitError> + Send + 'static,
    ) -> Result<T, CliError> {
        let repository = self.repository.clone();
        let done = tokio::task::spawn_blocking(move || work(&repository)).await;
        done.map_err(|_| broken_off())?
            .map_err(|error| unreadable(&error))
    }
}

/// What a panic says may quote a file, so it is not shown.
fn broken_off() -> CliError {
    CliError::failed("reading the repository broke off")
}

fn unreadable(error: &GitError) -> CliError {
    let failed = CliError::failed(error);
    match error {
        GitError::Unauthorized { .. } => failed.hint("the credentials are those of the Secret that the Shipment or the Environment names"),
        error if error.is_transient() => failed.hint("the repository is read from this machine, which may not reach what the cluster reaches"),
        _ => failed,
    }
}

/// The credentials of a Secret, as far as the caller may read it.
pub(super) async fn credentials(
    target: &Target,
    namespace: &str,
    name: &str,
) -> Result<Credentials, CliError> {
    let place = Resource::object(&ApiResource::erase::<Secret>(&()), Some(namespace), name);
    let secret: Secret = match target.caller.get(&place, Want::Whole).await {
        // The answer of a failed decode could quote the Secret, so its text is not shown.
        Ok(answer) => answer.decode().map_err(|_| {
            CliError::failed(format!("could not read the Secret `{namespace}/{name}`"))
        })?,
        Err(error) if error.is_forbidden() => {
            return Err(CliError::failed(format!("you may not read the Secret `{namespace}/{name}` with the credentials of the repository"))
                .hint("the repository is read from this machine; ask for `get` on that Secret"));
        }
        Err(error) => {
            return Err(CliError::failed(format!(
                "could not read the Secret `{namespace}/{name}` with the credentials of the repository: {error}"
            )));
        }
    };
    let data: BTreeMap<String, Vec<u8>> = secret
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (key, value.0))
        .collect();
    Credentials::from_secret(secret.type_.as_deref(), &data)
        .map_err(|error| CliError::failed(format!("the Secret `{namespace}/{name}`: {error}")))
}
