//! Sorts the conflicts of an apply by their cause: who owns the field, and may it be left to them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::error::Refusal;
use crate::field_path::{Step, is_under, remove, resolve};
use crate::ownership::{Change, written_at};

/// A field that somebody else owns with another value.
pub(super) struct Conflict {
    pub(super) manager: String,
    scale: bool,
    field: String,
}

/// Reads the causes; the manager stands in the message alone, as
/// `conflict with "x" with subresource "scale" using apps/v1 at …`.
pub(super) fn conflicts(refusal: &Refusal) -> Vec<Conflict> {
    let causes = refusal
        .details
        .causes
        .iter()
        .filter(|cause| cause.reason == "FieldManagerConflict");
    causes
        .map(|cause| Conflict {
            manager: quoted(&cause.message),
            scale: cause.message.contains("with subresource \"scale\""),
            field: cause.field.clone(),
        })
        .collect()
}

/// The first quoted word of a message; a quote in it is escaped.
fn quoted(message: &str) -> String {
    let start = message.find('"').unwrap_or(message.len());
    let mut read = serde_json::Deserializer::from_str(&message[start..]).into_iter::<String>();
    read.next().and_then(Result::ok).unwrap_or_default()
}

impl Conflict {
    /// Whether the field belongs to another Shipway owner.
    pub(super) fn is_with_owner(&self, own: &str) -> bool {
        self.manager.starts_with("shipway:") && self.manager != own
    }

    /// Whether an autoscaler set it: anybody but kubectl, through the subresource `scale`.
    fn is_with_autoscaler(&self) -> bool {
        self.scale && !self.manager.starts_with("kubectl")
    }
}

/// Takes the fields out that belong to an autoscaler or are ignored; tells which, and whose.
/// What is taken over from another Shipment is never left to it.
pub(super) fn leave_out(
    body: &mut Value,
    conflicts: &[Conflict],
    ignore: &[String],
    released: Option<&str>,
) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut places: Vec<Vec<Step>> = Vec::new();
    for conflict in conflicts {
        if released == Some(conflict.manager.as_str()) {
            continue;
        }
        let Some(steps) = resolve(body, &conflict.field) else {
            continue;
        };
        let ignored = ignore.iter().any(|pointer| is_under(&steps, pointer));
        if conflict.is_with_autoscaler() || ignored {
            out.push((conflict.field.clone(), conflict.manager.clone()));
            places.push(steps);
        }
    }
    // From the end, so that an index is still right when an earlier item goes.
    places.sort();
    places.dedup();
    for steps in places.iter().rev() {
        remove(body, steps);
    }
    out
}

/// What is overruled, by whom it was set and when, as far as the API server recorded it.
pub(super) fn changes(conflicts: &[Conflict], live: &ObjectMeta) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for conflict in conflicts {
        match changes
            .iter_mut()
            .find(|change| change.manager == conflict.manager)
        {
            Some(change) => change.fields.push(conflict.field.clone()),
            None => changes.push(Change {
                manager: conflict.manager.clone(),
                fields: vec![conflict.field.clone()],
                at: written_at(live, &conflict.manager),
            }),
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Cause, Details};
    use serde_json::json;

    #[track_caller]
    fn check(message: &str, field: &str, ignore: &[&str], left: &str, rest: &str) {
        let cause = Cause {
            reason: "FieldManagerConflict".to_owned(),
            message: message.to_owned(),
            field: field.to_owned(),
        };
        let refusal = Refusal {
            details: Details {
                causes: vec![cause],
                ..Details::default()
            },
            ..Refusal::default()
        };
        let mut body = json!({"spec": {"replicas": 3, "paused": true}});
        let ignore: Vec<String> = ignore.iter().map(|path| (*path).to_owned()).collect();
        let out = leave_out(&mut body, &conflicts(&refusal), &ignore, None);
        let out: Vec<String> = out
            .iter()
            .map(|(field, who)| format!("{field} {who}"))
            .collect();
        assert_eq!(
            (out.join(", ").as_str(), body["spec"].to_string().as_str()),
            (left, rest)
        );
    }

    #[test]
    fn a_field_is_left_to_an_autoscaler_but_not_to_kubectl() {
        let by =
            |who: &str| format!("conflict with \"{who}\" with subresource \"scale\" using apps/v1");
        check(
            &by("hpa"),
            ".spec.replicas",
            &[],
            ".spec.replicas hpa",
            r#"{"paused":true}"#,
        );
        check(
            &by("kubectl"),
            ".spec.replicas",
            &[],
            "",
            r#"{"paused":true,"replicas":3}"#,
        );
    }

    #[test]
    fn an_ignored_field_is_left_to_anybody() {
        let message = "conflict with \"kubectl-edit\" using apps/v1";
        check(
            message,
            ".spec.replicas",
            &["/spec/replicas"],
            ".spec.replicas kubectl-edit",
            r#"{"paused":true}"#,
        );
        check(
            message,
            ".spec.paused",
            &["/spec/replicas"],
            "",
            r#"{"paused":true,"replicas":3}"#,
        );
    }
}
