//! Cartographer's conditions: their order, reasons, messages, and how they add up. Pure.

use kinds::Condition;
use serde_json::Value;

use super::select::DELIVERY;
use super::stamp::{RESOURCE, TEMPLATE, TEMPLATE_KIND};

/// What came of submitting the Shipment.
pub(super) type Submitted = Result<(), Refusal>;

/// Why the Shipment was not submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: &'static str,
    pub(super) message: String,
    /// Whether trying again may help although nobody tells us of any change.
    pub(super) may_pass: bool,
    /// Whether it ended before the resources were walked.
    pub(super) early: bool,
}

pub(super) fn no_account(namespace: &str, account: &str) -> Refusal {
    Refusal {
        reason: "ServiceAccountError",
        message: format!(
            "failed to get service account object from api server [{namespace}/{account}]: failed to get object \
             [{namespace}/{account}] from api server: ServiceAccount \"{account}\" not found"
        ),
        may_pass: false,
        early: true,
    }
}

pub(super) fn not_stamped(why: &str) -> Refusal {
    Refusal {
        reason: "TemplateStampFailure",
        message: format!(
            "unable to stamp object for resource [{RESOURCE}] for template [{TEMPLATE_KIND}/{TEMPLATE}] in delivery [{DELIVERY}]: {why}"
        ),
        may_pass: false,
        early: false,
    }
}

pub(super) fn rejected(object: &Value, why: &str) -> Refusal {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Refusal {
        reason: "TemplateRejectedByAPIServer",
        message: format!(
            "unable to apply object [{}/{}] for resource [{RESOURCE}] in delivery [{DELIVERY}]: {why}",
            text("/metadata/namespace"),
            text("/metadata/name")
        ),
        may_pass: true,
        early: false,
    }
}

/// Conditions in the order in which they were added, and the `Ready` that they add up to.
#[derive(Default)]
pub(super) struct Conditions {
    list: Vec<Condition>,
    top: Option<(String, String, String)>,
}

impl Conditions {
    /// Adds a condition. A later False overwrites an earlier one; Unknown matters only while
    /// nothing is False or Unknown yet.
    pub(super) fn add(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        self.list.push(condition(kind, status, reason, message));
        let all_true = self.top.is_none();
        if status == "False" || (status == "Unknown" && all_true) {
            self.top = Some((status.to_owned(), reason.to_owned(), message.to_owned()));
        }
    }

    /// The list with `Ready` at its end.
    pub(super) fn finish(mut self) -> Vec<Condition> {
        let (status, reason, message) = self
            .top
            .take()
            .unwrap_or_else(|| ("True".to_owned(), "Ready".to_owned(), String::new()));
        self.list
            .push(condition("Ready", &status, &reason, &message));
        self.list
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Condition {
    Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        last_transition_time: String::new(),
        observed_generation: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &[(&str, &str)], ready: &str) {
        let mut conditions = Conditions::default();
        for (status, reason) in given {
            conditions.add("X", status, reason, "");
        }
        let list = conditions.finish();
        let top = list.last().expect("Ready is always there");
        assert_eq!(format!("{} {}", top.status, top.reason), ready);
    }

    #[test]
    fn conditions_add_up_as_in_cartographer() {
        check(&[("True", "Ready"), ("True", "B")], "True Ready");
        check(
            &[("True", "A"), ("Unknown", "B"), ("Unknown", "C")],
            "Unknown B",
        );
        check(&[("Unknown", "B"), ("False", "C")], "False C");
        check(&[("False", "B"), ("Unknown", "C")], "False B");
        check(&[("False", "B"), ("False", "C")], "False C");
    }
}
