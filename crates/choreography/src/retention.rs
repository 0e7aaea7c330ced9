//! Which objects of before are deleted, and which one speaks for all.
//!
//! All that was made for one thing comes as a list: the object that is as it is to be now, and then the others
//! in any order. The first counts as the newest whenever it was created: where somebody takes a change back,
//! it is an old one again, and what was made meanwhile says nothing about it.

use kinds::cartographer::template::RetentionPolicy;
use serde_json::Value;

use crate::verdict::Status;

/// Of objects with their health, the current one first: those beyond what is kept. What is neither healthy
/// nor unhealthy is not counted and not deleted, and neither is what is being deleted already.
pub fn beyond<'o>(
    objects: impl IntoIterator<Item = (&'o Value, Status)>,
    policy: RetentionPolicy,
) -> Vec<&'o Value> {
    let (mut healthy, mut unhealthy) = (0, 0);
    let mut doomed = Vec::new();
    for (object, status) in newest_first(objects) {
        let (count, most) = match status {
            Status::True => (&mut healthy, policy.max_successful_runs),
            Status::False => (&mut unhealthy, policy.max_failed_runs),
            Status::Unknown => continue,
        };
        if object.pointer("/metadata/deletionTimestamp").is_some() {
            continue; // somebody's finalizer holds it; asking again would not help
        }
        *count += 1;
        if *count > most {
            doomed.push(object);
        }
    }
    doomed
}

/// The newest object that is healthy: the current one, if it is.
pub fn newest_healthy<'o>(
    objects: impl IntoIterator<Item = (&'o Value, Status)>,
) -> Option<&'o Value> {
    newest_first(objects)
        .into_iter()
        .find(|(_, status)| *status == Status::True)
        .map(|(object, _)| object)
}

/// Times are whole seconds, so that names decide between earlier objects of one second.
fn newest_first<'o>(
    objects: impl IntoIterator<Item = (&'o Value, Status)>,
) -> Vec<(&'o Value, Status)> {
    let text = |object: &'o Value, pointer: &str| {
        let value = object.pointer(pointer);
        value.and_then(Value::as_str).unwrap_or_default()
    };
    let mut objects: Vec<_> = objects.into_iter().collect();
    if let [_, earlier @ ..] = objects.as_mut_slice() {
        earlier.sort_by_key(|(object, _)| {
            let created = text(object, "/metadata/creationTimestamp");
            std::cmp::Reverse((created, text(object, "/metadata/name")))
        });
    }
    objects
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Objects as `name@second` with `+` for healthy, `-` for unhealthy, `!` in front for one that is being
    /// deleted.
    fn objects(text: &str) -> Vec<(Value, Status)> {
        text.split_whitespace()
            .map(|word| {
                let status = match word.as_bytes().last() {
                    Some(b'+') => Status::True,
                    Some(b'-') => Status::False,
                    _ => Status::Unknown,
                };
                let word = word.trim_end_matches(['+', '-', '?']);
                let (name, second) = word.split_once('@').expect("name@second");
                let created = format!("2026-01-01T00:00:0{second}Z");
                let going = name.strip_prefix('!');
                let name = going.unwrap_or(name);
                let mut metadata = json!({"name": name, "creationTimestamp": created});
                if going.is_some() {
                    metadata["deletionTimestamp"] = json!(created);
                }
                (json!({"metadata": metadata}), status)
            })
            .collect()
    }

    fn names<'o>(objects: impl IntoIterator<Item = &'o Value>) -> String {
        let names: Vec<_> = objects
            .into_iter()
            .filter_map(|object| object["metadata"]["name"].as_str())
            .collect();
        names.join(" ")
    }

    #[track_caller]
    fn check(given: &str, doomed: &str, newest: &str) {
        let objects = objects(given);
        let listed = || objects.iter().map(|(object, status)| (object, *status));
        let policy = RetentionPolicy {
            max_failed_runs: 1,
            max_successful_runs: 2,
        };
        assert_eq!(names(beyond(listed(), policy)), doomed);
        assert_eq!(names(newest_healthy(listed())), newest);
    }

    #[test]
    fn the_newest_of_each_outcome_are_kept() {
        check("e@5- a@1+ b@2+ c@3+ d@4-", "d a", "c");
        check("b@2- a@1+", "", "a");
        check("", "", "");
    }

    #[test]
    fn what_is_not_finished_is_never_deleted() {
        check("d@4? a@1? b@2? c@3?", "", "");
        check("d@4+ a@1+ b@2? c@3+", "a", "d");
    }

    #[test]
    fn what_is_being_deleted_is_not_deleted_again() {
        check("d@4+ !c@3+ b@2+ a@1+", "a", "d");
        check("b@2- !a@1-", "", "");
    }

    #[test]
    fn the_current_one_counts_as_the_newest() {
        check("a@1+ d@4+ b@2+", "b", "a");
        check("a@1- c@3- b@2+", "c", "b");
        check("a@1? c@3+", "", "c");
    }

    #[test]
    fn within_one_second_names_decide() {
        check("d@1? a@1+ c@1+ b@1+", "a", "c");
    }
}
