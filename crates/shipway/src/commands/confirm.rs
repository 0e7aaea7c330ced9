//! `shipway confirm`: agrees to a deletion that is held.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use kinds::shipment::HeldPrune;
use kinds::{Reason, names};
use serde_json::json;

use super::diff;
use super::target::{Target, named};
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{lines, note, print_text};

/// Agree to a deletion that is held, after a look at its list
///
/// What is agreed to is exactly the list of the digest: if it changes meanwhile, the deletion is held again.
/// The cluster keeps the first 50 objects of a list; a longer one is worked out from the source, which is read
/// from this machine.
#[derive(Debug, Args)]
pub(crate) struct ConfirmArgs {
    /// The Shipment
    #[arg(value_parser = super::target::name)]
    name: String,
    /// Do not ask; where not all of the list can be shown, `--digest` has to name it
    #[arg(short, long)]
    yes: bool,
    /// Agree only if the list still has this digest
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
}

pub(crate) async fn cmd_confirm(
    cluster: &ClusterArgs,
    args: &ConfirmArgs,
) -> Result<ExitCode, CliError> {
    let target = Target::connect(cluster).await?;
    let shipment = target.shipment(&args.name).await?;
    let Some(held) = shipment.status.and_then(|status| status.held) else {
        note(format!("no deletion of Shipment `{}` is held", args.name));
        return Ok(ExitCode::SUCCESS);
    };
    let (shown, is_whole) = whole(cluster, &args.name, &held).await;
    print_text(&lines(&shown));
    if held.reason == Reason::RenderIncomplete.as_str() {
        return Err(CliError::failed(
            "these are held because nothing, or not everything, could be rendered: no confirmation helps",
        )
        .hint(format!(
            "{} says what to mend",
            target.command(&format!("get {}", args.name))
        )));
    }
    if let Some(digest) = args
        .digest
        .as_ref()
        .filter(|digest| **digest != held.digest)
    {
        return Err(CliError::failed(format!(
            "the list has the digest `{}`, not `{digest}`: it has changed",
            held.digest
        ))
        .hint(format!(
            "look at it again, then agree with {}",
            target.command(&format!("confirm {} --digest {}", args.name, held.digest))
        )));
    }
    if args.yes && args.digest.is_none() && !is_whole {
        return Err(CliError::failed(
            "not all that would be deleted could be shown, and nothing was confirmed",
        )
        .hint(format!(
            "{} agrees to all of the list, unseen",
            target.command(&format!(
                "confirm {} --yes --digest {}",
                args.name, held.digest
            ))
        )));
    }
    if !args.yes && !agreed(&target, &args.name, &held)? {
        return Err(CliError::failed("nothing was confirmed"));
    }
    let patch = json!({"metadata": {"annotations": {names::CONFIRM_ANNOTATION: held.digest}}});
    target.patch(&target.namespace, &args.name, &patch).await?;
    note(format!(
        "{}: the deletion of {} is confirmed",
        named(&args.name),
        counted(held.count)
    ));
    Ok(ExitCode::SUCCESS)
}

/// The objects that would go: those that the status lists, or all where there are more and the
/// source tells which, and whether these are all. What cannot be shown is said.
async fn whole(cluster: &ClusterArgs, name: &str, held: &HeldPrune) -> (Vec<String>, bool) {
    let listed = held.objects.clone();
    if is_whole(held) {
        return (listed, true);
    }
    let found = match Target::connect(cluster).await {
        Ok(target) => diff::held(target, name, &held.digest).await,
        Err(error) => Err(error),
    };
    let why = match found {
        Ok(Some(list)) => return (list.iter().map(ToString::to_string).collect(), true),
        Ok(None) => "the source and the cluster have moved on since the list was made".to_owned(),
        Err(error) => error.to_string(),
    };
    note(partly(held, &why));
    (listed, false)
}

/// Whether the status lists every object.
fn is_whole(held: &HeldPrune) -> bool {
    usize::try_from(held.count).is_ok_and(|count| count <= held.objects.len())
}

/// What is said where not all can be shown.
fn partly(held: &HeldPrune, why: &str) -> String {
    format!(
        "Only {} of {} objects are shown, and the digest {} is that of all: {why}.",
        held.objects.len(),
        held.count,
        held.digest
    )
}

fn counted(count: i64) -> String {
    if count == 1 {
        "1 object".to_owned()
    } else {
        format!("{count} objects")
    }
}

fn agreed(target: &Target, name: &str, held: &HeldPrune) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::failed(
            "there is no terminal to ask on, and the deletion is not confirmed",
        )
        .hint(format!(
            "{} agrees to exactly this list",
            target.command(&format!("confirm {name} --yes --digest {}", held.digest))
        )));
    }
    note(format!("Held because of {}.", held.reason));
    let these = if held.count == 1 { "this" } else { "these" };
    crate::output::ask(&format!("Delete {these} {}? [y/N] ", counted(held.count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(objects: &[&str], count: i64, said: Option<&str>) {
        let mut held = HeldPrune::default();
        held.objects = objects.iter().map(|object| (*object).to_owned()).collect();
        held.count = count;
        held.digest = "a1".to_owned();
        let told = (!is_whole(&held)).then(|| partly(&held, "no answer"));
        assert_eq!(told.as_deref(), said);
    }

    #[test]
    fn says_how_much_of_a_list_is_not_shown() {
        check(&["ConfigMap/shop/a", "ConfigMap/shop/b"], 2, None);
        check(
            &["ConfigMap/shop/a"],
            60,
            Some("Only 1 of 60 objects are shown, and the digest a1 is that of all: no answer."),
        );
    }
}
