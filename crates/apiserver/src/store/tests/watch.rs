//! What watchers get, miss and cost.

use super::*;
use crate::status::Status;

fn short() -> Store {
    Store::in_memory(History {
        events: 10,
        ..History::default()
    })
}

fn change(store: &Store, resource: &Resource, namespace: &str, name: &str) {
    let change = put(resource, &object(namespace, name, 0));
    now(force(store, change)).expect("the change can be made");
}

#[test]
fn a_watcher_that_fell_off_is_told_so() {
    let store = short();
    let mut watcher = store
        .watch(&pods(), Scope::all(), 0)
        .expect("the history reaches there");
    for _ in 0..11 {
        change(&store, &pods(), "shop", "a");
    }
    let mut out = Vec::new();
    let expired = watcher.try_next(100, &mut out).expect_err("it is refused");
    assert_eq!(expired.to_string(), "too old resource version: 0 (1)");
    assert!(out.is_empty());
    let status = Status::from(
        store
            .watch(&pods(), Scope::all(), 0)
            .expect_err("it is refused"),
    );
    assert_eq!((status.code, status.reason), (410, "Expired"));
    assert!(store.watch(&pods(), Scope::all(), 1).is_ok());
}

#[test]
fn a_watcher_of_a_quiet_place_never_falls_off() {
    let store = short();
    let quiet = store
        .watch(&pods(), Scope::namespace("quiet"), 0)
        .expect("the history reaches there");
    let single = Scope::object(&Key::new(&pods(), "quiet", "b").expect("the object can be stored"));
    let single = store
        .watch(&pods(), single, 0)
        .expect("the history reaches there");
    let other = Resource::new("apps", "deployments");
    let kind = store
        .watch(&other, Scope::all(), 0)
        .expect("the history reaches there");
    for _ in 0..1000 {
        change(&store, &pods(), "busy", "a");
    }
    change(&store, &pods(), "quiet", "b");
    change(&store, &other, "busy", "c");
    // The log of a quiet resource reaches back further than that of a busy one.
    assert!(store.watch(&other, Scope::all(), 0).is_ok());
    assert!(store.watch(&pods(), Scope::all(), 0).is_err());
    for (mut watcher, revision) in [(quiet, 1001), (single, 1001), (kind, 1002)] {
        let mut out = Vec::new();
        watcher.try_next(100, &mut out).expect("nothing was missed");
        let revisions: Vec<_> = out.iter().map(|event| event.revision()).collect();
        assert_eq!(revisions, [revision]);
        assert_eq!(watcher.revision(), 1002);
    }
}

#[test]
fn an_idle_watcher_knows_the_current_revision_for_bookmarks() {
    let store = short();
    let mut watcher = store
        .watch(&pods(), Scope::namespace("quiet"), 0)
        .expect("the history reaches there");
    for _ in 0..5 {
        change(&store, &pods(), "busy", "a");
    }
    let mut out = Vec::new();
    watcher.try_next(10, &mut out).expect("nothing was missed");
    assert_eq!((watcher.revision(), out.len()), (5, 0));
}

#[test]
fn a_watch_from_the_future_waits_for_it() {
    let store = short();
    let mut watcher = store
        .watch(&pods(), Scope::all(), 3)
        .expect("the history reaches there");
    let mut out = Vec::new();
    for _ in 0..4 {
        watcher.try_next(10, &mut out).expect("nothing was missed");
        change(&store, &pods(), "shop", "a");
    }
    watcher.try_next(10, &mut out).expect("nothing was missed");
    let revisions: Vec<_> = out.iter().map(|event| event.revision()).collect();
    assert_eq!(revisions, [4]);
}

#[test]
fn everything_can_be_watched_in_the_order_of_revisions() {
    let store = short();
    let other = Resource::new("apps", "deployments");
    let mut watcher = store
        .watch_everything(0)
        .expect("the history reaches there");
    change(&store, &pods(), "shop", "a");
    change(&store, &other, "shop", "b");
    change(&store, &pods(), "shop", "c");
    let mut out = Vec::new();
    watcher.try_next(2, &mut out).expect("nothing was missed");
    assert_eq!((out.len(), watcher.revision()), (2, 2));
    watcher.try_next(2, &mut out).expect("nothing was missed");
    let names: Vec<_> = out.iter().map(|event| event.record.key().name()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    for _ in 0..11 {
        change(&store, &pods(), "shop", "a");
    }
    assert!(watcher.try_next(2, &mut out).is_err());
}

#[test]
fn watchers_are_woken_by_changes_of_their_objects_alone() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let store = short();
        let mut watcher = store
            .watch(&pods(), Scope::namespace("shop"), 0)
            .expect("the history reaches there");
        let woken = tokio::spawn(async move {
            let mut out = Vec::new();
            watcher
                .next(10, &mut out)
                .await
                .expect("the task ends well");
            out.len()
        });
        // On one thread, whatever can run has run after a few turns.
        let pause = || async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        };
        pause().await;
        let change = |namespace: &str| put(&pods(), &object(namespace, "a", 0));
        force(&store, change("other"))
            .await
            .expect("the task ends well");
        pause().await;
        assert!(!woken.is_finished());
        force(&store, change("shop"))
            .await
            .expect("the task ends well");
        assert_eq!(woken.await.expect("the task ends well"), 1);
    });
}

#[test]
fn watchers_that_went_leave_nothing_behind() {
    let store = short();
    change(&store, &pods(), "shop", "a");
    let one = store
        .watch(&pods(), Scope::namespace("shop"), 1)
        .expect("the history reaches there");
    let two = store
        .watch(&pods(), Scope::namespace("shop"), 1)
        .expect("the history reaches there");
    let slots = || read(&store.inner.state).tables[&pods()].slots.len();
    assert_eq!(slots(), 1);
    drop(one);
    assert_eq!(slots(), 1);
    drop(two);
    assert_eq!(slots(), 0);
}
