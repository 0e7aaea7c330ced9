//! The commands that run something of ours against a genuine control plane.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::real::{Options, Real};
use crate::real_build;
use crate::run::{Outcome, cargo, exists, root, run, target};

/// The clusters of the suites: one that all scenarios share, and two for scenarios that kill
/// controllers or API servers.
const SUITE_CLUSTERS: &str = "suite,crash,lonely";
/// The clusters of the demo: one build's way to production.
const DEMO_CLUSTERS: &str = "run-qa,run-staging,run-production";

/// `cargo xtask test`: all tests; `args` are passed to `cargo test`.
pub(crate) fn test(args: &[String]) -> Outcome {
    install_git()?;
    prepare("debug")?;
    let real = Real::start(&Options {
        clusters: SUITE_CLUSTERS,
        flags: &["--audit"],
        profile: "debug",
        is_apart: false,
    })?;
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    run(command.args(args).env("SHIPWAY_REAL", real.state()))
}

/// `cargo xtask real`: a control plane to try things on.
pub(crate) fn real(args: &[String]) -> Outcome {
    let mut clusters = "main";
    let mut flags = vec!["--audit"];
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--clusters" => {
                clusters = words
                    .next()
                    .ok_or("`--clusters` needs names, such as a,b")?;
            }
            "--keep" => flags.push("--keep"),
            other => return Err(format!("`real` does not know `{other}`")),
        }
    }
    prepare("debug")?;
    let mut real = Real::start(&Options {
        clusters,
        flags: &flags,
        profile: "debug",
        is_apart: false,
    })?;
    announce(&real)?;
    let input = real.take_input();
    // Not joined: reading from a terminal ends with this process at the latest.
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while std::io::stdin()
            .read(&mut buffer)
            .is_ok_and(|count| count > 0)
        {}
        drop(input);
    });
    real.wait()
}

/// `cargo xtask demo`: the demo on three genuine clusters.
pub(crate) fn demo(args: &[String]) -> Outcome {
    install_git()?;
    prepare("debug")?;
    if args
        .iter()
        .any(|arg| ["-h", "--help"].contains(&arg.as_str()))
    {
        return run(Command::new(target().join("debug/shipway")).args(["demo", "--help"]));
    }
    let mut real = Real::start(&Options {
        clusters: DEMO_CLUSTERS,
        flags: &[],
        profile: "debug",
        is_apart: true,
    })?;
    let mut command = Command::new(target().join("debug/shipway"));
    command
        .args([
            "demo",
            "--context",
            DEMO_CLUSTERS,
            "--simulate-kubelet",
            "--yes",
            "--kubeconfig",
        ])
        .arg(real.field("kubeconfig")?)
        .args(args)
        .env("SHIPWAY_REAL", real.state());
    // Ctrl-C has to reach the demo alone: it takes away what it made, for which the clusters must be
    // there. So it replaces this program, and holds their input: when it ends, they do.
    if let Some(input) = real.take_input() {
        command.stdin(Stdio::from(input));
    }
    Err(format!("could not start the demo: {}", command.exec()))
}

/// `cargo xtask bench`: numbers, of optimised programs and an etcd that waits for the disk.
pub(crate) fn bench(args: &[String]) -> Outcome {
    install_git()?;
    prepare("release")?;
    let flags = &["--audit", "--fsync"];
    let real = Real::start(&Options {
        clusters: "main",
        flags,
        profile: "release",
        is_apart: false,
    })?;
    let mut command = Command::new(target().join("release/bench"));
    for arg in args {
        command.arg(arg);
        if arg == "--write" {
            command.arg("docs/benchmarks.md");
        }
    }
    // The page goes where the repository is, wherever we were called.
    run(command
        .current_dir(root())
        .env("SHIPWAY_REAL", real.state()))
}

/// Builds the genuine programs where they are missing, and all of ours, the testkit's too: always the
/// whole workspace, since a part of it would be compiled with other features and thus once more.
fn prepare(profile: &str) -> Outcome {
    real_build::binaries()?;
    let mut args = vec!["build", "--workspace"];
    match profile {
        "release" => args.push("--release"),
        // The tests are wanted next, and both builds share their work.
        _ => args.push("--all-targets"),
    }
    run(&mut cargo(&args))
}

fn announce(real: &Real) -> Outcome {
    println!("kubeconfig:   {}", real.field("kubeconfig")?);
    println!("version:      {}", real.field("version")?);
    println!("kubectl:      {}", real.field("kubectl")?);
    println!("SHIPWAY_REAL: {}", real.state().display());
    println!("Ctrl-C stops it.");
    Ok(())
}

/// The suites serve repositories with git itself. A bare Debian lacks it.
fn install_git() -> Outcome {
    if exists("git") {
        return Ok(());
    }
    let why = "git is missing: install it";
    if !exists("apt-get") {
        return Err(why.to_owned());
    }
    run(Command::new("apt-get").args(["update", "-qq"]))
        .and_then(|()| {
            run(Command::new("apt-get").args([
                "install",
                "-y",
                "-qq",
                "--no-install-recommends",
                "git",
            ]))
        })
        .map_err(|err| format!("{why} ({err})"))
}
