//! What a case is given: by `info.yaml` and the files beside it, each folder over those above it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::compare::Compare;
use super::file;
use super::keys::Keys;
use super::with::{Chain, Mock, With};
use super::wrong::Wrong;

const INFO: &str = "info.yaml";
const TEMPLATE: &str = "template.yaml";
const TEMPLATE_VALUES: &str = "template-ytt-values.yaml";
const WORKLOAD: &str = "workload.yaml";
const EXPECTED: &str = "expected.yaml";

/// A file, and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) path: PathBuf,
    /// File and key; none where it has the name that is looked for.
    pub(super) by: Option<String>,
}

/// Everything that a folder and those above it say.
#[derive(Clone, Debug, Default)]
pub(super) struct Case {
    /// What it is called, which is its own folder's alone.
    pub(super) name: Option<String>,
    /// What it is about, likewise.
    pub(super) description: Option<String>,
    pub(super) is_focused: bool,
    pub(super) template: TemplateFile,
    pub(super) workload: Option<Named>,
    pub(super) expected: Option<Named>,
    /// Which of the two that follow counts: the one that was spoken of last.
    pub(super) with: With,
    pub(super) mock: Mock,
    pub(super) chain: Chain,
    pub(super) compare: Compare,
    /// Whether anything of a case was there.
    pub(super) has_begun: bool,
}

/// Where the template is.
#[derive(Clone, Debug, Default)]
pub(super) struct TemplateFile {
    pub(super) file: Option<Named>,
    /// Which one, where the file has several.
    pub(super) name: Option<String>,
    /// The data values that the file is evaluated with first.
    pub(super) values: Option<Named>,
}

impl Case {
    /// What a folder says, over what this one does.
    pub(super) fn within(&self, folder: &Path) -> Result<Self, Wrong> {
        let mut case = Self {
            name: None,
            description: None,
            ..self.clone()
        };
        let info = folder.join(INFO);
        let file = info.display().to_string();
        let value = if info.exists() {
            case.has_begun = true;
            file::only(&Named::found(info))?
        } else {
            Value::Null
        };
        let mut keys = Keys::of(&file, value)?;
        let mut metadata = keys.section("metadata")?;
        case.name = metadata.text("name")?;
        case.description = metadata.text("description")?;
        metadata.end()?;
        case.read_given(folder, keys.section("given")?)?;
        let expected = one(folder, &mut keys, "expected", EXPECTED)?;
        put(&mut case.expected, expected);
        if let Some(is_focused) = keys.flag("focus")? {
            case.is_focused = is_focused;
        }
        case.compare.read(keys.section("compareOptions")?)?;
        keys.end()?;
        let files = [&case.template.file, &case.workload, &case.expected];
        case.has_begun |= files.iter().any(|file| file.is_some()) || case.with == With::Chain;
        Ok(case)
    }

    fn read_given(&mut self, folder: &Path, mut keys: Keys<'_>) -> Result<(), Wrong> {
        self.template.read(folder, keys.section("template")?)?;
        let workload = one(folder, &mut keys, "workload", WORKLOAD)?;
        put(&mut self.workload, workload);
        let is_mocked = self.mock.read(keys.section("mockSupplyChain")?)?;
        let is_chained = self.chain.read(folder, keys.section("supplyChain")?)?;
        keys.end()?;
        match (is_mocked, is_chained) {
            (true, true) => {
                let folder = folder.display();
                let why = format!("`{folder}` has both a supply chain and a mocked one");
                return Err(Wrong::new(why)
                    .hint("a supply chain is also a file whose name begins with supply-chain"));
            }
            (true, false) => self.with = With::Mock,
            (false, true) => self.with = With::Chain,
            (false, false) => {}
        }
        Ok(())
    }
}

impl TemplateFile {
    fn read(&mut self, folder: &Path, mut keys: Keys<'_>) -> Result<(), Wrong> {
        put(&mut self.file, one(folder, &mut keys, "path", TEMPLATE)?);
        put(&mut self.name, keys.text("name")?);
        let values = one(folder, &mut keys, "yttPath", TEMPLATE_VALUES)?;
        put(&mut self.values, values);
        keys.end()
    }
}

impl Named {
    /// One that has the name that is looked for.
    pub(super) fn found(path: PathBuf) -> Self {
        Self { path, by: None }
    }
}

/// What is said here replaces what is said above.
pub(super) fn put<T>(slot: &mut Option<T>, said: Option<T>) {
    if said.is_some() {
        *slot = said;
    }
}

/// A file that `info.yaml` names, or that is there under the name that is looked for.
pub(super) fn one(
    folder: &Path,
    keys: &mut Keys<'_>,
    key: &'static str,
    otherwise: &str,
) -> Result<Option<Named>, Wrong> {
    let by = Some(keys.name(key));
    if let Some(path) = keys.text(key)? {
        let path = folder.join(path);
        return Ok(Some(Named { path, by }));
    }
    let path = folder.join(otherwise);
    Ok(path.exists().then(|| Named::found(path)))
}

#[cfg(test)]
mod tests;
