//! The two repositories of the demo, on a real Git server (smart HTTP on loopback).

use gitserver::{Auth, GitServer, ServerOptions, WorkTree};

use super::cluster::Stage;
use super::file::{self, Place};
use crate::error::CliError;

/// The application's GitOps repository and the deliverables repository, with a clone of each.
pub(super) struct Repositories {
    server: GitServer,
    pub(super) app: WorkTree,
    pub(super) deliverables: WorkTree,
    /// The first commit of the application.
    pub(super) first: String,
}

const APP: &str = "shop";
const DELIVERABLES: &str = "deliverables";

impl Repositories {
    /// Starts the server and fills the repositories.
    pub(super) async fn create(stage: &Stage) -> Result<Self, CliError> {
        let root = stage.folder.path().join("git");
        let server = GitServer::start(ServerOptions::new(root))
            .await
            .map_err(|error| {
                CliError::failed(format!("could not start the Git server: {error}"))
                    .hint("install Git")
            })?;
        for name in [APP, DELIVERABLES] {
            server
                .create_repository(name)
                .map_err(|error| CliError::failed(error).hint("is Git installed?"))?;
        }
        let app = clone(&server.url(APP), stage, "shop").await?;
        let deliverables = clone(&server.url(DELIVERABLES), stage, "deliverables").await?;
        let mut repositories = Self {
            server,
            app,
            deliverables,
            first: String::new(),
        };
        for (path, text) in file::application() {
            repositories
                .app
                .write(&path, text)
                .map_err(CliError::failed)?;
        }
        repositories.first = push(&repositories.app)?;
        for environment in &stage.environments {
            let pinned = environment.name != "qa";
            let place = Place {
                environment: environment.name,
                namespace: &environment.namespace,
                url: &repositories.app_url(),
                commit: pinned.then_some(repositories.first.as_str()),
                catalog_namespace: &stage.catalog_namespace(environment),
            };
            for (path, text) in file::deliverables(&place) {
                repositories
                    .deliverables
                    .write(&path, text)
                    .map_err(CliError::failed)?;
            }
        }
        push(&repositories.deliverables)?;
        Ok(repositories)
    }

    pub(super) fn app_url(&self) -> String {
        self.server.url(APP)
    }

    pub(super) fn deliverables_url(&self) -> String {
        self.server.url(DELIVERABLES)
    }
}

async fn clone(url: &str, stage: &Stage, name: &str) -> Result<WorkTree, CliError> {
    let (url, dir) = (url.to_owned(), stage.folder.path().join(name));
    // The git program waits for the server, which runs on this runtime.
    let cloned =
        tokio::task::spawn_blocking(move || WorkTree::clone(&url, None, &Auth::None, &dir)).await;
    cloned.map_err(CliError::failed)?.map_err(CliError::failed)
}

/// Commits everything and pushes, as the workshop does: add, commit, pull with rebase, push.
pub(super) fn push(work: &WorkTree) -> Result<String, CliError> {
    tokio::task::block_in_place(|| work.push()).map_err(CliError::failed)
}
