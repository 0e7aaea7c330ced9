//! `test`: cases for templates and supply chains, in folders as Cartographer's `cartotest` reads them.
//!
//! What a template becomes is decided by the crate `choreography`, as in a cluster. Here is what is around
//! it: folders become cases (`tree`, `case`, `with`, `keys`), files objects (`file`), and what is stamped (`stamp`)
//! is compared with what is expected (`compare`) and told (`tell`).

mod case;
mod compare;
mod file;
mod keys;
mod stamp;
mod tell;
mod tree;
mod with;
mod wrong;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::error::CliError;
use crate::output::{OutputArgs, note};
use crate::ytt::Workers;
use case::Case;
use tell::{Outcome, Told};
use tree::Found;
use wrong::Wrong;

/// Test templates and supply chains by cases in folders, without a cluster
///
/// A folder without folders in it is a case, in the format of Cartographer's `cartotest`: `template.yaml`,
/// `workload.yaml`, and `expected.yaml`, which is compared with what is stamped. `info.yaml` says more, also for
/// all folders below. The exit code is 0 when all cases pass, 1 when one fails or only focused ones ran, more
/// when there is none.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The folders
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn test(args: &TestArgs) -> Result<ExitCode, CliError> {
    let mut cases = Vec::new();
    for folder in &args.folders {
        cases.extend(tree::find(folder)?);
    }
    let all = cases.len();
    let is_focused = |found: &Found| found.case.as_ref().is_ok_and(|case| case.is_focused);
    let has_focus = cases.iter().any(is_focused);
    if has_focus {
        cases.retain(is_focused);
    }
    let workers = Workers::new();
    let mut told = Vec::new();
    for Found { path, case } in cases {
        let (name, description) = case.as_ref().map_or((None, None), |case| {
            (case.name.clone(), case.description.clone())
        });
        let outcome = match case {
            Ok(case) => run(&case, &workers).await.unwrap_or_else(Outcome::Wrong),
            Err(wrong) => Outcome::Wrong(wrong),
        };
        told.push(Told {
            path,
            name,
            description,
            outcome,
        });
    }
    tell::print(args.output.output, &told)?;
    note(tell::summary(&told));
    if has_focus {
        note(format!(
            "only the {} of {all} cases with `focus` ran, and the exit code is 1, so that none is left by mistake",
            told.len()
        ));
    }
    let has_failed = told.iter().any(|told| !told.outcome.is_pass());
    Ok(if has_failed || has_focus {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

async fn run(case: &Case, workers: &Workers) -> Result<Outcome, Wrong> {
    let expected = file::expected(case)?;
    let stamped = stamp::stamped(case, workers).await?;
    Ok(match case.compare.differences(expected, stamped) {
        None => Outcome::Pass,
        Some(lines) => Outcome::Differs(lines),
    })
}
