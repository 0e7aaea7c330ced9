//! The Shipment that a command is about, and the cluster it is in.

use std::sync::Arc;

use cluster::caller::{Meter, Payload, Want};
use cluster::{ApiError, Caller, Limiter, Resource, causes};
use kinds::{Shipment, names};
use kube::Client;
use kube::api::{Api, ApiResource};
use serde_json::Value;

use crate::config::ClusterArgs;
use crate::error::CliError;

/// How many requests run at a time.
pub(crate) const AT_ONCE: usize = 16;

/// A cluster and the namespace that is worked in.
pub(crate) struct Target {
    args: ClusterArgs,
    pub(crate) client: Client,
    pub(crate) caller: Caller,
    pub(crate) namespace: String,
}

impl Target {
    /// Connects to the cluster that the flags name.
    pub(crate) async fn connect(cluster: &ClusterArgs) -> Result<Self, CliError> {
        let client = cluster.connect().await?;
        Ok(Self {
            args: cluster.clone(),
            caller: Caller::new(
                client.clone(),
                Arc::new(Limiter::new(AT_ONCE)),
                Arc::new(Meter::default()),
            ),
            namespace: client.default_namespace().to_owned(),
            client,
        })
    }

    /// The same cluster, and another namespace.
    pub(crate) fn within(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// Whether a flag says which namespace.
    pub(crate) fn is_namespace_chosen(&self) -> bool {
        self.args.namespace.is_some()
    }

    /// The Shipments of the namespace.
    pub(crate) fn shipments(&self) -> Api<Shipment> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Reads a Shipment.
    pub(crate) async fn shipment(&self, name: &str) -> Result<Shipment, CliError> {
        self.shipments().get(name).await.map_err(|error| {
            let missing = matches!(&error, kube::Error::Api(status) if status.code == 404);
            let refusal = self.refused(&error);
            if missing {
                refusal.hint(format!(
                    "{} lists the Shipments of the namespace, `shipway get -A{}` those of all",
                    self.command_in("get", &self.namespace),
                    self.args.place(),
                ))
            } else {
                refusal
            }
        })
    }

    /// A command to run next in the same place, as it can be pasted.
    pub(crate) fn command(&self, words: &str) -> String {
        format!("`shipway {words}{}`", self.args.flags())
    }

    /// The same in another namespace, which is named.
    pub(crate) fn command_in(&self, words: &str, namespace: &str) -> String {
        format!("`shipway {words} -n {namespace}{}`", self.args.place())
    }

    /// The flags with which kubectl finds the same cluster.
    pub(crate) fn flags(&self) -> String {
        self.args.place()
    }

    /// What the API server's refusal means for whoever runs a command about Shipments.
    pub(crate) fn refused(&self, error: &kube::Error) -> CliError {
        self.refused_here("Shipments", "crds", error)
    }

    /// The same of a command about what only a cluster with supply chains has.
    pub(crate) fn refused_of(&self, what: &str, error: &kube::Error) -> CliError {
        self.refused_here(what, "crds --profile full", error)
    }

    fn refused_here(&self, what: &str, install: &str, error: &kube::Error) -> CliError {
        match error {
            kube::Error::Api(status)
                if status.code == 404 && status.message.contains("page not found") =>
            {
                CliError::failed(format!("this cluster does not know {what}")).hint(format!(
                    "install them with `shipway {install} | kubectl apply --server-side{} -f -`",
                    self.args.place()
                ))
            }
            kube::Error::Api(status) => CliError::failed(&status.message),
            error => CliError::failed(format!("could not reach the cluster: {}", causes(error)))
                .hint("is it running, and is `--context` the one that you mean?"),
        }
    }

    /// Merges a patch into a Shipment, in the name of the command line.
    pub(crate) async fn patch(
        &self,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Shipment, CliError> {
        let place = Resource::object(&ApiResource::erase::<Shipment>(&()), Some(namespace), name);
        let query = format!("fieldManager={}", names::CLI_MANAGER);
        let payload = Payload::Merge(patch.to_string().into());
        let patched = self
            .caller
            .patch(&place, &query, Want::Whole, &payload)
            .await;
        patched
            .and_then(|answer| answer.decode())
            .map_err(|error| unable(&error))
    }
}

/// The error of a request for which there is nothing better to say.
pub(crate) fn unable(error: &ApiError) -> CliError {
    CliError::failed(error)
}

/// The name of a Shipment, as an argument. It becomes a part of URLs.
pub(crate) fn name(text: &str) -> Result<String, String> {
    if text.contains('/') {
        return Err("a name has no `/`: the namespace is given with -n".to_owned());
    }
    if text.len() > 253 || !text.split('.').all(crate::config::is_label) {
        return Err("a name has up to 253 lower-case letters, digits, `-` and `.`, and begins and ends with a letter or digit".to_owned());
    }
    Ok(text.to_owned())
}

/// A Shipment as kubectl names it.
pub(crate) fn named(name: &str) -> String {
    format!("shipment.shipway.run/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_name_is_taken_for_one() {
        for good in ["web", "web-1.shop", "1", &"a".repeat(253)] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        let long = "a".repeat(254);
        for bad in [
            "", ".", "..", "a?b", "r?x=", "A", "-a", "a-", "a..b", "ns/a", "a b", "a%2Fb", "ä",
            &long,
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
