//! What a template's expressions can name.

use std::collections::BTreeMap;

use kinds::cartographer::blueprint::Resource;
use serde_json::{Map, Value, json};

use crate::labels::Labels;
use crate::owner::Owner;
use crate::typed::{Member, Typed};

/// What a resource gives to others.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Source code, or what was deployed.
    Source {
        /// Where it is.
        url: Value,
        /// Which one it is.
        revision: Value,
    },
    /// An image.
    Image(Value),
    /// Configuration.
    Config(Value),
}

impl Output {
    /// Its values with the names that they have in a status.
    pub fn parts(&self) -> Vec<(&'static str, &Value)> {
        match self {
            Self::Source { url, revision } => vec![("url", url), ("revision", revision)],
            Self::Image(image) => vec![("image", image)],
            Self::Config(config) => vec![("config", config)],
        }
    }
}

/// The outputs of the blueprint's resources, by the resources' names.
pub type Outputs = BTreeMap<String, Output>;

/// What goes into one resource: those of its inputs whose producers have an output now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    sources: BTreeMap<String, (Value, Value)>,
    images: BTreeMap<String, Value>,
    configs: BTreeMap<String, Value>,
    deployment: Option<(Value, Value)>,
}

impl Inputs {
    /// The inputs of a resource.
    pub fn of(resource: &Resource, outputs: &Outputs) -> Self {
        let mut inputs = Self::default();
        for from in &resource.sources {
            if let Some(source) = source(outputs, &from.resource) {
                inputs.sources.insert(from.name.clone(), source);
            }
        }
        for from in &resource.images {
            if let Some(Output::Image(image)) = outputs.get(&from.resource) {
                inputs.images.insert(from.name.clone(), image.clone());
            }
        }
        for from in &resource.configs {
            if let Some(Output::Config(config)) = outputs.get(&from.resource) {
                inputs.configs.insert(from.name.clone(), config.clone());
            }
        }
        if let Some(from) = &resource.deployment {
            inputs.deployment = source(outputs, &from.resource);
        }
        inputs
    }

    /// Adds an input under the name that the template knows it by.
    pub fn insert(&mut self, name: &str, input: Output) {
        let name = name.to_owned();
        match input {
            Output::Source { url, revision } => drop(self.sources.insert(name, (url, revision))),
            Output::Image(image) => drop(self.images.insert(name, image)),
            Output::Config(config) => drop(self.configs.insert(name, config)),
        }
    }

    /// The source of this name, as an output.
    pub fn source(&self, name: &str) -> Option<Output> {
        let (url, revision) = self.sources.get(name)?.clone();
        Some(Output::Source { url, revision })
    }

    /// The image of this name, as an output.
    pub fn image(&self, name: &str) -> Option<Output> {
        self.images.get(name).cloned().map(Output::Image)
    }

    /// The configuration of this name, as an output.
    pub fn config(&self, name: &str) -> Option<Output> {
        self.configs.get(name).cloned().map(Output::Config)
    }

    /// What is deployed, as an output.
    pub fn deployment(&self) -> Option<Output> {
        let (url, revision) = self.deployment.clone()?;
        Some(Output::Source { url, revision })
    }
}

fn source(outputs: &Outputs, resource: &str) -> Option<(Value, Value)> {
    match outputs.get(resource)? {
        Output::Source { url, revision } => Some((url.clone(), revision.clone())),
        Output::Image(_) | Output::Config(_) => None,
    }
}

/// Everything that a template's expressions can name.
#[derive(Clone, Debug)]
pub struct Context(Typed);

impl Context {
    /// The context of a resource's template. The owner goes by both names, whatever it is.
    pub fn of_resource(
        owner: &Owner,
        params: BTreeMap<String, Value>,
        inputs: &Inputs,
        labels: &Labels,
    ) -> Self {
        let named = |(url, revision): &(Value, Value), name: &str| json!({"url": url, "revision": revision, "name": name});
        let sources: Map<_, _> = inputs
            .sources
            .iter()
            .map(|(name, source)| (name.clone(), named(source, name)))
            .collect();
        let images: Map<_, _> = inputs
            .images
            .iter()
            .map(|(name, image)| (name.clone(), json!({"image": image, "name": name})))
            .collect();
        let configs: Map<_, _> = inputs
            .configs
            .iter()
            .map(|(name, config)| (name.clone(), json!({"config": config, "name": name})))
            .collect();
        let deployment = inputs.deployment.as_ref();
        let deployment = deployment.map_or(Value::Null, |source| named(source, ""));
        let mut members = vec![
            Member::new("workload", owner.typed().clone()),
            Member::new("deliverable", owner.typed().clone()),
            plain("params", Value::Object(params.into_iter().collect())),
            plain("deployment", deployment),
            plain("labels", json!(labels)),
        ];
        // The short names are there only where they leave no doubt.
        if let Some(source) = only(&sources) {
            members.push(plain("source", source.clone()));
        }
        if let Some(image) = only(&inputs.images) {
            members.push(plain("image", image.clone()));
        }
        if let Some(config) = only(&inputs.configs) {
            members.push(plain("config", config.clone()));
        }
        members.push(plain("sources", Value::Object(sources)));
        members.push(plain("images", Value::Object(images)));
        members.push(plain("configs", Value::Object(configs)));
        Self(Typed::Struct(members))
    }

    /// The context of a run template.
    pub fn of_run(runnable: &Owner, selected: Option<Value>) -> Self {
        Self(Typed::Struct(vec![
            Member::new("runnable", runnable.typed().clone()),
            plain("selected", selected.unwrap_or_default()),
        ]))
    }

    /// As expressions walk it.
    pub fn typed(&self) -> &Typed {
        &self.0
    }

    /// As JSON, which is what ytt takes.
    pub fn values(&self) -> Map<String, Value> {
        let Typed::Struct(members) = &self.0 else {
            return Map::new();
        };
        let values = members.iter();
        values
            .map(|member| (member.name.clone(), member.value.json()))
            .collect()
    }
}

fn plain(name: &str, value: Value) -> Member {
    Member::new(name, Typed::Json(value))
}

fn only<'m, V>(map: impl IntoIterator<Item = (&'m String, &'m V)>) -> Option<&'m V>
where
    V: 'm,
{
    let mut values = map.into_iter().map(|(_, value)| value);
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests;
