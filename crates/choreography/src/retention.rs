//! Which finished objects of before are deleted.

use kinds::cartographer::template::RetentionPolicy;
use serde_json::Value;

use crate::verdict::Status;

/// Of objects with their health, the newest first: those beyond what is kept. What is neither healthy
/// nor unhealthy is not counted and not deleted.
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
        *count += 1;
        if *count > most {
            doomed.push(object);
        }
    }
    doomed
}

/// The newest object that is healthy.
pub fn newest_healthy<'o>(
    objects: impl IntoIterator<Item = (&'o Value, Status)>,
) -> Option<&'o Value> {
    newest_first(objects)
        .into_iter()
        .find(|(_, status)| *status == Status::True)
        .map(|(object, _)| object)
}

/// Times are whole seconds, so that names decide between objects of one second.
fn newest_first<'o>(
    objects: impl IntoIterator<Item = (&'o Value, Status)>,
) -> Vec<(&'o Value, Status)> {
    let text = |object: &'o Value, pointer: &str| {
        let value = object.pointer(pointer);
        value.and_then(Value::as_str).unwrap_or_default()
    };
    let mut objects: Vec<_> = objects.into_iter().collect();
    objects.sort_by_key(|(object, _)| {
        let created = text(object, "/metadata/creationTimestamp");
        std::cmp::Reverse((created, text(object, "/metadata/name")))
    });
    objects
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Objects as `name@second` with `+` for healthy, `-` for unhealthy.
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
                let metadata = json!({"name": name, "creationTimestamp": created});
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
        check("a@1+ b@2+ c@3+ d@4- e@5-", "d a", "c");
        check("a@1+ b@2-", "", "a");
        check("", "", "");
    }

    #[test]
    fn what_is_not_finished_is_never_deleted() {
        check("a@1? b@2? c@3? d@4?", "", "");
        check("a@1+ b@2? c@3+ d@4+", "a", "d");
    }

    #[test]
    fn within_one_second_names_decide() {
        check("a@1+ c@1+ b@1+", "a", "c");
    }
}
