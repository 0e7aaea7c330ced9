//! What came of a resource's object: its outputs and health, or why there are none.

use kinds::Blueprint;
use kinds::cartographer::owner::CoreReference;
use kinds::cartographer::template::{Lifecycle, Outputs as Paths};

use super::{Ask, Done, Prepared, Refused, Submitted, Walk};
use crate::context::Output;
use crate::error::{ObjectName, ResourceError};
use crate::health::{self, Judged};
use crate::outputs::{self, OutputError};
use crate::retention;
use crate::verdict::Status;

impl<B: Blueprint> Walk<'_, B> {
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
        let is_behind =
            (problem.is_some() || health.status != Status::True) && health::is_behind(&object);
        let error = problem.map(|why| {
            let producers = match &why {
                OutputError::NoDeployment => {
                    self.awaited(prepared.deployment.iter().map(String::as_str))
                }
                _ => Vec::new(),
            };
            if producers.is_empty() {
                ResourceError::Output {
                    object: name_of(&reference),
                    health: health.status,
                    why,
                }
            } else {
                let why = why.to_string();
                ResourceError::NoInput { producers, why }
            }
        });
        Done {
            template: Some(prepared.key()),
            stamped: Some(reference),
            output,
            is_passed_through: false,
            is_behind,
            health: Some(health),
            error,
        }
    }
}

pub(super) fn failed(prepared: Option<&Prepared>, error: ResourceError) -> Done {
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
        Refused::List { is_forbidden, why } => ResourceError::List {
            namespace: prepared.namespace.clone(),
            labels: prepared.labels.clone(),
            is_forbidden,
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
