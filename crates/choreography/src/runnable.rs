//! What a pass over a Runnable decides: the object that its selector finds, its outputs, and what
//! its status says.

use std::collections::BTreeMap;

use kinds::cartographer::condition_type;
use kinds::cartographer::reason::Reason;
use kinds::cartographer::runnable::ResourceSelector;
use kinds::cartographer::template::RetentionPolicy;
use serde_json::Value;

use crate::conditions::Draft;
use crate::context::Context;
use crate::error::ObjectName;
use crate::health::object_condition;
use crate::jsonpath::one;
use crate::labels::Labels;
use crate::notation;
use crate::owner::Owner;
use crate::retention;
use crate::stamp::{self, StampError};
use crate::verdict::{Status, Verdict};

/// The condition by which a run tells its outcome.
pub const SUCCEEDED: &str = "Succeeded";

/// What goes wrong with a Runnable. Its text is the condition's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The ServiceAccount could not be read.
    #[error("{0}")]
    ServiceAccount(String),
    /// There is no client that acts as the ServiceAccount.
    #[error("{0}")]
    Client(String),
    /// There is no run template of this name.
    #[error(
        "unable to get run template [{0}]: failed to get run template object from api server \
         [ClusterRunTemplate/{0}]: ClusterRunTemplate.carto.run \"{0}\" not found"
    )]
    Template(String),
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
    /// The object could not be submitted, or those of before not be listed.
    #[error("unable to apply object [{namespace}/{name}] for run template [{template}]: {why}")]
    Rejected {
        /// The object's namespace.
        namespace: String,
        /// The object's name, or what its name begins with.
        name: String,
        /// The template's name.
        template: String,
        /// Whether it may succeed though nothing changes that anybody tells of: a grant, or a definition.
        may_pass: bool,
        /// What the API server said.
        why: String,
    },
    /// Outputs have no value in the newest object that succeeded.
    #[error(
        "waiting to read value from resource [{0}/{1}]{2}: unable to retrieve outputs from stamped object [{3}/{1}] \
         of type [{0}] for run template [{template}]: {why}",
        object.resource, object.name, within(object), object.namespace
    )]
    Outputs {
        /// The object that is current.
        object: ObjectName,
        /// The template's name.
        template: String,
        /// Which, and why.
        why: String,
    },
}

impl RunError {
    /// Whether the pass has to be repeated though nothing changed.
    pub fn retries(&self) -> bool {
        match self {
            Self::Client(_) => true,
            Self::Rejected { may_pass, .. } => *may_pass,
            Self::ServiceAccount(_)
            | Self::Template(_)
            | Self::Selector { .. }
            | Self::Stamp { .. }
            | Self::Outputs { .. } => false,
        }
    }

    /// Whether it is about the account, so that nothing is known of any object.
    fn is_about_account(&self) -> bool {
        matches!(self, Self::ServiceAccount(_) | Self::Client(_))
    }

    fn reason(&self) -> Reason {
        match self {
            Self::ServiceAccount(_) => Reason::ServiceAccountError,
            Self::Client(_) => Reason::ClientBuilderError,
            Self::Template(_) => Reason::RunTemplateNotFound,
            Self::Selector { .. } | Self::Stamp { .. } => Reason::TemplateStampFailure,
            Self::Rejected { .. } => Reason::StampedObjectRejectedByAPIServer,
            Self::Outputs { .. } => Reason::OutputPathNotSatisfied,
        }
    }
}

/// What a status says of a pass, in its order. Where there is no account to act as, there is no word about an
/// object.
pub fn conditions(error: Option<&RunError>, object: Option<&Value>) -> Vec<Draft> {
    let mut drafts = vec![template_condition(error)];
    if !error.is_some_and(RunError::is_about_account) {
        drafts.push(object_verdict(object));
    }
    drafts
}

/// Whether the run template is there and could be stamped.
fn template_condition(error: Option<&RunError>) -> Draft {
    let verdict = match error {
        None => Verdict::good(Reason::Ready),
        Some(error) => Verdict::new(Status::False, error.reason(), error.to_string()),
    };
    Draft::new(condition_type::RUN_TEMPLATE_READY, verdict)
}

/// What the object that is stamped now says of its outcome.
fn object_verdict(object: Option<&Value>) -> Draft {
    let verdict = match object.and_then(told) {
        Some((status, message)) => Verdict::new(status, Reason::SucceededCondition, message),
        None => Verdict::new(Status::Unknown, Reason::Unknown, ""),
    };
    Draft::new(condition_type::STAMPED_OBJECT_CONDITION, verdict)
}

/// The object of a Runnable: its run template filled, in the Runnable's namespace, owned by it, with `labels`.
pub fn stamped(
    runnable: &Owner,
    template: &Value,
    selected: Option<Value>,
    labels: &Labels,
) -> Result<Value, StampError> {
    let context = Context::of_run(runnable, selected);
    let evaluated = stamp::evaluate(template, &context)?;
    stamp::finish(evaluated, runnable, labels)
}

/// What a run tells of its outcome: its condition `Succeeded`, as Tekton's runs do, or `Complete` or `Failed` of a
/// Job of `batch`. Cartographer knows `Succeeded` alone, so that a Job never ends with it.
fn told(object: &Value) -> Option<(Status, String)> {
    if let Some(condition) = object_condition(object, SUCCEEDED) {
        return Some((Status::read(condition.status), condition.message.to_owned()));
    }
    let version = object["apiVersion"].as_str().unwrap_or_default();
    if object["kind"] != "Job" || !version.starts_with("batch/") {
        return None;
    }
    let ends = [("Complete", Status::True), ("Failed", Status::False)];
    ends.into_iter().find_map(|(kind, status)| {
        let condition = object_condition(object, kind)?;
        (condition.status == "True").then(|| (status, condition.message.to_owned()))
    })
}

/// Whether a run succeeded, by which runs are kept.
fn outcome(object: &Value) -> Status {
    told(object).map_or(Status::Unknown, |(status, _)| status)
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

/// What the objects of a Runnable come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged<'o> {
    /// The outputs of the newest that succeeded.
    pub outputs: Outputs,
    /// Objects beyond what is kept.
    pub doomed: Vec<&'o Value>,
}

/// Judges the objects of a Runnable, the current one first.
pub fn judge<'o>(
    objects: impl IntoIterator<Item = &'o Value>,
    paths: &BTreeMap<String, String>,
    policy: RetentionPolicy,
    previous: &BTreeMap<String, Value>,
) -> Judged<'o> {
    let runs: Vec<_> = objects
        .into_iter()
        .map(|object| (object, outcome(object)))
        .collect();
    let succeeded = retention::newest_healthy(runs.iter().copied());
    Judged {
        outputs: outputs(paths, succeeded, previous),
        doomed: retention::beyond(runs, policy),
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
fn outputs(
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
