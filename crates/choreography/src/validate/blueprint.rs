//! The rules for blueprints.

use std::collections::BTreeSet;

use kinds::cartographer::blueprint::{
    BlueprintParam, Resource, ResourceReference, TemplateOption, TemplateReference,
};
use kinds::cartographer::selector::{Matches, OptionSelector, OwnerSelector};
use kinds::{Blueprint, BlueprintSpec, ClusterDelivery, ClusterSupplyChain, TemplateKind};

use super::Invalid;
use super::field::{self, Paths};
use crate::label_selector;

/// Whether a supply chain may be submitted.
pub fn supply_chain(chain: &ClusterSupplyChain) -> Result<(), Invalid> {
    let place = format!("error validating clustersupplychain [{}]", chain.name());
    supply_chain_spec(chain.blueprint()).map_err(|why| why.within(&place))
}

/// Whether a delivery may be submitted.
pub fn delivery(delivery: &ClusterDelivery) -> Result<(), Invalid> {
    let place = format!("error validating clusterdelivery [{}]", delivery.name());
    delivery_spec(delivery.blueprint()).map_err(|why| why.within(&place))
}

/// Whether no two resources share a name.
pub(crate) fn names_differ(resources: &[Resource]) -> Result<(), Invalid> {
    match duplicate(resources.iter().map(|resource| &resource.name)) {
        Some((_, name)) => Err(Invalid(format!("duplicate resource name [{name}] found"))),
        None => Ok(()),
    }
}

fn supply_chain_spec(spec: &BlueprintSpec) -> Result<(), Invalid> {
    selector_and_params(spec, field::WORKLOAD)?;
    names_differ(&spec.resources)?;
    templates(spec, field::WORKLOAD)?;
    for resource in &spec.resources {
        pass_through(resource, Some(&resource.images))?;
    }
    for resource in &spec.resources {
        for (list, references, kind) in [
            (
                "sources",
                &resource.sources,
                TemplateKind::ClusterSourceTemplate,
            ),
            (
                "images",
                &resource.images,
                TemplateKind::ClusterImageTemplate,
            ),
            (
                "configs",
                &resource.configs,
                TemplateKind::ClusterConfigTemplate,
            ),
        ] {
            let place = format!("invalid {list} for resource [{}]", resource.name);
            provided(spec, references, kind).map_err(|why| why.within(&place))?;
        }
    }
    Ok(())
}

fn delivery_spec(spec: &BlueprintSpec) -> Result<(), Invalid> {
    selector_and_params(spec, field::DELIVERABLE)?;
    if let Some((index, name)) = duplicate(spec.resources.iter().map(|resource| &resource.name)) {
        return Err(Invalid(format!(
            "spec.resources[{index}].name \"{name}\" cannot appear twice"
        )));
    }
    templates(spec, field::DELIVERABLE)?;
    for resource in &spec.resources {
        pass_through(resource, None)?;
    }
    deployments(&spec.resources)
}

fn selector_and_params(spec: &BlueprintSpec, paths: Paths) -> Result<(), Invalid> {
    if spec.selector.matches().is_empty() {
        return Err(Invalid::new(
            "at least one selector, selectorMatchExpression, selectorMatchField must be specified",
        ));
    }
    params(&spec.params)?;
    for resource in &spec.resources {
        let place = format!("resource [{}] is invalid", resource.name);
        params(&resource.params).map_err(|why| why.within(&place))?;
    }
    owner_selector(&spec.selector, paths)
}

fn params(params: &[BlueprintParam]) -> Result<(), Invalid> {
    let wrong = |param: &&BlueprintParam| param.value.is_some() == param.default.is_some();
    match params.iter().find(wrong) {
        Some(param) => Err(Invalid(format!(
            "param [{}] is invalid: must set exactly one of value and default",
            param.name
        ))),
        None => Ok(()),
    }
}

fn owner_selector(selector: &OwnerSelector, paths: Paths) -> Result<(), Invalid> {
    let Matches {
        labels,
        expressions,
        fields,
    } = selector.matches();
    label_selector::check_labels(labels)
        .map_err(|why| Invalid(format!("selector is not valid: {why}")))?;
    label_selector::check_expressions(expressions)
        .map_err(|why| Invalid(format!("selectorMatchExpressions are not valid: {why}")))?;
    field::requirements(fields, paths)
}

/// The first name that was there before, and its place.
fn duplicate<'n>(names: impl Iterator<Item = &'n String>) -> Option<(usize, &'n str)> {
    let mut known = BTreeSet::new();
    let mut names = names.enumerate();
    names
        .find(|(_, name)| !known.insert(name.as_str()))
        .map(|(index, name)| (index, name.as_str()))
}

fn templates(spec: &BlueprintSpec, paths: Paths) -> Result<(), Invalid> {
    for resource in &spec.resources {
        // Options that pass something through have no name, so that two of them are found here.
        let none = String::new();
        let options = resource.template_ref.options.iter();
        let names = options.map(|option| option.name.as_ref().unwrap_or(&none));
        if let Some((_, name)) = duplicate(names) {
            return Err(Invalid(format!(
                "duplicate template name [{name}] found in options for resource [{}]",
                resource.name
            )));
        }
    }
    for resource in &spec.resources {
        let place = place(resource);
        template_reference(&resource.template_ref, paths).map_err(|why| why.within(&place))?;
    }
    Ok(())
}

fn place(resource: &Resource) -> String {
    format!("error validating resource [{}]", resource.name)
}

fn template_reference(reference: &TemplateReference, paths: Paths) -> Result<(), Invalid> {
    let found = match (given(reference.name.as_ref()), reference.options.len()) {
        (true, 0) => return Ok(()),
        (true, _) => "both",
        (false, 0) => "neither",
        (false, 1) => {
            return Err(Invalid::new(
                "templateRef.Options must have more than one option",
            ));
        }
        (false, _) => return options(&reference.options, paths),
    };
    Err(Invalid(format!(
        "exactly one of templateRef.Name or templateRef.Options must be specified, found {found}"
    )))
}

fn options(options: &[TemplateOption], paths: Paths) -> Result<(), Invalid> {
    let passing = options
        .iter()
        .filter(|option| given(option.pass_through.as_ref()))
        .count();
    if passing > 1 {
        return Err(Invalid(format!(
            "cannot have more than one pass through option, found {passing}"
        )));
    }
    for option in options {
        let is_named = given(option.name.as_ref());
        if is_named == given(option.pass_through.as_ref()) {
            let found = if is_named { "both" } else { "neither" };
            return Err(Invalid(format!(
                "exactly one of option.Name or option.PassThrough must be specified, found {found}"
            )));
        }
        let place = format!("error validating option [{}] selector", shown(option));
        option_selector(&option.selector, paths).map_err(|why| why.within(&place))?;
    }
    for one in options {
        let same =
            |other: &&TemplateOption| one.name != other.name && one.selector == other.selector;
        if let Some(other) = options.iter().find(same) {
            return Err(Invalid(format!(
                "duplicate selector found in options [{}, {}]",
                shown(one),
                shown(other)
            )));
        }
    }
    Ok(())
}

fn given(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

/// An option as messages call it: by its name, or by the word alone where it has none.
fn shown(option: &TemplateOption) -> &str {
    match option.name.as_deref() {
        None | Some("") => "passThrough",
        Some(name) => name,
    }
}

fn option_selector(selector: &OptionSelector, paths: Paths) -> Result<(), Invalid> {
    let matches = selector.matches();
    if matches.is_empty() {
        return Err(Invalid::new(
            "at least one of matchLabels, matchExpressions or MatchFields must be specified",
        ));
    }
    label_selector::check_labels(matches.labels)
        .map_err(|why| Invalid(format!("matchLabels are not valid: {why}")))?;
    label_selector::check_expressions(matches.expressions)
        .map_err(|why| Invalid(format!("matchExpressions are not valid: {why}")))?;
    field::requirements(matches.fields, paths)
}

/// What is passed through has to be an input of the resource. Only a supply chain has images.
fn pass_through(resource: &Resource, images: Option<&[ResourceReference]>) -> Result<(), Invalid> {
    let options = resource.template_ref.options.iter();
    for input in options.filter_map(|option| option.pass_through.as_deref()) {
        if input.is_empty() {
            continue;
        }
        let kind = resource.template_ref.kind;
        let inputs = match kind {
            TemplateKind::ClusterSourceTemplate => Some(&resource.sources[..]),
            TemplateKind::ClusterImageTemplate => images,
            TemplateKind::ClusterConfigTemplate => Some(&resource.configs[..]),
            TemplateKind::ClusterTemplate | TemplateKind::ClusterDeploymentTemplate => None,
        };
        let why = match inputs {
            None => format!("TemplateRef.Kind [{}] is not a known type", kind.as_str()),
            Some(inputs) if inputs.iter().any(|known| known.name == input) => continue,
            Some(_) => format!("pass through [{input}] does not refer to a known input"),
        };
        return Err(Invalid(why).within(&place(resource)));
    }
    Ok(())
}

fn provided(
    spec: &BlueprintSpec,
    references: &[ResourceReference],
    kind: TemplateKind,
) -> Result<(), Invalid> {
    for ResourceReference { name, resource } in references {
        let producer = spec.resources.iter().find(|known| known.name == *resource);
        match producer {
            None => {
                return Err(Invalid(format!(
                    "[{name}] is provided by unknown resource [{resource}]"
                )));
            }
            Some(producer) if producer.template_ref.kind != kind => {
                return Err(Invalid(format!(
                    "resource [{resource}] providing [{name}] must reference a {}",
                    kind.as_str()
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn deployments(resources: &[Resource]) -> Result<(), Invalid> {
    let deploys =
        |resource: &Resource| resource.template_ref.kind == TemplateKind::ClusterDeploymentTemplate;
    let refuse = |resource: &Resource, why: &str| {
        Err(Invalid(format!("spec.resources[{}] {why}", resource.name)))
    };
    for resource in resources {
        match (deploys(resource), resource.deployment.is_some()) {
            (true, false) => {
                return refuse(
                    resource,
                    "is a ClusterDeploymentTemplate and must receive a deployment",
                );
            }
            (false, true) => {
                return refuse(
                    resource,
                    "receives a deployment but is not a ClusterDeploymentTemplate",
                );
            }
            _ => {}
        }
    }
    match resources
        .iter()
        .find(|resource| deploys(resource) && !resource.configs.is_empty())
    {
        Some(resource) => refuse(
            resource,
            "is a ClusterDeploymentTemplate and must not receive config",
        ),
        None => Ok(()),
    }
}
