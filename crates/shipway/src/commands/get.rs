//! `shipway get`: what is where, and why not.

use std::process::ExitCode;

use clap::Args;
use k8s_openapi::jiff::Timestamp;
use kinds::Shipment;
use kinds::condition::{self, kind};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};

use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{Format, OutputArgs, age, print_text, print_whole, table};

/// Show Shipments: what is delivered here, at which revision, and why not
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Show only the Shipment of this name
    name: Option<String>,
    /// Show the Shipments of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Show only Shipments with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn cmd_get(cluster: &ClusterArgs, args: &GetArgs) -> Result<ExitCode, CliError> {
    if args.name.is_some() && (args.all_namespaces || args.selector.is_some()) {
        return Err(CliError::usage(
            "a name goes neither with --all-namespaces nor with --selector",
        ));
    }
    let client = cluster.connect().await?;
    let namespace = client.default_namespace().to_owned();
    let api: Api<Shipment> = if args.all_namespaces {
        Api::all(client)
    } else {
        Api::default_namespaced(client)
    };
    let shipments = match &args.name {
        Some(name) => vec![api.get(name).await.map_err(|error| refused(&error))?],
        None => {
            let params = args
                .selector
                .as_ref()
                .map_or_else(ListParams::default, |labels| {
                    ListParams::default().labels(labels)
                });
            api.list(&params)
                .await
                .map_err(|error| refused(&error))?
                .items
        }
    };
    match args.output.output {
        Format::Json | Format::Yaml if args.name.is_some() => {
            print_whole(args.output.output, &shipments[0])?
        }
        Format::Json | Format::Yaml => {
            let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": shipments});
            print_whole(args.output.output, &list)?;
        }
        Format::Name => {
            let names: String = shipments
                .iter()
                .map(|shipment| format!("shipment.shipway.run/{}\n", shipment.name_any()))
                .collect();
            print_text(&names);
        }
        Format::Table | Format::Wide if shipments.is_empty() => {
            let place = if args.all_namespaces {
                "any namespace".to_owned()
            } else {
                format!("namespace `{namespace}`")
            };
            anstream::eprintln!("No Shipments in {place}");
        }
        format => print_text(&shown(
            &shipments,
            args.all_namespaces,
            format == Format::Wide,
        )),
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn refused(error: &kube::Error) -> CliError {
    match error {
        kube::Error::Api(status)
            if status.code == 404 && status.message.contains("page not found") =>
        {
            CliError::failed("this cluster does not know Shipments")
                .hint("install them with `shipway crds | kubectl apply --server-side -f -`")
        }
        kube::Error::Api(status) => CliError::failed(&status.message),
        error => CliError::failed(format!("could not reach the cluster: {error}")),
    }
}

fn shown(shipments: &[Shipment], with_namespace: bool, wide: bool) -> String {
    let mut header = vec![
        "NAME",
        "READY",
        "REVISION",
        "ENVIRONMENT",
        "OBJECTS",
        "FAILED",
        "AGE",
        "MESSAGE",
    ];
    if with_namespace {
        header.insert(0, "NAMESPACE");
    }
    if wide {
        header.push("SOURCE");
    }
    let rows: Vec<Vec<String>> = shipments
        .iter()
        .map(|shipment| row(shipment, with_namespace, wide))
        .collect();
    table(&header, &rows)
}

fn row(shipment: &Shipment, with_namespace: bool, wide: bool) -> Vec<String> {
    let status = shipment.status.clone().unwrap_or_default();
    let ready = condition::find(&status.conditions, kind::READY);
    let number = |count: Option<i64>| count.map(|count| count.to_string()).unwrap_or_default();
    let suspended = condition::find(&status.conditions, kind::SUSPENDED)
        .is_some_and(condition::Condition::is_true);
    let message = ready.map(|ready| ready.message.clone()).unwrap_or_default();
    let mut row = vec![
        shipment.name_any(),
        ready.map_or_else(|| "Unknown".to_owned(), |ready| ready.status.clone()),
        if wide {
            status.revision.clone().unwrap_or_default()
        } else {
            short(status.revision.as_deref().unwrap_or_default())
        },
        status.environment.clone().unwrap_or_default(),
        number(status.objects),
        number(status.failed),
        age(shipment
            .metadata
            .creation_timestamp
            .as_ref()
            .map(|time| Timestamp::from(time.0))),
        if suspended {
            format!("suspended; {message}")
        } else {
            message
        },
    ];
    if with_namespace {
        row.insert(0, shipment.namespace().unwrap_or_default());
    }
    if wide {
        let git = shipment.spec.source.git.clone().unwrap_or_default();
        row.push(format!(
            "{}//{}",
            git.url,
            shipment.spec.path.clone().unwrap_or_default()
        ));
    }
    row
}

/// A revision with its commit cut to eight digits.
pub(crate) fn short(revision: &str) -> String {
    match revision.rsplit_once("sha1:") {
        Some((name, commit)) => format!("{name}sha1:{}", commit.get(..8).unwrap_or(commit)),
        None => revision.to_owned(),
    }
}
