//! `create` and `apply`: a Workload becomes as flags and a file say.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use cluster::causes;
use kinds::condition::{self, Condition, kind};
use kinds::{Workload, names};
use kube::ResourceExt as _;
use kube::api::PostParams;
use kube::runtime::wait::await_condition;
use serde_json::Value;

use super::edit::EditArgs;
use super::{file, named, refused, workloads};
use crate::commands::at_work;
use crate::commands::target::Target;
use crate::config::ClusterArgs;
use crate::duration::duration;
use crate::error::CliError;
use crate::output::{Format, OutputArgs, ask, diff_line, note, print_text, print_whole};
use crate::progress::Progress;

/// Create a Workload
///
/// It is shown and asked about first.
#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    put: PutArgs,
}

/// Create a Workload, or change the one that is there
///
/// With a file its `spec` becomes that of the file, without one only what flags name is changed; labels
/// and annotations of a file are added. What would change is shown and asked about first.
#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    put: PutArgs,
}

#[derive(Debug, Args)]
struct PutArgs {
    /// The Workload
    #[arg(value_parser = crate::commands::target::name, required_unless_present = "file")]
    name: Option<String>,
    /// Begin with the Workload in this file, `-` for standard input; flags change what it says
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    edit: EditArgs,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Print the Workload as it would be, as YAML or in the form of `--output`, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Wait until it is ready
    #[arg(short, long)]
    wait: bool,
    /// Wait no longer than this
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = duration)]
    wait_timeout: Duration,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn create(cluster: &ClusterArgs, args: &CreateArgs) -> Result<ExitCode, CliError> {
    let args = &args.put;
    let mut workload = args.begin()?;
    let target = args.place(cluster, &workload).await?;
    args.edit.edit(&mut workload).map_err(CliError::usage)?;
    if args.dry_run {
        return args.dry(&target, workload);
    }
    let name = workload.name_any();
    let known = workloads(&target).get_opt(&name).await;
    if known.map_err(|error| refused(&target, &error))?.is_some() {
        let words = format!("workload apply {name}");
        return Err(CliError::failed(format!(
            "Workload `{}/{name}` is there already",
            target.namespace
        ))
        .hint(format!("{} changes it", target.command(&words))));
    }
    args.put_new(&target, "create", workload).await
}

pub(super) async fn apply(cluster: &ClusterArgs, args: &ApplyArgs) -> Result<ExitCode, CliError> {
    let args = &args.put;
    let begun = args.begin()?;
    let target = args.place(cluster, &begun).await?;
    let name = begun.name_any();
    let known = workloads(&target).get_opt(&name).await;
    let known = known.map_err(|error| refused(&target, &error))?;
    let mut next = match &known {
        Some(known) => merged(known, begun, args.file.is_some()),
        None => begun,
    };
    args.edit.edit(&mut next).map_err(CliError::usage)?;
    if args.dry_run {
        return args.dry(&target, next);
    }
    let Some(known) = known else {
        return args.put_new(&target, "apply", next).await;
    };
    let (before, after) = (shown(&known)?, shown(&next)?);
    if before == after {
        return args.waited(&target, &known, "unchanged").await;
    }
    note(format!("Change Workload `{}/{name}`:", target.namespace));
    for line in delivery::diff::diff(&before, &after) {
        note(format!("  {}", diff_line(&line)));
    }
    args.agreed(&target, "apply", &name, "Change this Workload?")?;
    let replaced = replace(&target, &before, next).await?;
    args.waited(&target, &replaced, "configured").await
}

/// Replaces a Workload that is as it was shown `before`. Whoever changed it since is not overruled; that its status moved
/// on is nobody's change.
async fn replace(
    target: &Target,
    before: &Value,
    mut next: Workload,
) -> Result<Workload, CliError> {
    let (api, name) = (workloads(target), next.name_any());
    loop {
        match api.replace(&name, &params(), &next).await {
            Ok(replaced) => return Ok(replaced),
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => return Err(refused(target, &error)),
        }
        let now = api.get_opt(&name).await;
        let now = now.map_err(|error| refused(target, &error))?;
        match now {
            Some(now) if shown(&now)? == *before && now.uid() == next.uid() => {
                next.metadata.resource_version = now.metadata.resource_version;
            }
            _ => {
                return Err(CliError::failed(format!(
                    "Workload `{}/{name}` was changed by somebody else meanwhile, and nothing was done",
                    target.namespace
                ))
                .hint("look at the change again with the same command"));
            }
        }
    }
}

impl PutArgs {
    /// What the file says, or an empty Workload of the name.
    fn begin(&self) -> Result<Workload, CliError> {
        let Some(path) = &self.file else {
            let name = self.name.as_deref().unwrap_or_default();
            return Ok(Workload::new(name, kinds::WorkloadSpec::default()));
        };
        let mut workload = file::read(path)?;
        if let Some(name) = &self.name {
            let there = workload.metadata.name.get_or_insert_with(|| name.clone());
            if there != name {
                return Err(CliError::usage(format!(
                    "`{}` describes Workload `{there}`, not `{name}`",
                    path.display()
                )));
            }
        }
        let name = workload.metadata.name.as_deref().unwrap_or_default();
        crate::commands::target::name(name).map_err(|why| {
            CliError::usage(format!("`{}`: metadata.name: {why}", path.display()))
        })?;
        Ok(workload)
    }

    /// The namespace of the flags and that of a file are one.
    async fn place(&self, cluster: &ClusterArgs, begun: &Workload) -> Result<Target, CliError> {
        let target = Target::connect(cluster).await?;
        match begun.namespace() {
            Some(there) if cluster.namespace.is_some() && there != target.namespace => {
                Err(CliError::usage(format!(
                    "the file is about namespace `{there}`, and --namespace says `{}`",
                    target.namespace
                )))
            }
            Some(there) => Ok(target.within(&there)),
            None => Ok(target),
        }
    }

    async fn put_new(
        &self,
        target: &Target,
        verb: &str,
        workload: Workload,
    ) -> Result<ExitCode, CliError> {
        let name = workload.name_any();
        note(format!("Create Workload `{}/{name}`:", target.namespace));
        for line in manifest::to_yaml(&shown(&workload)?).lines() {
            note(format!("  {line}"));
        }
        self.agreed(target, verb, &name, "Create this Workload?")?;
        let created = workloads(target).create(&params(), &workload).await;
        let created = created.map_err(|error| refused(target, &error))?;
        self.waited(target, &created, "created").await
    }

    fn agreed(&self, target: &Target, verb: &str, name: &str, what: &str) -> Result<(), CliError> {
        if self.yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            let words = format!("workload {verb} {name} … --yes");
            return Err(CliError::failed(
                "there is no terminal to ask on, and nothing was written",
            )
            .hint(format!("{} does not ask", target.command(&words))));
        }
        if ask(&format!("{what} [y/N] "))? {
            Ok(())
        } else {
            Err(CliError::failed("nothing was written"))
        }
    }

    /// Prints it as YAML, where no other form is asked for. What `--namespace` says is a part of it.
    fn dry(&self, target: &Target, mut workload: Workload) -> Result<ExitCode, CliError> {
        if target.is_namespace_chosen() {
            workload.metadata.namespace = Some(target.namespace.clone());
        }
        let form = match self.output.output {
            Format::Table | Format::Wide => Format::Yaml,
            Format::Name => {
                print_text(&format!("{}\n", named(&workload.name_any())));
                return Ok(ExitCode::SUCCESS);
            }
            form => form,
        };
        print_whole(form, &shown(&workload)?)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Says what was done: in words at once, and as an object or a name once all is over.
    async fn waited(
        &self,
        target: &Target,
        workload: &Workload,
        done: &str,
    ) -> Result<ExitCode, CliError> {
        let (name, form) = (workload.name_any(), self.output.output);
        if form.is_for_people() {
            print_text(&format!("{} {done}\n", named(&name)));
        }
        let ready = self.wait_for(target, &name).await?;
        match form {
            Format::Table | Format::Wide if ready.is_some() => {
                print_text(&format!("{} is ready\n", named(&name)));
            }
            Format::Table | Format::Wide => {}
            Format::Name => print_text(&format!("{}\n", named(&name))),
            form => print_whole(form, ready.as_ref().unwrap_or(workload))?,
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Waits until it is ready, and has it as it is then; none where nobody wants to wait.
    async fn wait_for(&self, target: &Target, name: &str) -> Result<Option<Workload>, CliError> {
        let get = target.command(&format!("workload get {name}"));
        if !self.wait {
            note(format!("{get} shows what becomes of it"));
            at_work::tell(target).await;
            return Ok(None);
        }
        let progress = Progress::start("waiting for the supply chain");
        let is_over = |workload: Option<&Workload>| match workload.map(stands) {
            Some(Err(message)) => {
                progress.say(message);
                false
            }
            _ => true,
        };
        let api = workloads(target);
        let waiting = await_condition(api.clone(), name, is_over);
        let waited = tokio::time::timeout(self.wait_timeout, waiting).await;
        drop(progress);
        match waited {
            Ok(Ok(Some(ready))) => Ok(Some(ready)),
            Ok(Ok(None)) => Err(CliError::failed(format!(
                "Workload `{}/{name}` is gone",
                target.namespace
            ))),
            Ok(Err(error)) => Err(CliError::failed(format!(
                "could not watch Workload `{}/{name}`: {}",
                target.namespace,
                causes(&error)
            ))),
            Err(_) => {
                let last = api.get_opt(name).await.ok().flatten();
                let message = match last.as_ref().map(stands) {
                    Some(Err(message)) => message,
                    _ => "it is not ready".to_owned(),
                };
                let late = CliError::failed(format!(
                    "Workload `{}/{name}` is not ready in time: {message}",
                    target.namespace
                ));
                Err(match at_work::nobody(target).await {
                    Some(nobody) => late.hint(nobody),
                    None => late.hint(format!("{get} shows how it stands")),
                })
            }
        }
    }
}

/// Whether a Workload is ready with its latest spec; why not.
fn stands(workload: &Workload) -> Result<(), String> {
    let status = workload.status.clone().unwrap_or_default();
    if status.observed_generation != workload.metadata.generation {
        return Err("waiting for the controller to see the latest spec".to_owned());
    }
    let ready = condition::find(&status.conditions, kind::READY);
    if ready.is_some_and(Condition::is_true) {
        return Ok(());
    }
    Err(ready.map_or_else(
        || "nothing is known of it yet".to_owned(),
        |ready| match ready.message.as_str() {
            "" => ready.reason.clone(),
            message => format!("{}: {message}", ready.reason),
        },
    ))
}

/// The Workload that is there as the file has it, if there is a file.
fn merged(known: &Workload, begun: Workload, has_file: bool) -> Workload {
    let mut next = known.clone();
    if has_file {
        next.spec = begun.spec;
        next.labels_mut()
            .extend(begun.metadata.labels.unwrap_or_default());
        next.annotations_mut()
            .extend(begun.metadata.annotations.unwrap_or_default());
    }
    next
}

fn params() -> PostParams {
    PostParams {
        field_manager: Some(names::CLI_MANAGER.to_owned()),
        ..PostParams::default()
    }
}

/// What of a Workload its author writes.
fn shown(workload: &Workload) -> Result<Value, CliError> {
    let mut value = serde_json::to_value(workload).map_err(CliError::failed)?;
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = value["metadata"].as_object_mut() {
        metadata.retain(|key, value| {
            let is_written = ["name", "namespace", "labels", "annotations"].contains(&key.as_str());
            is_written && value.as_object().is_none_or(|map| !map.is_empty())
        });
    }
    Ok(value)
}
