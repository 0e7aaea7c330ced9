//! What the template of a case becomes: by the steps that a supply chain goes in a cluster, but for one
//! resource, and with the outputs of others given.

use choreography::labels::Labels;
use choreography::owner::Owner;
use choreography::params::Params;
use choreography::selection::{self, Chosen};
use choreography::stamp::{self, Begun, Ingredients, StampError};
use choreography::validate;
use controllers::ytt::{Evaluate as _, Request};
use kinds::cartographer::blueprint::Resource;
use kinds::cartographer::label;
use kinds::{Blueprint as _, ClusterSupplyChain, Template};
use serde_json::Value;

use super::case::Case;
use super::file;
use super::with::{Chain, Mock, With};
use super::wrong::Wrong;
use crate::ytt::Workers;

/// The object that is stamped.
pub(super) async fn stamped(case: &Case, workers: &Workers) -> Result<Value, Wrong> {
    let owner = file::workload(case)?;
    let templates = file::templates(&case.template, workers).await?;
    let (template, ingredients) = match case.with {
        With::Mock => mocked(&case.mock, &owner, templates)?,
        With::Chain => {
            let chains = file::chains(&case.chain, workers).await?;
            chained(&case.chain, &chains, &owner, &templates)?
        }
    };
    validate::template(&template)
        .map_err(|why| Wrong::new(format!("{}: {why}", called(&template))))?;
    let evaluated = match stamp::begin(&template, &owner, &ingredients) {
        Begun::Evaluated(evaluated) => evaluated,
        Begun::Ytt {
            name,
            template,
            data,
        } => {
            let request = Request {
                name: &name,
                template: &template,
                data: &data,
            };
            let object = workers.evaluate(request).await;
            object.map_err(|refusal| {
                StampError::Engine(format!("unable to apply ytt template: {}", refusal.why))
            })
        }
    };
    evaluated
        .and_then(|evaluated| stamp::finish(evaluated, &owner, &ingredients.labels))
        .map_err(|why| Wrong {
            why: why.to_string(),
            hint: match why {
                StampError::Template(error) => error.hint.map(|hint| hint.to_string()),
                _ => None,
            },
        })
}

/// A template with what a supply chain might say. Of the labels it has those that no supply chain is needed for.
fn mocked(
    mock: &Mock,
    owner: &Owner,
    templates: Vec<Template>,
) -> Result<(Template, Ingredients), Wrong> {
    let [template] = <[Template; 1]>::try_from(templates).map_err(|templates| {
        Wrong::new("the template's file has several").hint(format!(
            "given.template.name says which: {}",
            named(templates.iter().map(Template::name))
        ))
    })?;
    let labels = [
        (label::WORKLOAD_NAME, owner.name()),
        (label::WORKLOAD_NAMESPACE, owner.namespace()),
        (label::TEMPLATE_KIND, template.kind().as_str()),
        (label::CLUSTER_TEMPLATE_NAME, template.name()),
    ];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let params = Params {
        template: &template.spec().params,
        blueprint: &mock.params,
        resource: &[],
    };
    let ingredients = Ingredients {
        labels: Labels::from(labels),
        params: params.merge(owner.params()),
        inputs: mock.inputs.clone(),
    };
    Ok((template, ingredients))
}

/// A template with what the Workload's supply chain says for one of its resources.
fn chained(
    given: &Chain,
    chains: &[ClusterSupplyChain],
    owner: &Owner,
    templates: &[Template],
) -> Result<(Template, Ingredients), Wrong> {
    let chain = selection::blueprint(chains, owner.selected()).map_err(|why| {
        Wrong::new(why.to_string()).hint(format!(
            "the supply chains are {}",
            named(chains.iter().map(ClusterSupplyChain::name))
        ))
    })?;
    let (resource, template) = match &given.target {
        Some(target) => {
            let resource = target_of(chain, target)?;
            (resource, taken(chain, resource, owner, templates)?)
        }
        None => fitting(chain, owner, templates)?,
    };
    let ingredients = Ingredients::of_resource(owner, chain, resource, template, &given.outputs);
    Ok((template.clone(), ingredients))
}

fn target_of<'c>(chain: &'c ClusterSupplyChain, target: &str) -> Result<&'c Resource, Wrong> {
    let resources = &chain.blueprint().resources;
    let found = resources.iter().find(|resource| resource.name == target);
    found.ok_or_else(|| {
        let chain = chain.name();
        let names = resources.iter().map(|resource| resource.name.as_str());
        Wrong::new(format!("supply chain `{chain}` has no resource `{target}`"))
            .hint(format!("it has {}", named(names)))
    })
}

/// The template that a resource takes for the owner.
fn taken<'t>(
    chain: &ClusterSupplyChain,
    resource: &Resource,
    owner: &Owner,
    templates: &'t [Template],
) -> Result<&'t Template, Wrong> {
    let place = format!(
        "resource `{}` of supply chain `{}`",
        resource.name,
        chain.name()
    );
    let chosen = selection::template(chain, resource, owner.selected());
    match chosen.map_err(|why| Wrong::new(why.to_string()))? {
        Chosen::PassThrough(input) => Err(Wrong::new(format!(
            "{place} passes its input `{input}` on, and nothing is stamped"
        ))),
        Chosen::Template(name) => {
            let kind = resource.template_ref.kind;
            let found = templates
                .iter()
                .find(|one| one.kind() == kind && one.name() == name);
            found.ok_or_else(|| {
                let kind = kind.as_str();
                let given: Vec<String> = templates.iter().map(called).collect();
                Wrong::new(format!("{place} takes {kind}/{name} for the Workload"))
                    .hint(format!("given is {}", given.join(", ")))
            })
        }
    }
}

/// The only resource that takes one of the templates for the owner, where none is named.
fn fitting<'c, 't>(
    chain: &'c ClusterSupplyChain,
    owner: &Owner,
    templates: &'t [Template],
) -> Result<(&'c Resource, &'t Template), Wrong> {
    let resources = chain.blueprint().resources.iter();
    let mut fitting: Vec<_> = resources
        .filter_map(|resource| {
            let template = taken(chain, resource, owner, templates).ok()?;
            Some((resource, template))
        })
        .collect();
    match fitting.pop() {
        Some(one) if fitting.is_empty() => Ok(one),
        Some(_) => Err(Wrong::new(format!(
            "several resources of supply chain `{}` take what is given",
            chain.name()
        ))
        .hint("given.supplyChain.targetResourceName says which is meant")),
        None => {
            let given: Vec<String> = templates.iter().map(called).collect();
            let resources = chain.blueprint().resources.iter();
            let taken: Vec<String> = resources
                .map(|resource| takes(chain, resource, owner))
                .collect();
            Err(Wrong::new(format!(
                "no resource of supply chain `{}` takes {} for the Workload",
                chain.name(),
                given.join(" or ")
            ))
            .hint(taken.join(", ")))
        }
    }
}

fn takes(chain: &ClusterSupplyChain, resource: &Resource, owner: &Owner) -> String {
    let name = &resource.name;
    match selection::template(chain, resource, owner.selected()) {
        Ok(Chosen::Template(template)) => {
            let kind = resource.template_ref.kind.as_str();
            format!("`{name}` takes {kind}/{template}")
        }
        Ok(Chosen::PassThrough(input)) => format!("`{name}` passes `{input}` on"),
        Err(why) => why.to_string(),
    }
}

fn called(template: &Template) -> String {
    format!("{}/{}", template.kind().as_str(), template.name())
}

fn named<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        return "nothing".to_owned();
    }
    names.join(", ")
}
