//! One pass over the resources of an owner.
//!
//! The walk decides and never does. [`Walk::next`] says what is to be done now, for all resources that
//! can go on: independent ones at once, each as soon as those have ended whose outputs go into it.
//! Whoever drives it does that, in any order or at once, gives each answer back, and asks again until
//! nothing is left to ask. [`Walk::finish`] says what the owner's status tells.
//!
//! Resources may be listed in any order. Where they need each other in a circle, which admission
//! refuses, the one that is listed first goes without.
//!
//! # Example
//!
//! ```
//! use choreography::owner::{Owner, OwnerKind};
//! use choreography::walk::{Answer, Ask, Fetched, Submitted, Walk};
//! use kinds::{ClusterSupplyChain, Template, cartographer::owner::CoreReference};
//! use serde_json::{from_value, json};
//!
//! let owner = Owner::new(OwnerKind::Workload, json!({
//!     "metadata": {"name": "shop", "namespace": "dev", "labels": {"app": "web"}}, "spec": {},
//! }));
//! let chain: ClusterSupplyChain = from_value(json!({
//!     "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain",
//!     "metadata": {"name": "chain"},
//!     "spec": {"selector": {"app": "web"}, "resources": [{
//!         "name": "config", "templateRef": {"kind": "ClusterConfigTemplate", "name": "cm"},
//!     }]},
//! })).expect("it is one");
//!
//! let mut walk = Walk::new(&owner, &chain);
//! loop {
//!     let asks = walk.next();
//!     if asks.is_empty() {
//!         break;
//!     }
//!     for ask in asks {
//!         match ask {
//!             // Read from the manager's store of templates.
//!             Ask::Template { kind, name } => {
//!                 let template = json!({
//!                     "apiVersion": "carto.run/v1alpha1", "kind": "ClusterConfigTemplate",
//!                     "metadata": {"name": name},
//!                     "spec": {"configPath": "data.who", "template": {
//!                         "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm"},
//!                         "data": {"who": "$(workload.metadata.name)$"},
//!                     }},
//!                 });
//!                 let template = Template::Config(from_value(template).expect("it is one"));
//!                 walk.answer(Answer::Template { kind, name, fetched: Fetched::Found(template.into()) });
//!             }
//!             // Applied as the owner's ServiceAccount, and read back.
//!             Ask::Submit(submission) => {
//!                 assert_eq!(submission.object["data"]["who"], "shop");
//!                 let reference = CoreReference { name: Some("cm".into()), ..Default::default() };
//!                 let object = submission.object;
//!                 walk.answer(Answer::Submitted {
//!                     resource: submission.resource,
//!                     outcome: Ok(Submitted { object, earlier: vec![], reference }),
//!                 });
//!             }
//!             // Evaluated by the ytt crate, and deleted as the ServiceAccount.
//!             Ask::Ytt { .. } | Ask::Delete { .. } => {}
//!         }
//!     }
//! }
//! let report = walk.finish(&[], "2026-01-01T00:00:00Z");
//! assert_eq!(report.resources[0].outputs[0].preview, "shop\n");
//! assert_eq!(report.submitted.verdict.reason, "ResourceSubmissionComplete");
//! ```

mod back;
mod report;
mod step;

use std::collections::BTreeMap;

use kinds::cartographer::owner::CoreReference;
use kinds::cartographer::template::Lifecycle;
use kinds::{Blueprint, Template, TemplateKind};
use serde_json::{Map, Value};

use crate::context::{Inputs, Output, Outputs};
use crate::error::ResourceError;
use crate::graph;
use crate::labels::Labels;
use crate::owner::Owner;
use crate::stamp::StampError;
use crate::verdict::Verdict;

pub use report::Report;

/// What is to be done now.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A template is to be read. It is asked for once, whoever needs it.
    Template {
        /// Its kind.
        kind: TemplateKind,
        /// Its name.
        name: String,
    },
    /// A ytt template is to be evaluated.
    Ytt {
        /// For which resource.
        resource: String,
        /// What the template is called in errors: `<Kind>/<name> spec.ytt`.
        name: String,
        /// The template.
        template: String,
        /// The data values.
        data: Map<String, Value>,
    },
    /// An object is to be submitted.
    Submit(Box<Submission>),
    /// An earlier run is beyond what is kept, and is to be deleted. There is nothing to answer.
    Delete {
        /// Of which resource.
        resource: String,
        /// The object.
        object: Value,
    },
}

/// An object that is to be submitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// Of which resource.
    pub resource: String,
    /// The object.
    pub object: Value,
    /// The labels by which the objects of earlier passes are found.
    pub labels: Labels,
    /// Whether it replaces the object of its name, or stands beside those with its labels.
    pub lifecycle: Lifecycle,
    /// The digests of the outputs that went into it, by `<resource>.<output>`, as the statuses of those
    /// resources have them.
    pub inputs: BTreeMap<String, String>,
}

/// What came of an [`Ask`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// Of a template.
    Template {
        /// The kind that was asked for.
        kind: TemplateKind,
        /// The name that was asked for.
        name: String,
        /// What was found.
        fetched: Fetched,
    },
    /// Of a ytt template: the object, or what is wrong.
    Ytt {
        /// For which resource.
        resource: String,
        /// What it gave.
        outcome: Result<Value, String>,
    },
    /// Of an object.
    Submitted {
        /// Of which resource.
        resource: String,
        /// What became of it.
        outcome: Result<Submitted, Refused>,
    },
}

/// What was found of a template.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// The template.
    Found(Box<Template>),
    /// It does not exist.
    Missing,
    /// The API server did not tell.
    Failed(String),
}

/// An object that was submitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// The object as the API server has it.
    pub object: Value,
    /// All others with the submission's labels, where it stands beside them.
    pub earlier: Vec<Value>,
    /// The reference to it, with `resource` from the REST mapping.
    pub reference: CoreReference,
}

/// Why an object could not be submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The API server refused it.
    Rejected {
        /// Whether the account may not do it.
        is_forbidden: bool,
        /// `create: …` or `patch: …`.
        why: String,
    },
    /// The objects of earlier passes could not be listed.
    List {
        /// Whether the account may not do it.
        is_forbidden: bool,
        /// What the API server said.
        why: String,
    },
    /// Anything else.
    Other(String),
}

/// A pass over the resources of an owner.
#[derive(Debug)]
pub struct Walk<'a, B> {
    owner: &'a Owner,
    blueprint: &'a B,
    needs: Vec<Vec<usize>>,
    states: Vec<State>,
    outputs: Outputs,
    templates: BTreeMap<(TemplateKind, String), Option<Fetched>>,
    asks: Vec<Ask>,
}

/// How far a resource is.
#[derive(Debug)]
enum State {
    /// Others have to end first.
    Before,
    /// Its template is read.
    Template(String),
    /// Its object is made or submitted.
    Object(Box<Prepared>),
    /// It has ended.
    Done(Box<Done>),
}

/// What a resource's object is made with.
#[derive(Clone, Debug)]
struct Prepared {
    template: Template,
    labels: Labels,
    inputs: Inputs,
    digests: BTreeMap<String, String>,
    /// The resource whose output is deployed.
    deployment: Option<String>,
    /// The object's namespace and name, once it is made.
    namespace: String,
    name: String,
}

/// How a resource ended.
#[derive(Clone, Debug, Default)]
struct Done {
    template: Option<(TemplateKind, String)>,
    stamped: Option<CoreReference>,
    output: Option<Output>,
    is_passed_through: bool,
    /// Whether output or health are not known since the object's status is of an earlier generation.
    is_behind: bool,
    health: Option<Verdict>,
    error: Option<ResourceError>,
}

impl<'a, B: Blueprint> Walk<'a, B> {
    /// A pass that has not begun.
    pub fn new(owner: &'a Owner, blueprint: &'a B) -> Self {
        let resources = &blueprint.blueprint().resources;
        Self {
            owner,
            blueprint,
            needs: graph::needs(resources),
            states: resources.iter().map(|_| State::Before).collect(),
            outputs: Outputs::new(),
            templates: BTreeMap::new(),
            asks: Vec::new(),
        }
    }

    /// What is to be done now and was not asked for before. Nothing is left once it is empty and all
    /// answers are given.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not take answers between two items"
    )]
    pub fn next(&mut self) -> Vec<Ask> {
        while self.advance() {}
        std::mem::take(&mut self.asks)
    }

    /// Whether every resource has ended.
    pub fn is_done(&self) -> bool {
        (0..self.states.len()).all(|index| self.is_ended(index))
    }

    /// Takes an answer. One that nobody waits for changes nothing.
    pub fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Template {
                kind,
                name,
                fetched,
            } => {
                self.templates.insert((kind, name), Some(fetched));
            }
            Answer::Ytt { resource, outcome } => {
                if let Some((index, prepared)) = self.prepared(&resource) {
                    let evaluated = outcome.map_err(StampError::Engine);
                    self.made(index, prepared, evaluated);
                }
            }
            Answer::Submitted { resource, outcome } => {
                if let Some((index, prepared)) = self.prepared(&resource) {
                    let done = match outcome {
                        Ok(submitted) => self.read_back(&resource, &prepared, submitted),
                        Err(refused) => back::refusal(&prepared, refused),
                    };
                    self.end(index, done);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
