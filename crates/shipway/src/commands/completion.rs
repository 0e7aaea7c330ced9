//! `shipway completion`: what a shell needs to complete commands and flags.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use crate::output::print_text;

/// Print a shell's completions
///
/// For bash: `source <(shipway completion bash)`. For fish: `shipway completion fish | source`.
#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn cmd_completion(args: &CompletionArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut crate::cli::command(),
        "shipway",
        &mut script,
    );
    print_text(&String::from_utf8_lossy(&script));
    ExitCode::SUCCESS
}
