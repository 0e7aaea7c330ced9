//! What a pass over a Runnable decides: the object that its selector finds, its outputs, and what
//! its status says.

use std::collections::BTreeMap;

use kinds::cartographer::condition_type;
use kinds::cartographer::reason::Reason;
use kinds::cartographer::runnable::ResourceSelector;
use serde_json::Value;

use crate::conditions::Draft;
use crate::error::ObjectName;
use crate::health::object_condition;
use crate::jsonpath::one;
use crate::labels::Labels;
use crate::notation;
use crate::verdict::{Status, Verdict};

/// The condition by which a run tells its outcome.
pub const SUCCEEDED: &str = "Succeeded";

/// What goes wrong with a Runnable. Its text is the condition's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The ServiceAccount could not be read.
    #[error("{0}")]
    ServiceAccount(String),
    /// There is no token of the ServiceAccount.
    #[error("{0}")]
    Token(String),
    /// The run template could not be read.
    #[error("unable to get run template [{template}]: {why}")]
    Template {
        /// Its name.
        template: String,
        /// What the API server said.
        why: String,
    },
    /// The selector does not find exactly one object.
    #[error(
        "unable to resolve selector [{labels}], apiVersion [{api_version}], kind [{kind}]: {why}"
    )]
    Selector {
        /// The labels as Go prints them.
        labels: String,
        /// The apiVersion to look for.
        api_version: String,
        /// The kind to look for.
        kind: String,
        /// What is wrong.
        why: String,
    },
    /// The run template gives no object.
    #[error("unable to stamp object for run template [{template}]: {why}")]
    Stamp {
        /// The template's name.
        template: String,
        /// Why it gives none.
        why: String,
    },
    /// The API server refused the object.
    #[error("unable to apply object [{namespace}/{name}] for run template [{template}]: {why}")]
    Rejected {
        /// The object's namespace.
        namespace: String,
        /// The object's name, or what its name begins with.
        name: String,
        /// The template's name.
        template: String,
        /// Whether the account may not do it, so that only a grant helps.
        is_forbidden: bool,
        /// What the API server said.
        why: String,
    },
    /// The objects of earlier submissions could not be listed.
    #[error(
        "unable to list objects in namespace [{namespace}] with labels [{}]: {why}",
        notation::map(labels)
    )]
    List {
        /// The namespace.
        namespace: String,
        /// The labels that they carry.
        labels: Labels,
        /// What the API server said.
        why: String,
    },
    /// Outputs have no value in the newest object that succeeded.
    #[error("waiting to read value from resource [{}/{}]{}: {why}", object.resource, object.name, within(object))]
    Outputs {
        /// The object.
        object: ObjectName,
        /// Which, and why.
        why: String,
    },
}

impl RunError {
    /// Whether the pass has to be repeated though nothing changed.
    pub fn retries(&self) -> bool {
        match self {
            Self::Token(_) | Self::Template { .. } | Self::List { .. } => true,
            Self::Rejected { is_forbidden, .. } => !is_forbidden,
            Self::ServiceAccount(_)
            | Self::Selector { .. }
            | Self::Stamp { .. }
            | Self::Outputs { .. } => false,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::ServiceAccount(_) => Reason::ServiceAccountError,
            Self::Token(_) => Reason::ServiceAccountTokenError,
            Self::Template { .. } => Reason::RunTemplateNotFound,
            Self::Selector { .. } | Self::Stamp { .. } => Reason::TemplateStampFailure,
            Self::Rejected { .. } => Reason::StampedObjectRejectedByAPIServer,
            Self::List { .. } => Reason::FailedToListCreatedObjects,
            Self::Outputs { .. } => Reason::OutputPathNotSatisfied,
        }
    }
}

/// Whether the run template is there and could be stamped.
pub fn template_condition(error: Option<&RunError>) -> Draft {
    let verdict = match error {
        None => Verdict::good(Reason::Ready),
        Some(error) => Verdict::new(Status::False, error.reason(), error.to_string()),
    };
    Draft::new(condition_type::RUN_TEMPLATE_READY, verdict)
}

/// What the object that is stamped now says of its outcome.
pub fn object_verdict(object: Option<&Value>) -> Draft {
    let condition = object.and_then(|object| object_condition(object, SUCCEEDED));
    let verdict = match condition {
        Some(condition) => Verdict::new(
            Status::read(condition.status),
            Reason::SucceededCondition,
            condition.message,
        ),
        None => Verdict::new(Status::Unknown, Reason::Unknown, ""),
    };
    Draft::new(condition_type::STAMPED_OBJECT_CONDITION, verdict)
}

/// Whether a run succeeded, by which runs are kept.
pub fn outcome(object: &Value) -> Status {
    object_condition(object, SUCCEEDED)
        .map_or(Status::Unknown, |condition| Status::read(condition.status))
}

/// The one object that a selector finds among those with its labels.
pub fn selected(selector: &ResourceSelector, mut found: Vec<Value>) -> Result<Value, RunError> {
    let why = match found.len() {
        1 => return Ok(found.remove(0)),
        0 => "selector did not match any objects",
        _ => "selector matched multiple objects",
    };
    Err(unresolved(selector, why))
}

/// That a selector cannot be resolved.
pub fn unresolved(selector: &ResourceSelector, why: &str) -> RunError {
    RunError::Selector {
        labels: notation::map(&selector.matching_labels),
        api_version: selector.resource.api_version.clone().unwrap_or_default(),
        kind: selector.resource.kind.clone().unwrap_or_default(),
        why: why.to_owned(),
    }
}

/// The outputs of a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    /// Their values.
    pub values: BTreeMap<String, Value>,
    /// What is wrong with the others, if anything is.
    pub problem: Option<String>,
}

/// Reads the outputs of the newest object that succeeded. One without a value leaves the others.
/// Without such an object, or without any path, those of before stay.
pub fn outputs(
    paths: &BTreeMap<String, String>,
    succeeded: Option<&Value>,
    previous: &BTreeMap<String, Value>,
) -> Outputs {
    let (Some(object), false) = (succeeded, paths.is_empty()) else {
        return Outputs {
            values: previous.clone(),
            problem: None,
        };
    };
    let mut values = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, path) in paths {
        match one(path, object) {
            Ok(value) => {
                values.insert(name.clone(), value);
            }
            Err(why) => problems.push(format!("failed to evaluate path [{path}]: {why}")),
        }
    }
    Outputs {
        values,
        problem: (!problems.is_empty()).then(|| problems.join("; ")),
    }
}

fn within(object: &ObjectName) -> String {
    if object.namespace.is_empty() {
        return String::new();
    }
    format!(" in namespace [{}]", object.namespace)
}

#[cfg(test)]
mod tests;
