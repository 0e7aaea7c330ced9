//! The commands that run something of ours against a control plane.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::failures;
use crate::real::{Options, Real, Servers};
use crate::real_build;
use crate::run::{Outcome, cargo, exists, root, run, target};

/// The clusters of the suites: one that all scenarios share, and those on which scenarios take turns.
const SUITE_CLUSTERS: &str = "suite,crash,lonely,chains,demo";
/// Their cluster without controllers, with which the embedded server is compared.
const BARE_CLUSTER: &str = "bare";
/// The clusters of the demo: one build's way to production.
const DEMO_CLUSTERS: &str = "run-qa,run-staging,run-production";

/// `cargo xtask test`: all tests; `args` are passed to `cargo test`. Everything runs on a genuine control
/// plane, and the scenarios on an embedded one, too; where there is no Go, everything on the embedded one.
/// The scenarios about kubectl tell that they are left out where there is none.
pub(crate) fn test(args: &[String]) -> Outcome {
    install_git()?;
    let is_ci = std::env::var_os("CI").is_some(); // which judges, or says what it misses
    let genuine = if exists_genuine() || is_ci {
        Some(prepare("debug")?)
    } else {
        eprintln!(
            "Go is not here, so nothing is held to the genuine control plane, which is built with it: \
             the embedded one has to do"
        );
        build("debug")?;
        None
    };
    let embedded = Servers::Embedded(match &genuine {
        Some(Servers::Genuine(binaries)) => Some(binaries.join("kubectl")),
        _ => find_kubectl(),
    });
    let tests = ["test", "--workspace", "--no-fail-fast"];
    let scenarios = ["--test", "scenarios"];
    match &genuine {
        Some(genuine) => {
            run_tests(genuine, &tests, args)?;
            run_tests(&embedded, &[&tests[..], &scenarios].concat(), args)
        }
        None => run_tests(&embedded, &tests, args),
    }
}

fn run_tests(servers: &Servers, words: &[&str], args: &[String]) -> Outcome {
    let real = Real::start(&Options {
        servers,
        clusters: SUITE_CLUSTERS,
        flags: &["--audit", "--bare", BARE_CLUSTER],
        profile: "debug",
        is_apart: false,
    })?;
    let mut command = cargo(words);
    if std::env::var_os("RUST_TEST_THREADS").is_none() {
        command.env("RUST_TEST_THREADS", threads().to_string());
    }
    command.args(args).env("SHIPWAY_REAL", real.state());
    // A person has colours, and sees what goes by.
    if std::env::var_os("CI").is_some() {
        failures::run(&mut command)
    } else {
        run(&mut command)
    }
}

/// How many tests run at a time: more than there are cores, since scenarios wait most of the time, many of them for
/// their turn on a cluster.
fn threads() -> usize {
    4 * std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Whether the genuine programs are here, or can be built.
fn exists_genuine() -> bool {
    std::env::var_os("KUBEBUILDER_ASSETS").is_some() || exists("go")
}

/// The kubectl of this machine, if it has one.
fn find_kubectl() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    folders.find_map(|folder| {
        let program = folder.join("kubectl");
        program.is_file().then_some(program)
    })
}

/// `cargo xtask soak`: what takes too long for every run of the suites.
pub(crate) fn soak(args: &[String]) -> Outcome {
    let servers = prepare("debug")?;
    let real = Real::start(&Options {
        servers: &servers,
        clusters: "",
        flags: &["--bare", BARE_CLUSTER],
        profile: "debug",
        is_apart: false,
    })?;
    let mut command = Command::new(target().join("debug/soak"));
    run(command.args(args).env("SHIPWAY_REAL", real.state()))
}

/// `cargo xtask real`: a control plane to try things on.
pub(crate) fn real(args: &[String]) -> Outcome {
    let mut clusters = "main";
    let mut flags = vec!["--audit"];
    let mut is_embedded = false;
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--clusters" => {
                clusters = words
                    .next()
                    .ok_or("`--clusters` needs names, such as a,b")?;
            }
            "--bare" => {
                let names = words.next().ok_or("`--bare` needs names, such as a,b")?;
                flags.extend(["--bare", names]);
            }
            "--keep" => flags.push("--keep"),
            "--embedded" => is_embedded = true,
            other => return Err(format!("`real` does not know `{other}`")),
        }
    }
    let servers = if is_embedded {
        build("debug")?;
        Servers::Embedded(find_kubectl())
    } else {
        prepare("debug")?
    };
    let mut real = Real::start(&Options {
        servers: &servers,
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
    let servers = prepare("debug")?;
    if args
        .iter()
        .any(|arg| ["-h", "--help"].contains(&arg.as_str()))
    {
        return run(Command::new(target().join("debug/shipway")).args(["demo", "--help"]));
    }
    let mut real = Real::start(&Options {
        servers: &servers,
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
    let is_embedded = args.iter().any(|arg| arg == "--embedded");
    let (servers, page) = if is_embedded {
        build("release")?;
        (Servers::Embedded(None), "docs/benchmarks-embedded.md")
    } else {
        (prepare("release")?, "docs/benchmarks.md")
    };
    let flags = &["--audit", "--fsync"];
    let real = Real::start(&Options {
        servers: &servers,
        clusters: "main",
        flags,
        profile: "release",
        is_apart: false,
    })?;
    let mut command = Command::new(target().join("release/bench"));
    for arg in args.iter().filter(|arg| *arg != "--embedded") {
        command.arg(arg);
        if arg == "--write" {
            command.arg(page);
        }
    }
    // The page goes where the repository is, wherever we were called.
    run(command
        .current_dir(root())
        .env("SHIPWAY_REAL", real.state()))
}

/// Builds the genuine programs where they are missing, and all of ours.
fn prepare(profile: &str) -> Outcome<Servers> {
    let binaries = real_build::binaries()?;
    build(profile)?;
    Ok(Servers::Genuine(binaries))
}

/// Builds all of ours, the testkit's too: always the whole workspace, since a part of it would be
/// compiled with other features and thus once more.
fn build(profile: &str) -> Outcome {
    let mut args = vec!["build", "--workspace"];
    match profile {
        // The embedded server of the benchmarks is an example.
        "release" => args.extend(["--release", "--bins", "--examples"]),
        // The tests are wanted next, and both builds share their work.
        _ => args.push("--all-targets"),
    }
    run(&mut cargo(&args))
}

fn announce(real: &Real) -> Outcome {
    println!("kubeconfig:   {}", real.field("kubeconfig")?);
    println!("version:      {}", real.field("version")?);
    // An embedded control plane has none where the machine has none.
    if let Ok(kubectl) = real.field("kubectl") {
        println!("kubectl:      {kubectl}");
    }
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
