//! `shipway version`.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::error::CliError;
use crate::output::{Format, OutputArgs, print_text, print_whole};

/// Show the version
#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn cmd_version(args: &VersionArgs) -> Result<ExitCode, CliError> {
    let version = env!("CARGO_PKG_VERSION");
    match args.output.output {
        Format::Json | Format::Yaml => {
            print_whole(args.output.output, &json!({"version": version}))?;
        }
        _ => print_text(&format!("shipway {version}\n")),
    }
    Ok(ExitCode::SUCCESS)
}
