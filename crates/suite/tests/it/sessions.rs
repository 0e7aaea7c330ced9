//! What kubectl prints: recorded on the genuine control plane, and compared there and on the embedded server.
//!
//! A session is a text in `sessions/`: commands behind `$ `, below each what it prints, standard output and errors
//! as they come, and `[exit N]` where it fails. `SHIPWAY_RECORD=1` makes the tests on the genuine control plane
//! write what they see; nothing else writes.

mod normal;
mod script;
mod stage;

use std::path::{Path, PathBuf};

use script::Script;
use stage::{Kubectl, Stage};
use testkit::{Need, World};

/// Makes for each session two tests, named by its file.
macro_rules! sessions {
    ($($name:ident),* $(,)?) => {
        /// All sessions.
        const ALL: &[&str] = &[$(stringify!($name)),*];
        $(mod $name {
            #[tokio::test(flavor = "multi_thread")]
            async fn is_so_on_the_genuine_server() {
                super::genuine(stringify!($name)).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn is_so_on_the_embedded_server() {
                super::embedded(stringify!($name)).await;
            }
        })*
    };
}

sessions!(
    apply,
    auth,
    change,
    create,
    custom,
    delete,
    describe,
    discovery,
    events,
    get,
    invalid,
    lamp,
    options,
    pod,
    server_side,
    tables,
    workload,
);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/sessions")
}

async fn genuine(name: &str) {
    if World::shared().lacks(Need::Judge) {
        return;
    }
    let path = folder().join(name).with_extension("txt");
    let mut script = Script::read(&path);
    let records = stage::records();
    let mut faults = Vec::new();
    for kubectl in Kubectl::all() {
        let stage = Stage::genuine(&kubectl).await;
        let printed = stage.run(&script).await;
        if records {
            script.record(kubectl.variant, &printed);
        } else {
            faults.extend(script.faults(&kubectl, &printed));
        }
    }
    if records {
        script.write(&path);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

async fn embedded(name: &str) {
    if World::shared().lacks(Need::Judge) {
        return;
    }
    let script = Script::read(&folder().join(name).with_extension("txt"));
    let mut faults = Vec::new();
    for kubectl in Kubectl::all() {
        let stage = Stage::embedded(&kubectl).await;
        let printed = stage.run(&script).await;
        faults.extend(script.faults(&kubectl, &printed));
        stage.end().await;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_session_is_a_test() {
    let files = std::fs::read_dir(folder()).expect("the sessions are there");
    let paths = files.map(|file| file.expect("it can be listed").path());
    let mut found: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|kind| kind == "txt"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    found.sort();
    assert_eq!(found, ALL);
}
