//! Kinds whose objects are stored in the form of another kind: one event is read and written as
//! `v1` and as `events.k8s.io/v1`.
//!
//! External rule: the names on both sides are those of k8s.io/kubernetes, `pkg/apis/events/v1`.

use serde_json::{Value, json};

/// How objects of one group look in another one.
#[derive(Debug)]
pub(super) struct Form {
    /// The group in which they are stored.
    pub(super) group: &'static str,
    api_version: &'static str,
    /// The fields that are called differently: here, and there.
    fields: &'static [(&'static str, &'static str)],
}

const EVENTS: Form = Form {
    group: "",
    api_version: "v1",
    fields: &[
        ("regarding", "involvedObject"),
        ("note", "message"),
        ("reportingController", "reportingComponent"),
        ("deprecatedSource", "source"),
        ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"),
    ],
};

impl Form {
    /// The form of a kind; nothing where its objects are stored as they are.
    pub(super) fn of(group: &str, resource: &str) -> Option<&'static Self> {
        (group == "events.k8s.io" && resource == "events").then_some(&EVENTS)
    }

    /// From the form in which it is stored.
    pub(super) fn read(&self, object: &mut Value) {
        for (here, there) in self.fields {
            rename(object, there, here);
        }
    }

    /// To the form in which it is stored.
    pub(super) fn write(&self, object: &mut Value) {
        for (here, there) in self.fields {
            rename(object, here, there);
        }
        object["apiVersion"] = json!(self.api_version);
    }
}

fn rename(object: &mut Value, from: &str, to: &str) {
    if let Some(object) = object.as_object_mut()
        && let Some(value) = object.remove(from)
    {
        object.insert(to.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_the_same_in_both_groups() {
        let form = Form::of("events.k8s.io", "events").expect("it has one");
        let new = json!({"apiVersion": "events.k8s.io/v1", "note": "hello", "regarding": {"name": "a"}, "reason": "Said"});
        let mut old = new.clone();
        form.write(&mut old);
        let expected = json!({"apiVersion": "v1", "message": "hello", "involvedObject": {"name": "a"}, "reason": "Said"});
        assert_eq!(old, expected);
        form.read(&mut old);
        old["apiVersion"] = json!("events.k8s.io/v1");
        assert_eq!(old, new);
        assert!(Form::of("", "events").is_none());
    }
}
