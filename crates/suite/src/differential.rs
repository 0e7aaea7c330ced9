//! The same requests to the genuine API server and to the embedded one: whatever they answer differently is
//! a fault of the embedded one.
//!
//! A seed makes a sequence of requests. Answers are compared whole: code, warnings and object, with its
//! owners of fields. What cannot be the same is given the same name first (`plain.rs`): uids, times,
//! resourceVersions and cluster IPs.

mod change;
mod difference;
mod fault;
mod message;
mod plain;
mod second;
mod sequence;
mod side;
mod sort;

use std::fmt::Write as _;
use std::time::Duration;

use futures::StreamExt as _;
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};
use testkit::eventually;
use testkit::real::State;

use crate::Embedded;

use sequence::{Body, Step, sequence};
use side::{Reply, Side};

/// So many sequences run at a time.
const AT_ONCE: usize = 12;
/// So often a sequence is begun anew of which a request took longer than its second.
const TRIES: usize = 30;
/// How long a genuine server may take to serve what a definition brings.
const SERVING: Duration = Duration::from_mins(1);

/// A genuine server without controllers and an embedded one.
pub struct Pair {
    genuine: Client,
    embedded: Client,
    server: Embedded,
}

impl Pair {
    /// Takes the cluster `bare` of a running control plane, and starts an embedded server.
    pub async fn start(state: &State) -> Self {
        let server = Embedded::start(None).await;
        let text = server.server.kubeconfig().to_string();
        let kubeconfig = Kubeconfig::from_yaml(&text).expect("the server writes a good one");
        let first = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &first).await;
        let config = config.expect("the server writes a good one");
        let genuine = state.config("bare").await.expect("there is a bare cluster");
        let connect = |config| cluster::client::connect(config).expect("its keys are good");
        let pair = Self {
            genuine: connect(&genuine),
            embedded: connect(&config),
            server,
        };
        for client in [&pair.genuine, &pair.embedded] {
            define(client).await;
        }
        pair
    }

    /// Runs the sequences of some seeds; says how the answers differ, where they do.
    pub async fn differences(&self, seeds: impl Iterator<Item = u64>) -> Vec<(u64, String)> {
        let runs = seeds.map(|seed| async move { (seed, self.run(seed).await) });
        let mut differences: Vec<(u64, String)> = futures::stream::iter(runs)
            .buffer_unordered(AT_ONCE)
            .filter_map(|(seed, found)| async move { Some((seed, found?)) })
            .collect()
            .await;
        differences.sort();
        differences
    }

    /// Ends the embedded server.
    pub async fn stop(self) {
        self.server.server.stop().await;
    }

    /// Runs the sequence of a seed up to the first difference.
    async fn run(&self, seed: u64) -> Option<String> {
        for _ in 0..TRIES {
            if let Ok(difference) = self.try_run(seed).await {
                return difference;
            }
        }
        Some(format!(
            "seed {seed}: no second was long enough for its requests, {TRIES} times\n"
        ))
    }

    /// The same, once.
    ///
    /// # Errors
    /// Where a request took longer than its second.
    async fn try_run(&self, seed: u64) -> Result<Option<String>, second::Missed> {
        let namespace = side::new_namespace(&self.genuine, seed).await;
        side::make_namespace(&self.embedded, &namespace).await;
        let mut genuine = Side::new(&self.genuine, &namespace);
        let mut embedded = Side::new(&self.embedded, &namespace);
        let steps = sequence(seed);
        let reads = reads(&steps);
        for (index, step) in steps.iter().chain(&reads).enumerate() {
            let second = if step.is_write() {
                Some(second::with_enough_left().await)
            } else {
                None
            };
            let (wanted, found) = futures::join!(genuine.send(step), embedded.send(step));
            if let Some(second) = second {
                second.is_still()?;
            }
            if wanted.code == 0 {
                return Ok(None); // it failed within: there is nothing to compare with
            }
            let lines = difference::lines(&wanted, &found, [genuine.names(), embedded.names()]);
            if !lines.is_empty() {
                let asked = genuine.asked();
                let mut text = told(seed, index, step, &asked, &lines);
                for (index, asked) in genuine.history().iter().enumerate().skip(1) {
                    let _ = writeln!(text, "  before, step {}: {asked}", index - 1);
                }
                return Ok(Some(text));
            }
        }
        Ok(None)
    }
}

/// What was written is read at the end: each object, and of custom resources the lists, too. Items of other
/// lists carry their kind, which those of the genuine server do not.
fn reads(steps: &[Step]) -> Vec<Step> {
    let mut reads: Vec<Step> = Vec::new();
    for step in steps {
        let names = if step.sort.custom {
            &["", step.name][..]
        } else {
            &[step.name]
        };
        for name in names {
            let is_read = |read: &Step| read.sort.kind == step.sort.kind && read.name == *name;
            if !(name.is_empty() && !step.sort.custom || reads.iter().any(is_read)) {
                reads.push(Step {
                    method: "GET",
                    sort: step.sort,
                    name,
                    subresource: "",
                    query: Vec::new(),
                    media: "application/json",
                    body: Body::None,
                });
            }
        }
    }
    reads
}

fn told(seed: u64, index: usize, step: &Step, asked: &str, lines: &[String]) -> String {
    let mut text = format!("seed {seed}, step {index}: {asked}\n");
    if let Body::Edited(part) = &step.body {
        let _ = writeln!(text, "(merged into what is there: {part})");
    }
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
    text
}

/// Creates the definitions, and waits until their kinds are served.
async fn define(client: &Client) {
    for definition in sort::definitions() {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let reply = side::exchange(client, "POST", path, "application/json", &definition).await;
        let code = reply.code;
        assert!([201, 409].contains(&code), "{code}: {}", reply.body);
    }
    for sort in sort::SORTS.iter().filter(|sort| sort.custom) {
        let path = sort.path("default");
        eventually("the kind of a definition", SERVING, || {
            let path = path.clone();
            async move {
                let reply: Reply = side::read(client, &path).await;
                if reply.code == 200 {
                    Ok(())
                } else {
                    Err(reply.body.to_string())
                }
            }
        })
        .await;
    }
}
