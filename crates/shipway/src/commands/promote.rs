//! `shipway promote`: moves the pin of one environment to what another one runs, in a clone of the
//! deliverables repository. It commits nothing: what is shown can be looked at first.

mod file;
mod pin;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use git::CommitId;
use kinds::Shipment;
use kinds::condition::{self, Condition, kind};

use super::target::Target;
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{note, print_text};
use crate::progress::Progress;
use pin::Pinned;

/// Move the pin of one environment to the revision that another one runs
///
/// Edits one line of `<to>/deliverable-<name>.yaml` in a clone of the deliverables repository, and says how to commit it.
#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    /// The Deliverable, and the Shipment of the same name
    #[arg(value_parser = super::target::name)]
    name: String,
    /// The environment that runs the revision
    #[arg(long, value_name = "ENVIRONMENT", required_unless_present = "revision")]
    from: Option<String>,
    /// The environment to move: the folder of the deliverables repository
    #[arg(long, value_name = "ENVIRONMENT")]
    to: String,
    /// Take this commit, whatever runs anywhere
    #[arg(long, value_name = "COMMIT", conflicts_with = "from_context")]
    revision: Option<String>,
    /// The context of the environment that runs the revision, instead of the one named like it or `run-` and its name
    #[arg(long, value_name = "NAME")]
    from_context: Option<String>,
    /// The clone of the deliverables repository
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    repo: PathBuf,
}

pub(crate) async fn cmd_promote(
    cluster: &ClusterArgs,
    args: &PromoteArgs,
) -> Result<ExitCode, CliError> {
    if args.from.as_ref() == Some(&args.to) && args.revision.is_none() {
        return Err(CliError::usage(format!(
            "--from and --to are both `{}`: there is nothing to move",
            args.to
        )));
    }
    let found = file::find(&args.repo, &args.to, &args.name)?;
    let promoted = match &args.revision {
        Some(revision) => Promoted {
            commit: commit(revision)?,
            url: None,
        },
        None => running(cluster, args).await?,
    };
    let id = promoted.commit.to_string();
    let pinned =
        pin::pin(&found.text, &args.name, &id, promoted.url.as_deref()).map_err(|error| {
            CliError::failed(format!("`{}`: {error}", found.path))
                .hint("edit `spec.source.git.ref.commit` by hand")
        })?;
    match pinned {
        Pinned::Already => note(format!("`{}` is at {id} already", found.path)),
        Pinned::Changed(edit) => {
            file::write(&found, &edit.text)?;
            print_text(&edit.unified(&found.path));
            if let Some(followed) = &edit.followed {
                note(format!(
                    "`{}` followed {followed} so far, and is pinned now: that means nothing any more beside the commit",
                    found.path
                ));
            }
            note(file::next_steps(
                &args.repo,
                &found.path,
                &format!("promote {} to {}: {}", args.name, args.to, &id[..8]),
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is promoted.
struct Promoted {
    commit: CommitId,
    /// The repository it was seen to be delivered from.
    url: Option<String>,
}

fn commit(text: &str) -> Result<CommitId, CliError> {
    let revision = text.rsplit_once("sha1:").map_or(text, |(_, commit)| commit);
    revision.parse().map_err(|_| {
        CliError::usage(format!(
            "--revision takes the 40 hexadecimal digits of a commit, not `{text}`"
        ))
    })
}

/// The revision that the other environment runs and that is ready there.
async fn running(cluster: &ClusterArgs, args: &PromoteArgs) -> Result<Promoted, CliError> {
    let from = args.from.as_deref().unwrap_or_default();
    let context = from_context(cluster, args, from)?;
    let progress = Progress::start(format!("asking {context} what runs there"));
    let target = Target::connect(&cluster.in_context(&context)).await?;
    let shipment = target.shipment(&args.name).await?;
    let place = format!("Shipment `{}/{}` of {from}", target.namespace, args.name);
    let url = shipment.spec.source.git.as_ref().map(|git| git.url.clone());
    let revision = ready_revision(&shipment).map_err(|why| {
        CliError::failed(format!("{place} is not ready: {why}"))
            .hint("pass --revision to promote a commit all the same")
    })?;
    let commit = commit(&revision)
        .map_err(|_| CliError::failed(format!("{place} runs `{revision}`, which is no commit")))?;
    if args.from_context.is_none() {
        drop(progress);
        note(format!(
            "{from} is the context `{context}`, and runs {commit} there"
        ));
    }
    Ok(Promoted { commit, url })
}

fn ready_revision(shipment: &Shipment) -> Result<String, String> {
    let status = shipment.status.clone().unwrap_or_default();
    let ready =
        condition::find(&status.conditions, kind::READY).ok_or("nothing is known of it yet")?;
    if !ready.is_true() {
        return Err(format!("{}: {}", ready.reason, ready.message));
    }
    let suspended =
        condition::find(&status.conditions, kind::SUSPENDED).is_some_and(Condition::is_true);
    if status.observed_generation != shipment.metadata.generation && !suspended {
        return Err("the controller has not seen its latest spec".to_owned());
    }
    status
        .revision
        .ok_or_else(|| "it has no revision".to_owned())
}

fn from_context(cluster: &ClusterArgs, args: &PromoteArgs, from: &str) -> Result<String, CliError> {
    if let Some(context) = args.from_context.as_ref().or(cluster.context.as_ref()) {
        return Ok(context.clone());
    }
    if let Some(context) = cluster.context_of(from)? {
        return Ok(context);
    }
    let contexts = cluster.contexts()?.join(", ");
    Err(CliError::failed(format!(
        "the kubeconfig has no context `{from}` or `run-{from}`"
    ))
    .hint(format!(
        "name it with --from-context; there are: {contexts}"
    )))
}
