//! `shipway crds`: what has to be installed before the controller can work.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use crate::error::CliError;
use crate::output::print_text;

/// Print the CustomResourceDefinitions and the ClusterRole to install
///
/// Apply them with `shipway crds | kubectl apply --server-side -f -`.
#[derive(Debug, Args)]
pub(crate) struct CrdsArgs {}

pub(crate) fn cmd_crds(_: &CrdsArgs) -> Result<ExitCode, CliError> {
    let mut text = String::new();
    for object in objects()? {
        text.push_str("---\n");
        text.push_str(&manifest::to_yaml(&object));
    }
    print_text(&text);
    Ok(ExitCode::SUCCESS)
}

/// Everything to install, in the order in which it is applied.
pub(crate) fn objects() -> Result<Vec<Value>, CliError> {
    let mut objects = Vec::new();
    for crd in kinds::crd::all() {
        objects.push(serde_json::to_value(crd).map_err(CliError::failed)?);
    }
    objects.extend(kinds::role::all());
    Ok(objects)
}
