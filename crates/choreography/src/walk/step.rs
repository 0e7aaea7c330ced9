//! The steps of a resource: its template is chosen and read, its object made, submitted and read
//! back.

use kinds::cartographer::blueprint::Resource;
use kinds::cartographer::owner::CoreReference;
use kinds::cartographer::template::{Lifecycle, Outputs as Paths};
use kinds::{Blueprint, TemplateKind};
use serde_json::Value;

use super::{Ask, Done, Fetched, Prepared, Refused, State, Submission, Submitted, Walk};
use crate::context::{Context, Inputs, Output};
use crate::error::{ObjectName, ResourceError};
use crate::health::{self, Judged};
use crate::labels::Stamping;
use crate::outputs::{self, OutputError, passed_through};
use crate::params::Params;
use crate::retention;
use crate::selection::{self, Chosen};
use crate::stamp::{self, StampError};

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
        Done {
            output,
            is_passed_through: true,
            error: is_missing.then(|| ResourceError::PassThrough {
                input: input.to_owned(),
            }),
            ..Done::default()
        }
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
        let stamping = Stamping {
            blueprint: self.blueprint.name(),
            resource: &resource.name,
            template_kind: kind,
            template_name: resource.template_ref.name.as_deref(),
            lifecycle: template.spec().lifecycle,
        };
        let labels = stamping.labels(self.owner);
        let params = Params {
            template: &template.spec().params,
            blueprint: &self.blueprint.blueprint().params,
            resource: &resource.params,
        };
        let inputs = Inputs::of(resource, &self.outputs);
        let params = params.merge(self.owner.params());
        let context = Context::of_resource(self.owner, params, &inputs, &labels);
        let spec = template.spec();
        let (in_tags, in_ytt) = (spec.template.clone(), spec.ytt.clone());
        let prepared = Prepared {
            template,
            labels,
            inputs,
            namespace: String::new(),
            name: String::new(),
        };
        match (in_tags, in_ytt.filter(|ytt| !ytt.is_empty())) {
            (Some(in_tags), _) => {
                let evaluated = stamp::evaluate(&in_tags, &context);
                self.made(index, prepared, evaluated);
            }
            (None, Some(template)) => {
                let resource = resource.name.clone();
                let (kind, name) = (prepared.template.kind(), prepared.template.name());
                let name = format!("{}/{name} spec.ytt", kind.as_str());
                self.states[index] = State::Object(Box::new(prepared));
                self.asks.push(Ask::Ytt {
                    resource,
                    name,
                    template,
                    data: context.values(),
                });
            }
            (None, None) => {
                let text = "unknown resource template type, expected either template or ytt";
                self.made(index, prepared, Err(StampError::Engine(text.to_owned())));
            }
        }
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
        if may_wait && !producers.is_empty() {
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

    pub(super) fn read_back(
        &mut self,
        resource: &str,
        prepared: &Prepared,
        submitted: Submitted,
    ) -> Done {
        let Submitted {
            object,
            earlier,
            reference,
        } = submitted;
        let spec = prepared.template.spec();
        let rule = spec.health_rule.as_ref();
        let paths = prepared.template.outputs();
        let found = if spec.lifecycle == Lifecycle::Mutable {
            outputs::read(paths, &object, &prepared.inputs)
        } else {
            let runs: Vec<_> = std::iter::once(&object)
                .chain(&earlier)
                .map(|run| (run, health::of_object(rule, spec.lifecycle, run)))
                .collect();
            let policy = spec.retention_policy.unwrap_or_default();
            for doomed in retention::beyond(runs.iter().copied(), policy) {
                self.asks.push(Ask::Delete {
                    resource: resource.to_owned(),
                    object: doomed.clone(),
                });
            }
            match retention::newest_healthy(runs) {
                Some(run) => outputs::read(paths, run, &prepared.inputs),
                None => no_healthy_run(paths),
            }
        };
        let (output, problem) = match found {
            Ok(output) => (output, None),
            Err(why) => (None, Some(why)),
        };
        let health = health::of_resource(Judged {
            rule,
            kind: prepared.template.kind(),
            lifecycle: spec.lifecycle,
            has_outputs: output.is_some(),
            object: Some(&object),
        });
        let error = problem.map(|why| ResourceError::Output {
            object: name_of(&reference),
            health: health.status,
            why,
        });
        Done {
            template: Some(prepared.key()),
            stamped: Some(reference),
            output,
            is_passed_through: false,
            health: Some(health),
            error,
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
    fn key(&self) -> (TemplateKind, String) {
        (self.template.kind(), self.template.name().to_owned())
    }
}

fn failed(prepared: Option<&Prepared>, error: ResourceError) -> Done {
    let health = prepared.map(|prepared| {
        let spec = prepared.template.spec();
        health::of_resource(Judged {
            rule: spec.health_rule.as_ref(),
            kind: prepared.template.kind(),
            lifecycle: spec.lifecycle,
            has_outputs: false,
            object: None,
        })
    });
    Done {
        template: prepared.map(Prepared::key),
        health,
        error: Some(error),
        ..Done::default()
    }
}

pub(super) fn refusal(prepared: &Prepared, refused: Refused) -> Done {
    let error = match refused {
        Refused::Rejected { is_forbidden, why } => ResourceError::Rejected {
            namespace: prepared.namespace.clone(),
            name: prepared.name.clone(),
            is_forbidden,
            why,
        },
        Refused::List(why) => ResourceError::List {
            namespace: prepared.namespace.clone(),
            labels: prepared.labels.clone(),
            why,
        },
        Refused::Other(why) => ResourceError::Other(why),
    };
    failed(Some(prepared), error)
}

/// Without a healthy run there is no value at the first path where one is read.
fn no_healthy_run(paths: Paths<'_>) -> Result<Option<Output>, OutputError> {
    let path = match paths {
        Paths::Source { url: path, .. } | Paths::Image(path) | Paths::Config(path) => path,
        Paths::None => return Ok(None),
        Paths::Deployment(_) => "",
    };
    Err(OutputError::MissingValue {
        path: path.to_owned(),
        why: "no object is healthy".to_owned(),
    })
}

fn name_of(reference: &CoreReference) -> ObjectName {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    ObjectName {
        resource: text(&reference.resource),
        namespace: text(&reference.namespace),
        name: text(&reference.name),
    }
}
