//! What Shipway refuses at admission beyond Cartographer's rules ([`crate::validate`]): what could
//! be submitted there, and would fail later without anybody being told where.
//!
//! They come second: only what passes Cartographer's rules is looked at.

use kinds::cartographer::blueprint::{Resource, ResourceReference};
use kinds::{Blueprint, BlueprintSpec, ClusterDelivery, ClusterSupplyChain, TemplateKind};

use crate::graph;
use crate::label_selector;
use crate::validate::{self, Invalid};

/// The kinds of templates that provide a source to a delivery's resources.
const DEPLOYED: [TemplateKind; 2] = [
    TemplateKind::ClusterSourceTemplate,
    TemplateKind::ClusterDeploymentTemplate,
];

/// Whether a supply chain can work, but for its [`names`].
pub fn supply_chain(chain: &ClusterSupplyChain) -> Result<(), Invalid> {
    works(chain, |_| Ok(()))
}

/// Whether a delivery can work, but for its [`names`].
pub fn delivery(delivery: &ClusterDelivery) -> Result<(), Invalid> {
    works(delivery, provided)
}

/// Whether stamped objects can carry the name of their owner or run template: it becomes the
/// value of a label.
pub fn name(kind: &str, name: &str) -> Result<(), Invalid> {
    label_value(name).map_err(|why| {
        let kind = kind.to_lowercase();
        Invalid(format!("error validating {kind} [{name}]: name {why}"))
    })
}

fn works<B: Blueprint>(
    blueprint: &B,
    and: fn(&BlueprintSpec) -> Result<(), Invalid>,
) -> Result<(), Invalid> {
    let spec = blueprint.blueprint();
    let all = and(spec).and_then(|()| usable(&spec.resources));
    all.map_err(|why| refuse(blueprint, &why))
}

/// Whether anybody can be served by resources: those that need each other in a circle would be stamped without what has to
/// go into them, and two of one name cannot be told apart in a status.
pub fn usable(resources: &[Resource]) -> Result<(), Invalid> {
    validate::names_differ(resources)?;
    match graph::order(resources) {
        Ok(_) => Ok(()),
        Err(cycle) => Err(Invalid(cycle.to_string())),
    }
}

fn refuse<B: Blueprint>(blueprint: &B, why: &Invalid) -> Invalid {
    let kind = B::KIND.to_lowercase();
    Invalid(format!(
        "error validating {kind} [{}]: {why}",
        blueprint.name()
    ))
}

/// Whether the names of a blueprint, its resources and templates can be values of labels. Those of options need not.
pub fn names<B: Blueprint>(blueprint: &B) -> Result<(), Invalid> {
    name(B::KIND, blueprint.name())?;
    for resource in &blueprint.blueprint().resources {
        label_value(&resource.name).map_err(|why| {
            let why = format!("resource name [{}] {why}", resource.name);
            refuse(blueprint, &Invalid(why))
        })?;
        let template = resource.template_ref.name.as_deref().unwrap_or_default();
        label_value(template).map_err(|why| {
            let why = format!(
                "template name [{template}] of resource [{}] {why}",
                resource.name
            );
            refuse(blueprint, &Invalid(why))
        })?;
    }
    Ok(())
}

/// Whether everything that goes into a resource of a delivery is provided. Cartographer asks this
/// of supply chains alone.
fn provided(spec: &BlueprintSpec) -> Result<(), Invalid> {
    for resource in &spec.resources {
        inputs("sources", resource, &resource.sources, spec, &DEPLOYED)?;
        inputs(
            "configs",
            resource,
            &resource.configs,
            spec,
            &[TemplateKind::ClusterConfigTemplate],
        )?;
        if let Some(deployment) = &resource.deployment {
            let reference = ResourceReference {
                name: "deployment".to_owned(),
                resource: deployment.resource.clone(),
            };
            inputs("deployment", resource, &[reference], spec, &DEPLOYED)?;
        }
    }
    Ok(())
}

fn inputs(
    list: &str,
    resource: &Resource,
    references: &[ResourceReference],
    spec: &BlueprintSpec,
    kinds: &[TemplateKind],
) -> Result<(), Invalid> {
    for ResourceReference {
        name,
        resource: from,
    } in references
    {
        let producer = spec.resources.iter().find(|known| known.name == *from);
        let why = match producer {
            None => format!("[{name}] is provided by unknown resource [{from}]"),
            Some(producer) if !kinds.contains(&producer.template_ref.kind) => {
                let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
                let kinds = kinds.join(" or a ");
                format!("resource [{from}] providing [{name}] must reference a {kinds}")
            }
            Some(_) => continue,
        };
        let name = &resource.name;
        return Err(Invalid(format!(
            "invalid {list} for resource [{name}]: {why}"
        )));
    }
    Ok(())
}

fn label_value(text: &str) -> Result<(), String> {
    let errors = label_selector::value_errors(text);
    if errors.is_empty() {
        return Ok(());
    }
    Err(format!(
        "cannot be the value of a label: {}",
        errors.join("; ")
    ))
}

#[cfg(test)]
mod tests;
