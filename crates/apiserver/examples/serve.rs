//! Serves one cluster from a folder until Ctrl-C, and writes `FOLDER/kubeconfig`:
//! `serve FOLDER [--port N] [--cluster NAME] [--lasting | --synced] [--audit-log FILE] [--delay MILLISECONDS]`.
//! With `--lasting` its objects outlive it, with `--synced` the machine, too.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use apiserver::start::{Options, Server};
use apiserver::store::{Durability, Sync};

#[tokio::main]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().expect("the first word names a folder"));
    let mut options = Options {
        folder: folder.clone(),
        durability: |_| Durability::Memory,
        clusters: vec!["main".to_owned()],
        port: 0,
        delay: Some(Duration::from_millis(300)),
        audit_log: None,
    };
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("the flag needs a value");
        let number = |text: String| text.parse().expect("the value is a number");
        match word.as_str() {
            "--port" => options.port = value().parse().expect("the value is a port"),
            "--cluster" => options.clusters = vec![value()],
            "--lasting" => options.durability = |path| lasting(path, Sync::Never),
            "--synced" => options.durability = |path| lasting(path, Sync::Always),
            "--audit-log" => options.audit_log = Some(PathBuf::from(value())),
            "--delay" => options.delay = Some(Duration::from_millis(number(value()))),
            other => {
                eprintln!("there is no flag `{other}`");
                return ExitCode::from(2);
            }
        }
    }
    let server = Server::start(options).await.expect("it starts");
    std::fs::write(folder.join("kubeconfig"), server.kubeconfig().to_string())
        .expect("it can be written");
    println!("ready on {}", server.address());
    tokio::signal::ctrl_c().await.expect("signals can be taken");
    server.stop().await;
    ExitCode::SUCCESS
}

fn lasting(path: PathBuf, sync: Sync) -> Durability {
    Durability::Folder {
        path,
        sync,
        snapshot_after: 64 << 20,
    }
}
