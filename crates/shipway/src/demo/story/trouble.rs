//! The second half of the story: what goes wrong, and what becomes of it.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kinds::condition::{self, kind};
use kube::api::{Patch, PatchParams};
use kube::runtime::wait::await_condition;
use serde_json::json;
use tokio::time::Instant;

use super::super::cluster::api;
use super::super::file;
use super::{Scene, soon, wrong};
use crate::error::CliError;

impl Scene<'_> {
    pub(super) async fn repair(&self) -> Result<(), CliError> {
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
        Box::pin(soon(
            production,
            "the edited Deployment is put right",
            repaired,
        ))
        .await?;
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

    pub(super) async fn prune(&self) -> Result<(), CliError> {
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

    pub(super) async fn broken_file(&self) -> Result<(), CliError> {
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
            .until_ready("it is whole again", "shop", &commit, since)
            .await?;
        self.board
            .done("qa: the broken file is taken out, all is well again", took);
        Ok(())
    }

    pub(super) async fn mass_deletion(&self) -> Result<(), CliError> {
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
        self.shown(self.qa(), &arguments);
        let since = Instant::now();
        self.shipway(self.qa(), &arguments).await?;
        let took = self
            .qa()
            .until_ready("the confirmed list is deleted", "shop", &commit, since)
            .await?;
        self.board
            .done("qa: deletes exactly the list that was confirmed", took);
        Ok(())
    }

    pub(super) async fn hopeless_wait(&self) -> Result<(), CliError> {
        self.board.chapter("A fix lands during a hopeless wait");
        self.write_app("deployment.yaml", &file::deployment(file::BROKEN_IMAGE))?;
        let (commit, since) = self.push_app().await?;
        let ((), took) = self
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
            .until_ready("the fix lands", "shop", &commit, since)
            .await?;
        self.board.done("qa: the fix lands at once", took);
        Ok(())
    }
}
