//! `list`: the Workloads, one a line.

use std::process::ExitCode;

use clap::Args;
use kinds::condition::{self, kind};
use kinds::{Workload, names};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};
use serde_json::json;

use super::{named, refused, workloads};
use crate::commands::at_work;
use crate::commands::target::Target;
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{
    Format, OutputArgs, age, lines, note, print_text, print_whole, table_within, terminal_width,
};

/// List Workloads: which supply chain they have, and how they are
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// List those of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// List only the parts of this application
    #[arg(short, long, value_name = "NAME")]
    app: Option<String>,
    /// List only those with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn list(cluster: &ClusterArgs, args: &ListArgs) -> Result<ExitCode, CliError> {
    let target = Target::connect(cluster).await?;
    let api = if args.all_namespaces {
        Api::all(target.client.clone())
    } else {
        workloads(&target)
    };
    let part = args
        .app
        .as_ref()
        .map(|app| format!("{}={app}", names::PART_OF_LABEL));
    let labels: Vec<String> = part.into_iter().chain(args.selector.clone()).collect();
    let params = ListParams::default().labels(&labels.join(","));
    let found = api.list(&params).await;
    let found = found.map_err(|error| refused(&target, &error))?.items;
    let form = args.output.output;
    match form {
        Format::Json | Format::Yaml => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": found});
            print_whole(form, &list)?;
        }
        Format::Name => print_text(&lines(found.iter().map(|one| named(&one.name_any())))),
        Format::Table | Format::Wide if found.is_empty() => {
            let place = if args.all_namespaces {
                "any namespace".to_owned()
            } else {
                format!("namespace `{}`", target.namespace)
            };
            let such = if labels.is_empty() {
                ""
            } else {
                " of these labels"
            };
            note(format!("No Workloads{such} in {place}"));
        }
        Format::Table | Format::Wide => {
            let mut header = vec![
                "NAME",
                "TYPE",
                "APP",
                "SUPPLY CHAIN",
                "READY",
                "AGE",
                "MESSAGE",
            ];
            if args.all_namespaces {
                header.insert(0, "NAMESPACE");
            }
            let row = |workload: &Workload| row(workload, args.all_namespaces);
            let rows: Vec<_> = found.iter().map(row).collect();
            let width = terminal_width().filter(|_| form == Format::Table);
            print_text(&table_within(&header, &rows, width));
            at_work::tell(&target).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(workload: &Workload, with_namespace: bool) -> Vec<String> {
    let label = |key: &str| workload.labels().get(key).cloned().unwrap_or_default();
    let status = workload.status.clone().unwrap_or_default();
    let ready = condition::find(&status.conditions, kind::READY);
    let message = match ready {
        Some(ready) if ready.is_true() => String::new(),
        Some(ready) if ready.message.is_empty() => ready.reason.clone(),
        Some(ready) => format!("{}: {}", ready.reason, ready.message),
        None => String::new(),
    };
    let created = workload.metadata.creation_timestamp.as_ref();
    let mut row = Vec::new();
    if with_namespace {
        row.push(workload.namespace().unwrap_or_default());
    }
    let types = [
        names::WORKLOAD_TYPE_LABEL,
        names::WORKLOAD_TYPE_LABEL_OF_CARTOGRAPHER,
    ];
    let chain = status.supply_chain_ref.and_then(|chain| chain.name);
    row.extend([
        workload.name_any(),
        types
            .map(label)
            .into_iter()
            .find(|it| !it.is_empty())
            .unwrap_or_default(),
        label(names::PART_OF_LABEL),
        chain.unwrap_or_default(),
        ready.map_or_else(|| "Unknown".to_owned(), |ready| ready.status.clone()),
        age(created.map(|time| time.0)),
        message,
    ]);
    row
}
