//! Groups of the Kubernetes community (`*.k8s.io`, `*.kubernetes.io`): definitions of theirs say where
//! they were approved.

use serde_json::Value;

use crate::validate::text;

const APPROVAL: &str = "api-approved.kubernetes.io";

/// Whether the community approved a definition of one of its groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Approval {
    Invalid,
    Given,
    Bypassed,
    Missing,
}

pub(in super::super) struct Approved {
    pub(in super::super) state: Approval,
    pub(in super::super) why: String,
}

/// The annotation that speaks of approval; empty where there is none.
pub(in super::super) fn approval_annotation(definition: &Value) -> &str {
    let annotations = definition.pointer("/metadata/annotations");
    text(annotations.and_then(|annotations| annotations.get(APPROVAL)))
}

/// Whether a definition is approved; none for groups that need no approval.
pub(in super::super) fn approval(group: &str, definition: &Value) -> Option<Approved> {
    let of = |domain: &str| {
        let rest = group.strip_suffix(domain);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if !of("k8s.io") && !of("kubernetes.io") {
        return None;
    }
    let annotation = approval_annotation(definition);
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    let (state, why) = if annotation.is_empty() {
        let why = format!("protected groups must have approval annotation {APPROVAL:?}, {see}");
        (Approval::Missing, why)
    } else if annotation.starts_with("unapproved") {
        (Approval::Bypassed, format!("not approved: {annotation:?}"))
    } else if is_url(annotation) {
        (Approval::Given, format!("approved in {annotation}"))
    } else {
        let why = format!(
            "protected groups must have approval annotation {APPROVAL:?} with either a URL or a reason starting with \"unapproved\", {see}"
        );
        (Approval::Invalid, why)
    };
    Some(Approved { state, why })
}

fn is_url(text: &str) -> bool {
    let uri = super::super::format::Format::named("uri");
    uri.is_some_and(|uri| uri.holds(text))
        && text
            .split_once("://")
            .is_some_and(|(_, rest)| !rest.is_empty() && !rest.starts_with('/'))
}
