//! What a template is stamped with: what a supply chain says, or what one might say.

use std::path::{Path, PathBuf};

use choreography::context::{Inputs, Output, Outputs};
use kinds::cartographer::blueprint::BlueprintParam;
use serde_json::Value;

use super::case::{Named, one, put};
use super::keys::Keys;
use super::wrong::Wrong;

/// What the name of a supply chain's file begins with.
const CHAIN: &str = "supply-chain";
const VALUES: &str = "supply-chain-ytt-values.yaml";

/// What a template is stamped with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum With {
    /// With what a supply chain might say.
    #[default]
    Mock,
    /// With what one says.
    Chain,
}

/// What a supply chain might say.
#[derive(Clone, Debug, Default)]
pub(super) struct Mock {
    pub(super) inputs: Inputs,
    pub(super) params: Vec<BlueprintParam>,
}

/// A supply chain, and how far a Workload has come in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    /// Files and folders that have it.
    pub(super) paths: Vec<Named>,
    /// The data values that each file is evaluated with first.
    pub(super) values: Option<Named>,
    /// The resource that is stamped.
    pub(super) target: Option<String>,
    /// What others have given.
    pub(super) outputs: Outputs,
}

impl Mock {
    /// Takes what a folder says; tells whether that is anything.
    pub(super) fn read(&mut self, mut keys: Keys<'_>) -> Result<bool, Wrong> {
        let is_there = !keys.is_empty();
        if let Some(given) = keys.mapping("blueprintInputs")? {
            self.inputs = inputs(given)?;
        }
        if let Some(given) = keys.items("blueprintParams")? {
            self.params = given.into_iter().map(param).collect::<Result<_, _>>()?;
        }
        keys.end()?;
        Ok(is_there)
    }
}

impl Chain {
    /// Takes what a folder says and has; tells whether that is anything.
    pub(super) fn read(&mut self, folder: &Path, mut keys: Keys<'_>) -> Result<bool, Wrong> {
        let is_said = !keys.is_empty();
        put(&mut self.target, keys.text("targetResourceName")?);
        let values = one(folder, &mut keys, "yttPath", VALUES)?;
        let has_values = values.is_some();
        put(&mut self.values, values);
        if let Some(given) = keys.entries("previousOutputs")? {
            let given = given.into_iter();
            let outputs = given.map(|(name, keys)| Ok((name, output(keys)?)));
            self.outputs = outputs.collect::<Result<_, Wrong>>()?;
        }
        let by = keys.name("paths");
        let mut paths = Vec::new();
        for path in keys.texts("paths")?.unwrap_or_default() {
            let path = beside_or_here(folder, Path::new(&path));
            let by = Some(by.clone());
            paths.push(Named { path, by });
        }
        keys.end()?;
        if paths.is_empty() {
            let values = self.values.as_ref().map(|values| &*values.path);
            paths = chains(folder, values)?;
        }
        let has_paths = !paths.is_empty();
        if has_paths {
            self.paths = paths;
        }
        Ok(is_said || has_values || has_paths)
    }
}

/// `paths` are relative to the folder, as all others; `cartotest` reads them from where it runs, and what was
/// written for it counts where nothing else does.
fn beside_or_here(folder: &Path, path: &Path) -> PathBuf {
    let beside = folder.join(path);
    if !beside.exists() && path.exists() {
        return path.to_owned();
    }
    beside
}

/// The files of a folder that are named as supply chains are.
fn chains(folder: &Path, values: Option<&Path>) -> Result<Vec<Named>, Wrong> {
    let unread = |why: std::io::Error| {
        let folder = folder.display();
        Wrong::new(format!("could not read `{folder}`: {why}"))
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let is_yaml = path.extension().is_some_and(|end| end == "yaml");
        let is_named = name.is_some_and(|name| name.starts_with(CHAIN) && name != VALUES);
        if is_yaml && is_named && values != Some(&*path) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().map(Named::found).collect())
}

/// Only `url`, `revision`, `image` and `config` are looked at: beside them Cartographer's own cases have what
/// is there to be passed over.
fn inputs(mut keys: Keys<'_>) -> Result<Inputs, Wrong> {
    let mut inputs = Inputs::default();
    for (name, mut keys) in keys.entries("sources")?.unwrap_or_default() {
        inputs.insert(&name, source(&mut keys));
    }
    for (name, mut keys) in keys.entries("images")?.unwrap_or_default() {
        inputs.insert(&name, Output::Image(or_null(keys.value("image"))));
    }
    for (name, mut keys) in keys.entries("configs")?.unwrap_or_default() {
        inputs.insert(&name, Output::Config(or_null(keys.value("config"))));
    }
    keys.end()?;
    Ok(inputs)
}

fn param(mut keys: Keys<'_>) -> Result<BlueprintParam, Wrong> {
    let place = keys.here();
    let name = keys.text("name")?;
    let (value, default) = (keys.value("value"), keys.value("default"));
    keys.end()?;
    let name = name.ok_or_else(|| Wrong::new(format!("{place} has no `name`")))?;
    if value.is_some() == default.is_some() {
        let why = format!("{place} needs either a `value` or a `default`");
        return Err(Wrong::new(why));
    }
    Ok(BlueprintParam {
        name,
        value,
        default,
    })
}

fn output(mut keys: Keys<'_>) -> Result<Output, Wrong> {
    let place = keys.here();
    let given = keys.mapping("source")?;
    let (image, config) = (keys.value("image"), keys.value("config"));
    keys.end()?;
    match (given, image, config) {
        (Some(mut keys), None, None) => {
            let source = source(&mut keys);
            keys.end()?;
            Ok(source)
        }
        (None, Some(image), None) => Ok(Output::Image(image)),
        (None, None, Some(config)) => Ok(Output::Config(config)),
        _ => Err(Wrong::new(format!(
            "{place} has to be one of `source`, `image` and `config`: a resource gives one thing"
        ))),
    }
}

fn source(keys: &mut Keys<'_>) -> Output {
    Output::Source {
        url: or_null(keys.value("url")),
        revision: or_null(keys.value("revision")),
    }
}

fn or_null(value: Option<Value>) -> Value {
    value.unwrap_or_default()
}
