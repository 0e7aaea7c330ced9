//! The story of an object, as events in Shipway's words.

pub(crate) use cluster::events::clipped;
use cluster::events::{Events, Told};
use kinds::Reason;
use kube::Resource;

/// So many objects, in words.
pub(crate) fn objects(count: i64) -> String {
    match count {
        1 => "1 object".to_owned(),
        count => format!("{count} objects"),
    }
}

/// Tells a part of the story of an object. Nobody waits until it is written.
pub(crate) fn tell<K: Resource<DynamicType = ()>>(
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
    hand_over(events, about, warning, reason.as_str(), action, note);
}

/// Tells a part of the story in another system's words.
pub(crate) fn tell_word<K: Resource<DynamicType = ()>>(
    events: &Events,
    about: &K,
    word: &str,
    action: &str,
    note: &str,
) {
    hand_over(events, about, false, word, action, note);
}

/// The same, where something is wrong.
pub(crate) fn warn_word<K: Resource<DynamicType = ()>>(
    events: &Events,
    about: &K,
    word: &str,
    action: &str,
    note: &str,
) {
    hand_over(events, about, true, word, action, note);
}

fn hand_over<K: Resource<DynamicType = ()>>(
    events: &Events,
    about: &K,
    warning: bool,
    word: &str,
    action: &str,
    note: &str,
) {
    let mut about = about.object_ref(&());
    about.resource_version = None; // the story is the same whatever else is written meanwhile
    events.tell(Told {
        about,
        warning,
        reason: word.to_owned(),
        action: action.to_owned(),
        note: note.to_owned(),
    });
}
