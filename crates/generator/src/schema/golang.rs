//! Go's structs, as far as encoding/json looks at them: which fields are pointers, and which empty
//! values are left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{folder, read};

/// How a field is declared.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    /// Whether its type is a pointer.
    pub(super) pointer: bool,
    /// Whether its tag says `omitempty`.
    pub(super) omit_empty: bool,
    /// Whether its tag says `omitzero`.
    pub(super) omit_zero: bool,
}

/// A line of a struct.
#[derive(Clone, Debug)]
enum Line {
    /// A field with a JSON name.
    Field(String, Declared),
    /// A struct of the same package whose fields are inlined.
    Inline(String),
}

type Package = BTreeMap<String, Vec<Line>>;

/// The packages read so far.
pub(super) struct Sources {
    roots: Vec<(&'static str, PathBuf)>,
    packages: BTreeMap<PathBuf, Package>,
}

impl Sources {
    /// Finds the modules of types.
    pub(super) fn new(modules: &Path) -> Result<Self, String> {
        let mut roots = Vec::new();
        for (prefix, module) in [
            ("io.k8s.api.", "api"),
            ("io.k8s.apimachinery.", "apimachinery"),
            ("io.k8s.apiextensions-apiserver.", "apiextensions-apiserver"),
            ("io.k8s.kube-aggregator.", "kube-aggregator"),
        ] {
            roots.push((prefix, folder(modules, module)?));
        }
        Ok(Self {
            roots,
            packages: BTreeMap::new(),
        })
    }

    /// The fields of a type, by its OpenAPI name.
    pub(super) fn fields(&mut self, name: &str) -> Result<BTreeMap<String, Declared>, String> {
        let unknown = || format!("{name} is in no module");
        let (rest, root) = self
            .roots
            .iter()
            .find_map(|(prefix, root)| Some((name.strip_prefix(prefix)?, root)))
            .ok_or_else(unknown)?;
        let (package, ty) = rest.rsplit_once('.').ok_or_else(unknown)?;
        let folder = root.join(package.replace('.', "/"));
        if !self.packages.contains_key(&folder) {
            let package = parse_package(&folder)?;
            self.packages.insert(folder.clone(), package);
        }
        let package = &self.packages[&folder];
        let mut fields = BTreeMap::new();
        collect(package, ty, &mut fields);
        Ok(fields)
    }
}

/// Go prefers the field that is nearer; inlined ones only fill up.
fn collect(package: &Package, ty: &str, fields: &mut BTreeMap<String, Declared>) {
    for line in package.get(ty).into_iter().flatten() {
        match line {
            Line::Field(name, declared) => {
                fields.insert(name.clone(), declared.clone());
            }
            Line::Inline(inlined) => {
                let mut theirs = BTreeMap::new();
                collect(package, inlined, &mut theirs);
                for (name, declared) in theirs {
                    fields.entry(name).or_insert(declared);
                }
            }
        }
    }
}

fn parse_package(folder: &Path) -> Result<Package, String> {
    let mut package = Package::new();
    let entries =
        std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        if path.extension().is_some_and(|end| end == "go") && !name.ends_with("_test.go") {
            parse_file(&read(&path)?, &mut package);
        }
    }
    Ok(package)
}

/// Reads `type X struct {` up to the closing brace in the first column, as gofmt writes it.
fn parse_file(text: &str, package: &mut Package) {
    let mut current: Option<&str> = None;
    for line in text.lines() {
        let opened = line
            .strip_prefix("type ")
            .and_then(|rest| rest.strip_suffix(" struct {"));
        if opened.is_some() {
            current = opened;
        } else if line.starts_with('}') {
            current = None;
        } else if let (Some(name), Some(parsed)) = (current, parse_line(line)) {
            package.entry(name.to_owned()).or_default().push(parsed);
        }
    }
}

fn parse_line(line: &str) -> Option<Line> {
    let (declaration, tags) = line.split_once('`')?;
    let tag = tags.split_once("json:\"")?.1.split_once('"')?.0;
    let words: Vec<&str> = declaration.split_whitespace().collect();
    let ty = *words.last()?;
    if ty.starts_with("//") || words.first()?.starts_with("//") {
        return None;
    }
    let mut parts = tag.split(',');
    let name = parts.next().filter(|name| !name.is_empty());
    let options: Vec<&str> = parts.collect();
    match name {
        Some("-") => None,
        Some(name) => Some(Line::Field(
            name.to_owned(),
            Declared {
                pointer: ty.starts_with('*'),
                omit_empty: options.contains(&"omitempty"),
                omit_zero: options.contains(&"omitzero"),
            },
        )),
        None => Some(Line::Inline(ty.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_is_read_with_what_it_inlines() {
        let text = "\
type Volume struct {
\t// Name is a name.
\tName string `json:\"name\" protobuf:\"bytes,1,opt,name=name\"`
\t// Old string `json:\"old\"`
\tVolumeSource `json:\",inline\" protobuf:\"bytes,2,opt,name=volumeSource\"`
}
type VolumeSource struct {
\tEmpty *Empty `json:\"emptyDir,omitempty\"`
}
";
        let mut package = Package::new();
        parse_file(text, &mut package);
        let mut fields = BTreeMap::new();
        collect(&package, "Volume", &mut fields);
        let names: Vec<&String> = fields.keys().collect();
        assert_eq!(names, ["emptyDir", "name"]);
        assert!(fields["emptyDir"].pointer && fields["emptyDir"].omit_empty);
        assert!(!fields["name"].pointer && !fields["name"].omit_empty);
    }
}
