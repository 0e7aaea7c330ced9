//! What goes wrong with one resource, and what its owner's status says of it.

use kinds::TemplateKind;
use kinds::cartographer::condition_type;
use kinds::cartographer::reason::Reason;

use crate::conditions::Draft;
use crate::jsonpath::Hint;
use crate::labels::Labels;
use crate::notation;
use crate::outputs::OutputError;
use crate::owner::OwnerKind;
use crate::selection::NotChosen;
use crate::stamp::StampError;
use crate::verdict::{Status, Verdict};

/// Where something went wrong.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The owner's kind.
    pub owner: OwnerKind,
    /// The blueprint's name.
    pub blueprint: &'a str,
    /// The resource's name.
    pub resource: &'a str,
}

/// Whose status the condition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The owner's.
    Owner,
    /// The resource's entry in it.
    Resource,
}

/// A stamped object as messages name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectName {
    /// `plural[.group]`, from the REST mapping.
    pub resource: String,
    /// The namespace; empty for what is cluster-scoped.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// What went wrong with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceError {
    /// The template could not be read.
    Template {
        /// Its name.
        template: String,
        /// What the API server said.
        why: String,
    },
    /// Not exactly one option is for the owner.
    Options(NotChosen),
    /// The template gives no object.
    Stamp {
        /// The template's kind.
        kind: TemplateKind,
        /// The template's name.
        template: String,
        /// Why it gives none.
        why: StampError,
    },
    /// The template gives no object, and inputs are not there whose producers have no output yet.
    /// What is wrong is told of the producers.
    Waiting {
        /// The producers without output.
        producers: Vec<String>,
        /// The template's kind.
        kind: TemplateKind,
        /// The template's name.
        template: String,
        /// Why it gives none.
        why: StampError,
    },
    /// The API server refused the object.
    Rejected {
        /// The object's namespace.
        namespace: String,
        /// The object's name.
        name: String,
        /// Whether the account may not do it, so that only a grant helps.
        is_forbidden: bool,
        /// `create: …` or `patch: …`.
        why: String,
    },
    /// The objects of earlier submissions could not be listed.
    List {
        /// The namespace.
        namespace: String,
        /// The labels that they carry.
        labels: Labels,
        /// Whether the account may not do it.
        is_forbidden: bool,
        /// What the API server said.
        why: String,
    },
    /// The object gives no output.
    Output {
        /// The object.
        object: ObjectName,
        /// How it is.
        health: Status,
        /// Why it gives none.
        why: OutputError,
    },
    /// What is passed on has no value yet: its producers have no output.
    NoInput {
        /// The resources.
        producers: Vec<String>,
        /// What is said where it never gets one.
        why: String,
    },
    /// The input to pass on is not there.
    PassThrough {
        /// Its name.
        input: String,
    },
    /// Anything else.
    Other(String),
}

impl ResourceError {
    /// Whether the pass has to be repeated though nothing changed: something failed that may not
    /// fail again, and that no watch tells of.
    pub fn retries(&self) -> bool {
        match self {
            Self::Template { .. } | Self::Other(_) => true,
            Self::Rejected { is_forbidden, .. } | Self::List { is_forbidden, .. } => !is_forbidden,
            Self::Output { why, .. } => *why == OutputError::NoDeployment,
            Self::Options(_)
            | Self::Stamp { .. }
            | Self::Waiting { .. }
            | Self::NoInput { .. }
            | Self::PassThrough { .. } => false,
        }
    }

    /// What the message does not say, since it is Cartographer's: where a tag's path leaves the data.
    pub fn hint(&self) -> Option<&Hint> {
        match self {
            Self::Stamp {
                why: StampError::Template(error),
                ..
            } => error.hint.as_deref(),
            _ => None,
        }
    }

    /// Whether it only follows from what is told of another resource.
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting { .. } | Self::NoInput { .. })
    }

    /// What a status says of it. This is the only place where that is decided.
    pub fn condition(&self, level: Level, place: Place<'_>) -> Draft {
        let (status, reason, message) = self.said(place);
        Draft::new(
            self.kind(level, place),
            Verdict::new(status, reason, message),
        )
    }

    fn kind(&self, level: Level, place: Place<'_>) -> &'static str {
        match self {
            // As in Cartographer, whatever the level.
            Self::PassThrough { .. } if place.owner == OwnerKind::Workload => {
                condition_type::SUPPLY_CHAIN_READY
            }
            Self::Output {
                why:
                    OutputError::NotMet(_)
                    | OutputError::Failed(_)
                    | OutputError::NoObservedGeneration(_),
                ..
            } => condition_type::RESOURCES_SUBMITTED,
            _ => submitted_type(level),
        }
    }

    fn said(&self, place: Place<'_>) -> (Status, Reason, String) {
        let Place {
            owner,
            blueprint,
            resource,
        } = place;
        let word = owner.blueprint_word();
        let at = format!("resource [{resource}] in {word} [{blueprint}]");
        match self {
            Self::Template { template, why } => (
                Status::False,
                Reason::TemplateObjectRetrievalFailure,
                format!("unable to get template [{template}] for {at}: {why}"),
            ),
            Self::Options(why) => (Status::False, why.reason(), why.to_string()),
            Self::Stamp {
                kind,
                template,
                why,
            } => {
                let text = stamp_failure(place, *kind, template, why);
                (Status::False, Reason::TemplateStampFailure, text)
            }
            Self::Waiting {
                producers,
                kind,
                template,
                why,
            } => {
                if owner == OwnerKind::Deliverable {
                    // Upstream's suite asserts it of deliveries.
                    let text = stamp_failure(place, *kind, template, why);
                    return (Status::False, Reason::TemplateStampFailure, text);
                }
                // Nothing is wrong, and everybody reads it of every new owner: where and why is said shortly.
                let producers = producers.join(", ");
                let text = format!("waiting for output of [{producers}]: {why}");
                (Status::Unknown, Reason::WaitingForInput, text)
            }
            Self::NoInput { producers, why } => {
                let producers = producers.join(", ");
                let text = format!("waiting for output of [{producers}]: {why}");
                (Status::Unknown, Reason::WaitingForInput, text)
            }
            Self::Rejected {
                namespace,
                name,
                why,
                ..
            } => (
                Status::False,
                Reason::TemplateRejectedByAPIServer,
                format!("unable to apply object [{namespace}/{name}] for {at}: {why}"),
            ),
            Self::List {
                namespace,
                labels,
                why,
                ..
            } => {
                let reason = match owner {
                    OwnerKind::Deliverable => Reason::UnknownError,
                    OwnerKind::Workload | OwnerKind::Runnable => Reason::FailedToListCreatedObjects,
                };
                let labels = notation::map(labels);
                let text = format!(
                    "unable to list objects in namespace [{namespace}] with labels [{labels}]: {why}"
                );
                (Status::False, reason, text)
            }
            Self::Output {
                object,
                health,
                why,
            } => without_output(resource, object, *health, why),
            Self::PassThrough { input } => {
                let reason = match owner {
                    OwnerKind::Workload => Reason::PassThrough,
                    OwnerKind::Deliverable | OwnerKind::Runnable => Reason::UnknownError,
                };
                let text = format!("unable to find passthrough [{input}] in []");
                (Status::False, reason, text)
            }
            Self::Other(why) => (Status::False, Reason::UnknownError, why.clone()),
        }
    }
}

/// What a status says where nothing went wrong.
pub fn submitted(level: Level, is_passed_through: bool) -> Draft {
    let reason = match (level, is_passed_through) {
        (Level::Resource, true) => Reason::PassThrough,
        _ => Reason::ResourceSubmissionComplete,
    };
    Draft::new(submitted_type(level), Verdict::good(reason))
}

fn submitted_type(level: Level) -> &'static str {
    match level {
        Level::Owner => condition_type::RESOURCES_SUBMITTED,
        Level::Resource => condition_type::RESOURCE_SUBMITTED,
    }
}

fn stamp_failure(place: Place<'_>, kind: TemplateKind, template: &str, why: &StampError) -> String {
    let Place {
        owner,
        blueprint,
        resource,
    } = place;
    let (word, kind) = (owner.blueprint_word(), kind.as_str());
    format!(
        "unable to stamp object for resource [{resource}] for template [{kind}/{template}] in {word} [{blueprint}]: {why}"
    )
}

fn without_output(
    resource: &str,
    object: &ObjectName,
    health: Status,
    why: &OutputError,
) -> (Status, Reason, String) {
    match why {
        OutputError::MissingValue { path, .. } => (
            Status::Unknown,
            Reason::MissingValueAtPath,
            missing_value(path, object, health),
        ),
        OutputError::NoObservedGeneration(_) => (
            Status::False,
            Reason::TemplateStampFailure,
            format!(
                "resource [{resource}] cannot satisfy observedCompletion without observedGeneration in object status"
            ),
        ),
        OutputError::NotMet(detail) => (
            Status::Unknown,
            Reason::ConditionNotMet,
            format!("resource [{resource}] condition not met: {detail}"),
        ),
        OutputError::Failed(detail) => (
            Status::False,
            Reason::FailedConditionMet,
            format!("resource [{resource}] failed condition met: {detail}"),
        ),
        OutputError::NoDeployment => (Status::False, Reason::UnknownError, why.to_string()),
    }
}

fn missing_value(path: &str, object: &ObjectName, health: Status) -> String {
    let ObjectName {
        resource,
        namespace,
        name,
    } = object;
    let within = if namespace.is_empty() {
        String::new()
    } else {
        format!(" in namespace [{namespace}]")
    };
    match health {
        Status::True => format!(
            "cannot read value [{path}] from healthy object [{resource}/{name}]{within}, contact Platform Eng"
        ),
        Status::False => format!(
            "cannot read value [{path}] from unhealthy object [{resource}/{name}]{within}, examine object, particularly whether it is receiving proper inputs"
        ),
        Status::Unknown => {
            format!("waiting to read value [{path}] from object [{resource}/{name}]{within}")
        }
    }
}

#[cfg(test)]
mod tests;
