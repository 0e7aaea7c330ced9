//! Where the two Environments of `--between` are: in one cluster, or each in the cluster of its own context.

use kinds::Environment;
use kube::api::Api;

use super::want::without_overlay;
use crate::commands::target::Target;
use crate::config::ClusterArgs;
use crate::error::CliError;

/// Where Environments are looked for.
pub(super) struct Places<'a> {
    pub(super) cluster: &'a ClusterArgs,
    /// The contexts that were named.
    pub(super) contexts: Option<(String, String)>,
}

/// An Environment.
pub(super) struct Found {
    pub(super) environment: Environment,
    /// Its cluster, where that is not the Shipment's.
    pub(super) target: Option<Target>,
}

impl Places<'_> {
    /// Finds an Environment in the context that is named for it; without one in the Shipment's own
    /// cluster, and then in the context that has its name.
    pub(super) async fn find(
        &self,
        own: &Target,
        name: &str,
        context: Option<&String>,
    ) -> Result<Found, CliError> {
        if let Some(context) = context {
            return self.find_in(context, name).await;
        }
        match environment(own, name).await {
            Ok(environment) => Ok(Found {
                environment,
                target: None,
            }),
            Err(kube::Error::Api(status)) if status.code == 404 => {
                match self.cluster.context_of(name)? {
                    Some(context) => self.find_in(&context, name).await,
                    None => Err(CliError::failed(format!(
                        "there is no Environment `{name}` here, and no context `{name}` or `run-{name}`"
                    ))
                    .hint("--contexts names the contexts of both, one for each")),
                }
            }
            Err(error) => Err(without_overlay(own.refused(&error))),
        }
    }

    async fn find_in(&self, context: &str, name: &str) -> Result<Found, CliError> {
        let target = Target::connect(&self.cluster.in_context(context)).await?;
        let environment = environment(&target, name).await.map_err(|error| {
            target
                .refused(&error)
                .hint(format!("this was asked of the context `{context}`"))
        })?;
        Ok(Found {
            environment,
            target: Some(target),
        })
    }
}

async fn environment(target: &Target, name: &str) -> Result<Environment, kube::Error> {
    let all: Api<Environment> = Api::all(target.client.clone());
    all.get(name).await
}
