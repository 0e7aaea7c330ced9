//! `generator`: turns what a release of Kubernetes publishes about its API into the compact data that
//! the crate `apiserver` carries along. `cargo xtask gen` runs it; commit what it writes.
#![expect(clippy::print_stderr, reason = "this is a program")]

mod protobuf;
mod schema;

use std::path::PathBuf;
use std::process::ExitCode;

/// The release whose modules are read: 1.36.3 of kubernetes, 0.36.3 of all others.
const RELEASE: &str = "36.3";

const USAGE: &str = "\
usage: generator schema|protobuf MODULES OUT

  MODULES  the folder of Go's modules that holds k8s.io (`$(go env GOMODCACHE)`)
  OUT      the folder that is written to";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.as_slice() {
        [what, modules, out] if what == "schema" => {
            schema::generate(&PathBuf::from(modules), &PathBuf::from(out))
        }
        [what, modules, out] if what == "protobuf" => {
            protobuf::generate(&PathBuf::from(modules), &PathBuf::from(out))
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}
