//! Types and resources, from the OpenAPI v3 documents and the discovery dump of k8s.io/kubernetes.
//!
//! What is written is small and in a fixed order, one type and one resource per line, so that the
//! changes of a release can be read. Fields are written as in Go's sources, whose struct tags say what
//! OpenAPI does not: which empty values are left out.

mod agree;
mod golang;
mod openapi;
mod resource;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::RELEASE;

/// Reads the modules and writes `types.json`, `words.json` and `resources.json`.
///
/// # Errors
/// Says which file cannot be read, or where two of upstream's sources disagree.
pub(crate) fn generate(modules: &Path, out: &Path) -> Result<(), String> {
    let modules = modules.join("k8s.io");
    let kubernetes = folder(&modules, "kubernetes")?;
    let resources = resource::read(&kubernetes.join("api/discovery"))?;
    let documents = openapi::read(&kubernetes.join("api/openapi-spec/v3"))?;
    let mut structs = golang::Sources::new(&modules)?;
    let types = openapi::convert(&documents, &resource::roots(&resources), &mut structs)?;
    let client = folder(&modules, "client-go")?;
    agree::check(&types, &client)?;
    write(&out.join("types.json"), &lines(&types))?;
    let taken = words::taken(&read(&kubernetes.join(words::DEFINITIONS))?);
    let words = words::of(&documents, &types, &taken);
    write(&out.join("words.json"), &lines(&words))?;
    write(&out.join("resources.json"), &resource::text(&resources))
}

/// The folder of a module, as that of the release (`client-go@v0.36.3`, `kubernetes@v1.36.3`).
fn folder(modules: &Path, module: &str) -> Result<PathBuf, String> {
    let major = u8::from(module == "kubernetes"); // all others are 0
    let folder = modules.join(format!("{module}@v{major}.{RELEASE}"));
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(format!("{} is not there", folder.display()))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))
}

fn read_json(path: &Path) -> Result<Value, String> {
    serde_json::from_str(&read(path)?).map_err(|why| format!("{}: {why}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|why| format!("{}: {why}", path.display()))
}

/// An object with one entry per line.
fn lines(entries: &BTreeMap<String, Value>) -> String {
    let lines: Vec<String> = entries
        .iter()
        .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
        .collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}
