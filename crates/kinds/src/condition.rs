//! Conditions as `metav1.Condition` has them, and how a list of them changes.

use k8s_openapi::jiff::Timestamp;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The conditions of kstatus (kubernetes-sigs/cli-utils) that every Shipway kind carries.
pub mod kind {
    /// True when the object is where its spec wants it to be.
    pub const READY: &str = "Ready";
    /// True while a controller is still at work on the object.
    pub const RECONCILING: &str = "Reconciling";
    /// True when somebody has to edit something before it can go on.
    pub const STALLED: &str = "Stalled";
    /// True while `spec.suspend` is set.
    pub const SUSPENDED: &str = "Suspended";
    /// True while a prune is refused and waits for somebody.
    pub const PRUNE_HELD: &str = "PruneHeld";
}

/// One condition, in the shape of `metav1.Condition`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// The type, such as `Ready`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A CamelCase word that programs may rely on.
    pub reason: String,
    /// A sentence for people, possibly empty.
    pub message: String,
    /// When any other field of this condition last changed, in whole seconds.
    pub last_transition_time: String,
    /// The generation that this condition speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

impl Condition {
    /// Whether the status is `True`.
    pub fn is_true(&self) -> bool {
        self.status == "True"
    }

    /// Whether the two differ in anything but their times.
    pub fn says_the_same(&self, other: &Self) -> bool {
        (
            &self.kind,
            &self.status,
            &self.reason,
            &self.message,
            self.observed_generation,
        ) == (
            &other.kind,
            &other.status,
            &other.reason,
            &other.message,
            other.observed_generation,
        )
    }
}

/// Finds the condition of a type.
pub fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}

/// Gives each new condition its transition time: the previous one's where status, reason and
/// message are as before, `now` otherwise (Cartographer's rule, stricter than upstream's).
pub fn settle_times(previous: &[Condition], next: &mut [Condition], now: Timestamp) {
    for condition in next {
        condition.last_transition_time = match find(previous, &condition.kind) {
            Some(old)
                if (&old.status, &old.reason, &old.message)
                    == (&condition.status, &condition.reason, &condition.message) =>
            {
                old.last_transition_time.clone()
            }
            _ => now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
    }
}

/// The schema of a list of `metav1.Condition`.
pub(crate) fn list_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "lastTransitionTime": {"type": "string", "format": "date-time"},
                "message": {"type": "string", "maxLength": 32768},
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
                "reason": {
                    "type": "string", "minLength": 1, "maxLength": 1024,
                    "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"
                },
                "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                "type": {
                    "type": "string", "maxLength": 316,
                    "pattern": "^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(status: &str, message: &str) -> Condition {
        Condition {
            kind: kind::READY.to_owned(),
            status: status.to_owned(),
            reason: "Because".to_owned(),
            message: message.to_owned(),
            last_transition_time: "2026-01-01T00:00:00Z".to_owned(),
            observed_generation: Some(1),
        }
    }

    #[track_caller]
    fn check(next: Condition, moved: bool) {
        let mut next = [next];
        settle_times(&[condition("True", "a")], &mut next, Timestamp::UNIX_EPOCH);
        let expected = if moved {
            "1970-01-01T00:00:00Z"
        } else {
            "2026-01-01T00:00:00Z"
        };
        assert_eq!(next[0].last_transition_time, expected);
    }

    #[test]
    fn the_time_stays_while_nothing_is_said_anew() {
        check(condition("True", "a"), false);
    }

    #[test]
    fn the_time_moves_with_status_and_message() {
        check(condition("False", "a"), true);
        check(condition("True", "b"), true);
    }
}
