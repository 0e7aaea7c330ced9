//! One server with the repository `shop`, somebody who works in it, and a place for copies.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use git::{
    Auth, CommitId, Content, Credentials, File, GitError, GitUrl, Limits, Reference, Repository,
};
use gitserver::{GitServer, ServerOptions, WorkTree};

pub(crate) struct World {
    pub(crate) server: GitServer,
    pub(crate) tree: WorkTree,
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) dir: tempfile::TempDir,
}

/// Limits under which a test of a broken server ends soon.
pub(crate) fn hasty() -> Limits {
    Limits {
        timeout: Duration::from_millis(1500),
        idle: Duration::from_millis(500),
        ..Limits::default()
    }
}

pub(crate) fn branch(name: &str) -> Reference {
    Reference::Branch(name.to_owned())
}

pub(crate) fn tag(name: &str) -> Reference {
    Reference::Tag(name.to_owned())
}

pub(crate) fn commit(id: &str) -> CommitId {
    id.parse().expect("git prints full ids")
}

/// A stop flag that stays down.
pub(crate) static GO: AtomicBool = AtomicBool::new(false);

impl World {
    /// An open server over TLS.
    pub(crate) fn new() -> World {
        World::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut ServerOptions)) -> World {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut options = ServerOptions::new(dir.path().join("served"));
        options.tls = true;
        change(&mut options);
        let auth = options.auth.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let server = runtime
            .block_on(GitServer::start(options))
            .expect("a server");
        server.create_repository("shop").expect("a repository");
        let tree = WorkTree::clone(
            &server.url("shop"),
            server.ca_pem(),
            &auth,
            &dir.path().join("work"),
        )
        .expect("a clone of it");
        World {
            server,
            tree,
            runtime,
            dir,
        }
    }

    /// Pushes one file and says where the branch stands.
    pub(crate) fn push(&self, path: &str, text: &str) -> CommitId {
        self.tree.write(path, text).expect("writes");
        commit(&self.tree.push().expect("pushes"))
    }

    pub(crate) fn credentials(&self, auth: Auth) -> Credentials {
        Credentials {
            auth,
            ca_pem: self.server.ca_pem().map(|pem| pem.as_bytes().to_vec()),
        }
    }

    /// The repository as Shipway sees it.
    pub(crate) fn open(&self, limits: Limits) -> Repository {
        self.open_as("copy", "shop", Auth::None, limits)
            .expect("opens")
    }

    pub(crate) fn open_as(
        &self,
        copy: &str,
        name: &str,
        auth: Auth,
        limits: Limits,
    ) -> Result<Repository, GitError> {
        let url = GitUrl::parse(&self.server.url(name)).expect("an address");
        Repository::open(
            &self.dir.path().join(copy),
            url,
            self.credentials(auth),
            limits,
        )
    }
}

/// Looks up and fetches a reference.
pub(crate) fn get(repository: &Repository, wanted: &Reference) -> Result<CommitId, GitError> {
    let found = repository.look_up(std::slice::from_ref(wanted))?;
    let commit = found[wanted].expect("the reference is there");
    repository.fetch(wanted, commit, &GO)?;
    Ok(commit)
}

/// All files of a folder as `path=text` and `path->target`.
pub(crate) fn files(
    repository: &Repository,
    commit: CommitId,
    path: &str,
) -> Result<Vec<String>, GitError> {
    let files = repository.read(repository.tree_id(commit, path)?, &|_| true)?;
    Ok(files.iter().map(shown).collect())
}

fn shown(file: &File) -> String {
    match &file.content {
        Content::Bytes(bytes) => format!("{}={}", file.path, String::from_utf8_lossy(bytes)),
        Content::Link(target) => format!("{}->{target}", file.path),
        Content::Large(size) => format!("{} of {size} bytes", file.path),
        Content::Left => format!("{} left", file.path),
    }
}

pub(crate) fn answers(
    pairs: &[(Reference, Option<CommitId>)],
) -> BTreeMap<Reference, Option<CommitId>> {
    pairs.iter().cloned().collect()
}
