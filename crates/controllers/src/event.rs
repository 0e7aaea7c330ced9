//! Events, through kube's recorder, which aggregates repeated ones.

use kinds::Reason;
use kube::Resource;
use kube::runtime::events::{Event, EventType, Recorder};

/// The longest note that the events API takes.
const NOTE_MAX: usize = 1024;

/// Tells the story of an object. An event that cannot be written is logged, never an error.
pub(crate) async fn tell<K: Resource<DynamicType = ()>>(
    recorder: &Recorder,
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
    let kind = if warning { EventType::Warning } else { EventType::Normal };
    publish(recorder, about, kind, reason.as_str(), action, note).await;
}

/// Tells a part of the story in another system's words.
pub(crate) async fn tell_word<K: Resource<DynamicType = ()>>(
    recorder: &Recorder,
    about: &K,
    word: &str,
    action: &str,
    note: &str,
) {
    publish(recorder, about, EventType::Normal, word, action, note).await;
}

async fn publish<K: Resource<DynamicType = ()>>(
    recorder: &Recorder,
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
    if let Err(error) = recorder.publish(&event, &about.object_ref(&())).await {
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
