//! `cargo xtask`: every recipe of this repository, for people and for CI alike.
//!
//! Only the standard library, so that it builds in seconds and changes no feature of the workspace.
//! What needs Kubernetes is done by the testkit binary `real`; this one builds and starts it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "xtask starts programs, reads the environment and measures builds"
)]

mod check;
mod failures;
mod generate;
mod real;
mod real_build;
mod real_older;
mod run;
mod suite;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask <command>

  check                     fmt, clippy (warnings are errors if CI is set), tidy
  tidy                      the house rules that no compiler knows
  test [filter…]            all tests, against a genuine control plane that is built when missing, and
                            the scenarios against an embedded one, too; without Go, all against that
  soak [sequences] [kills] [watchers] [garbage] [--sequences N] [--from SEED]
                            what takes too long for every run: the embedded API server compared with a
                            genuine one over 2,000 sequences of requests that chance makes up, killed
                            under load, left with watchers that do not read, and fed with garbage
  gen [--check]             write the generated files, or say which are out of date
  real [--embedded] [--clusters a,b] [--bare c,d] [--keep]
                            run a genuine control plane, or an embedded one, until Ctrl-C or the end of
                            the input; bare clusters have no controllers; --keep leaves its logs and data
                            behind
  demo [args…]              the demo on genuine clusters; args go to `shipway demo`
  bench [--embedded] [--quick] [--write] [scenario…]
                            the benchmarks on a genuine cluster: idle, push, drift, chains, install, steady,
                            monorepo, restart, server; --write puts the numbers into docs/benchmarks.md;
                            on an embedded one: all but server, into docs/benchmarks-embedded.md

The genuine control plane (etcd, kube-apiserver, kube-controller-manager, kubectl) is built from source once,
which takes 6 to 12 minutes and needs Go 1.26. KUBEBUILDER_ASSETS=DIR uses the programs there instead.";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let args: Vec<String> = words.collect();
    let done = match command.as_str() {
        "check" => check::check(),
        "tidy" => tidy::tidy(),
        "test" => suite::test(&args),
        "gen" => generate::generate(&args),
        "soak" => suite::soak(&args),
        "real" => suite::real(&args),
        "demo" => suite::demo(&args),
        "bench" => suite::bench(&args),
        "" | "help" | "-h" | "--help" => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(format!("there is no command `{other}`\n\n{HELP}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}
