//! The steps of a resource: its template is chosen and read, its object made and submitted.

use std::collections::BTreeMap;

use kinds::cartographer::blueprint::Resource;
use kinds::{Blueprint, TemplateKind};
use serde_json::Value;

use super::back::failed;
use super::{Ask, Done, Fetched, Prepared, State, Submission, Walk};
use crate::context::{Inputs, Output};
use crate::digest::digest_and_preview;
use crate::error::ResourceError;
use crate::outputs::passed_through;
use crate::selection::{self, Chosen};
use crate::stamp::{self, Begun, Ingredients, StampError};

impl<'a, B: Blueprint> Walk<'a, B> {
    /// Moves one resource on, if any can be.
    pub(super) fn advance(&mut self) -> bool {
        for index in 0..self.states.len() {
            match &self.states[index] {
                State::Before if self.is_free(index) => self.begin(index),
                State::Template(name) => {
                    let key = (self.resource(index).template_ref.kind, name.clone());
                    let Some(Some(fetched)) = self.templates.get(&key) else {
                        continue;
                    };
                    let fetched = fetched.clone();
                    self.with_template(index, key, fetched);
                }
                State::Before | State::Object(_) | State::Done(_) => continue,
            }
            return true;
        }
        self.break_circle()
    }

    /// Where nothing moves and nothing is awaited, resources wait for each other.
    fn break_circle(&mut self) -> bool {
        let is_idle = |state: &State| matches!(state, State::Before | State::Done(_));
        let first = self
            .states
            .iter()
            .position(|state| matches!(state, State::Before));
        match first {
            Some(index) if self.states.iter().all(is_idle) => {
                self.begin(index);
                true
            }
            _ => false,
        }
    }

    fn begin(&mut self, index: usize) {
        let resource = self.resource(index);
        match selection::template(self.blueprint, resource, self.owner.selected()) {
            Err(why) => self.fail(index, None, ResourceError::Options(why)),
            Ok(Chosen::PassThrough(input)) => {
                let done = self.pass_through(resource, input);
                self.end(index, done);
            }
            Ok(Chosen::Template(name)) => {
                let key = (resource.template_ref.kind, name.to_owned());
                self.states[index] = State::Template(name.to_owned());
                if !self.templates.contains_key(&key) {
                    self.asks.push(Ask::Template {
                        kind: key.0,
                        name: key.1.clone(),
                    });
                    self.templates.insert(key, None);
                }
            }
        }
    }

    fn pass_through(&self, resource: &Resource, input: &str) -> Done {
        let kind = resource.template_ref.kind;
        let inputs = Inputs::of(resource, &self.outputs);
        let output = passed_through(kind, input, &inputs);
        let is_missing = output.is_none() && kind != TemplateKind::ClusterTemplate;
        let error = is_missing.then(|| {
            let producers = self.awaited(resource.producers_of(kind, input));
            let never = ResourceError::PassThrough {
                input: input.to_owned(),
            };
            if producers.is_empty() {
                return never;
            }
            let why = format!("unable to find passthrough [{input}] in []");
            ResourceError::NoInput { producers, why }
        });
        Done {
            output,
            is_passed_through: true,
            error,
            ..Done::default()
        }
    }

    /// Those of some resources that the blueprint has and that have no output yet.
    pub(super) fn awaited<'p>(&self, producers: impl Iterator<Item = &'p str>) -> Vec<String> {
        let all = &self.blueprint.blueprint().resources;
        let is_awaited = |producer: &&str| {
            all.iter().any(|one| one.name == **producer) && !self.outputs.contains_key(*producer)
        };
        producers.filter(is_awaited).map(str::to_owned).collect()
    }

    fn with_template(&mut self, index: usize, key: (TemplateKind, String), fetched: Fetched) {
        let (kind, name) = key;
        let template = match fetched {
            Fetched::Found(template) => *template,
            Fetched::Missing => {
                let kind = kind.as_str();
                let text = format!(
                    "failed to get cluster template [{{Kind:{kind} Name:{name}}}]: resource does not match a known template"
                );
                return self.fail(index, None, ResourceError::Other(text));
            }
            Fetched::Failed(why) => {
                let template = name;
                return self.fail(index, None, ResourceError::Template { template, why });
            }
        };
        let resource = self.resource(index);
        let (owner, blueprint) = (self.owner, self.blueprint);
        let ingredients =
            Ingredients::of_resource(owner, blueprint, resource, &template, &self.outputs);
        let begun = stamp::begin(&template, owner, &ingredients);
        let Ingredients { labels, inputs, .. } = ingredients;
        let prepared = Prepared {
            template,
            labels,
            inputs,
            digests: self.digests(resource),
            deployment: resource
                .deployment
                .as_ref()
                .map(|from| from.resource.clone()),
            namespace: String::new(),
            name: String::new(),
        };
        match begun {
            Begun::Evaluated(evaluated) => self.made(index, prepared, evaluated),
            Begun::Ytt {
                name,
                template,
                data,
            } => {
                self.states[index] = State::Object(Box::new(prepared));
                self.asks.push(Ask::Ytt {
                    resource: resource.name.clone(),
                    name,
                    template,
                    data,
                });
            }
        }
    }

    /// What goes into a resource, by its digests.
    fn digests(&self, resource: &Resource) -> BTreeMap<String, String> {
        let mut digests = BTreeMap::new();
        for producer in resource.producers() {
            for (name, value) in self
                .outputs
                .get(producer)
                .into_iter()
                .flat_map(Output::parts)
            {
                let (digest, _) = digest_and_preview(value);
                digests.insert(format!("{producer}.{name}"), digest);
            }
        }
        digests
    }

    /// Goes on with what a template of either form gave.
    pub(super) fn made(
        &mut self,
        index: usize,
        mut prepared: Prepared,
        evaluated: Result<Value, StampError>,
    ) {
        let finished =
            evaluated.and_then(|evaluated| stamp::finish(evaluated, self.owner, &prepared.labels));
        let object = match finished {
            Ok(object) => object,
            Err(why) => {
                let error = self.unmade(index, &prepared, why);
                return self.fail(index, Some(&prepared), error);
            }
        };
        let text = |pointer: &str| {
            let value = object.pointer(pointer);
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        prepared.namespace = text("/metadata/namespace");
        prepared.name = text("/metadata/name");
        self.asks.push(Ask::Submit(Box::new(Submission {
            resource: self.resource(index).name.clone(),
            object,
            labels: prepared.labels.clone(),
            lifecycle: prepared.template.spec().lifecycle,
            inputs: prepared.digests.clone(),
        })));
        self.states[index] = State::Object(Box::new(prepared));
    }

    /// What went wrong where a template gave no object: the template, or that inputs are not there
    /// yet.
    fn unmade(&self, index: usize, prepared: &Prepared, why: StampError) -> ResourceError {
        let may_wait = match &why {
            StampError::Template(error) => error.why.is_missing(),
            StampError::Engine(_) => true,
            _ => false,
        };
        let producers: Vec<_> = self
            .resource(index)
            .producers()
            .filter(|producer| !self.outputs.contains_key(*producer))
            .map(str::to_owned)
            .collect();
        let kind = prepared.template.kind();
        let template = prepared.template.name().to_owned();
        // Nothing ever comes of a resource that the blueprint does not have.
        let all = &self.blueprint.blueprint().resources;
        let is_one = |producer: &String| all.iter().any(|one| one.name == *producer);
        if may_wait && !producers.is_empty() && producers.iter().all(is_one) {
            ResourceError::Waiting {
                producers,
                kind,
                template,
                why,
            }
        } else {
            ResourceError::Stamp {
                kind,
                template,
                why,
            }
        }
    }

    fn fail(&mut self, index: usize, prepared: Option<&Prepared>, error: ResourceError) {
        let done = failed(prepared, error);
        self.end(index, done);
    }

    pub(super) fn end(&mut self, index: usize, done: Done) {
        if let Some(output) = &done.output {
            let name = self.resource(index).name.clone();
            self.outputs.insert(name, output.clone());
        }
        self.states[index] = State::Done(Box::new(done));
    }

    fn resource(&self, index: usize) -> &'a Resource {
        &self.blueprint.blueprint().resources[index]
    }

    pub(super) fn is_ended(&self, index: usize) -> bool {
        matches!(self.states[index], State::Done(_))
    }

    fn is_free(&self, index: usize) -> bool {
        self.needs[index].iter().all(|need| self.is_ended(*need))
    }

    /// The resource of a name, if its object is awaited.
    pub(super) fn prepared(&self, resource: &str) -> Option<(usize, Prepared)> {
        let resources = &self.blueprint.blueprint().resources;
        let states = self.states.iter().enumerate();
        let mut named = states.filter(|(index, _)| resources[*index].name == resource);
        named.find_map(|(index, state)| match state {
            State::Object(prepared) => Some((index, prepared.as_ref().clone())),
            _ => None,
        })
    }
}

impl Prepared {
    pub(super) fn key(&self) -> (TemplateKind, String) {
        (self.template.kind(), self.template.name().to_owned())
    }
}
