//! Events, written in the background one after the other: no delivery waits for its own story.
//! One that is told again is counted in its `series`, as events.k8s.io/v1 has it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::jiff::Timestamp;
use kube::core::ApiResource;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::caller::{Caller, Payload, Want};
use crate::error::ApiError;
use crate::resource::Resource;

/// How many events may wait to be written; more are lost, and that is said in the log.
const WAITING: usize = 4096;
/// How long an event that is told again is counted. Kubernetes' own recorders take 6 minutes.
const COUNTED: Duration = Duration::from_mins(6);
/// How long the last events may take when everything ends.
const AT_THE_END: Duration = Duration::from_secs(2);
/// The longest note and the longest object name in an event's own name, in bytes.
const NOTE_MAX: usize = 1024;
const NAME_MAX: usize = 230;
/// Where events about objects without a namespace go.
const NO_NAMESPACE: &str = "default";
const REPORTER: &str = "shipway";

/// One event.
#[derive(Clone, Debug)]
pub struct Told {
    /// About which object.
    pub about: ObjectReference,
    /// Whether somebody should look at it.
    pub warning: bool,
    /// One word, for programs.
    pub reason: String,
    /// What was being done, in one word.
    pub action: String,
    /// A sentence for a person. At most 1,024 bytes of it are written.
    pub note: String,
}

/// Takes events and writes them.
pub struct Events {
    waiting: Mutex<Option<mpsc::Sender<Told>>>,
    lost: AtomicU64,
    writer: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Events {
    /// Begins to write, as the controller itself. Needs a Tokio runtime.
    pub fn new(caller: Caller) -> Self {
        let (waiting, told) = mpsc::channel(WAITING);
        Self {
            waiting: Mutex::new(Some(waiting)),
            lost: AtomicU64::new(0),
            writer: Mutex::new(Some(tokio::spawn(write_all(caller, told)))),
        }
    }

    /// Hands an event over. It is no error if it cannot be written: the log tells.
    pub fn tell(&self, told: Told) {
        let waiting = self.waiting.lock();
        let waiting = waiting.expect("nothing panics while holding it");
        if let Some(waiting) = &*waiting
            && waiting.try_send(told).is_err()
            && self.lost.fetch_add(1, Ordering::Relaxed).is_power_of_two()
        {
            tracing::warn!("more events are told than can be written: some are lost");
        }
    }

    /// Takes no more, and waits until the last are written, for two seconds at most.
    pub async fn end(&self) {
        self.waiting
            .lock()
            .expect("nothing panics while holding it")
            .take();
        let writer = self
            .writer
            .lock()
            .expect("nothing panics while holding it")
            .take();
        if let Some(writer) = writer {
            let abort = writer.abort_handle();
            if timeout(AT_THE_END, writer).await.is_err() {
                abort.abort();
            }
        }
    }
}

/// An event that was written.
struct Written {
    name: String,
    count: u32,
    last: Instant,
}

async fn write_all(caller: Caller, mut told: mpsc::Receiver<Told>) {
    let mut written: HashMap<u64, Written> = HashMap::new();
    let api = ApiResource::erase::<Event>(&());
    loop {
        let next = if written.is_empty() {
            told.recv().await
        } else {
            let Ok(next) = timeout(COUNTED, told.recv()).await else {
                written = HashMap::new(); // nothing was told for so long
                continue;
            };
            next
        };
        let Some(told) = next else {
            return;
        };
        if written.len() == written.capacity() {
            written.retain(|_, event| event.last.elapsed() < COUNTED);
        }
        let key = same(&told);
        let before = written
            .remove(&key)
            .filter(|event| event.last.elapsed() < COUNTED);
        match write(&caller, &api, &told, before).await {
            Ok(event) => {
                written.insert(key, event);
            }
            // Events of a namespace that is going are refused.
            Err(error) if error.is_forbidden() || error.is_not_found() => {
                tracing::debug!(error = %error, "could not write an event");
            }
            Err(error) => tracing::warn!(error = %error, "could not write an event"),
        }
    }
}

/// What makes two events the same.
fn same(told: &Told) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&told.about.uid, &told.about.kind, &told.about.name).hash(&mut hasher);
    (&told.reason, &told.action, &told.note).hash(&mut hasher);
    hasher.finish()
}

async fn write(
    caller: &Caller,
    api: &ApiResource,
    told: &Told,
    before: Option<Written>,
) -> Result<Written, ApiError> {
    let namespace = told.about.namespace.as_deref().unwrap_or(NO_NAMESPACE);
    let now = Timestamp::now();
    if let Some(before) = before {
        let count = before.count + 1;
        let series = json!({"series": {"count": count, "lastObservedTime": micro_time(now)}});
        let place = Resource::object(api, Some(namespace), &before.name);
        let patch = Payload::Merge(Bytes::from(series.to_string()));
        match caller.patch(&place, "", Want::Metadata, &patch).await {
            // It has expired: told anew.
            Err(error) if error.is_not_found() => {}
            result => {
                return result.map(|_| Written {
                    count,
                    last: Instant::now(),
                    ..before
                });
            }
        }
    }
    let name = event_name(told, now);
    let event = event(told, &name, namespace, now);
    caller
        .create(&Resource::collection(api, Some(namespace)), &event)
        .await?;
    Ok(Written {
        name,
        count: 1,
        last: Instant::now(),
    })
}

fn event(told: &Told, name: &str, namespace: &str, now: Timestamp) -> Value {
    json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace},
        "eventTime": micro_time(now),
        "reportingController": REPORTER,
        "reportingInstance": REPORTER,
        "type": if told.warning { "Warning" } else { "Normal" },
        "reason": told.reason,
        "action": told.action,
        "note": clipped(&told.note, NOTE_MAX),
        "regarding": told.about,
    })
}

/// The object's name and the time, as Kubernetes' own recorders name events.
fn event_name(told: &Told, now: Timestamp) -> String {
    let name = told.about.name.as_deref().unwrap_or_default();
    let name: String = name.chars().take(NAME_MAX).collect();
    let name = name.trim_end_matches(['.', '-']);
    format!("{name}.{:x}", now.as_nanosecond())
}

fn micro_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// A text cut to so many bytes, at a character's border.
pub fn clipped(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, note: &str) -> Told {
        Told {
            about: ObjectReference {
                name: Some(name.to_owned()),
                uid: Some("u1".to_owned()),
                ..ObjectReference::default()
            },
            warning: false,
            reason: "Applied".to_owned(),
            action: "Apply".to_owned(),
            note: note.to_owned(),
        }
    }

    #[test]
    fn a_name_is_one_that_the_api_server_takes() {
        let at = Timestamp::from_microsecond(1_700_000_000_000_001).expect("a time");
        assert_eq!(event_name(&told("web", ""), at), "web.17979cfe362a03e8");
        let long = format!("{}-{}", "a".repeat(229), "b".repeat(20));
        let name = event_name(&told(&long, ""), at);
        assert!(name.len() <= 253 && name.starts_with("aaa") && !name.contains("-."));
        assert_eq!(micro_time(at), "2023-11-14T22:13:20.000001Z");
    }

    #[test]
    fn the_same_story_is_told_once_and_counted() {
        assert_eq!(same(&told("web", "a")), same(&told("web", "a")));
        assert_ne!(same(&told("web", "a")), same(&told("web", "b")));
        assert_ne!(same(&told("web", "a")), same(&told("api", "a")));
    }

    #[test]
    fn a_long_note_is_cut_at_a_characters_border() {
        assert_eq!(clipped("kurz", 10), "kurz");
        assert_eq!(clipped("ääääää", 8), "ää…");
    }
}
