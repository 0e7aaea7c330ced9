//! Events, through kube's recorder, which aggregates repeated ones.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use kinds::Reason;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use tokio::time::Instant;

/// The longest note that the events API takes.
const NOTE_MAX: usize = 1024;

/// Tells the story of an object. An event that cannot be written is logged, never an error.
pub(crate) async fn tell<K: Resource<DynamicType = ()>>(
    events: &Events,
    about: &K,
    reason: Reason,
    action: &str,
    note: &str,
) {
    let warning = !matches!(
        reason,
        Reason::Ready
            | Reason::Applied
            | Reason::Pruned
            | Reason::DriftRepaired
            | Reason::Adopted
            | Reason::Progressing
            | Reason::FieldLeftOut
            | Reason::Orphaned
            | Reason::Suspended
            | Reason::SourcePending
    );
    let kind = if warning {
        EventType::Warning
    } else {
        EventType::Normal
    };
    publish(events, about, kind, reason.as_str(), action, note).await;
}

/// Tells a part of the story in another system's words.
pub(crate) async fn tell_word<K: Resource<DynamicType = ()>>(
    events: &Events,
    about: &K,
    word: &str,
    action: &str,
    note: &str,
) {
    publish(events, about, EventType::Normal, word, action, note).await;
}

/// Writes events. One that is told again is counted; kube's recorder alone would count every
/// event of the same reason, and keep the words of the first.
pub struct Events {
    client: Client,
    recorders: Mutex<HashMap<String, (Recorder, Instant)>>,
}

/// How long an event that is told again is counted.
const COUNTED: Duration = Duration::from_mins(5);

impl Events {
    /// Nothing told yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            recorders: Mutex::default(),
        }
    }

    fn recorder(&self, story: String) -> Recorder {
        let mut recorders = self
            .recorders
            .lock()
            .expect("nothing panics while holding it");
        recorders.retain(|_, (_, told)| told.elapsed() < COUNTED);
        let new = || {
            let reporter = Reporter {
                controller: "shipway".into(),
                instance: None,
            };
            (Recorder::new(self.client.clone(), reporter), Instant::now())
        };
        recorders.entry(story).or_insert_with(new).0.clone()
    }
}

async fn publish<K: Resource<DynamicType = ()>>(
    events: &Events,
    about: &K,
    kind: EventType,
    word: &str,
    action: &str,
    note: &str,
) {
    let event = Event {
        type_: kind,
        reason: word.to_owned(),
        note: Some(clipped(note, NOTE_MAX)),
        action: action.to_owned(),
        secondary: None,
    };
    let mut about = about.object_ref(&());
    about.resource_version = None; // the story is the same whatever else is written meanwhile
    let story = format!(
        "{}/{word}/{action}/{note}",
        about.uid.as_deref().unwrap_or_default()
    );
    let recorder = events.recorder(story);
    if let Err(error) = recorder.publish(&event, &about).await {
        tracing::warn!(error = %error, "could not write an event");
    }
}

/// A text cut to so many bytes, at a character's border.
pub(crate) fn clipped(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max - '…'.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}
