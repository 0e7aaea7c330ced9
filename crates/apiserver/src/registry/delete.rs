//! Deletes objects: marks those that somebody still has to do something for, and removes the others.

use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::meta;
use super::options::{DeleteOptions, Propagation};
use super::write::{Answer, Written};
use crate::cluster::{Cluster, WriteError};
use crate::status::{About, Status};
use crate::store::{Expect, Key};
use crate::time::rfc3339;
use crate::ways::Special;

/// The finalizers of the garbage collector.
pub(crate) const ORPHAN: &str = "orphan";
/// See [`ORPHAN`].
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Namespaces that nobody deletes.
const LASTING: [&str; 3] = ["default", "kube-system", "kube-public"];
/// Of which kinds the deletion answers the object (upstream's `ReturnDeletedObject`).
const RETURNED: &[(&str, &str)] = &[
    ("", "namespaces"),
    ("", "persistentvolumeclaims"),
    ("", "persistentvolumes"),
    ("", "pods"),
    ("", "podtemplates"),
    ("", "resourcequotas"),
    ("", "serviceaccounts"),
    ("", "services"),
    ("storage.k8s.io", "csidrivers"),
    ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "volumeattachments"),
    ("storage.k8s.io", "volumeattributesclasses"),
];
/// How often a deletion is tried that is overtaken by changes.
const ATTEMPTS: usize = 100;

/// Whether nothing holds an object any more that is marked as deleted.
pub(crate) fn may_go(kind: &Kind, object: &Value) -> bool {
    let grace = meta::metadata(object)
        .get("deletionGracePeriodSeconds")
        .and_then(Value::as_i64);
    meta::finalizers(object).next().is_none()
        && grace.unwrap_or(0) == 0
        && !holds_contents(kind, object)
}

/// Whether an object is a place that is not empty yet: it says so in its spec.
fn holds_contents(kind: &Kind, object: &Value) -> bool {
    kind.ways.special == Special::HoldsContents
        && object["spec"]["finalizers"]
            .as_array()
            .is_some_and(|finalizers| !finalizers.is_empty())
}

/// Deletes an object.
///
/// # Errors
/// 404, 409 where it is not as the caller presumes.
pub(crate) async fn delete(
    cluster: &Cluster,
    kind: &Kind,
    key: &Key,
    options: &DeleteOptions,
    now: jiff::Timestamp,
) -> Result<Written, Status> {
    for _ in 0..ATTEMPTS {
        if kind.ways.special == Special::HoldsContents && LASTING.contains(&key.name()) {
            let why = "this namespace may not be deleted";
            return Err(Status::forbidden(kind.about(), key.name(), why));
        }
        let Some(live) = cluster.store.get(key) else {
            return Err(Status::not_found(kind.about(), key.name()));
        };
        let object = kind.object(&live);
        check(kind, key, options, &object)?;
        let marked = mark(kind, &object, options, now);
        let expect = Expect::Revision(live.modified());
        // A place is emptied before it goes, whatever its finalizers say: the first deletion marks it.
        let is_place = kind.ways.special == Special::HoldsContents;
        if may_go(kind, &marked) && (!is_place || meta::is_deleting(&object)) {
            if options.dry_run {
                // Of one whose finalizers would have been taken out before, upstream has nothing to show.
                let shown = if meta::finalizers(&marked).eq(meta::finalizers(&object)) {
                    last_words(kind, object, None)
                } else {
                    kind.empty().clone()
                };
                return Ok(answered(Answer::Shown(shown)));
            }
            match cluster.remove(kind, expect, key.clone()).await {
                Err(WriteError::Stale) => continue,
                Err(WriteError::Failed(status)) => return Err(status),
                Ok(record) => {
                    kind.released(cluster, &object);
                    let object = last_words(kind, object, Some(record.modified()));
                    return Ok(answered(Answer::Shown(object)));
                }
            }
        }
        if options.dry_run {
            return Ok(answered(Answer::Shown(marked)));
        }
        if marked == object {
            return Ok(answered(Answer::Stored(live)));
        }
        match cluster.put(kind, expect, &marked).await {
            Err(WriteError::Stale) => {}
            Err(WriteError::Failed(status)) => return Err(status),
            Ok(record) => return Ok(answered(Answer::Stored(record))),
        }
    }
    Err(Status::modified(kind.about(), key.name()))
}

/// What a deletion answers when the object is gone: that it is, or how it was, in the revision in which it
/// went.
fn last_words(kind: &Kind, mut object: Value, revision: Option<u64>) -> Value {
    let resource = &kind.resource;
    if !RETURNED.contains(&(&*resource.group, &*resource.plural)) {
        return deleted(kind, &object);
    }
    if let (Some(revision), Some(metadata)) = (revision, meta::metadata_mut(&mut object)) {
        metadata.insert("resourceVersion".to_owned(), json!(revision.to_string()));
    }
    object
}

/// What a deletion answers where nothing of the object stays.
fn deleted(kind: &Kind, object: &Value) -> Value {
    let mut details = json!({
        "name": meta::text(object, "name"),
        "kind": &*kind.resource.plural,
        "uid": meta::text(object, "uid"),
    });
    if !kind.resource.group.is_empty() {
        details["group"] = json!(&*kind.resource.group);
    }
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
    })
}

fn answered(object: Answer) -> Written {
    Written {
        object,
        is_new: false,
        warnings: Vec::new(),
    }
}

fn check(kind: &Kind, key: &Key, options: &DeleteOptions, object: &Value) -> Result<(), Status> {
    let conflict = |what: &str, wanted: &str, is: &str, happened: &str| {
        let why = format!(
            "the {what} in the precondition ({wanted}) does not match the {what} in record ({is}). The object might have been {happened}"
        );
        // Upstream names the kind here where it means the resource.
        let about = About {
            resource: &kind.resource.kind,
            ..kind.about()
        };
        Err(Status::conflict(about, key.name(), &why))
    };
    let uid = meta::text(object, "uid");
    if let Some(wanted) = options.uid.as_deref().filter(|wanted| *wanted != uid) {
        return conflict("UID", wanted, uid, "deleted and then recreated");
    }
    let version = meta::text(object, "resourceVersion");
    match options.resource_version.as_deref() {
        Some(wanted) if wanted != version => {
            conflict("ResourceVersion", wanted, version, "modified")
        }
        _ => Ok(()),
    }
}

/// The object with the marks of a deletion.
fn mark(kind: &Kind, object: &Value, options: &DeleteOptions, now: jiff::Timestamp) -> Value {
    let mut marked = object.clone();
    set_finalizers(kind, &mut marked, options);
    let grace = match (kind.ways.grace)(object) {
        Some(usual) => options.grace_period_seconds.unwrap_or(usual).max(0),
        None => 0,
    };
    if meta::is_deleting(object) {
        let known = meta::metadata(object)
            .get("deletionGracePeriodSeconds")
            .and_then(Value::as_i64)
            .unwrap_or(0);
        if grace < known
            && let Some(metadata) = meta::metadata_mut(&mut marked)
        {
            set_deleted(metadata, now, grace);
        }
        return marked;
    }
    if let Some(metadata) = meta::metadata_mut(&mut marked) {
        set_deleted(metadata, now, grace);
        if kind.ways.special == Special::HoldsContents {
            metadata.remove("deletionGracePeriodSeconds");
        }
    }
    if kind.ways.generation {
        meta::bump_generation(&mut marked);
    }
    if kind.ways.special == Special::HoldsContents {
        marked["status"]["phase"] = json!("Terminating");
    }
    if kind.ways.special == Special::DefinesKinds {
        if let Some(metadata) = meta::metadata_mut(&mut marked) {
            metadata.remove("deletionTimestamp");
        }
        crate::crd::start_deletion(&mut marked, &rfc3339(now));
    }
    marked
}

fn set_deleted(metadata: &mut Map<String, Value>, now: jiff::Timestamp, grace: i64) {
    let at = now
        .checked_add(jiff::SignedDuration::from_secs(grace))
        .unwrap_or(now);
    let at = rfc3339(at);
    metadata.insert("deletionTimestamp".to_owned(), json!(at));
    metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(grace));
}

/// What becomes of what the object owns stands in its finalizers.
fn set_finalizers(kind: &Kind, object: &mut Value, options: &DeleteOptions) {
    let known: Vec<String> = meta::finalizers(object).map(str::to_owned).collect();
    let has = |name: &str| known.iter().any(|known| known == name);
    let propagation = options.propagation.unwrap_or_else(|| {
        // Without a word, what an earlier deletion asked for stays.
        if has(ORPHAN) {
            Propagation::Orphan
        } else if has(FOREGROUND) {
            Propagation::Foreground
        } else {
            kind.ways.default_propagation
        }
    });
    let wanted = match propagation {
        Propagation::Orphan => Some(ORPHAN),
        Propagation::Foreground => Some(FOREGROUND),
        Propagation::Background => None,
    };
    let mut finalizers: Vec<String> = known
        .iter()
        .filter(|known| ![ORPHAN, FOREGROUND].contains(&known.as_str()) || wanted == Some(known))
        .cloned()
        .collect();
    if let Some(wanted) = wanted.filter(|wanted| !has(wanted)) {
        finalizers.push(wanted.to_owned());
    }
    if finalizers == known {
        return;
    }
    if let Some(metadata) = meta::metadata_mut(object) {
        if finalizers.is_empty() {
            metadata.remove("finalizers");
        } else {
            metadata.insert("finalizers".to_owned(), json!(finalizers));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::draft::Author;
    use crate::registry::options::WriteOptions;
    use crate::registry::write::Write;
    use crate::start::make;
    use crate::store::{History, Store};

    const NOW: &str = "2026-01-02T03:04:05Z";

    /// Writes the finalizers of the namespace `shop`.
    async fn finalize(cluster: &Cluster, kind: &Kind, finalizers: Value) -> Result<(), Status> {
        let options = WriteOptions::default();
        let write = Write {
            user: None,
            kind,
            namespace: "",
            name: "shop",
            subresource: "finalize",
            options: &options,
            author: Author {
                manager: "test",
                now: NOW,
            },
        };
        let object = json!({"metadata": {"name": "shop"}, "spec": {"finalizers": finalizers}});
        write.replace(cluster, object.into()).await.map(drop)
    }

    #[tokio::test]
    async fn a_namespace_that_is_let_go_of_goes_once_it_is_deleted() {
        let cluster = Cluster::new("main", Store::in_memory(History::default()));
        let served = cluster.served();
        let kind = served
            .kind("", "v1", "namespaces")
            .expect("they are served");
        let shop = json!({"metadata": {"name": "shop"}});
        make(&cluster, kind, "", shop, NOW)
            .await
            .expect("it can be created");
        let key = Key::new(&kind.stored, "", "shop").expect("the name is right");
        let finalizers = |cluster: &Cluster| {
            let live = cluster.store.get(&key).map(|record| record.value());
            live.map(|live| live["spec"].clone())
        };
        assert_eq!(
            finalizers(&cluster),
            Some(json!({"finalizers": ["kubernetes"]}))
        );
        let refused = finalize(&cluster, kind, json!(["bad"])).await;
        assert!(
            refused.is_err_and(|status| status.message.contains("spec.finalizers[0]: Invalid")),
            "no such finalizer is known"
        );
        finalize(&cluster, kind, json!([])).await.expect("it may");
        assert_eq!(finalizers(&cluster), Some(json!({})));
        // Nothing holds it, and yet what is in it is looked after first.
        let options = DeleteOptions::default();
        let now = jiff::Timestamp::now();
        delete(&cluster, kind, &key, &options, now)
            .await
            .expect("it can be deleted");
        assert!(finalizers(&cluster).is_some());
        finalize(&cluster, kind, json!(["a.io/b"]))
            .await
            .expect("it may");
        assert!(finalizers(&cluster).is_some());
        finalize(&cluster, kind, json!([])).await.expect("it may");
        assert_eq!(finalizers(&cluster), None);
    }
}
