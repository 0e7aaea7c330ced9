//! Serves one cluster from a folder until Ctrl-C: `serve FOLDER [PORT]`. Writes `FOLDER/kubeconfig`.
#![expect(clippy::print_stdout, reason = "this is a program")]

use std::path::PathBuf;
use std::time::Duration;

use apiserver::start::{Options, Server};
use apiserver::store::Durability;

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let folder = PathBuf::from(words.next().expect("usage: serve FOLDER [PORT]"));
    let port = words.next().and_then(|port| port.parse().ok()).unwrap_or(0);
    let options = Options {
        folder: folder.clone(),
        durability: |_| Durability::Memory,
        clusters: vec!["main".to_owned()],
        port,
        delay: Duration::from_millis(300),
    };
    let server = Server::start(options).await.expect("it starts");
    std::fs::write(folder.join("kubeconfig"), server.kubeconfig().to_string())
        .expect("it can be written");
    println!("ready on {}", server.address());
    tokio::signal::ctrl_c().await.expect("signals can be taken");
    server.stop().await;
}
