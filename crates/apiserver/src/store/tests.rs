//! The store against a naive model, and what its parts promise.

mod crash;
mod model;
mod query;
mod watch;

use std::task::{Context, Poll, Waker};

use serde_json::{Value, json};

use super::*;

/// Runs what never waits, as changes in memory do.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

/// Makes a change, whatever is there.
pub(super) async fn force(store: &Store, change: Change) -> Result<Arc<Record>, CommitError> {
    let current = store.get(change.key());
    let expect = current.map_or(Expect::Absent, |record| Expect::Revision(record.modified()));
    store.commit(expect, change).await
}

pub(super) fn pods() -> Resource {
    Resource::new("", "pods")
}

pub(super) fn object(namespace: &str, name: &str, mark: u64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": format!("uid-{namespace}-{name}"), "labels": {"mark": mark.to_string()}},
        "spec": {"mark": mark},
    })
}

pub(super) fn put(resource: &Resource, object: &Value) -> Change {
    Change::Put(Draft::new(resource, object).expect("the object can be stored"))
}

pub(super) fn delete(resource: &Resource, namespace: &str, name: &str) -> Change {
    Change::Delete(Key::new(resource, namespace, name).expect("the object can be stored"))
}

#[test]
fn the_text_carries_the_revision_where_the_order_of_keys_puts_it() {
    let store = Store::in_memory(History::default());
    for (metadata, wanted) in [
        (
            json!({"name": "a", "uid": "u"}),
            r#"{"metadata":{"name":"a","resourceVersion":"1","uid":"u"},"spec":{"x":"é\n"}}"#,
        ),
        (
            json!({"name": "b", "resourceVersion": "77"}),
            r#"{"metadata":{"name":"b","resourceVersion":"2"},"spec":{"x":"é\n"}}"#,
        ),
        (
            json!({"name": "c", "selfLink": "/", "annotations": {"resourceVersion": "no"}}),
            r#"{"metadata":{"annotations":{"resourceVersion":"no"},"name":"c","resourceVersion":"3","selfLink":"/"},"spec":{"x":"é\n"}}"#,
        ),
    ] {
        let object = json!({"metadata": metadata, "spec": {"x": "é\n"}});
        let record = now(store.commit(Expect::Absent, put(&pods(), &object)))
            .expect("the change can be made");
        assert_eq!(record.json(), wanted.as_bytes());
        let value: Value =
            serde_json::from_slice(&record.metadata_json()).expect("the folder can be read");
        assert_eq!(value, record.value()["metadata"]);
    }
}

#[test]
fn a_deletion_has_the_last_state_with_its_own_revision() {
    let store = Store::in_memory(History::default());
    for mark in 1..=9 {
        now(force(&store, put(&pods(), &object("shop", "a", mark))))
            .expect("the change can be made");
    }
    let gone = now(store.commit(Expect::Revision(9), delete(&pods(), "shop", "a")))
        .expect("the change can be made");
    let mut wanted = object("shop", "a", 9);
    // One digit more than it had.
    wanted["metadata"]["resourceVersion"] = json!("10");
    assert_eq!(gone.value(), wanted);
    assert_eq!(
        serde_json::from_slice::<Value>(&gone.metadata_json()).expect("the folder can be read"),
        wanted["metadata"]
    );
    assert_eq!((gone.created(), gone.modified()), (1, 10));
}

#[test]
fn a_change_is_made_only_to_what_it_expects() {
    let store = Store::in_memory(History::default());
    let change = |mark| put(&pods(), &object("shop", "a", mark));
    let made = |expect, change| match now(store.commit(expect, change)) {
        Ok(record) => Ok(record.modified()),
        Err(CommitError::Stale(current)) => Err(current.map(|record| record.modified())),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(made(Expect::Revision(1), change(1)), Err(None));
    let removed = || delete(&pods(), "shop", "a");
    assert_eq!(made(Expect::Absent, removed()), Err(None));
    assert_eq!(made(Expect::Absent, change(1)), Ok(1));
    assert_eq!(made(Expect::Absent, change(2)), Err(Some(1)));
    assert_eq!(made(Expect::Revision(1), change(2)), Ok(2));
    assert_eq!(made(Expect::Revision(1), change(3)), Err(Some(2)));
    assert_eq!(made(Expect::Revision(1), removed()), Err(Some(2)));
    assert_eq!(made(Expect::Revision(2), change(3)), Ok(3));
    assert_eq!(made(Expect::Revision(3), removed()), Ok(4));
    assert_eq!(store.revision(), 4);
}

#[test]
fn what_cannot_be_stored_is_refused() {
    let refused = |object: &Value| Draft::new(&pods(), object).err();
    assert_eq!(refused(&json!(1)), Some(DraftError::Shape));
    assert_eq!(refused(&json!({"metadata": []})), Some(DraftError::Shape));
    for name in ["", "a/b", "a\0", &"a".repeat(600)] {
        let object = json!({"metadata": {"name": name}});
        assert_eq!(refused(&object), Some(DraftError::Name), "{name:?}");
    }
    let large = json!({"metadata": {"name": "a"}, "x": "x".repeat(MAX_OBJECT_BYTES)});
    assert!(matches!(refused(&large), Some(DraftError::TooLarge(_))));
}

#[test]
fn objects_are_found_by_uid_by_owner_and_by_namespace() {
    let store = Store::in_memory(History::default());
    let sets = Resource::new("apps", "replicasets");
    let owned = |name: &str, owners: &[&str]| {
        let mut object = object("shop", name, 0);
        let owner = |uid: &&str| json!({"uid": uid, "controller": true});
        object["metadata"]["ownerReferences"] = owners.iter().map(owner).collect();
        object
    };
    let commit = |change| now(force(&store, change)).expect("the change can be made");
    let names = |uid: &str| {
        let owned = store.owned_by(uid);
        let names: Vec<_> = owned.iter().map(|r| r.key().name().to_owned()).collect();
        names.join(" ")
    };
    commit(put(&pods(), &owned("a", &["one"])));
    commit(put(&sets, &owned("b", &["one", "two"])));
    commit(put(&pods(), &object("other", "c", 0)));
    assert_eq!((&*names("one"), &*names("two")), ("a b", "b"));
    assert_eq!(
        store
            .by_uid("uid-other-c")
            .expect("it is there")
            .key()
            .path(),
        "other/c"
    );
    let mut counts = store.counts("shop");
    counts.sort();
    assert_eq!(counts, [(pods(), 1), (sets.clone(), 1)]);
    assert_eq!(store.counts("nowhere"), []);

    commit(put(&sets, &owned("b", &["two"])));
    commit(delete(&pods(), "shop", "a"));
    assert_eq!((&*names("one"), &*names("two")), ("", "b"));
    assert!(store.by_uid("uid-shop-a").is_none());
    assert_eq!(store.counts("shop"), [(sets, 1)]);
}

#[test]
fn resources_that_are_gone_leave_nothing_behind() {
    let history = History {
        events: 4,
        ..History::default()
    };
    let store = Store::in_memory(history);
    for index in 0..100 {
        let resource = Resource::new("example.com", &format!("things{index}"));
        now(store.commit(Expect::Absent, put(&resource, &object("", "a", 0))))
            .expect("the change can be made");
        now(force(&store, delete(&resource, "", "a"))).expect("the change can be made");
        // To ask for what is not there leaves nothing either.
        let strange = Resource::new("example.com", &format!("nothings{index}"));
        assert!(store.watch(&strange, Scope::all(), 0).is_err() || index < 4);
        drop(
            store
                .watch(&strange, Scope::all(), store.revision())
                .expect("the history reaches there"),
        );
        store.snapshot(&strange);
    }
    let state = read(&store.inner.state);
    assert!(state.tables.len() <= 4, "{}", state.tables.len());
    // What happened to those that went is unknown, and said to be.
    let first = Resource::new("example.com", "things0");
    drop(state);
    assert!(store.snapshot_at(&first, 1).is_err());
    assert!(store.watch(&first, Scope::all(), 1).is_err());
}
