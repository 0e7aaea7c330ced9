//! A server that is killed at any moment loses nothing that it acknowledged.
#![expect(
    clippy::disallowed_methods,
    reason = "the test starts itself as the process that is killed, and tells it so"
)]
#![expect(clippy::print_stdout, reason = "what the process says is read here")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::super::*;
use super::{force, pods};
use crate::store::log::tests::open_as;

const FOLDER: &str = "APISERVER_CRASH_TEST_FOLDER";
/// The test that is the process.
const NAME: &str = "store::tests::crash::counts_up_until_it_is_killed";
const WRITERS: u64 = 8;

fn open(path: &Path) -> Store {
    let durability = Durability::Folder {
        path: path.to_owned(),
        sync: Sync::Always,
        // So small that the process is killed in the middle of snapshots too.
        snapshot_after: 20_000,
    };
    open_as(&durability).expect("the folder can be opened")
}

fn mark(store: &Store, writer: u64) -> u64 {
    let key = Key::new(&pods(), "shop", &format!("w{writer}")).expect("the object can be stored");
    let record = store.get(&key);
    record.map_or(0, |record| {
        record.value()["mark"].as_u64().expect("it is there")
    })
}

/// Counts up an object for ever, and says each number once it is acknowledged.
async fn count_up(store: Store, writer: u64) {
    for next in mark(&store, writer) + 1.. {
        let object = json!({
            "metadata": {"namespace": "shop", "name": format!("w{writer}")},
            "mark": next, "ballast": "x".repeat(500),
        });
        let draft = Draft::new(&pods(), &object).expect("the object can be stored");
        let change = Change::Put(draft);
        let record = force(&store, change).await.expect("the task ends well");
        println!("acknowledged {writer} {next} {}", record.modified());
    }
}

/// The process that is killed: a test that does nothing where nobody asks for it.
#[test]
fn counts_up_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = open(&PathBuf::from(folder));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let writers = (0..WRITERS).map(|writer| tokio::spawn(count_up(store.clone(), writer)));
        for writer in writers.collect::<Vec<_>>() {
            writer.await.expect("the task ends well");
        }
    });
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut acknowledged = BTreeMap::new();
    let mut revision = 0;
    for round in 1..=16_usize {
        let mut child =
            Command::new(std::env::current_exe().expect("the process can be started and read"))
                .args([NAME, "--exact", "--nocapture"])
                .env(FOLDER, folder.path())
                .stdout(Stdio::piped())
                .spawn()
                .expect("the process can be started and read");
        let said = BufReader::new(
            child
                .stdout
                .take()
                .expect("the process can be started and read"),
        );
        let mut count = 0;
        for line in said.lines().map_while(Result::ok) {
            let Some(numbers) = line.strip_prefix("acknowledged ") else {
                continue;
            };
            let numbers: Vec<u64> = numbers.split(' ').map_while(|n| n.parse().ok()).collect();
            let [writer, mark, at] = numbers[..] else {
                continue;
            };
            count += 1;
            acknowledged.insert(writer, mark);
            revision = revision.max(at);
            if count == 37 * round {
                child.kill().expect("the process can be started and read");
            }
        }
        child.wait().expect("the process can be started and read");
        assert!(count >= 37 * round, "the process ended by itself");
        let store = open(folder.path());
        assert!(store.revision() >= revision);
        for (writer, known) in &acknowledged {
            let found = mark(&store, *writer);
            assert!(found >= *known, "round {round}: {found} < {known}");
        }
        // Each writer made its numbers one after another, and nothing else counts revisions.
        let sum: u64 = (0..WRITERS).map(|writer| mark(&store, writer)).sum();
        assert_eq!(sum, store.revision());
    }
}
