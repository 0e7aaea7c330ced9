//! How fast the store is. Run it alone and in release:
//! `cargo test -p apiserver --release --test throughput -- --ignored --nocapture --test-threads 1`
#![expect(clippy::print_stdout, reason = "it measures")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use apiserver::store::{
    Change, Draft, Durability, Expect, History, Resource, Scope, Store, Sync, Watcher,
};
use serde_json::{Value, json};
use tokio::time::Instant;

fn pods() -> Resource {
    Resource::new("", "pods")
}

/// An object of about 2 kB.
fn object(index: usize) -> Value {
    let variable =
        |at: usize| json!({"name": format!("VARIABLE_{at}"), "value": "some text to fill"});
    let variables: Vec<Value> = (0..24).map(variable).collect();
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("pod-{index:06}"), "namespace": format!("space-{}", index % 50),
            "uid": format!("0b0d5b2e-0000-0000-0000-{index:012}"), "generation": 1,
            "creationTimestamp": "2026-11-21T00:00:00Z",
            "labels": {"app": format!("app-{}", index % 100), "tier": "web", "release": "one"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": format!("owner-{}", index % 1000), "controller": true}],
        },
        "spec": {"containers": [{"name": "main", "image": "example.com/app:1", "env": variables}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1"},
    })
}

fn draft(object: &Value) -> Draft {
    Draft::new(&pods(), object).expect("the object can be stored")
}

/// Time as the clock has it, and as the processor spent it on this thread: others may be busy too.
#[derive(Clone, Copy, Default)]
struct Took {
    clock: Duration,
    processor: Duration,
}

fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

async fn measure(took: &mut Took, work: impl Future<Output = ()>) {
    let (clock, before) = (Instant::now(), processor());
    work.await;
    took.clock += clock.elapsed();
    took.processor += processor().saturating_sub(before);
}

fn report_thread(what: &str, count: usize, took: Took) {
    report(what, count, took.clock);
    report("  of the processor's time", count, took.processor);
}

fn report(what: &str, count: usize, took: Duration) {
    let rate = f64::from(u32::try_from(count).expect("the number is small")) / took.as_secs_f64();
    println!("{what:<58} {rate:>12.0}/s  ({count} in {took:?})");
}

fn memory() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|kilobytes| kilobytes.parse().ok())
        .unwrap_or_default()
}

fn on_one_thread<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(future)
}

#[test]
#[ignore = "measures"]
fn in_memory() {
    const COUNT: usize = 100_000;
    const PART: usize = 5_000;
    on_one_thread(async {
        let small = History {
            events: 10_000,
            ..History::default()
        };
        let store = Store::in_memory(small);
        let size = object(1).to_string().len();
        println!("objects of {size} bytes");
        let before = memory();
        let (mut drafting, mut creating, mut updating) = <(Took, Took, Took)>::default();
        for expect in [Expect::Absent, Expect::Anything] {
            for start in (0..COUNT).step_by(PART) {
                let objects: Vec<Value> = (start..start + PART).map(object).collect();
                let mut drafts = Vec::with_capacity(PART);
                measure(&mut drafting, async {
                    drafts.extend(objects.iter().map(draft));
                })
                .await;
                let took = match expect {
                    Expect::Absent => &mut creating,
                    _ => &mut updating,
                };
                measure(took, async {
                    for draft in drafts {
                        let change = Change::Put(draft);
                        store
                            .commit(expect, change)
                            .await
                            .expect("the change can be made");
                    }
                })
                .await;
            }
            if expect == Expect::Absent {
                let each = (memory() - before) * 1024 / COUNT;
                println!("memory for each object: {each} bytes");
            }
        }
        report_thread("write an object out", 2 * COUNT, drafting);
        report_thread("create", COUNT, creating);
        report_thread("update", COUNT, updating);

        let start = Instant::now();
        let snapshot = store.snapshot(&pods());
        let bytes: usize = snapshot
            .iter(&Scope::all(), "")
            .map(|r| r.json().len())
            .sum();
        report("list all, walk", snapshot.len(), start.elapsed());
        assert!(bytes > COUNT * size);

        let drafts: Vec<Draft> = (0..COUNT).map(|index| draft(&object(index))).collect();
        let mut took = Took::default();
        measure(&mut took, async {
            let mut kept = None;
            for (index, draft) in drafts.into_iter().enumerate() {
                if index % 100 == 0 {
                    kept = Some(store.snapshot(&pods()));
                }
                let change = Change::Put(draft);
                store
                    .commit(Expect::Anything, change)
                    .await
                    .expect("the change can be made");
            }
            drop(kept);
        })
        .await;
        report_thread("update, a new list held at every 100th", COUNT, took);

        let start = Instant::now();
        let old = store
            .snapshot_at(&pods(), store.revision() - 9_000)
            .expect("the history reaches there");
        println!(
            "a list of 9,000 changes ago: {:?} ({} objects)",
            start.elapsed(),
            old.len()
        );
        let start = Instant::now();
        let page = old.page(&Scope::all(), "space-3", 500, None);
        println!("a page of {}: {:?}", page.items.len(), start.elapsed());
    });
}

async fn drain(mut watcher: Watcher, wanted: usize) {
    let mut out = Vec::new();
    let mut seen = 0;
    while seen < wanted {
        watcher
            .next(256, &mut out)
            .await
            .expect("the task ends well");
        seen += out.len();
        out.clear();
    }
}

#[test]
#[ignore = "measures"]
fn watched_by_a_thousand() {
    const WATCHERS: usize = 1000;
    const EVENTS: usize = 2000;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let store = Store::in_memory(History::default());
        let watchers: Vec<_> = (0..WATCHERS)
            .map(|_| {
                store
                    .watch(&pods(), Scope::all(), 0)
                    .expect("the history reaches there")
            })
            .map(|watcher| tokio::spawn(drain(watcher, EVENTS)))
            .collect();
        let drafts: Vec<Draft> = (0..EVENTS).map(|index| draft(&object(index))).collect();
        let start = Instant::now();
        for draft in drafts {
            store
                .commit(Expect::Anything, Change::Put(draft))
                .await
                .expect("the task ends well");
            tokio::task::yield_now().await;
        }
        report("commits beside 1,000 watchers", EVENTS, start.elapsed());
        for watcher in watchers {
            watcher.await.expect("the task ends well");
        }
        report(
            "events handed to 1,000 watchers",
            EVENTS * WATCHERS,
            start.elapsed(),
        );

        // Those that watch something else, or nothing any more, cost nothing.
        let quiet: Vec<_> = (0..WATCHERS)
            .map(|index| {
                store
                    .watch(&pods(), Scope::namespace(&format!("quiet-{index}")), 0)
                    .expect("the history reaches there")
            })
            .map(|watcher| tokio::spawn(drain(watcher, 1)))
            .collect();
        tokio::task::yield_now().await;
        let drafts: Vec<Draft> = (0..50_000).map(|index| draft(&object(index))).collect();
        let start = Instant::now();
        for draft in drafts {
            store
                .commit(Expect::Anything, Change::Put(draft))
                .await
                .expect("the task ends well");
        }
        report(
            "commits beside 1,000 watchers of other namespaces",
            50_000,
            start.elapsed(),
        );
        for watcher in quiet {
            watcher.abort();
        }
    });
}

fn folder(path: &Path, sync: Sync) -> Durability {
    Durability::Folder {
        path: path.to_owned(),
        sync,
        snapshot_after: 64 << 20,
    }
}

#[test]
#[ignore = "measures"]
fn in_a_folder() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .build()
        .expect("a runtime starts");
    for (what, sync, count, writers) in [
        ("one writer, synced", Sync::Always, 300, 1),
        ("64 writers, synced", Sync::Always, 20_000, 64),
        ("one writer, not synced", Sync::Never, 20_000, 1),
        ("64 writers, not synced", Sync::Never, 100_000, 64),
    ] {
        let path =
            tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("there is room for a folder");
        let store = Store::open(&folder(path.path(), sync), History::default())
            .expect("the folder can be opened");
        let drafts: Arc<Vec<_>> = Arc::new((0..count).map(object).collect());
        let start = Instant::now();
        runtime.block_on(async {
            let tasks = (0..writers).map(|writer| {
                let (store, drafts) = (store.clone(), Arc::clone(&drafts));
                tokio::spawn(async move {
                    for index in (writer..drafts.len()).step_by(writers) {
                        let change = Change::Put(draft(&drafts[index]));
                        store
                            .commit(Expect::Anything, change)
                            .await
                            .expect("the task ends well");
                    }
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.expect("the task ends well");
            }
        });
        report(what, count, start.elapsed());
        drop(store);
        let start = Instant::now();
        let store = Store::open(&folder(path.path(), sync), History::default())
            .expect("the folder can be opened");
        println!(
            "opened with {} objects in {:?}",
            store.revision(),
            start.elapsed()
        );
    }
}
