//! `soak`: what takes too long for every run of the suites. It needs the control plane of `SHIPWAY_REAL`
//! for sequences alone.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program"
)]

use std::process::ExitCode;

use suite::differential::Pair;
use suite::soak::{Outcome, garbage, kills, watchers};
use testkit::World;

const USAGE: &str = "\
usage: soak [sequences | kills | watchers | garbage]… [--sequences N] [--from SEED]

  sequences       2,000 sequences of requests to the embedded API server and the genuine one, compared
  kills           kill -9 of the embedded one under load, 100 times
  watchers        1,000 watchers of it that do not read
  garbage         100,000 spoilt requests to it
  --sequences N   so many sequences
  --from SEED     from this seed on";

/// The parts, in the order in which they run.
const PARTS: [&str; 4] = ["sequences", "kills", "watchers", "garbage"];
/// So many sequences run where nobody says how many.
const SEQUENCES: u64 = 2_000;
/// So many run between two lines of what was found.
const BATCH: u64 = 100;

/// What is to be done.
struct Args {
    /// The parts that run; all when empty.
    parts: Vec<String>,
    from: u64,
    sequences: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match read(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("error: {why}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut code = ExitCode::SUCCESS;
    for part in PARTS {
        if !args.parts.is_empty() && !args.parts.iter().any(|wanted| wanted == part) {
            continue;
        }
        match run(part, &args).await {
            Ok(done) => println!("{part}: {done}"),
            Err(why) => {
                println!("{part}: FAILED: {why}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn read(mut words: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut args = Args {
        parts: Vec::new(),
        from: 1,
        sequences: SEQUENCES,
    };
    while let Some(word) = words.next() {
        let mut number = || {
            let number = words.next().and_then(|text| text.parse().ok());
            number.ok_or_else(|| format!("`{word}` needs a number"))
        };
        match word.as_str() {
            "--sequences" => args.sequences = number()?,
            "--from" => args.from = number()?,
            part if PARTS.contains(&part) => args.parts.push(word),
            _ => return Err(format!("there is no part `{word}`")),
        }
    }
    Ok(args)
}

async fn run(part: &str, args: &Args) -> Outcome {
    match part {
        "sequences" => sequences(args.from, args.sequences).await,
        "kills" => kills(100).await,
        "watchers" => watchers(1_000, 20_000).await,
        _ => garbage(100_000).await,
    }
}

async fn sequences(from: u64, count: u64) -> Outcome {
    let pair = Pair::start(World::shared().state()).await;
    let end = from.saturating_add(count);
    let mut differing = Vec::new();
    let mut at = from;
    while at < end {
        let next = end.min(at.saturating_add(BATCH));
        for (seed, text) in pair.differences(at..next).await {
            println!("{text}");
            differing.push(seed);
        }
        at = next;
    }
    pair.stop().await;
    if differing.is_empty() {
        Ok(format!("{count} from seed {from} on, none differs"))
    } else {
        let found = differing.len();
        Err(format!(
            "{found} of {count} from seed {from} on differ: {differing:?}"
        ))
    }
}
