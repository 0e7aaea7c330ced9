//! The list of conditions in a status: its order, its `Ready`, and when each last changed.

use kinds::Condition;
use kinds::cartographer::reason::Reason;
use kinds::condition::{find, kind::READY};

use crate::verdict::{Status, Verdict};

/// A condition that has no time yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The type.
    pub kind: String,
    /// What it says.
    pub verdict: Verdict,
}

impl Draft {
    /// A condition of a type.
    pub fn new(kind: impl Into<String>, verdict: Verdict) -> Self {
        Self {
            kind: kind.into(),
            verdict,
        }
    }
}

/// What several verdicts come to: the last that is false, else the first that is unknown, else
/// true. Nothing where there is no verdict.
pub fn aggregate<'v>(verdicts: impl IntoIterator<Item = &'v Verdict>) -> Option<Verdict> {
    let mut all: Option<Verdict> = None;
    for verdict in verdicts {
        let so_far = all.as_ref().map_or(Status::True, |all| all.status);
        let decides = match verdict.status {
            Status::False => true,
            Status::Unknown => so_far == Status::True,
            Status::True => false,
        };
        if decides {
            all = Some(verdict.clone());
        } else if all.is_none() {
            all = Some(Verdict::good(Reason::Ready));
        }
    }
    all
}

/// The conditions of a status, `Ready` being the last of them: what the others come to.
///
/// A draft replaces an earlier one of its type. A condition keeps its time only where the previous
/// one of its type says the same to the letter; `now` is in whole seconds.
pub fn settle(drafts: Vec<Draft>, previous: &[Condition], now: &str) -> Vec<Condition> {
    let mut kept: Vec<Draft> = Vec::new();
    for draft in drafts {
        match kept.iter_mut().find(|known| known.kind == draft.kind) {
            Some(known) => *known = draft,
            None => kept.push(draft),
        }
    }
    let ready = aggregate(kept.iter().map(|draft| &draft.verdict))
        .unwrap_or_else(|| Verdict::new(Status::Unknown, Reason::Unknown, ""));
    kept.push(Draft::new(READY, ready));
    kept.into_iter()
        .map(|draft| timed(draft, previous, now))
        .collect()
}

/// Whether two lists say something different, whatever their times.
pub fn differ(previous: &[Condition], next: &[Condition]) -> bool {
    previous.len() != next.len()
        || previous
            .iter()
            .zip(next)
            .any(|(previous, next)| !previous.says_the_same(next))
}

fn timed(draft: Draft, previous: &[Condition], now: &str) -> Condition {
    let mut condition = Condition {
        kind: draft.kind,
        status: draft.verdict.status.as_str().to_owned(),
        reason: draft.verdict.reason,
        message: draft.verdict.message,
        last_transition_time: now.to_owned(),
        observed_generation: None,
    };
    if let Some(known) = find(previous, &condition.kind)
        && known.says_the_same(&condition)
    {
        condition
            .last_transition_time
            .clone_from(&known.last_transition_time);
    }
    condition
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Conditions as `Type=Status Reason message`, one a line.
    fn drafts(text: &str) -> Vec<Draft> {
        text.lines()
            .map(|line| {
                let mut words = line.trim().splitn(3, ' ');
                let (kind, status) = words
                    .next()
                    .and_then(|word| word.split_once('='))
                    .expect("Type=Status");
                let verdict = Verdict {
                    status: Status::read(status),
                    reason: words.next().unwrap_or_default().to_owned(),
                    message: words.next().unwrap_or_default().to_owned(),
                };
                Draft::new(kind, verdict)
            })
            .collect()
    }

    fn shown(conditions: &[Condition]) -> String {
        let lines: Vec<_> = conditions
            .iter()
            .map(|condition| {
                format!(
                    "{}={} {} {} at {}",
                    condition.kind,
                    condition.status,
                    condition.reason,
                    condition.message,
                    condition.last_transition_time
                )
            })
            .collect();
        lines.join("\n")
    }

    #[track_caller]
    fn check(given: &str, ready: &str) {
        let settled = settle(drafts(given), &[], "t");
        let last = settled.last().map(std::slice::from_ref).map(shown);
        assert_eq!(last.as_deref(), Some(ready));
    }

    #[test]
    fn ready_is_what_the_others_come_to() {
        check("A=True R", "Ready=True Ready  at t");
        check("A=False R1 m1\nB=True R2", "Ready=False R1 m1 at t");
        check("A=False R1 m1\nB=False R2 m2", "Ready=False R2 m2 at t");
        check(
            "A=Unknown R1 m1\nB=Unknown R2 m2",
            "Ready=Unknown R1 m1 at t",
        );
        check("A=False R1 m1\nB=Unknown R2 m2", "Ready=False R1 m1 at t");
        check("A=Unknown R1 m1\nB=False R2 m2", "Ready=False R2 m2 at t");
        check("", "Ready=Unknown Unknown  at t");
    }

    #[test]
    fn a_time_stays_only_where_nothing_is_said_anew() {
        let first = settle(drafts("A=True R m\nB=False S n"), &[], "t1");
        let second = settle(drafts("A=True R m\nB=False S other"), &first, "t2");
        assert_eq!(
            shown(&second),
            "A=True R m at t1\nB=False S other at t2\nReady=False S other at t2"
        );
        assert!(differ(&first, &second));
        let third = settle(drafts("A=True R m\nB=False S other"), &second, "t3");
        assert_eq!(third, second);
        assert!(!differ(&second, &third));
    }

    #[test]
    fn a_later_condition_of_a_type_replaces_the_earlier() {
        let settled = settle(drafts("A=True R\nB=True R\nA=False S"), &[], "t");
        assert_eq!(
            shown(&settled),
            "A=False S  at t\nB=True R  at t\nReady=False S  at t"
        );
    }

    #[test]
    fn a_condition_that_went_away_is_a_difference() {
        let first = settle(drafts("A=True R\nB=True R"), &[], "t1");
        let second = settle(drafts("A=True R"), &first, "t2");
        assert!(differ(&first, &second));
    }
}
