//! Which blueprint serves an owner, and which option of a resource is for it: the one that matches
//! with the most requirements.
//!
//! A candidate whose requirements cannot be evaluated is set aside rather than fail the selection:
//! it is the answer only where nothing else matches. (Cartographer fails every owner that it might
//! have matched.)

use std::collections::BTreeMap;

use kinds::Blueprint;
use kinds::cartographer::blueprint::{Resource, TemplateOption};
use kinds::cartographer::reason::Reason;
use kinds::cartographer::selector::{FieldRequirement, Matches};
use serde_json::Value;

use crate::jsonpath;
use crate::label_selector;
use crate::notation;
use crate::typed::Typed;

/// An owner as selectors see it.
#[derive(Clone, Debug)]
pub struct Owner {
    labels: BTreeMap<String, String>,
    data: Typed,
}

impl Owner {
    /// A Workload, read from its JSON.
    pub fn workload(object: &Value) -> Self {
        Self {
            labels: labels(object),
            data: Typed::workload(object),
        }
    }

    /// A Deliverable, read from its JSON.
    pub fn deliverable(object: &Value) -> Self {
        Self {
            labels: labels(object),
            data: Typed::deliverable(object),
        }
    }

    /// Its labels.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }
}

fn labels(object: &Value) -> BTreeMap<String, String> {
    let labels = object
        .pointer("/metadata/labels")
        .and_then(Value::as_object);
    let labels = labels.into_iter().flatten();
    labels
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// What came of comparing candidates with an owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The places of those that match best, equally well.
    pub best: Vec<usize>,
    /// Those that could not be evaluated.
    pub broken: Vec<Broken>,
}

/// A candidate that could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Its place among the candidates.
    pub index: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Compares candidates with an owner. One without any requirement never matches.
pub fn best<'m>(candidates: impl IntoIterator<Item = Matches<'m>>, owner: &Owner) -> Found {
    let mut found = Found::default();
    let mut most = 1;
    for (index, candidate) in candidates.into_iter().enumerate() {
        match matches(candidate, owner) {
            Err(why) => found.broken.push(Broken { index, why }),
            Ok(true) if candidate.len() > most => {
                most = candidate.len();
                found.best = vec![index];
            }
            Ok(true) if candidate.len() == most => found.best.push(index),
            Ok(_) => {}
        }
    }
    found
}

/// Labels are compared first, so that a broken requirement on a field harms nobody else's owner.
fn matches(candidate: Matches<'_>, owner: &Owner) -> Result<bool, String> {
    let is_selected = label_selector::select(candidate, &owner.labels)
        .map_err(|why| format!("selector labels or matchExpressions are not valid: {why}"))?;
    if !is_selected {
        return Ok(false);
    }
    for requirement in candidate.fields {
        let holds = holds(requirement, owner).map_err(|why| {
            let FieldRequirement { key, operator, values } = requirement;
            let values = values.join(" ");
            format!(
                "failed to evaluate selector matchFields: unable to match field requirement with key [{key}] operator [{operator}] values [[{values}]]: {why}"
            )
        })?;
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds(requirement: &FieldRequirement, owner: &Owner) -> Result<bool, String> {
    let found = match jsonpath::one(&requirement.key, &owner.data) {
        Ok(value) => Some(value),
        Err(error) if error.is_does_not_exist() => None,
        Err(error) => return Err(error.to_string()),
    };
    let is_listed = || {
        let text = found.as_ref().and_then(Value::as_str);
        text.is_some_and(|text| requirement.values.iter().any(|value| value == text))
    };
    let is_there = found.as_ref().is_some_and(|value| !value.is_null());
    match requirement.operator.as_str() {
        "In" => Ok(is_listed()),
        // What is null is not in a list, but what is absent matches nothing.
        "NotIn" => Ok(found.is_some() && !is_listed()),
        "Exists" => Ok(is_there),
        "DoesNotExist" => Ok(!is_there),
        other => Err(format!("invalid operator {other} for field selector")),
    }
}

/// Why no blueprint serves an owner. Its text is the message of the owner's condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// The owner has no labels.
    #[error("{owner} has no labels to match to {blueprint}", owner = words.owner, blueprint = words.blueprint)]
    LabelsMissing {
        /// What the two are called.
        words: Words,
    },
    /// No blueprint matches.
    #[error("no {blueprint} found where full selector is satisfied by labels: {labels}", blueprint = words.blueprint)]
    NotFound {
        /// What the two are called.
        words: Words,
        /// The owner's labels as Go prints them.
        labels: String,
    },
    /// Several match equally well.
    #[error("{owner} may only match a single {blueprint}'s selector", owner = words.owner, blueprint = words.blueprint)]
    Several {
        /// What the two are called.
        words: Words,
        /// The blueprints.
        names: Vec<String>,
    },
    /// None matches, but one could not be evaluated.
    #[error(
        "error handling selectors, selectorMatchExpressions or selectorMatchFields of [{kind}/{name}]: {why}"
    )]
    Broken {
        /// The blueprint's kind.
        kind: &'static str,
        /// The blueprint's name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

/// What messages call an owner and its blueprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The owner.
    pub owner: &'static str,
    /// The blueprint.
    pub blueprint: &'static str,
}

impl Words {
    /// A Workload and its supply chain.
    pub const SUPPLY_CHAIN: Self = Self {
        owner: "workload",
        blueprint: "supply chain",
    };
    /// A Deliverable and its delivery.
    pub const DELIVERY: Self = Self {
        owner: "deliverable",
        blueprint: "delivery",
    };

    /// The words for a kind of blueprint.
    pub fn of<B: Blueprint>() -> Self {
        if B::OWNER_KIND == "Deliverable" {
            Self::DELIVERY
        } else {
            Self::SUPPLY_CHAIN
        }
    }
}

impl NotServed {
    /// The blueprints that are in the way: a change of one of them may change the answer.
    pub fn blueprints(&self) -> Vec<&str> {
        match self {
            Self::LabelsMissing { .. } | Self::NotFound { .. } => Vec::new(),
            Self::Several { names, .. } => names.iter().map(String::as_str).collect(),
            Self::Broken { name, .. } => vec![name],
        }
    }

    /// The reason of the owner's condition. Cartographer sets none where a blueprint is broken.
    pub fn reason(&self) -> Reason {
        match self {
            Self::LabelsMissing { words } if *words == Words::DELIVERY => {
                Reason::DeliverableLabelsMissing
            }
            Self::LabelsMissing { .. } => Reason::WorkloadLabelsMissing,
            Self::NotFound { words, .. } if *words == Words::DELIVERY => Reason::DeliveryNotFound,
            Self::NotFound { .. } => Reason::SupplyChainNotFound,
            Self::Several { words, .. } if *words == Words::DELIVERY => {
                Reason::MultipleDeliveryMatches
            }
            Self::Several { .. } => Reason::MultipleSupplyChainMatches,
            Self::Broken { .. } => Reason::UnknownError,
        }
    }
}

/// The blueprint that serves an owner.
pub fn blueprint<'b, B: Blueprint>(
    blueprints: impl IntoIterator<Item = &'b B>,
    owner: &Owner,
) -> Result<&'b B, NotServed> {
    let words = Words::of::<B>();
    if owner.labels.is_empty() {
        return Err(NotServed::LabelsMissing { words });
    }
    let blueprints: Vec<&B> = blueprints.into_iter().collect();
    let selectors = blueprints
        .iter()
        .map(|blueprint| blueprint.blueprint().selector.matches());
    let found = best(selectors, owner);
    match (&found.best[..], found.broken.first()) {
        ([one], _) => Ok(blueprints[*one]),
        ([], Some(broken)) => Err(NotServed::Broken {
            kind: B::KIND,
            name: blueprints[broken.index].name().to_owned(),
            why: broken.why.clone(),
        }),
        ([], None) => Err(NotServed::NotFound {
            words,
            labels: notation::map(&owner.labels),
        }),
        (several, _) => {
            let names = several.iter().map(|&index| blueprints[index].name());
            Err(NotServed::Several {
                words,
                names: names.map(str::to_owned).collect(),
            })
        }
    }
}

/// What a resource is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen<'r> {
    /// The template of this name.
    Template(&'r str),
    /// The input of this name, passed through.
    PassThrough(&'r str),
}

/// Why none of a resource's options is chosen. Its text is the message of the condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotChosen {
    /// None matches the owner, or several equally well.
    #[error(
        "get template name from resource: find matching template option: expected exactly 1 option to match, found [{}] matching options [{}] for resource [{resource}] in {} [{blueprint}]",
        options.len(), options.join(", "), called
    )]
    Count {
        /// Those that match.
        options: Vec<String>,
        /// The resource.
        resource: String,
        /// What the blueprint is called.
        called: &'static str,
        /// The blueprint's name.
        blueprint: String,
    },
    /// None matches, but one could not be evaluated.
    #[error(
        "get template name from resource: find matching template option: error matching against template option [{option}] for resource [{resource}] in {} [{blueprint}]: {why}",
        called
    )]
    Broken {
        /// The option.
        option: String,
        /// The resource.
        resource: String,
        /// What the blueprint is called.
        called: &'static str,
        /// The blueprint's name.
        blueprint: String,
        /// What is wrong with it.
        why: String,
    },
}

impl NotChosen {
    /// The reason of the condition.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Count { .. } => Reason::TemplateOptionsMatchError,
            Self::Broken { .. } => Reason::ResolveTemplateOptionsError,
        }
    }
}

/// The template, or the input to pass through, of a resource of a blueprint.
pub fn template<'r, B: Blueprint>(
    blueprint: &B,
    resource: &'r Resource,
    owner: &Owner,
) -> Result<Chosen<'r>, NotChosen> {
    if let Some(name) = resource
        .template_ref
        .name
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        return Ok(Chosen::Template(name));
    }
    let options = &resource.template_ref.options;
    let found = best(
        options.iter().map(|option| option.selector.matches()),
        owner,
    );
    match (&found.best[..], found.broken.first()) {
        ([one], _) => Ok(chosen(&options[*one])),
        ([], Some(broken)) => Err(NotChosen::Broken {
            option: shown(&options[broken.index]),
            resource: resource.name.clone(),
            called: Words::of::<B>().blueprint,
            blueprint: blueprint.name().to_owned(),
            why: broken.why.clone(),
        }),
        (several, _) => Err(NotChosen::Count {
            options: several
                .iter()
                .map(|&index| shown(&options[index]))
                .collect(),
            resource: resource.name.clone(),
            called: Words::of::<B>().blueprint,
            blueprint: blueprint.name().to_owned(),
        }),
    }
}

fn chosen(option: &TemplateOption) -> Chosen<'_> {
    match option.pass_through.as_deref() {
        Some(input) if !input.is_empty() => Chosen::PassThrough(input),
        _ => Chosen::Template(option.name.as_deref().unwrap_or_default()),
    }
}

fn shown(option: &TemplateOption) -> String {
    let name = option.name.as_ref().filter(|name| !name.is_empty());
    let name = name.or(option.pass_through.as_ref());
    name.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
