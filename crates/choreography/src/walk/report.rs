//! What a pass comes to.

use kinds::Blueprint;
use kinds::cartographer::condition_type;
use kinds::cartographer::owner::ResourceStatus;

use super::{Done, State, Walk};
use crate::conditions::Draft;
use crate::error::{Level, Place, ResourceError, submitted};
use crate::health::of_owner;
use crate::jsonpath::Hint;
use crate::resource_status::{Happened, entry, health_of};

/// What the owner's status says after a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// `status.resources`, in the blueprint's order. Orphans are added to it.
    pub resources: Vec<ResourceStatus>,
    /// Whether every resource was stamped and submitted.
    pub submitted: Draft,
    /// Whether every resource is healthy.
    pub healthy: Draft,
    /// What the message of `submitted` leaves out: where a template's path leaves the data.
    pub hint: Option<Hint>,
    /// Whether the pass has to be repeated though nothing changed.
    pub retries: bool,
    /// Whether an output or the health of an object is not known until its controller has looked at the object as it
    /// is now, which most do within milliseconds.
    pub is_behind: bool,
}

impl<B: Blueprint> Walk<'_, B> {
    /// What the pass comes to. A resource whose answer is missing counts as failed.
    pub fn finish(self, previous: &[ResourceStatus], now: &str) -> Report {
        let resources = &self.blueprint.blueprint().resources;
        let place = |resource| Place {
            owner: self.owner.kind(),
            blueprint: self.blueprint.name(),
            resource,
        };
        let ended: Vec<_> = self.states.iter().map(ended).collect();
        let entries: Vec<_> = resources
            .iter()
            .zip(&ended)
            .map(|(resource, done)| {
                let previous = previous.iter().find(|entry| entry.name == resource.name);
                let place = place(&resource.name);
                entry(resource, happened(done), previous, place, now)
            })
            .collect();
        let errors: Vec<_> = resources
            .iter()
            .zip(&ended)
            .filter_map(|(resource, done)| Some((resource, done.error.as_ref()?)))
            .collect();
        // What only waits follows from another resource's error, wherever that is listed.
        let first = errors
            .iter()
            .find(|(_, error)| !error.is_waiting())
            .or_else(|| errors.first());
        let submitted = match first {
            None => submitted(Level::Owner, false),
            Some((resource, error)) => error.condition(Level::Owner, place(&resource.name)),
        };
        let health: Vec<_> = entries.iter().filter_map(health_of).collect();
        Report {
            resources: entries,
            submitted,
            healthy: Draft::new(condition_type::RESOURCES_HEALTHY, of_owner(&health)),
            hint: first.and_then(|(_, error)| error.hint().cloned()),
            retries: errors.iter().any(|(_, error)| error.retries()),
            is_behind: ended.iter().any(|done| done.is_behind),
        }
    }
}

fn ended(state: &State) -> Done {
    match state {
        State::Done(done) => done.as_ref().clone(),
        State::Before | State::Template(_) | State::Object(_) => Done {
            error: Some(ResourceError::Other("the pass was cut short".to_owned())),
            ..Done::default()
        },
    }
}

fn happened(done: &Done) -> Happened<'_> {
    Happened {
        template: done
            .template
            .as_ref()
            .map(|(kind, name)| (*kind, name.as_str())),
        stamped: done.stamped.as_ref(),
        output: done.output.as_ref(),
        is_passed_through: done.is_passed_through,
        health: done.health.as_ref(),
        error: done.error.as_ref(),
    }
}
