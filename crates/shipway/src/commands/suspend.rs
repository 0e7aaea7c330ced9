//! `shipway suspend` and `shipway resume`.

use std::process::ExitCode;

use clap::Args;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kinds::{Deliverable, Shipment, names};
use kube::ResourceExt as _;
use kube::api::Api;
use manifest::Manifest;
use serde_json::json;

use super::diff;
use super::target::{Target, named};
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::print_text;

/// Stop delivering: nothing is fetched, applied, repaired or pruned until it is resumed
#[derive(Debug, Args)]
pub(crate) struct SuspendArgs {
    /// The Shipment
    #[arg(value_parser = super::target::name)]
    name: String,
}

/// Go on delivering what was suspended
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The Shipment
    #[arg(value_parser = super::target::name)]
    name: String,
}

pub(crate) async fn cmd_suspend(
    cluster: &ClusterArgs,
    args: &SuspendArgs,
) -> Result<ExitCode, CliError> {
    turn(cluster, &args.name, Turn::Off).await
}

pub(crate) async fn cmd_resume(
    cluster: &ClusterArgs,
    args: &ResumeArgs,
) -> Result<ExitCode, CliError> {
    turn(cluster, &args.name, Turn::On).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Off,
    On,
}

async fn turn(cluster: &ClusterArgs, name: &str, turn: Turn) -> Result<ExitCode, CliError> {
    let target = Target::connect(cluster).await?;
    let shipment = target.shipment(name).await?;
    let suspended = shipment.spec.suspend.unwrap_or(false);
    let (wanted, done, already) = match turn {
        Turn::Off => (json!(true), "suspended", "is suspended already"),
        // Removed, not false: a later value in Git then is nobody else's.
        Turn::On => (json!(null), "resumed", "is not suspended"),
    };
    if suspended == (turn == Turn::Off) {
        print_text(&format!("{} {already}\n", named(name)));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(manager) = setter(&shipment) {
        return Err(set_elsewhere(target, &shipment, &manager).await);
    }
    target
        .patch(
            &target.namespace,
            name,
            &json!({"spec": {"suspend": wanted}}),
        )
        .await?;
    print_text(&format!("{} {done}\n", named(name)));
    Ok(ExitCode::SUCCESS)
}

/// The Shipway owner whose apply sets `spec.suspend`: it would set it again.
fn setter(shipment: &Shipment) -> Option<String> {
    let sets = |entry: &&ManagedFieldsEntry| {
        let manager = entry.manager.as_deref().unwrap_or_default();
        let ours =
            manager.starts_with("shipway:deliverable:") || manager.starts_with("shipway:shipment:");
        let fields = entry.fields_v1.as_ref();
        ours && entry.operation.as_deref() == Some("Apply")
            && fields.is_some_and(|fields| fields.0.pointer("/f:spec/f:suspend").is_some())
    };
    shipment.managed_fields().iter().find(sets)?.manager.clone()
}

async fn set_elsewhere(target: Target, shipment: &Shipment, manager: &str) -> CliError {
    let name = shipment.name_any();
    let by_deliverable = manager.starts_with("shipway:deliverable:");
    let kind = if by_deliverable {
        "Deliverable"
    } else {
        "Shipment"
    };
    let owner = owner(shipment, manager);
    let error = CliError::failed(format!(
        "`spec.suspend` of Shipment `{name}` is set by {kind} `{owner}`, which would set it again"
    ));
    if !by_deliverable {
        let error = error.hint("change `spec.suspend` in Git");
        let in_namespace = shipment.namespace().unwrap_or_default();
        let origin = origin(target, &owner, ("Shipment", &in_namespace, &name)).await;
        return error.hint(format!("that Shipment comes from {origin}"));
    }
    let error = error
        .hint("change `suspend` in the value of the param `delivery` of the Deliverable, in Git");
    match deliverer(&target, &owner).await {
        Some((root, in_namespace, name)) => {
            let origin = origin(target, &root, ("Deliverable", &in_namespace, &name)).await;
            error.hint(format!("that Deliverable comes from {origin}"))
        }
        None => error,
    }
}

/// The owner as its manager names it, or the annotation where the manager was too long.
fn owner(shipment: &Shipment, manager: &str) -> String {
    match manager.rsplit_once(':') {
        Some((_, owner)) if owner.contains('/') => owner.to_owned(),
        _ => shipment
            .annotations()
            .get(names::OWNER_ANNOTATION)
            .cloned()
            .unwrap_or_else(|| manager.to_owned()),
    }
}

/// The Shipment that delivers a Deliverable, as far as the caller may see that, and the Deliverable's
/// namespace and name.
async fn deliverer(target: &Target, deliverable: &str) -> Option<(String, String, String)> {
    let (namespace, name) = deliverable.split_once('/')?;
    let deliverables: Api<Deliverable> = Api::namespaced(target.client.clone(), namespace);
    let deliverable = deliverables.get(name).await.ok()?;
    let root = deliverable.annotations().get(names::OWNER_ANNOTATION)?;
    Some((root.clone(), namespace.to_owned(), name.to_owned()))
}

/// Where a Shipment finds the manifest of an object: the file, as far as the caller may read its source.
async fn origin(target: Target, root: &str, (kind, own, name): (&str, &str, &str)) -> String {
    let Some((namespace, shipment)) = root.split_once('/') else {
        return format!("Shipment `{root}`");
    };
    let shipments: Api<Shipment> = Api::namespaced(target.client.clone(), namespace);
    let read = shipments.get(shipment).await;
    let Some((git, path)) = read
        .ok()
        .and_then(|it| Some((it.spec.source.git?, it.spec.path)))
    else {
        return format!("Shipment `{root}`");
    };
    let path = path
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| ".".to_owned());
    let is_it = |manifest: &Manifest| {
        let there = manifest.namespace().unwrap_or(namespace);
        (manifest.kind(), there, manifest.name()) == (kind, own, name)
    };
    let there = target.within(namespace);
    match diff::place_of(there, shipment, is_it).await {
        Ok(Some(place)) => format!(
            "`{place}` of `{}`, folder `{path}`, by Shipment `{root}`",
            git.url
        ),
        _ => format!("`{}`, folder `{path}`, by Shipment `{root}`", git.url),
    }
}
