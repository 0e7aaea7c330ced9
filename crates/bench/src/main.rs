//! `bench`: measures Shipway on a genuine control plane, each number beside its floor.
//!
//! Calls are counted by the API server's audit log and memory by the kernel: the program that is
//! measured is not asked. `cargo xtask bench` builds everything and starts the control plane.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program"
)]

mod args;
mod connection;
mod document;
mod effort;
mod floor;
mod latency;
mod machine;
mod process;
mod report;
mod scenario;
mod sight;
mod specification;
mod stage;
mod traffic;

use std::process::ExitCode;

use args::Args;
use effort::Clock;
use report::Report;
use stage::Stage;

/// What every step returns: a value, or a sentence for a person.
pub(crate) type Outcome<T = ()> = Result<T, String>;

#[tokio::main]
async fn main() -> ExitCode {
    let args = match args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("error: {why}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Outcome {
    let stage = Stage::open().await?;
    let mut report = Report::default();
    // Before anything runs: somebody may commit meanwhile, and that is not what is measured.
    let machine = machine::describe(&stage).await;
    let clock = Clock::start(&stage, None)?;
    let failed = scenario::run_all(&stage, args, &mut report).await;
    let machine = format!("{machine}\n- {}", clock.read()?.company());
    println!("{machine}\n\n{}", report.table());
    for detail in report.details() {
        println!("{}\n{}\n", detail.title, detail.text);
    }
    // What was measured before something failed is still worth a page, if it says so.
    if let Some(path) = &args.write {
        let page = document::page(&machine, &report, args, (&failed, stage.is_embedded()));
        tokio::fs::write(path, page)
            .await
            .map_err(|error| format!("could not write `{}`: {error}", path.display()))?;
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("\n"))
    }
}
