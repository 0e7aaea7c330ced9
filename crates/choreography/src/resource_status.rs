//! One entry of `status.resources`: what became of a resource in this pass, and what of the entry of
//! the pass before still holds.

use kinds::Condition;
use kinds::TemplateKind;
use kinds::cartographer::API_VERSION;
use kinds::cartographer::blueprint::Resource;
use kinds::cartographer::condition_type;
use kinds::cartographer::owner::{CoreReference, Input, Output as OutputStatus, ResourceStatus};
use kinds::condition::find;

use crate::conditions::{Draft, settle};
use crate::context::Output;
use crate::digest::digest_and_preview;
use crate::error::{Level, Place, ResourceError, submitted};
use crate::verdict::{Status, Verdict};

/// What became of a resource in a pass.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'a> {
    /// The template, once it was read.
    pub template: Option<(TemplateKind, &'a str)>,
    /// The object that was submitted.
    pub stamped: Option<&'a CoreReference>,
    /// What it gives.
    pub output: Option<&'a Output>,
    /// Whether an input was passed on instead.
    pub is_passed_through: bool,
    /// The object's health; none where no template is known.
    pub health: Option<&'a Verdict>,
    /// What went wrong.
    pub error: Option<&'a ResourceError>,
}

/// The entry of a resource.
///
/// Where nothing was submitted, the previous entry is taken over with its object, outputs and health,
/// since that object still stands. Not so where an input is passed on: then there is no object, and
/// the outputs follow the input.
pub fn entry(
    resource: &Resource,
    happened: Happened<'_>,
    previous: Option<&ResourceStatus>,
    place: Place<'_>,
    now: &str,
) -> ResourceStatus {
    let known = previous.filter(|_| happened.stamped.is_none() && !happened.is_passed_through);
    let (mut entry, health) = match known {
        Some(previous) => (previous.clone(), health_of(previous)),
        None => (
            fresh(resource, happened, previous, now),
            happened.health.cloned(),
        ),
    };
    let mut drafts = vec![match happened.error {
        Some(error) => error.condition(Level::Resource, place),
        None => submitted(Level::Resource, happened.is_passed_through),
    }];
    if let Some(health) = health {
        drafts.push(Draft::new(condition_type::HEALTHY, health));
    }
    let before = previous.map_or(&[][..], |previous| &previous.conditions);
    entry.conditions = settle(drafts, before, now);
    entry
}

/// The health that an entry tells.
pub fn health_of(entry: &ResourceStatus) -> Option<Verdict> {
    let Condition {
        status,
        reason,
        message,
        ..
    } = find(&entry.conditions, condition_type::HEALTHY)?;
    Some(Verdict {
        status: Status::read(status),
        reason: reason.clone(),
        message: message.clone(),
    })
}

/// The outputs as a status has them. One whose digest is as before keeps its time.
pub fn outputs(output: Option<&Output>, previous: &[OutputStatus], now: &str) -> Vec<OutputStatus> {
    let values = output.map(Output::parts).unwrap_or_default();
    values
        .into_iter()
        .map(|(name, value)| {
            let (digest, preview) = digest_and_preview(value);
            let known = previous
                .iter()
                .find(|known| known.name == name && known.digest == digest);
            OutputStatus {
                name: name.to_owned(),
                preview,
                digest,
                last_transition_time: known
                    .map_or(now, |known| &known.last_transition_time)
                    .to_owned(),
            }
        })
        .collect()
}

fn fresh(
    resource: &Resource,
    happened: Happened<'_>,
    previous: Option<&ResourceStatus>,
    now: &str,
) -> ResourceStatus {
    let before = previous.map_or(&[][..], |previous| &previous.outputs);
    let template_ref = happened.template.map(|(kind, name)| CoreReference {
        api_version: Some(API_VERSION.to_owned()),
        kind: Some(kind.as_str().to_owned()),
        name: Some(name.to_owned()),
        ..CoreReference::default()
    });
    let inputs = resource.producers().map(|name| Input {
        name: name.to_owned(),
    });
    ResourceStatus {
        name: resource.name.clone(),
        stamped_ref: happened.stamped.cloned(),
        template_ref,
        inputs: inputs.collect(),
        outputs: outputs(happened.output, before, now),
        conditions: vec![],
    }
}

#[cfg(test)]
mod tests;
