//! The story, step by step. Each step is one function that says what it does, does it, and waits
//! until it has come true.

mod trouble;

use std::process::Stdio;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use tokio::process::Command;
use tokio::time::Instant;

use super::board::Board;
use super::cluster::{Env, Stage, api};
use super::file::{self, APP};
use super::repository::{Repositories, push};
use crate::error::CliError;
use crate::output::word;

/// How long the effect of something that has already happened may take to be seen.
const SOON: Duration = Duration::from_secs(30);

/// What every step works with.
struct Scene<'a> {
    stage: &'a Stage,
    git: &'a Repositories,
    board: &'a Board,
}

pub(super) async fn tell(stage: &Stage, git: &Repositories, board: &Board) -> Result<(), CliError> {
    let scene = Scene { stage, git, board };
    scene.first_delivery().await?;
    let second = scene.new_commit().await?;
    scene.promotions(&second).await?;
    Box::pin(scene.repair()).await?;
    scene.prune().await?;
    scene.broken_file().await?;
    scene.mass_deletion().await?;
    scene.hopeless_wait().await
}

impl Scene<'_> {
    fn qa(&self) -> &Env {
        &self.stage.environments[0]
    }

    /// Pushes the application and sends the push event; tells the commit and when that was.
    async fn push_app(&self) -> Result<(String, Instant), CliError> {
        let commit = push(&self.git.app)?;
        let since = Instant::now();
        self.stage.pushed(&self.git.app_url()).await?;
        Ok((commit, since))
    }

    async fn push_deliverables(&self) -> Result<Instant, CliError> {
        push(&self.git.deliverables)?;
        let since = Instant::now();
        self.stage.pushed(&self.git.deliverables_url()).await?;
        Ok(since)
    }

    fn write_app(&self, path: &str, text: &str) -> Result<(), CliError> {
        self.git
            .app
            .write(&format!("{APP}/{path}"), text)
            .map_err(CliError::failed)
    }

    fn remove_app(&self, path: &str) -> Result<(), CliError> {
        self.git
            .app
            .remove(&format!("{APP}/{path}"))
            .map_err(CliError::failed)
    }

    async fn first_delivery(&self) -> Result<(), CliError> {
        self.board
            .chapter("Each cluster picks up its Deliverables from Git, then the application");
        let since = Instant::now();
        for environment in &self.stage.environments {
            for object in environment.root(&self.git.deliverables_url()) {
                environment.apply(&object).await?;
            }
        }
        let arrivals = self
            .stage
            .environments
            .iter()
            .map(|environment| self.arrival(environment, since));
        futures::future::try_join_all(arrivals).await?;
        for environment in &self.stage.environments {
            self.own_configuration(environment).await?;
        }
        Ok(())
    }

    async fn arrival(&self, environment: &Env, since: Instant) -> Result<(), CliError> {
        let name = environment.name;
        let stamped = environment.until("it has its Deliverables", since, |seen| {
            seen.shipments.get("shop").map(|_| ())
        });
        let ((), took) = stamped.await?;
        self.board.done(
            &format!("{name}: its Deliverables are there, from the deliverables repository"),
            took,
        );
        let took = environment
            .until_first("the application runs", "shop", since)
            .await?;
        self.board.done(
            &format!("{name}: the application is applied and healthy"),
            took,
        );
        Ok(())
    }

    /// What is specific to an environment came with the environment's overlay.
    async fn own_configuration(&self, environment: &Env) -> Result<(), CliError> {
        let found = api::<ConfigMap>(environment)
            .get_opt("environment")
            .await
            .map_err(CliError::failed)?;
        let name = found
            .and_then(|map| map.data?.get("name").cloned())
            .unwrap_or_default();
        let deployment = api::<Deployment>(environment)
            .get("shop")
            .await
            .map_err(CliError::failed)?;
        let replicas = deployment.spec.and_then(|spec| spec.replicas).unwrap_or(0);
        if name != environment.name {
            return Err(wrong(
                environment,
                &format!("its own configuration is there (it says `{name}`)"),
            ));
        }
        self.board.seen(&format!(
            "{name}: has its own ConfigMap `environment` and {replicas} replicas, from its overlay"
        ));
        Ok(())
    }

    async fn new_commit(&self) -> Result<String, CliError> {
        self.board.chapter(
            "A new commit reaches QA by itself; staging and production stay where they are pinned",
        );
        self.write_app("settings.yaml", &file::settings("green"))?;
        let (commit, since) = self.push_app().await?;
        let took = self
            .qa()
            .until_ready("the new commit arrives", "shop", &commit, since)
            .await?;
        self.board.done(&format!("qa: runs {}", &commit[..8]), took);
        for environment in &self.stage.environments[1..] {
            let revision = environment.status("shop").revision.unwrap_or_default();
            if !revision.ends_with(&self.git.first) {
                return Err(wrong(
                    environment,
                    &format!("it stays at the pinned commit (it is at {revision})"),
                ));
            }
            self.board.seen(&format!(
                "{}: still at {}",
                environment.name,
                &self.git.first[..8]
            ));
        }
        Ok(commit)
    }

    async fn promotions(&self, commit: &str) -> Result<(), CliError> {
        self.board
            .chapter("A promotion is a commit to the deliverables repository");
        for pair in self.stage.environments.windows(2) {
            let (from, to) = (&pair[0], &pair[1]);
            let clone = self.git.deliverables.dir().display().to_string();
            let arguments = [
                "promote", "shop", "--from", from.name, "--to", to.name, "--repo", &clone,
            ];
            self.shown(from, &arguments);
            let message = word(&format!("promote shop to {}", to.name));
            let git = format!("git -C {}", word(&clone));
            self.board.line(&format!(
                "  $ {git} commit -am {message}\n  $ {git} pull --rebase\n  $ {git} push"
            ));
            self.shipway(from, &arguments).await?;
            let since = self.push_deliverables().await?;
            let took = to
                .until_ready("the promoted commit arrives", "shop", commit, since)
                .await?;
            self.board
                .done(&format!("{}: runs {}", to.name, &commit[..8]), took);
        }
        Ok(())
    }

    /// Shows a command of this program as it can be pasted.
    fn shown(&self, environment: &Env, arguments: &[&str]) {
        let words: Vec<String> = arguments.iter().map(|argument| word(argument)).collect();
        let flags = self.stage.flags_for(environment);
        self.board
            .line(&format!("  $ shipway {}{flags}", words.join(" ")));
    }

    /// Runs a command of this program against an environment, exactly as a user would.
    async fn shipway(&self, environment: &Env, arguments: &[&str]) -> Result<(), CliError> {
        let program = std::env::current_exe().map_err(CliError::failed)?;
        let mut command = self.stage.command(program);
        command.args(arguments).args([
            "-n",
            &environment.namespace,
            "--context",
            &environment.context,
        ]);
        let output = command
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(CliError::failed)?;
        if output.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(CliError::failed(format!(
            "`shipway {}` failed: {why}",
            arguments.join(" ")
        )))
    }
}

impl Stage {
    /// This program, with the user's kubeconfig.
    #[expect(
        clippy::disallowed_methods,
        reason = "the demo runs commands as a user would"
    )]
    fn command(&self, program: std::path::PathBuf) -> Command {
        let mut command = Command::new(program);
        if let Some(kubeconfig) = self.kubeconfig() {
            command.arg("--kubeconfig").arg(kubeconfig);
        }
        command
    }
}

fn wrong(environment: &Env, step: &str) -> CliError {
    CliError::failed(format!(
        "this step did not come true: {}: {step}",
        environment.name
    ))
}

async fn soon<T, E>(
    environment: &Env,
    step: &str,
    what: impl Future<Output = Result<T, E>>,
) -> Result<(), CliError> {
    match tokio::time::timeout(SOON, what).await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(wrong(environment, step)),
    }
}
