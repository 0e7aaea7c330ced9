//! `cargo xtask check`: what a change must pass before anybody looks at it.

use crate::run::{Outcome, cargo, run};
use crate::tidy;

/// Runs all checks, also after one has failed: each of them is worth knowing.
pub(crate) fn check() -> Outcome {
    let mut clippy = vec!["clippy", "--workspace", "--all-targets"];
    // Warnings are for people while they work, and errors for CI.
    if std::env::var_os("CI").is_some() {
        clippy.extend(["--", "-D", "warnings"]);
    }
    let outcomes = [
        run(&mut cargo(&["fmt", "--all", "--check"])),
        run(&mut cargo(&clippy)),
        tidy::tidy(),
    ];
    let failed: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(failed.join("\n"))
    }
}
