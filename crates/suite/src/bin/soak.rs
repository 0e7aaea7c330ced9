//! `soak`: what takes too long for every run of the suites.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program"
)]

use std::process::ExitCode;

use suite::soak::{Outcome, garbage, kills, watchers};

const USAGE: &str = "\
usage: soak [kills | watchers | garbage]…

  kills      kill -9 of the embedded API server under load, 100 times
  watchers   1,000 watchers of it that do not read
  garbage    100,000 spoilt requests to it";

/// The parts, in the order in which they run.
const PARTS: [&str; 3] = ["kills", "watchers", "garbage"];

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = words.iter().find(|word| !PARTS.contains(&word.as_str())) {
        eprintln!("error: there is no part `{unknown}`\n\n{USAGE}");
        return ExitCode::from(2);
    }
    let mut code = ExitCode::SUCCESS;
    for part in PARTS {
        if !words.is_empty() && !words.iter().any(|word| word == part) {
            continue;
        }
        match run(part).await {
            Ok(done) => println!("{part}: {done}"),
            Err(why) => {
                println!("{part}: FAILED: {why}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

async fn run(part: &str) -> Outcome {
    match part {
        "kills" => kills(100).await,
        "watchers" => watchers(1_000, 20_000).await,
        _ => garbage(100_000).await,
    }
}
