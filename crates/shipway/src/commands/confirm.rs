//! `shipway confirm`: agrees to a deletion that is held.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use kinds::names;
use kinds::shipment::HeldPrune;
use serde_json::json;

use super::target::{Target, named};
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{lines, note, print_text};

/// Agree to a deletion that is held, after a look at its list
///
/// What is agreed to is exactly the list that is shown: if it changes meanwhile, the deletion is held again.
#[derive(Debug, Args)]
pub(crate) struct ConfirmArgs {
    /// The Shipment
    name: String,
    /// Do not ask
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
    print_text(&listed(&held));
    if let Some(digest) = args
        .digest
        .as_ref()
        .filter(|digest| **digest != held.digest)
    {
        return Err(CliError::failed(format!(
            "the list has the digest `{}`, not `{digest}`: it has changed",
            held.digest
        ))
        .hint("look at it again, then pass its new digest"));
    }
    if !args.yes && !agreed(&held)? {
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

/// The list, one object a line.
fn listed(held: &HeldPrune) -> String {
    let more = held.count - i64::try_from(held.objects.len()).unwrap_or_default();
    let rest = (more > 0).then(|| format!("... and {more} more, {} in all", held.count));
    lines(held.objects.iter().chain(&rest))
}

fn counted(count: i64) -> String {
    if count == 1 {
        "1 object".to_owned()
    } else {
        format!("{count} objects")
    }
}

fn agreed(held: &HeldPrune) -> Result<bool, CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::failed(
            "there is no terminal to ask on, and the deletion is not confirmed",
        )
        .hint(format!("pass --yes, best with --digest {}", held.digest)));
    }
    note(format!("Held because of {}.", held.reason));
    let these = if held.count == 1 { "this" } else { "these" };
    crate::output::ask(&format!("Delete {these} {}? [y/N] ", counted(held.count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(objects: &[&str], count: i64, shown: &str) {
        let mut held = HeldPrune::default();
        held.objects = objects.iter().map(|object| (*object).to_owned()).collect();
        held.count = count;
        assert_eq!(listed(&held), shown);
    }

    #[test]
    fn lists_what_would_go_and_how_much_is_not_listed() {
        check(
            &["ConfigMap/shop/a", "ConfigMap/shop/b"],
            2,
            "ConfigMap/shop/a\nConfigMap/shop/b\n",
        );
        check(
            &["ConfigMap/shop/a"],
            60,
            "ConfigMap/shop/a\n... and 59 more, 60 in all\n",
        );
    }
}
