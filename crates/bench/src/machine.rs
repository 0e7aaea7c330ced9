//! On what it was measured.
#![expect(
    clippy::disallowed_methods,
    reason = "versions are asked of the programs"
)]

use std::path::Path;

use tokio::process::Command;

use testkit::real::Servers;

use crate::stage::Stage;

/// A list of machine, programs and date, as Markdown.
pub(crate) async fn describe(stage: &Stage) -> String {
    let running = stage.world.state();
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cores = cpu
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let model = value(&cpu, "model name");
    let memory = value(&read("/proc/meminfo"), "MemTotal");
    let kernel = read("/proc/sys/kernel/osrelease");
    let servers = match &running.servers {
        Servers::Genuine { binaries } => {
            let etcd = first_line(&binaries.join("etcd"), &["--version"]).await;
            format!(
                "kube-apiserver {} with its audit log on, {etcd} that waits for the disk, kube-controller-manager",
                running.version
            )
        }
        Servers::Embedded { .. } => {
            "the embedded server of this commit, with its audit log on, that waits for the disk"
                .to_owned()
        }
    };
    let rustc = first_line(Path::new("rustc"), &["--version"]).await;
    let commit = first_line(Path::new("git"), &["rev-parse", "--short", "HEAD"]).await;
    let changed = first_line(Path::new("git"), &["status", "--porcelain", "--", "crates"]).await;
    let changed = if changed.is_empty() {
        ""
    } else {
        ", with changes that are not committed"
    };
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    format!(
        "- {cores} cores ({model}), {memory} of memory, Linux {}\n\
         - {servers}\n\
         - {rustc}; Shipway was built at {}, and the repository stood at commit {commit}{changed} when the run began\n\
         - {date}",
        kernel.trim(),
        built().unwrap_or_else(|| "an unknown time".to_owned()),
    )
}

/// When the program that is measured was written, which tells it from a later state of the tree.
fn built() -> Option<String> {
    let program = std::env::current_exe().ok()?.with_file_name("shipway");
    let written = std::fs::metadata(program).ok()?.modified().ok()?;
    let written = jiff::Timestamp::try_from(written).ok()?;
    Some(written.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn value(text: &str, field: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(field));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or_else(
        || "unknown".to_owned(),
        |(_, value)| value.trim().to_owned(),
    )
}

async fn first_line(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().await;
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_else(|error| format!("{} ({error})", program.display()));
    text.lines().next().unwrap_or_default().to_owned()
}
