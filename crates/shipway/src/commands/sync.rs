//! `shipway sync`: a look at the source at once, instead of at the next interval.

mod along;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use cluster::causes;
use k8s_openapi::jiff::Timestamp;
use kinds::condition::{self, Condition, kind};
use kinds::{Reason, Shipment, names};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};
use kube::runtime::wait::await_condition;
use serde_json::json;

use super::at_work;
use super::get::short;
use super::target::{Target, named};
use crate::config::ClusterArgs;
use crate::duration::duration;
use crate::error::CliError;
use crate::output::{note, print_text};
use crate::progress::Progress;

/// Look at the source at once
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// The Shipment
    #[arg(required_unless_present = "all", value_parser = super::target::name)]
    name: Option<String>,
    /// Look at the sources of all Shipments of the namespace
    #[arg(long, conflicts_with = "name")]
    all: bool,
    /// With --all: of all namespaces
    #[arg(short = 'A', long, requires = "all")]
    all_namespaces: bool,
    /// Wait until what was found is applied and healthy, and the Shipments that it brings are
    #[arg(short, long)]
    wait: bool,
    /// Wait no longer than this
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = duration)]
    timeout: Duration,
}

pub(crate) async fn cmd_sync(cluster: &ClusterArgs, args: &SyncArgs) -> Result<ExitCode, CliError> {
    let target = Target::connect(cluster).await?;
    let shipments = chosen(&target, args).await?;
    let at = Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
        .to_string();
    let patch = json!({"metadata": {"annotations": {names::SYNC_ANNOTATION: at}}});
    let mut asked = Vec::new();
    for shipment in shipments {
        let (namespace, name) = (
            shipment.namespace().unwrap_or_default(),
            shipment.name_any(),
        );
        if shipment.spec.suspend == Some(true) {
            let why =
                format!("Shipment `{namespace}/{name}` is suspended: its source is not looked at");
            if !args.all {
                let resume = target.command(&format!("resume {name}"));
                return Err(CliError::failed(why).hint(format!("{resume} first")));
            }
            note(why);
            continue;
        }
        target.patch(&namespace, &name, &patch).await?;
        if !args.wait {
            print_text(&format!("{} asked to look\n", named(&name)));
        }
        asked.push((namespace, name));
    }
    at_work::tell(&target).await;
    if args.wait {
        wait_all(&target, &asked, &at, args.timeout).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn chosen(target: &Target, args: &SyncArgs) -> Result<Vec<Shipment>, CliError> {
    if let Some(name) = &args.name {
        return Ok(vec![target.shipment(name).await?]);
    }
    let api = if args.all_namespaces {
        Api::all(target.client.clone())
    } else {
        target.shipments()
    };
    let found = api
        .list(&ListParams::default())
        .await
        .map_err(|error| target.refused(&error))?
        .items;
    if found.is_empty() {
        return Err(CliError::failed("there are no Shipments"));
    }
    Ok(found)
}

async fn wait_all(
    target: &Target,
    asked: &[(String, String)],
    at: &str,
    timeout: Duration,
) -> Result<(), CliError> {
    let deadline = tokio::time::Instant::now() + timeout;
    let progress = Progress::start("waiting for the look at the source");
    let mut failed = Vec::new();
    // They go on side by side in the cluster, so that one after another is waited for.
    for (namespace, name) in asked {
        match wait(target, (namespace, name), at, deadline, &progress).await {
            Ok(revision) => {
                print_text(&format!("{} is ready at {revision}\n", named(name)));
                failed.extend(along::wait(target, (namespace, name), deadline, &progress).await);
            }
            Err(error) => failed.push(error),
        }
    }
    drop(progress);
    let last = failed.pop();
    for error in failed {
        error.print();
    }
    last.map_or(Ok(()), Err)
}

/// Waits for one Shipment; tells its revision.
async fn wait(
    target: &Target,
    (namespace, name): (&str, &str),
    at: &str,
    deadline: tokio::time::Instant,
    progress: &Progress,
) -> Result<String, CliError> {
    let api: Api<Shipment> = Api::namespaced(target.client.clone(), namespace);
    let over = |shipment: Option<&Shipment>| match shipment.map(|shipment| looked(shipment, at)) {
        Some(Stands::Under(message)) => {
            progress.say(format!("{namespace}/{name}: {message}"));
            false
        }
        _ => true,
    };
    let waited = tokio::time::timeout_at(deadline, await_condition(api.clone(), name, over)).await;
    let get = target.command_in(&format!("get {name}"), namespace);
    let hint = format!("{get} shows how it stands");
    match waited {
        Ok(Ok(Some(shipment))) => match looked(&shipment, at) {
            Stands::Ready(revision) => Ok(short(&revision)),
            Stands::Stuck(message) | Stands::Under(message) => Err(CliError::failed(format!(
                "Shipment `{namespace}/{name}` needs somebody: {message}"
            ))
            .hint(hint)),
        },
        Ok(Ok(None)) => Err(CliError::failed(format!(
            "Shipment `{namespace}/{name}` is gone"
        ))),
        Ok(Err(error)) => Err(CliError::failed(format!(
            "could not watch Shipment `{namespace}/{name}`: {}",
            causes(&error)
        ))),
        Err(_) => {
            let message = match api
                .get_opt(name)
                .await
                .ok()
                .flatten()
                .map(|shipment| looked(&shipment, at))
            {
                Some(Stands::Under(message)) => message,
                _ => "it is not ready".to_owned(),
            };
            let late = CliError::failed(format!(
                "Shipment `{namespace}/{name}` is not ready in time: {message}"
            ));
            Err(match at_work::nobody(target).await {
                Some(nobody) => late.hint(nobody),
                None => late.hint(hint),
            })
        }
    }
}

/// How a Shipment stands with what was asked for.
#[derive(Debug, PartialEq, Eq)]
enum Stands {
    /// All is done, at this revision.
    Ready(String),
    /// The look is done, and nothing goes on before somebody moves.
    Stuck(String),
    /// It is under way.
    Under(String),
}

/// How it stands once the look that was asked for is done.
fn looked(shipment: &Shipment, at: &str) -> Stands {
    let status = shipment.status.clone().unwrap_or_default();
    let annotation = shipment.annotations().get(names::SYNC_ANNOTATION);
    // Somebody else may have asked again meanwhile: then their look answers ours as well.
    let wanted = annotation.map_or(at, String::as_str);
    if status.synced.as_deref() == Some(wanted) {
        return stands(shipment);
    }
    let current = status.observed_generation == shipment.metadata.generation;
    let ready = condition::find(&status.conditions, kind::READY);
    let message = ready.map(|ready| ready.message.clone()).unwrap_or_default();
    // Nothing is looked at for a spec that cannot be read.
    let unreadable = ready.is_some_and(|ready| ready.reason == Reason::SpecInvalid.as_str());
    if current && unreadable {
        return Stands::Stuck(message);
    }
    let last = match message.as_str() {
        "" => "nothing is known of it yet".to_owned(),
        message => format!("last: {message}"),
    };
    Stands::Under(format!("waiting for the look at the source; {last}"))
}

/// How it stands with its latest spec.
fn stands(shipment: &Shipment) -> Stands {
    let status = shipment.status.clone().unwrap_or_default();
    if status.observed_generation != shipment.metadata.generation {
        return Stands::Under("waiting for the controller to see the latest spec".to_owned());
    }
    let ready = condition::find(&status.conditions, kind::READY);
    let message = ready.map(|ready| ready.message.clone()).unwrap_or_default();
    let is = |kind: &str| condition::find(&status.conditions, kind).is_some_and(Condition::is_true);
    if is(kind::READY) {
        return Stands::Ready(status.revision.unwrap_or_default());
    }
    if is(kind::STALLED) || is(kind::SUSPENDED) {
        Stands::Stuck(message)
    } else {
        Stands::Under(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinds::{ShipmentSpec, ShipmentStatus};

    fn shipment(synced: &str, kind: &str) -> Shipment {
        let mut shipment = Shipment::new("web", ShipmentSpec::default());
        let condition = |kind: &str, status: &str| Condition {
            kind: kind.to_owned(),
            status: status.to_owned(),
            reason: "Because".to_owned(),
            message: "so".to_owned(),
            last_transition_time: String::new(),
            observed_generation: None,
        };
        let ready = condition("Ready", if kind == "Ready" { "True" } else { "False" });
        shipment.status = Some(ShipmentStatus {
            synced: Some(synced.to_owned()),
            revision: Some("main@sha1:1".to_owned()),
            conditions: vec![ready, condition(kind, "True")],
            ..ShipmentStatus::default()
        });
        shipment
    }

    #[test]
    fn only_what_was_looked_up_after_the_request_counts() {
        assert_eq!(
            looked(&shipment("t1", "Ready"), "t1"),
            Stands::Ready("main@sha1:1".to_owned())
        );
        assert!(matches!(
            looked(&shipment("t0", "Ready"), "t1"),
            Stands::Under(_)
        ));
        assert_eq!(
            looked(&shipment("t1", "Stalled"), "t1"),
            Stands::Stuck("so".to_owned())
        );
        assert_eq!(
            looked(&shipment("t1", "Reconciling"), "t1"),
            Stands::Under("so".to_owned())
        );
    }

    #[test]
    fn the_look_that_somebody_else_asked_for_later_counts_too() {
        let mut shipment = shipment("t2", "Ready");
        shipment
            .annotations_mut()
            .insert(names::SYNC_ANNOTATION.to_owned(), "t2".to_owned());
        assert!(matches!(looked(&shipment, "t1"), Stands::Ready(_)));
    }
}
