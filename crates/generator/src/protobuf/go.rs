//! Reads the tags of Go structs: what fields are called in JSON, and when they are left out.

use std::collections::{BTreeMap, BTreeSet};

/// What the files of one Go package say.
#[derive(Default)]
pub(super) struct GoPackage {
    /// The API group, where the package has one.
    pub(super) group: Option<String>,
    /// The tags by type and number.
    pub(super) fields: BTreeMap<(String, u32), Tags>,
    /// The types that have apiVersion and kind.
    pub(super) kinds: BTreeSet<String>,
    /// The types that are lists of text by another name.
    pub(super) lists: BTreeSet<String>,
    /// The types that are those of another package by another name: its path, and the name there.
    pub(super) repeats: BTreeMap<String, (String, String)>,
}

/// What the tags of a field say.
#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the tag")]
pub(super) struct Tags {
    /// The name in JSON; empty where the tag has none.
    pub(super) json: Option<String>,
    pub(super) omit_empty: bool,
    pub(super) omit_zero: bool,
    pub(super) inline: bool,
    /// Whether the field is a pointer.
    pub(super) pointer: bool,
}

impl GoPackage {
    /// Reads one more file.
    pub(super) fn read(&mut self, text: &str) {
        let mut open: Option<&str> = None;
        let mut imports = BTreeMap::new();
        for line in text.lines() {
            if let Some((name, path)) = import(line) {
                imports.insert(name, path);
            } else if let Some(group) = line.strip_prefix("const GroupName = \"") {
                self.group = Some(group.trim_end_matches('"').to_owned());
            } else if let Some(declared) = line.strip_prefix("type ") {
                let mut words = declared.split_whitespace();
                let (Some(name), Some(of)) = (words.next(), words.next()) else {
                    continue;
                };
                open = (of == "struct").then_some(name);
                if of == "[]string" {
                    self.lists.insert(name.to_owned());
                } else if let Some((package, of)) = of.split_once('.')
                    && let Some(path) = imports.get(package)
                {
                    let of = ((*path).to_owned(), of.to_owned());
                    self.repeats.insert(name.to_owned(), of);
                }
            } else if line.starts_with('}') {
                open = None;
            } else if let Some(ty) = open {
                self.field(ty, line.trim());
            }
        }
    }

    fn field(&mut self, ty: &str, line: &str) {
        let Some((declared, tags)) = line.split_once('`') else {
            return;
        };
        if line.starts_with("//") {
            return;
        }
        let mut words = declared.split_whitespace();
        let first = words.next().unwrap_or_default();
        if first.ends_with("TypeMeta") {
            self.kinds.insert(ty.to_owned());
        }
        let number = tag(tags, "protobuf")
            .and_then(|tag| tag.split(',').nth(1))
            .and_then(|number| number.parse().ok());
        let Some(number) = number else { return };
        let of = words.next().unwrap_or(first);
        let mut json = tag(tags, "json").map(|tag| tag.split(','));
        let name = json.as_mut().and_then(Iterator::next).map(str::to_owned);
        let mut read = Tags {
            json: name,
            pointer: of.starts_with('*'),
            ..Tags::default()
        };
        for word in json.into_iter().flatten() {
            match word {
                "omitempty" => read.omit_empty = true,
                "omitzero" => read.omit_zero = true,
                "inline" => read.inline = true,
                _ => {}
            }
        }
        self.fields.insert((ty.to_owned(), number), read);
    }
}

/// The name and the path of a line of an import.
fn import(line: &str) -> Option<(&str, &str)> {
    let (name, path) = line.strip_prefix('\t')?.split_once('"')?;
    let path = path.strip_suffix('"')?;
    let last = path.rsplit('/').next()?;
    let name = name.trim();
    Some((if name.is_empty() { last } else { name }, path))
}

/// The value of one tag (`json:"name,omitempty"`).
fn tag<'a>(tags: &'a str, key: &str) -> Option<&'a str> {
    let (_, after) = tags.split_once(&format!("{key}:\""))?;
    after.split_once('"').map(|(value, _)| value)
}
