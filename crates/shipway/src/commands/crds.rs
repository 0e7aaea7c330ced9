//! `shipway crds`: what has to be installed before the controller can work.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::controller::Profile;
use crate::error::CliError;
use crate::output::print_text;

/// Print the CustomResourceDefinitions and the ClusterRole to install
///
/// Apply them with `shipway crds | kubectl apply --server-side -f -`.
#[derive(Debug, Args)]
pub(crate) struct CrdsArgs {
    /// Print what this kind of cluster needs
    #[arg(long, value_enum, default_value_t = Profile::Run)]
    profile: Profile,
}

pub(crate) fn cmd_crds(args: &CrdsArgs) -> Result<ExitCode, CliError> {
    print_text(&text(args.profile)?);
    Ok(ExitCode::SUCCESS)
}

fn text(profile: Profile) -> Result<String, CliError> {
    let documents = objects_of(profile)?
        .into_iter()
        .map(|object| format!("---\n{}", manifest::to_yaml(&object)));
    Ok(documents.collect())
}

/// Everything to install on a Run cluster, in the order in which it is applied.
pub(crate) fn objects() -> Result<Vec<Value>, CliError> {
    objects_of(Profile::Run)
}

fn objects_of(profile: Profile) -> Result<Vec<Value>, CliError> {
    let mut objects = Vec::new();
    for crd in kinds::crd::of(profile.into()) {
        objects.push(serde_json::to_value(crd).map_err(CliError::failed)?);
    }
    objects.extend(kinds::role::all());
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_file_is_what_the_command_prints() {
        let printed = text(Profile::Run).expect("the objects are plain data");
        let committed = include_str!("../../../../deploy/crds.yaml");
        assert!(
            printed == committed,
            "deploy/crds.yaml is out of date: run `cargo xtask gen`"
        );
    }
}
