//! `shipway diff`: what Git would make of the cluster, of another revision, of another environment.

mod identity;
mod live;
mod place;
mod show;
mod source;
mod want;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use cluster::catalog::Catalog;
use delivery::Rendering;
use delivery::scope::{Scope, Served};
use manifest::{Manifest, ObjectId, Problem};
use serde_json::{Value, json};

use super::target::Target;
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{Format, OutputArgs, lines, note, print_text, print_whole};
use live::Compared;
use place::Places;
use show::{Difference, summary};
use want::Case;

/// Show what Git would change in the cluster, or how two revisions or two environments differ
///
/// Nothing is written: the API server is asked by a dry run as the Shipment's account.
/// The exit code is 0 when all is the same, 1 when something differs, more when it could not be told.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The Shipment
    #[arg(value_parser = super::target::name)]
    name: String,
    /// Compare this commit, tag or branch instead of the newest revision of what the Shipment follows
    #[arg(long, value_name = "REVISION", conflicts_with_all = ["from", "to_revision"])]
    revision: Option<String>,
    /// Compare the manifests of this revision with those of --to, without the cluster
    #[arg(long, value_name = "REVISION")]
    from: Option<String>,
    /// With --from: the other revision, instead of the newest
    #[arg(
        id = "to_revision",
        long = "to",
        value_name = "REVISION",
        requires = "from"
    )]
    to: Option<String>,
    /// Compare the manifests with the overlays of these two Environments
    ///
    /// The Shipment is that of the context. An Environment that is not in its cluster is looked for in the
    /// context of its own name, or of `run-` and its name: that is how it goes with one cluster for each
    /// environment. Where contexts have other names, --contexts tells them.
    #[arg(long, value_name = "ENVIRONMENT,ENVIRONMENT", conflicts_with_all = ["from", "to_revision", "no_overlay"])]
    between: Option<String>,
    /// With --between: read the two Environments, and the Secrets that they name, from these contexts
    #[arg(long, value_name = "NAME,NAME", requires = "between")]
    contexts: Option<String>,
    /// Leave out what the Environment adds
    #[arg(long)]
    no_overlay: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// What was compared and what came of it.
struct Outcome {
    compared: Compared,
    /// What the two sides are.
    sides: (String, String),
    /// Files that could not be read.
    problems: Vec<Problem>,
}

pub(crate) async fn cmd_diff(cluster: &ClusterArgs, args: &DiffArgs) -> Result<ExitCode, CliError> {
    let environments = args.between.as_deref().map(two).transpose()?;
    let contexts = args.contexts.as_deref().map(two_contexts).transpose()?;
    let target = Target::connect(cluster).await?;
    let case = Case::open(target, &args.name).await?;
    let outcome = match (&environments, &args.from) {
        (Some(names), _) => {
            let places = Places { cluster, contexts };
            between(&case, args, names, &places).await?
        }
        (None, Some(from)) => revisions(&case, args, from).await?,
        (None, None) => with_cluster(&case, args).await?,
    };
    drop(case);
    print(args.output.output, &outcome)?;
    verdict(&outcome)
}

/// The whole list of a prune that is held with this digest, as far as it can be worked out here.
pub(crate) async fn held(
    target: Target,
    name: &str,
    digest: &str,
) -> Result<Option<Vec<ObjectId>>, CliError> {
    let case = Case::open(target, name).await?;
    let (commit, _) = case.fetch(None).await?;
    let environment = case.environment().await?;
    let overlay = case.overlay_of(environment.as_deref()).await?;
    let rendering = case.render(commit, overlay.as_ref()).await?;
    live::held(&case, rendering, environment.as_deref(), digest).await
}

/// In which file of its source, and from which line on, a Shipment finds an object, where it does.
pub(crate) async fn place_of(
    target: Target,
    name: &str,
    is_it: impl Fn(&Manifest) -> bool,
) -> Result<Option<String>, CliError> {
    let case = Case::open(target, name).await?;
    let (commit, _) = case.fetch(None).await?;
    let rendering = case.render(commit, None).await?;
    let found = rendering.manifests.iter().find(|manifest| is_it(manifest));
    Ok(found.map(|manifest| format!("{}:{}", manifest.file, manifest.line)))
}

fn two(text: &str) -> Result<(String, String), CliError> {
    pair(text).ok_or_else(|| {
        CliError::usage("--between takes two Environments, as in `--between qa,production`")
    })
}

fn two_contexts(text: &str) -> Result<(String, String), CliError> {
    pair(text).ok_or_else(|| {
        CliError::usage("--contexts takes two contexts, as in `--contexts qa,production`")
    })
}

fn pair(text: &str) -> Option<(String, String)> {
    match text
        .split(',')
        .map(str::trim)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [one, other] if !one.is_empty() && !other.is_empty() => {
            Some(((*one).to_owned(), (*other).to_owned()))
        }
        _ => None,
    }
}

async fn with_cluster(case: &Case, args: &DiffArgs) -> Result<Outcome, CliError> {
    let (commit, revision) = case.fetch(args.revision.as_deref()).await?;
    let environment = if args.no_overlay {
        None
    } else {
        case.environment().await?
    };
    let overlay = case.overlay_of(environment.as_deref()).await?;
    let rendering = case.render(commit, overlay.as_ref()).await?;
    let problems = rendering.problems.clone();
    let compared = live::compare(case, rendering, environment.as_deref()).await?;
    let name = environment.and_then(|environment| environment.metadata.name.clone());
    let with = name
        .map(|name| format!(" in environment {name}"))
        .unwrap_or_default();
    Ok(Outcome {
        compared,
        sides: ("the cluster".to_owned(), format!("{revision}{with}")),
        problems,
    })
}

async fn revisions(case: &Case, args: &DiffArgs, from: &str) -> Result<Outcome, CliError> {
    let (old, old_name) = case.fetch(Some(from)).await?;
    let (new, new_name) = case.fetch(args.to.as_deref()).await?;
    let environment = if args.no_overlay {
        None
    } else {
        case.environment().await?
    };
    let overlay = case.overlay_of(environment.as_deref()).await?;
    let old = case.render(old, overlay.as_ref()).await?;
    let new = case.render(new, overlay.as_ref()).await?;
    Ok(manifests(case, old, new, (old_name, new_name)).await)
}

async fn between(
    case: &Case,
    args: &DiffArgs,
    names: &(String, String),
    places: &Places<'_>,
) -> Result<Outcome, CliError> {
    let (commit, revision) = case.fetch(args.revision.as_deref()).await?;
    let contexts = places.contexts.as_ref();
    let chosen = [
        (&names.0, contexts.map(|contexts| &contexts.0)),
        (&names.1, contexts.map(|contexts| &contexts.1)),
    ];
    let mut sides = Vec::new();
    for (name, context) in chosen {
        let found = places.find(&case.target, name, context).await?;
        let target = found.target.as_ref().unwrap_or(&case.target);
        let overlay = case.overlay_from(target, &found.environment).await?;
        sides.push(case.render(commit, overlay.as_ref()).await?);
    }
    let (new, old) = (
        sides.pop().unwrap_or_default(),
        sides.pop().unwrap_or_default(),
    );
    let of = |name: &str| format!("{revision} in environment {name}");
    Ok(manifests(case, old, new, (of(&names.0), of(&names.1))).await)
}

/// Compares two sets of manifests by identity, without the cluster.
async fn manifests(
    case: &Case,
    old: Rendering,
    new: Rendering,
    sides: (String, String),
) -> Outcome {
    // Where it cannot tell, a kind is taken to have namespaces, as most have.
    let catalog = Catalog::new(case.target.client.clone());
    let _ = catalog.refresh(Duration::ZERO).await;
    let has_namespaces = |manifest: &Manifest| {
        let served = catalog.served(manifest.group(), manifest.version(), manifest.kind());
        served != Served::Yes(Scope::Cluster)
    };
    let mut problems = old.problems.clone();
    problems.extend(
        new.problems
            .iter()
            .filter(|problem| !old.problems.contains(problem))
            .cloned(),
    );
    let by_id = |rendering: Rendering| -> BTreeMap<ObjectId, Value> {
        let manifests = rendering.manifests.into_iter();
        manifests
            .map(|manifest| {
                let mut id = manifest.id(Some(&case.key.namespace));
                id.namespace = id.namespace.filter(|_| has_namespaces(&manifest));
                (id, manifest.into_value())
            })
            .collect()
    };
    let (mut old, new) = (by_id(old), by_id(new));
    let (mut differences, mut same) = (Vec::new(), 0);
    for (id, new) in new {
        match Difference::between(id.clone(), &old.remove(&id).unwrap_or_default(), &new) {
            Some(difference) => differences.push(difference),
            None => same += 1,
        }
    }
    differences.extend(
        old.into_iter()
            .filter_map(|(id, old)| Difference::between(id, &old, &Value::Null)),
    );
    differences.sort_by(|a, b| a.id.cmp(&b.id));
    Outcome {
        compared: Compared {
            differences,
            same,
            notes: Vec::new(),
        },
        sides,
        problems,
    }
}

fn print(format: Format, outcome: &Outcome) -> Result<(), CliError> {
    let Compared {
        differences,
        same,
        notes,
    } = &outcome.compared;
    let (old, new) = &outcome.sides;
    match format {
        Format::Json | Format::Yaml => print_whole(
            format,
            &json!({
                "from": old, "to": new, "same": same, "notes": notes,
                "problems": outcome.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "objects": differences.iter().map(Difference::value).collect::<Vec<_>>(),
            }),
        )?,
        Format::Name => print_text(&lines(differences.iter().map(|difference| &difference.id))),
        Format::Table | Format::Wide => {
            print_text(&differences.iter().map(Difference::text).collect::<String>());
        }
    }
    note(format!(
        "from {old} to {new}: {}",
        summary(differences, *same)
    ));
    for line in notes {
        note(line);
    }
    for problem in &outcome.problems {
        note(format!("unread: {problem}"));
    }
    Ok(())
}

fn verdict(outcome: &Outcome) -> Result<ExitCode, CliError> {
    let refused = outcome
        .compared
        .differences
        .iter()
        .filter(|difference| difference.is_refused())
        .count();
    if refused > 0 {
        return Err(CliError::failed(format!(
            "the API server would refuse {refused} of the objects"
        )));
    }
    if !outcome.problems.is_empty() {
        return Err(CliError::failed(format!(
            "{} places of the source could not be read",
            outcome.problems.len()
        ))
        .hint("the rest would be applied, and nothing be deleted until all can be read"));
    }
    Ok(if outcome.compared.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
