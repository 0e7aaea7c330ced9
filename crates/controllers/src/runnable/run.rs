//! What a pass does in the cluster: the object is made, and those beyond what is kept are deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use choreography::error::ObjectName;
use choreography::labels::{self, Labels};
use choreography::runnable::{Judged, RunError, judge, stamped};
use choreography::serving;
use cluster::Caller;
use kinds::ClusterRunTemplate;
use kube::core::ApiResource;
use manifest::ObjectId;
use serde_json::Value;

use super::Pass;
use crate::stamping::{self, Change, Refused, Run, Submission, resource_of, tell_kept};

/// What came of a pass.
#[derive(Debug, Default)]
pub(super) struct Ran {
    /// The object that is as it is to be now.
    pub(super) object: Option<Value>,
    pub(super) outputs: BTreeMap<String, Value>,
    pub(super) error: Option<RunError>,
    pub(super) story: Story,
}

/// What there is to tell of a pass, each object as `plural.group/name`.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) created: Option<String>,
    pub(super) deleted: Vec<String>,
    /// The current object, where the outputs are others than before.
    pub(super) new_outputs: Option<String>,
}

/// An object that is there, among all that were made.
struct Made {
    api: ApiResource,
    name: ObjectName,
    run: Run,
}

impl Pass<'_> {
    pub(super) async fn carry_out(&mut self, previous: &BTreeMap<String, Value>) -> Ran {
        match self.make().await {
            Ok((caller, template, made)) => self.conclude(&caller, &template, made, previous).await,
            // What an earlier run came to is as good as before.
            Err(error) => Ran {
                outputs: previous.clone(),
                error: Some(error),
                ..Ran::default()
            },
        }
    }

    /// Stamps the object and has it made, as the account.
    async fn make(&mut self) -> Result<(Caller, Arc<ClusterRunTemplate>, Made), RunError> {
        let named = self.object.spec.run_template_ref.name.clone();
        self.uses
            .parts
            .insert(("ClusterRunTemplate", named.clone()));
        let caller = self.caller()?;
        let template = self.ctx.library.run_template(&named);
        let template = template.ok_or_else(|| RunError::Template(named.clone()))?;
        let selected = self.selected(&caller).await?;
        let labels = labels::of_run(&self.subject, &named);
        let object = stamped(&self.subject, &template.spec.template, selected, &labels);
        let object = object.map_err(|why| RunError::Stamp {
            template: named.clone(),
            why: why.to_string(),
        })?;
        let made = self.submit(&caller, &named, object, labels).await?;
        Ok((caller, template, made))
    }

    /// Acts as the account that the Runnable names.
    fn caller(&mut self) -> Result<Caller, RunError> {
        let account = serving::account(&self.subject, None);
        let (namespace, name) = (&account.namespace, &account.name);
        self.uses.account = Some((namespace.clone(), name.clone()));
        if !self.ctx.presence.is_account(namespace, name) {
            return Err(RunError::ServiceAccount(account.missing()));
        }
        let acting = self.ctx.caller.acting_as(namespace, name);
        acting.map_err(|error| RunError::Client(error.to_string()))
    }

    async fn submit(
        &mut self,
        caller: &Caller,
        template: &str,
        mut object: Value,
        labels: Labels,
    ) -> Result<Made, RunError> {
        let text = |field: &str| object["metadata"][field].as_str().map(str::to_owned);
        let named = text("name").filter(|name| !name.is_empty());
        let name = named.or_else(|| text("generateName")).unwrap_or_default();
        let namespace = self.stamper.key.namespace.clone();
        let rejected = |may_pass: bool, why: String| RunError::Rejected {
            namespace: namespace.clone(),
            name: name.clone(),
            template: template.to_owned(),
            may_pass,
            why,
        };
        let (api, id) = match self.submission(caller).place(&mut object) {
            Ok(place) => place,
            Err(why) => {
                self.uses.kind_missing = true;
                let why = format!("unable to list from api server: {why}");
                return Err(rejected(false, why));
            }
        };
        self.watch(&api);
        let labels: Vec<_> = labels.into_iter().collect();
        let run = self
            .submission(caller)
            .make((api.clone(), id), object, "", &labels)
            .await;
        self.watch(&api);
        let run = run.map_err(|refused| {
            self.uses.refused |= refused.forbidden;
            rejected(!refused.forbidden, said(&refused))
        })?;
        let ObjectId {
            namespace, name, ..
        } = run.current.id.clone();
        let name = ObjectName {
            resource: resource_of(&api),
            namespace: namespace.unwrap_or_default(),
            name,
        };
        Ok(Made { api, name, run })
    }

    /// Judges the runs, and deletes those beyond what is kept.
    async fn conclude(
        &mut self,
        caller: &Caller,
        template: &ClusterRunTemplate,
        made: Made,
        previous: &BTreeMap<String, Value>,
    ) -> Ran {
        let Made { api, name, run } = made;
        let Run { current, all } = run;
        let earlier = all
            .iter()
            .filter(|object| object["metadata"]["uid"] != current.live["metadata"]["uid"]);
        let objects = std::iter::once(&current.live).chain(earlier);
        let policy = self.object.spec.retention_policy;
        let Judged { outputs, doomed } = judge(objects, &template.spec.outputs, policy, previous);
        let full = |name: &str| format!("{}/{name}", resource_of(&api));
        let mut deleted = Vec::new();
        for object in doomed {
            match self.submission(caller).unmake(&api, object).await {
                Ok(true) => deleted.push(full(
                    object["metadata"]["name"].as_str().unwrap_or_default(),
                )),
                Ok(false) => {}
                // Whatever stays is found again by the next pass.
                Err(error) => {
                    self.uses.refused |= error.is_forbidden();
                    let name = object["metadata"]["name"].as_str().unwrap_or_default();
                    tell_kept(self.ctx, self.object, &self.stamper, (&full(name), &error));
                }
            }
        }
        let current_name = full(&name.name);
        let story = Story {
            created: (current.change == Some(Change::Created)).then(|| current_name.clone()),
            deleted,
            new_outputs: (outputs.values != *previous).then_some(current_name),
        };
        let error = outputs.problem.map(|why| RunError::Outputs {
            object: name,
            template: template.metadata.name.clone().unwrap_or_default(),
            why,
        });
        Ran {
            object: Some(current.live),
            outputs: outputs.values,
            error,
            story,
        }
    }

    fn submission<'s>(&'s self, caller: &'s Caller) -> Submission<'s> {
        Submission {
            ctx: self.ctx,
            caller,
            owner: &self.owner,
            stamper: &self.stamper,
        }
    }

    /// Has what happens to the objects of a kind reported.
    fn watch(&mut self, api: &ApiResource) {
        self.ended.is_unwatched |= stamping::watch(self.ctx, api);
    }
}

fn said(refused: &Refused) -> String {
    let Refused { doing, why, .. } = refused;
    match *doing {
        "list" => format!("unable to list from api server: {why}"),
        doing => format!("{doing}: {why}"),
    }
}
