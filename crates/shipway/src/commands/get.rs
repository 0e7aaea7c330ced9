//! `shipway get`: what is where, and why not.

mod failure;

use std::pin::pin;
use std::process::ExitCode;

use clap::Args;
use futures::StreamExt as _;
use kinds::condition::{self, kind};
use kinds::{Deliverable, DeliverableStatus, Shipment};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};

use super::at_work;
use super::target::{Target, named};
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{
    Columns, Format, OutputArgs, age, lines, note, print_text, print_whole, terminal_width,
};
pub(crate) use failure::unlisted;

/// Show Shipments: what is delivered here, at which revision, and why not
///
/// With a name, each object and file that is not where it should be is listed as well, the first 50 of them.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Show only the Shipment of this name
    #[arg(value_parser = super::target::name)]
    name: Option<String>,
    /// Show the Shipments of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Show only Shipments with these labels
    #[arg(short = 'l', long, value_name = "LABELS")]
    selector: Option<String>,
    /// Go on with every change, until Ctrl-C
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) async fn cmd_get(cluster: &ClusterArgs, args: &GetArgs) -> Result<ExitCode, CliError> {
    if args.name.is_some() && (args.all_namespaces || args.selector.is_some()) {
        return Err(CliError::usage(
            "a name goes neither with --all-namespaces nor with --selector",
        ));
    }
    let target = Target::connect(cluster).await?;
    let api = if args.all_namespaces {
        Api::all(target.client.clone())
    } else {
        target.shipments()
    };
    let (shipments, version) = read(&target, &api, args).await?;
    let shown = show(&target, args, &shipments)?;
    if args.output.output.is_for_people() {
        match &args.name {
            Some(_) => show_failures(&shipments[0]),
            None => tell_stuck(&target, args).await,
        }
        if !shipments.is_empty() {
            at_work::tell(&target).await;
        }
    }
    if args.watch {
        watch(&target, &api, (args, &version, &shown)).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The Shipments that are asked for, and the resourceVersion that changes count from.
async fn read(
    target: &Target,
    api: &Api<Shipment>,
    args: &GetArgs,
) -> Result<(Vec<Shipment>, String), CliError> {
    if let Some(name) = &args.name {
        let shipment = target.shipment(name).await?;
        let version = shipment.resource_version().unwrap_or_default();
        return Ok((vec![shipment], version));
    }
    let mut params = ListParams::default();
    if let Some(labels) = &args.selector {
        params = params.labels(labels);
    }
    let list = api
        .list(&params)
        .await
        .map_err(|error| target.refused(&error))?;
    Ok((
        list.items,
        list.metadata.resource_version.unwrap_or_default(),
    ))
}

/// Shows them; tells which columns there are, and how wide.
fn show(
    target: &Target,
    args: &GetArgs,
    shipments: &[Shipment],
) -> Result<(Form, Columns), CliError> {
    let form = Form::of(args, shipments);
    let header = form.header();
    let rows: Vec<_> = shipments
        .iter()
        .map(|shipment| form.row(shipment))
        .collect();
    // Whoever asks about one Shipment wants to know all about it.
    let is_list = args.name.is_none() && args.output.output == Format::Table;
    let width = terminal_width().filter(|_| is_list);
    let columns = Columns::of(&header, &rows).within(width);
    match args.output.output {
        Format::Json | Format::Yaml if args.name.is_some() => {
            print_whole(args.output.output, &shipments[0])?;
        }
        Format::Json | Format::Yaml => {
            let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": shipments});
            print_whole(args.output.output, &list)?;
        }
        Format::Name => print_text(&lines(
            shipments.iter().map(|shipment| named(&shipment.name_any())),
        )),
        Format::Table | Format::Wide if shipments.is_empty() => {
            let place = if args.all_namespaces {
                "any namespace".to_owned()
            } else {
                format!("namespace `{}`", target.namespace)
            };
            let which = match &args.selector {
                Some(labels) => format!(" with the labels `{labels}`"),
                None => String::new(),
            };
            note(format!("No Shipments{which} in {place}"));
        }
        Format::Table | Format::Wide => {
            let text: String = std::iter::once(&header)
                .chain(&rows)
                .map(|row| columns.line(row))
                .collect();
            print_text(&text);
        }
    }
    Ok((form, columns))
}

/// Lists what of one Shipment is not where it should be.
fn show_failures(shipment: &Shipment) {
    let status = shipment.status.clone().unwrap_or_default();
    print_text(&failure::failures(&status));
    if let Some(unlisted) = unlisted(&status) {
        note(unlisted);
    }
}

/// Names the Deliverables that have not become Shipments: nothing else would show them here.
async fn tell_stuck(target: &Target, args: &GetArgs) {
    let api: Api<Deliverable> = if args.all_namespaces {
        Api::all(target.client.clone())
    } else {
        Api::namespaced(target.client.clone(), &target.namespace)
    };
    let mut params = ListParams::default();
    if let Some(labels) = &args.selector {
        params = params.labels(labels);
    }
    // Whoever may not list them is shown what they may see.
    let Ok(deliverables) = api.list(&params).await else {
        return;
    };
    for deliverable in deliverables {
        let status = deliverable.status.as_ref();
        if let Some(condition) = status.and_then(DeliverableStatus::refusal) {
            note(format!(
                "Deliverable `{}/{}` has not become a Shipment: {}: {}",
                deliverable.namespace().unwrap_or_default(),
                deliverable.name_any(),
                condition.reason,
                condition.message
            ));
        }
    }
}

/// Shows each change as it comes.
async fn watch(
    target: &Target,
    api: &Api<Shipment>,
    (args, version, (form, columns)): (&GetArgs, &str, &(Form, Columns)),
) -> Result<(), CliError> {
    let mut params = WatchParams::default();
    if let Some(name) = &args.name {
        params = params.fields(&format!("metadata.name={name}"));
    }
    if let Some(labels) = &args.selector {
        params = params.labels(labels);
    }
    let mut from = version.to_owned();
    loop {
        let mut changes = pin!(
            api.watch(&params, &from)
                .await
                .map_err(|error| target.refused(&error))?
        );
        // The API server ends a watch after some minutes, and it is taken up where it was.
        while let Some(change) = changes.next().await {
            match change {
                Ok(
                    WatchEvent::Added(shipment)
                    | WatchEvent::Modified(shipment)
                    | WatchEvent::Deleted(shipment),
                ) => {
                    from = shipment.resource_version().unwrap_or_default();
                    match args.output.output {
                        Format::Json | Format::Yaml => print_whole(args.output.output, &shipment)?,
                        Format::Name => print_text(&format!("{}\n", named(&shipment.name_any()))),
                        Format::Table | Format::Wide => {
                            print_text(&columns.line(&form.row(&shipment)));
                        }
                    }
                }
                Ok(WatchEvent::Bookmark(mark)) => from = mark.metadata.resource_version,
                Ok(WatchEvent::Error(status)) => {
                    return Err(CliError::failed(format!(
                        "the watch ended: {}",
                        status.message
                    )));
                }
                Err(error) => return Err(target.refused(&error)),
            }
        }
    }
}

/// Which columns are shown.
#[derive(Clone, Copy)]
struct Form {
    with_namespace: bool,
    with_environment: bool,
    wide: bool,
}

impl Form {
    fn of(args: &GetArgs, shipments: &[Shipment]) -> Self {
        let wide = args.output.output == Format::Wide;
        let environment =
            |shipment: &Shipment| shipment.status.as_ref()?.environment.as_ref().map(drop);
        Self {
            with_namespace: args.all_namespaces,
            with_environment: wide || shipments.iter().any(|one| environment(one).is_some()),
            wide,
        }
    }

    fn header(self) -> Vec<String> {
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
        if !self.with_environment {
            header.retain(|column| *column != "ENVIRONMENT");
        }
        if self.with_namespace {
            header.insert(0, "NAMESPACE");
        }
        if self.wide {
            header.push("SOURCE");
        }
        header.into_iter().map(str::to_owned).collect()
    }

    fn row(self, shipment: &Shipment) -> Vec<String> {
        let status = shipment.status.clone().unwrap_or_default();
        let ready = condition::find(&status.conditions, kind::READY);
        let number = |count: Option<i64>| count.map(|count| count.to_string()).unwrap_or_default();
        let message = ready.map(|ready| ready.message.clone()).unwrap_or_default();
        let revision = status.revision.clone().unwrap_or_default();
        let mut row = Vec::new();
        if self.with_namespace {
            row.push(shipment.namespace().unwrap_or_default());
        }
        row.extend([
            shipment.name_any(),
            ready.map_or_else(|| "Unknown".to_owned(), |ready| ready.status.clone()),
            if self.wide {
                revision
            } else {
                short(&revision)
            },
        ]);
        if self.with_environment {
            row.push(status.environment.clone().unwrap_or_default());
        }
        let created = shipment.metadata.creation_timestamp.as_ref();
        row.extend([
            number(status.objects),
            number(status.failed),
            age(created.map(|time| time.0)),
            message,
        ]);
        if self.wide {
            let git = shipment.spec.source.git.clone().unwrap_or_default();
            let path = shipment.spec.path.clone().unwrap_or_default();
            row.push(format!("{}//{path}", git.url));
        }
        row
    }
}

/// A revision with its commit cut to eight digits.
pub(crate) fn short(revision: &str) -> String {
    match revision.rsplit_once("sha1:") {
        Some((name, commit)) => format!("{name}sha1:{}", commit.get(..8).unwrap_or(commit)),
        None => revision.to_owned(),
    }
}
