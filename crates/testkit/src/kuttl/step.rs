//! The steps of a case, from the files of its folder.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Objects to apply.
    Apply,
    /// Objects that must be there.
    Assert,
    /// Objects that must not be there.
    Errors,
}

/// All files with one number.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) number: u32,
    pub(super) objects: Vec<(Role, Value)>,
}

impl Step {
    pub(super) fn of(&self, role: Role) -> impl Iterator<Item = &Value> {
        let objects = self.objects.iter().filter(move |(found, _)| *found == role);
        objects.map(|(_, object)| object)
    }
}

/// Reads the steps of a folder, in order.
pub(super) fn read(folder: &Path) -> Result<Vec<Step>, String> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let mut steps: BTreeMap<u32, Vec<(Role, Value)>> = BTreeMap::new();
    for name in names {
        let Some((number, role)) = role(&name) else {
            continue;
        };
        let path = folder.join(&name);
        let told = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|why| told(&why))?;
        let objects = objects(&text).map_err(|why| told(&why))?;
        let objects = objects.into_iter().map(|object| (role, object));
        steps.entry(number).or_default().extend(objects);
    }
    let steps = steps.into_iter();
    Ok(steps
        .map(|(number, objects)| Step { number, objects })
        .collect())
}

/// The step and the role that a file's name says; nothing for a file that does not count.
fn role(name: &str) -> Option<(u32, Role)> {
    let (number, rest) = name.split_once('-')?;
    let (rest, _) = rest.rsplit_once('.').filter(|(_, end)| *end == "yaml")?;
    let word = rest.split(['-', '.']).next()?;
    let role = match word {
        "assert" => Role::Assert,
        "errors" => Role::Errors,
        _ => Role::Apply,
    };
    Some((number.parse().ok()?, role))
}

fn objects(text: &str) -> Result<Vec<Value>, String> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|why| why.to_string())?;
    let objects = documents.into_iter().filter(|document| !document.is_null());
    Ok(objects.map(as_before).collect())
}

/// Keys as YAML 1.1 has them, which kuttl reads: there `yes:` is a true key, and `"true"` in JSON.
fn as_before(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: Map<String, Value> = map
                .into_iter()
                .map(|(key, value)| (key_as_before(key), as_before(value)))
                .collect();
            Value::Object(map)
        }
        Value::Array(items) => Value::Array(items.into_iter().map(as_before).collect()),
        value => value,
    }
}

fn key_as_before(key: String) -> String {
    match key.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" => "true".to_owned(),
        "n" | "no" | "off" => "false".to_owned(),
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<(u32, Role)>) {
        assert_eq!(role(name), expected);
    }

    #[test]
    fn the_first_word_behind_the_number_is_the_role() {
        check("00-templates.yaml", Some((0, Role::Apply)));
        check("01-assert.yaml", Some((1, Role::Assert)));
        check("01-assert-more.yaml", Some((1, Role::Assert)));
        check("01-assertive.yaml", Some((1, Role::Apply)));
        check("10-errors.yaml", Some((10, Role::Errors)));
        check("README.md", None);
        check("workload.yaml", None);
    }

    #[test]
    fn keys_are_read_as_before() {
        let read = objects("---\n# only a remark\n---\na: {yes: me, b: [{on: 1}]}\n");
        assert_eq!(
            read,
            Ok(vec![json!({"a": {"true": "me", "b": [{"true": 1}]}})])
        );
    }
}
