//! The story, step by step. Each step is one function that says what it does, does it, and waits
//! until it has come true.

use std::process::Stdio;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::condition::{self, kind};
use kube::api::{Patch, PatchParams};
use kube::runtime::wait::await_condition;
use serde_json::json;
use tokio::process::Command;
use tokio::time::Instant;

use super::board::Board;
use super::cluster::{Env, Stage, api};
use super::file::{self, APP};
use super::repository::{Repositories, push};
use crate::error::CliError;

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
    scene.repair().await?;
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
            .until_ready("the application runs", "shop", None, since)
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
            .until_ready("the new commit arrives", "shop", Some(&commit), since)
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
            let arguments = ["promote", "shop", "--from", from.name, "--to", to.name];
            self.board.line(&format!(
                "  $ shipway {} && git commit && git pull --rebase && git push",
                arguments.join(" ")
            ));
            let directory = self.git.deliverables.dir().display().to_string();
            self.shipway(
                from,
                &[
                    &arguments[..],
                    &["--repo", &directory, "--from-context", &from.context],
                ]
                .concat(),
            )
            .await?;
            let since = self.push_deliverables().await?;
            let took = to
                .until_ready("the promoted commit arrives", "shop", Some(commit), since)
                .await?;
            self.board
                .done(&format!("{}: runs {}", to.name, &commit[..8]), took);
        }
        Ok(())
    }

    async fn repair(&self) -> Result<(), CliError> {
        self.board
            .chapter("What is edited behind Git's back is put right");
        let production = self.stage.environments.last().expect("there are three");
        let patch = json!({"spec": {"replicas": 7}});
        let params = PatchParams {
            field_manager: Some("kubectl-edit".to_owned()),
            ..PatchParams::default()
        };
        let since = Instant::now();
        api::<Deployment>(production)
            .patch("shop", &params, &Patch::Merge(patch))
            .await
            .map_err(CliError::failed)?;
        let repaired = await_condition(
            api::<Deployment>(production),
            "shop",
            |found: Option<&Deployment>| {
                found
                    .and_then(|found| found.spec.as_ref())
                    .is_some_and(|spec| spec.replicas == Some(3))
            },
        );
        soon(production, "the edited Deployment is put right", repaired).await?;
        self.board.done(
            "production: `kubectl edit` set 7 replicas, they are 3 again",
            since.elapsed(),
        );
        let (note, _) = production
            .until("an event tells who it was", since, |seen| {
                let told = seen
                    .events
                    .iter()
                    .find(|(about, reason, _)| about == "shop" && reason == "DriftRepaired");
                told.map(|(_, _, note)| note.clone())
            })
            .await?;
        self.board.line(&format!("  the event says: {note}"));
        Ok(())
    }

    async fn prune(&self) -> Result<(), CliError> {
        self.board.chapter("What leaves Git leaves the cluster");
        self.remove_app("page.yaml")?;
        let (_, since) = self.push_app().await?;
        let gone = await_condition(
            api::<ConfigMap>(self.qa()),
            "page",
            |found: Option<&ConfigMap>| found.is_none(),
        );
        soon(self.qa(), "the removed ConfigMap is pruned", gone).await?;
        self.board
            .done("qa: ConfigMap `page` is pruned", since.elapsed());
        Ok(())
    }

    async fn broken_file(&self) -> Result<(), CliError> {
        self.board
            .chapter("A broken file costs that file alone, and nothing is pruned meanwhile");
        self.write_app("more.yaml", file::BROKEN)?;
        self.write_app("settings.yaml", &file::settings("violet"))?;
        self.remove_app(&file::feature(1))?;
        let (_, since) = self.push_app().await?;
        let (message, took) = self
            .qa()
            .until("the broken file is named", since, |seen| {
                let status = seen.shipments.get("shop")?.status.as_ref()?;
                let ready = condition::find(&status.conditions, kind::READY)?;
                ready
                    .message
                    .contains("more.yaml:")
                    .then(|| ready.message.clone())
            })
            .await?;
        self.board.done(&format!("qa: says {message}"), took);
        let settings = api::<ConfigMap>(self.qa())
            .get("settings")
            .await
            .map_err(CliError::failed)?;
        if settings
            .data
            .unwrap_or_default()
            .get("colour")
            .map(String::as_str)
            != Some("violet")
        {
            return Err(wrong(
                self.qa(),
                "the good files of that commit are applied",
            ));
        }
        self.board
            .seen("qa: the good files of that commit are applied");
        if api::<ConfigMap>(self.qa())
            .get_opt("feature-1")
            .await
            .map_err(CliError::failed)?
            .is_none()
        {
            return Err(wrong(self.qa(), "nothing is pruned while a file is broken"));
        }
        self.board.seen(
            "qa: ConfigMap `feature-1` left Git with it, and is kept as long as a file is broken",
        );
        self.remove_app("more.yaml")?;
        let (commit, since) = self.push_app().await?;
        let took = self
            .qa()
            .until_ready("it is whole again", "shop", Some(&commit), since)
            .await?;
        self.board
            .done("qa: the broken file is taken out, all is well again", took);
        Ok(())
    }

    async fn mass_deletion(&self) -> Result<(), CliError> {
        self.board.chapter("A mass deletion needs somebody's word");
        for number in 2..=file::FEATURES {
            self.remove_app(&file::feature(number))?;
        }
        let (commit, since) = self.push_app().await?;
        let (held, took) = self
            .qa()
            .until("the mass deletion is refused", since, |seen| {
                seen.shipments.get("shop")?.status.as_ref()?.held.clone()
            })
            .await?;
        self.board.done(
            &format!(
                "qa: refuses to delete {} objects at once ({})",
                held.count, held.reason
            ),
            took,
        );
        let arguments = ["confirm", "shop", "--yes"];
        self.board.line(&format!(
            "  $ shipway {} -n {} --context {}",
            arguments.join(" "),
            self.qa().namespace,
            self.qa().context
        ));
        let since = Instant::now();
        self.shipway(self.qa(), &arguments).await?;
        let took = self
            .qa()
            .until_ready(
                "the confirmed list is deleted",
                "shop",
                Some(&commit),
                since,
            )
            .await?;
        self.board
            .done("qa: deletes exactly the list that was confirmed", took);
        Ok(())
    }

    async fn hopeless_wait(&self) -> Result<(), CliError> {
        self.board.chapter("A fix lands during a hopeless wait");
        self.write_app("deployment.yaml", &file::deployment(file::BROKEN_IMAGE))?;
        let (commit, since) = self.push_app().await?;
        let (_, took) = self
            .qa()
            .until("it waits for the broken image", since, |seen| {
                let status = seen.shipments.get("shop")?.status.as_ref()?;
                let ready = condition::find(&status.conditions, kind::READY)?;
                let there = status
                    .revision
                    .as_deref()
                    .unwrap_or_default()
                    .ends_with(&commit);
                (there && ready.status != "True").then_some(())
            })
            .await?;
        self.board
            .done("qa: waits for an image that nobody can pull", took);
        self.write_app("deployment.yaml", &file::deployment(file::IMAGE))?;
        let (commit, since) = self.push_app().await?;
        let took = self
            .qa()
            .until_ready("the fix lands", "shop", Some(&commit), since)
            .await?;
        self.board.done("qa: the fix lands at once", took);
        Ok(())
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
