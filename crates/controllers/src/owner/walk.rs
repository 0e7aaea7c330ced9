//! Walks the resources of a blueprint: each as soon as all are there whose outputs go into it.

use choreography::context::Outputs;
use choreography::failure::Place;
use choreography::graph;
use choreography::selection::Words;
use choreography::standing::{self, Standing};
use cluster::Caller;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kinds::Blueprint as _;
use kinds::cartographer::owner::ResourceStatus;

use super::resource::{Done, Step};
use super::{Kind, Pass};
use crate::stamping::Change;

/// What came of a walk.
pub(super) struct Walked {
    /// The resources, as listed.
    pub(super) standings: Vec<Standing>,
    /// What was done to their objects.
    pub(super) changes: Vec<(Change, String)>,
    /// Objects that were deleted, since nothing stamps them any more.
    pub(super) removed: Vec<String>,
    /// The stamped objects as events call them, as listed; nothing where there is none.
    pub(super) named: Vec<Option<String>>,
    /// Entries of before whose objects should be gone and are not yet.
    pub(super) orphans: Vec<ResourceStatus>,
    pub(super) may_pass: bool,
    pub(super) is_unwatched: bool,
}

impl<K: Kind> Pass<'_, K> {
    pub(super) async fn walk(
        &mut self,
        blueprint: &K::Blueprint,
        caller: &Caller,
    ) -> Walked {
        let name = blueprint.name();
        let before = self.object.standing().resources;
        let words = Words::of::<K::Blueprint>();
        let resources = &blueprint.blueprint().resources;
        let needs = graph::needs(resources);
        let mut done: Vec<Option<Done>> = resources.iter().map(|_| None).collect();
        let mut outputs = Outputs::new();
        {
            let pass = &*self;
            let mut begun = vec![false; resources.len()];
            let mut running = FuturesUnordered::new();
            loop {
                for (index, resource) in resources.iter().enumerate() {
                    let is_free = needs[index].iter().all(|&need| done[need].is_some());
                    if begun[index] || !is_free {
                        continue;
                    }
                    begun[index] = true;
                    let step = Step {
                        pass,
                        caller,
                        blueprint,
                        resource,
                        before: before.iter().find(|entry| entry.name == resource.name),
                    };
                    let outputs = outputs.clone();
                    running.push(async move { (index, step.run(&outputs).await) });
                }
                let Some((index, this)) = running.next().await else {
                    break;
                };
                if let Some(output) = &this.attempt.output {
                    outputs.insert(resources[index].name.clone(), output.clone());
                }
                done[index] = Some(this);
            }
        }
        let done: Vec<Done> = done.into_iter().flatten().collect();
        let standings = resources.iter().zip(&done).map(|(resource, done)| {
            let place = Place {
                words,
                blueprint: name,
                resource: &resource.name,
            };
            let before = before.iter().find(|entry| entry.name == resource.name);
            standing::of(resource, &done.attempt, place, before, self.now)
        });
        let standings: Vec<Standing> = standings.collect();
        let mut walked = Walked {
            standings,
            changes: Vec::new(),
            removed: Vec::new(),
            named: Vec::new(),
            orphans: Vec::new(),
            may_pass: false,
            is_unwatched: false,
        };
        self.memory.resources.clear();
        for (resource, done) in resources.iter().zip(done) {
            self.uses.parts.extend(done.parts);
            self.uses.kind_missing |= done.kind_missing;
            walked.is_unwatched |= done.is_unwatched;
            walked.changes.extend(done.changes);
            walked.named.push(done.named);
            if let Some(failure) = &done.attempt.failure {
                walked.may_pass |= failure.may_pass();
                self.uses.refused |= failure.is_forbidden();
            }
            if let Some(known) = done.known {
                self.memory.resources.insert(resource.name.clone(), known);
            }
        }
        self.clean_up(caller, &before, &mut walked).await;
        walked
    }
}
