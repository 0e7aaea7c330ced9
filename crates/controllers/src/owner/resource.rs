//! One resource of a blueprint: its template is chosen and filled, the object submitted and read.

use choreography::context::{Context, Inputs, Output, Outputs};
use choreography::failure::{Failure, Named};
use choreography::labels::{Labels, Stamping};
use choreography::output::NoOutput;
use choreography::params::Params;
use choreography::retention::{self, Made};
use choreography::selection::{self, Chosen};
use choreography::standing::{Attempt, Stamped as Read};
use choreography::{health, notation, stamp};
use cluster::Caller;
use cluster::watch::Filter;
use kinds::cartographer::blueprint::Resource;
use kinds::cartographer::owner::ResourceStatus;
use kinds::cartographer::template::Lifecycle;
use kinds::{Blueprint as _, Template, TemplateKind};
use kube::core::ApiResource;
use manifest::{GroupKind, ObjectId, fingerprint};
use serde_json::{Map, Value};

use super::memory::Known;
use super::{Kind, Pass};
use crate::stamping::{Change, Part, Refused, Run, Stamped, Submission};
use crate::ytt::Request;

/// How many digits tell two inputs of a template apart.
const DIGITS: usize = 32;

/// One resource in one pass.
pub(super) struct Step<'a, K: Kind> {
    pub(super) pass: &'a Pass<'a, K>,
    /// Acts as the account.
    pub(super) caller: &'a Caller,
    pub(super) blueprint: &'a K::Blueprint,
    pub(super) resource: &'a Resource,
    /// How it stood.
    pub(super) before: Option<&'a ResourceStatus>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Done {
    pub(super) attempt: Attempt,
    /// What to remember.
    pub(super) known: Option<Known>,
    /// What it stands on.
    pub(super) parts: Vec<Part>,
    /// What was done to objects, and to which.
    pub(super) changes: Vec<(Change, String)>,
    /// The stamped object as events call it.
    pub(super) named: Option<String>,
    /// Whether its kind is not served.
    pub(super) kind_missing: bool,
    /// Whether its kind may not be watched.
    pub(super) is_unwatched: bool,
}

/// Where an object goes, and what it is to be.
struct Wanted {
    api: ApiResource,
    id: ObjectId,
    object: Value,
    labels: Labels,
}

impl<K: Kind> Step<'_, K> {
    pub(super) async fn run(&self, outputs: &Outputs) -> Done {
        let inputs = Inputs::of(self.resource, outputs);
        match self.choose() {
            Err(failure) => Done {
                attempt: Attempt::default().failed(failure),
                ..Done::default()
            },
            Ok(Chosen::PassThrough(input)) => Done {
                attempt: pass_through(self.resource.template_ref.kind, input, &inputs),
                ..Done::default()
            },
            Ok(Chosen::Template(name)) => self.stamp(name, &inputs).await,
        }
    }

    fn choose(&self) -> Result<Chosen<'_>, Failure> {
        selection::template(self.blueprint, self.resource, &self.pass.subject)
            .map_err(Failure::NotChosen)
    }

    async fn stamp(&self, name: &str, inputs: &Inputs) -> Done {
        let kind = self.resource.template_ref.kind;
        let mut done = Done {
            parts: vec![(kind.as_str(), name.to_owned())],
            ..Done::default()
        };
        let Some(template) = self.pass.ctx.library.template(kind, name) else {
            let failure = Failure::NoTemplate {
                name: name.to_owned(),
                why: format!("{} \"{name}\" not found", kind.as_str()),
            };
            done.attempt = Attempt::default().failed(failure);
            return done;
        };
        let attempt = Attempt::of(&template);
        let labels = self.labels(&template);
        let context = self.context(&template, inputs, &labels);
        let input = input(&template, &labels, &context);
        if let Some(known) = self.known(&input) {
            done.named = known.attempt.stamped.as_ref().and_then(super::tell::named);
            done.attempt = known.attempt.clone();
            done.known = Some(known);
            return done;
        }
        let stamped = match self.evaluate(&template, &context).await {
            Ok(evaluated) => stamp::finish(evaluated, &self.pass.subject, &labels)
                .map_err(|why| why.to_string()),
            Err(why) => Err(why),
        };
        let mut object = match stamped {
            Ok(object) => object,
            Err(why) => {
                let name = template.name().to_owned();
                done.attempt = attempt.failed(Failure::NotStamped { kind, name, why });
                return done;
            }
        };
        let submission = self.submission();
        let (api, id) = match submission.place(&mut object) {
            Ok(place) => place,
            Err(why) => {
                done.kind_missing = true;
                done.attempt = attempt.failed(rejected(&object, "create", why, false));
                return done;
            }
        };
        let group_kind = GroupKind::new(&api.group, &api.kind);
        self.pass.ctx.watches.ensure(&api, Filter::Owned);
        done.is_unwatched = self.pass.ctx.tracker.is_unwatchable(&group_kind);
        let wanted = Wanted { api, id, object, labels };
        let deployment = inputs.deployment();
        let deployment = deployment.as_ref();
        let (attempt, objects) = match template.spec().lifecycle {
            Lifecycle::Mutable => {
                self.replace(&submission, &template, wanted, attempt, deployment, &mut done)
                    .await
            }
            Lifecycle::Immutable | Lifecycle::Tekton => {
                self.make(&submission, &template, wanted, attempt, deployment, &mut done)
                    .await
            }
        };
        done.named = attempt.stamped.as_ref().and_then(super::tell::named);
        if !objects.is_empty() {
            done.known = Some(Known {
                input,
                objects,
                attempt: attempt.clone(),
            });
        }
        done.attempt = attempt;
        done
    }

    fn submission(&self) -> Submission<'_> {
        Submission {
            ctx: self.pass.ctx,
            caller: self.caller,
            owner: &self.pass.owner,
            stamper: &self.pass.stamper,
        }
    }

    /// What is known, where neither what goes in nor the objects have changed.
    fn known(&self, input: &str) -> Option<Known> {
        let known = self.pass.memory.resources.get(&self.resource.name)?;
        let ctx = self.pass.ctx;
        let is_fresh = |id: &ObjectId| {
            let kind = GroupKind::new(&id.group, &id.kind);
            ctx.seen.is_fresh(id) && !ctx.tracker.is_unwatchable(&kind)
        };
        (known.input == input && known.objects.iter().all(is_fresh)).then(|| known.clone())
    }

    fn labels(&self, template: &Template) -> Labels {
        let stamping = Stamping {
            blueprint: self.blueprint.name(),
            resource: &self.resource.name,
            template_kind: template.kind(),
            template_name: self.resource.template_ref.name.as_deref(),
            lifecycle: template.spec().lifecycle,
        };
        stamping.labels(&self.pass.subject)
    }

    fn context(&self, template: &Template, inputs: &Inputs, labels: &Labels) -> Context {
        let params = Params {
            template: &template.spec().params,
            blueprint: &self.blueprint.blueprint().params,
            resource: &self.resource.params,
        };
        let params = params.merge(self.pass.subject.params());
        Context::of_resource(&self.pass.subject, params, inputs, labels)
    }

    async fn evaluate(&self, template: &Template, context: &Context) -> Result<Value, String> {
        let spec = template.spec();
        match (&spec.template, spec.ytt.as_deref().filter(|text| !text.is_empty())) {
            (Some(filled), None) => {
                stamp::evaluate(filled, context).map_err(|why| why.to_string())
            }
            (None, Some(text)) => {
                let name = format!("{}/{} spec.ytt", template.kind().as_str(), template.name());
                let data: Map<String, Value> = context.values();
                let request = Request {
                    name: &name,
                    template: text,
                    data: &data,
                };
                let evaluated = self.pass.ctx.ytt.evaluate(request).await;
                evaluated.map_err(|why| format!("unable to apply ytt template: {why}"))
            }
            (None, None) => Err("must specify one of template or ytt, found neither".to_owned()),
            (Some(_), Some(_)) => Err("must specify one of template or ytt, found both".to_owned()),
        }
    }

    async fn replace(
        &self,
        submission: &Submission<'_>,
        template: &Template,
        wanted: Wanted,
        attempt: Attempt,
        deployment: Option<&Output>,
        done: &mut Done,
    ) -> (Attempt, Vec<ObjectId>) {
        let Wanted { api, id, object, .. } = wanted;
        if id.name.is_empty() {
            let why = "resource name may not be empty".to_owned();
            return (attempt.failed(rejected(&object, "get", why, false)), Vec::new());
        }
        let stamped = self.before.and_then(|before| before.stamped_ref.as_ref());
        let was_there = stamped.is_some_and(|stamped| {
            stamped.name.as_deref() == Some(&id.name) && stamped.kind.as_deref() == Some(&id.kind)
        });
        let failed = object.clone();
        match submission.replace((api, id), object, was_there).await {
            Err(Refused { doing, why, forbidden }) => {
                (attempt.failed(rejected(&failed, doing, why, forbidden)), Vec::new())
            }
            Ok(Stamped { id, api, live, change }) => {
                note(done, change, &api, &id);
                let read = Read {
                    current: &live,
                    from: Some(&live),
                    resource: &resource_of(&api),
                };
                (attempt.read(template, read, deployment), vec![id])
            }
        }
    }

    async fn make(
        &self,
        submission: &Submission<'_>,
        template: &Template,
        wanted: Wanted,
        attempt: Attempt,
        deployment: Option<&Output>,
        done: &mut Done,
    ) -> (Attempt, Vec<ObjectId>) {
        let Wanted { api, id, object, labels } = wanted;
        let failed = object.clone();
        let pairs: Vec<_> = labels.clone().into_iter().collect();
        let run = match submission.make((api, id), object, &pairs).await {
            Ok(run) => run,
            Err(Refused { doing: "list", why, forbidden }) => {
                let failure = Failure::NotListed {
                    namespace: self.pass.stamper.key.namespace.clone(),
                    labels: notation::map(&labels),
                    why,
                    forbidden,
                };
                return (attempt.failed(failure), Vec::new());
            }
            Err(Refused { doing, why, forbidden }) => {
                return (attempt.failed(rejected(&failed, doing, why, forbidden)), Vec::new());
            }
        };
        let Run { current, all } = run;
        note(done, current.change, &current.api, &current.id);
        let rule = health::rule(template.spec());
        let made: Vec<Made> = all
            .into_iter()
            .map(|object| Made {
                health: health::of_made(rule.as_ref(), &object),
                object,
            })
            .collect();
        let policy = template.spec().retention_policy.unwrap_or_default();
        for object in retention::surplus(&made, policy) {
            // Whatever stays is found again by the next pass.
            if let Err(why) = submission.unmake(&current.api, object).await {
                let key = &self.pass.stamper.key;
                tracing::warn!(error = %why, "could not delete an old object of `{key}`");
            }
        }
        let read = Read {
            current: &current.live,
            from: retention::latest_healthy(&made),
            resource: &resource_of(&current.api),
        };
        let attempt = attempt.read(template, read, deployment);
        let objects = made.iter().map(|made| ObjectId {
            name: made.object["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
            ..current.id.clone()
        });
        (attempt, objects.collect())
    }
}

/// The digest of everything that decides what is stamped and how it is read.
fn input(template: &Template, labels: &Labels, context: &Context) -> String {
    let meta = template.metadata();
    let values = context.values();
    let text = format!(
        "{:?} {:?} {labels:?} {}",
        meta.uid,
        meta.generation,
        Value::Object(values)
    );
    fingerprint(&text, DIGITS)
}

fn pass_through(kind: TemplateKind, input: &str, inputs: &Inputs) -> Attempt {
    let output = match kind {
        TemplateKind::ClusterSourceTemplate => inputs.source(input),
        TemplateKind::ClusterImageTemplate => inputs.image(input),
        TemplateKind::ClusterConfigTemplate => inputs.config(input),
        TemplateKind::ClusterDeploymentTemplate => inputs.deployment(),
        TemplateKind::ClusterTemplate => None,
    };
    let attempt = Attempt {
        passes_through: true,
        ..Attempt::default()
    };
    if output.is_none() && kind != TemplateKind::ClusterTemplate {
        let why = NoOutput::PassThrough(input.to_owned());
        return attempt.failed(Failure::NoOutput { object: None, why });
    }
    Attempt { output, ..attempt }
}

fn rejected(object: &Value, doing: &'static str, why: String, forbidden: bool) -> Failure {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    Failure::Rejected {
        object: Named {
            resource: String::new(),
            namespace: text("namespace"),
            name: text("name"),
        },
        doing,
        why,
        forbidden,
    }
}

fn note(done: &mut Done, change: Option<Change>, api: &ApiResource, id: &ObjectId) {
    if let Some(change) = change {
        done.changes.push((change, format!("{}/{}", resource_of(api), id.name)));
    }
}

fn resource_of(api: &ApiResource) -> String {
    if api.group.is_empty() {
        api.plural.clone()
    } else {
        format!("{}.{}", api.plural, api.group)
    }
}
