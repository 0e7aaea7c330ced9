//! What the parameters of a template are worth.

use std::collections::BTreeMap;

use kinds::cartographer::blueprint::BlueprintParam;
use kinds::cartographer::template::TemplateParam;
use serde_json::Value;

/// Everybody who has a say, the weakest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<'a> {
    /// The template's own.
    pub template: &'a [TemplateParam],
    /// Those for all resources of the blueprint.
    pub blueprint: &'a [BlueprintParam],
    /// Those for this resource.
    pub resource: &'a [BlueprintParam],
}

impl Params<'_> {
    /// The parameters' values. An owner's come last, but not where the blueprint has a `value`; a
    /// `default` of the resource opens again what the blueprint closed.
    pub fn merge<'o>(
        &self,
        owner: impl Iterator<Item = (&'o str, &'o Value)>,
    ) -> BTreeMap<String, Value> {
        let mut values = BTreeMap::new();
        let mut closed = BTreeMap::new();
        for param in self.template {
            values.insert(param.name.clone(), param.default.clone());
        }
        for param in self.blueprint.iter().chain(self.resource) {
            let value = param.value.as_ref().or(param.default.as_ref());
            let Some(value) = value else { continue };
            values.insert(param.name.clone(), value.clone());
            closed.insert(param.name.as_str(), param.value.is_some());
        }
        for (name, value) in owner {
            if !closed.get(name).copied().unwrap_or(false) {
                values.insert(name.to_owned(), value.clone());
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn blueprint(text: &str) -> Vec<BlueprintParam> {
        text.split_whitespace()
            .filter_map(|entry| {
                let (entry, closed) = match entry.split_once('=') {
                    Some((name, value)) => ((name, value), true),
                    None => (entry.split_once('~')?, false),
                };
                let value = Some(json!(entry.1));
                Some(BlueprintParam {
                    name: entry.0.to_owned(),
                    value: value.clone().filter(|_| closed),
                    default: value.filter(|_| !closed),
                })
            })
            .collect()
    }

    /// Parameters as `name=value`, or `name~default`.
    #[track_caller]
    fn check(template: &str, on_blueprint: &str, on_resource: &str, owner: &str, expected: &str) {
        let template: Vec<_> = blueprint(template)
            .into_iter()
            .map(|param| TemplateParam {
                name: param.name,
                default: param.default.unwrap_or_default(),
            })
            .collect();
        let (on_blueprint, on_resource) = (blueprint(on_blueprint), blueprint(on_resource));
        let params = Params {
            template: &template,
            blueprint: &on_blueprint,
            resource: &on_resource,
        };
        let owner = blueprint(owner);
        let owner = owner
            .iter()
            .filter_map(|param| Some((param.name.as_str(), param.value.as_ref()?)));
        let merged: Vec<_> = params
            .merge(owner)
            .into_iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
            .collect();
        assert_eq!(merged.join(" "), expected);
    }

    #[test]
    fn the_strongest_wins() {
        check("a~t", "", "", "", "a=t");
        check("a~t", "a~b", "", "", "a=b");
        check("a~t", "a~b", "a~r", "", "a=r");
        check("a~t", "a~b", "a~r", "a=o", "a=o");
    }

    #[test]
    fn a_value_is_closed_to_the_owner() {
        check("a~t", "a=b", "", "a=o", "a=b");
        check("a~t", "", "a=r", "a=o", "a=r");
        check("a~t", "a~b", "a=r", "a=o", "a=r");
    }

    #[test]
    fn a_default_of_the_resource_opens_what_the_blueprint_closed() {
        check("", "a=b", "a~r", "a=o", "a=o");
        check("", "a=b", "a~r", "", "a=r");
    }

    #[test]
    fn undeclared_parameters_are_there_too() {
        check("a~t", "b~b", "c~r", "d=o", "a=t b=b c=r d=o");
    }
}
