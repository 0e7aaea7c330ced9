//! Messages and their fields, from the `generated.proto` files of the published modules.
//!
//! The `.proto` files say what is on the wire. The tags of the Go structs beside them say what the
//! JSON form is called, and when a field is left out. Both are read as lines of text: they are
//! written by generators and by gofmt.

mod go;
mod proto;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use go::GoPackage;
use proto::{ProtoField, ProtoFile, Shape};

use crate::RELEASE;

/// The modules that hold messages.
const MODULES: [&str; 4] = [
    "api",
    "apimachinery",
    "apiextensions-apiserver",
    "kube-aggregator",
];

/// Messages whose JSON form is not that of a struct, and the word that the table has for it.
const SPECIAL: [(&str, &str); 10] = [
    ("api.resource.Quantity", "quantity"),
    ("apis.meta.v1.FieldsV1", "raw"),
    ("apis.meta.v1.MicroTime", "microtime"),
    ("apis.meta.v1.Time", "time"),
    ("runtime.RawExtension", "raw"),
    ("util.intstr.IntOrString", "intorstring"),
    ("JSON", "raw"),
    ("JSONSchemaPropsOrArray", "orarray"),
    ("JSONSchemaPropsOrBool", "orbool"),
    ("JSONSchemaPropsOrStringArray", "orstrings"),
];

/// Messages that no field and no body has, or whose JSON form is not written by their tags.
const LEFT_OUT: [&str; 5] = [
    "api.resource.QuantityValue",
    "apis.meta.v1.Duration",
    "apis.meta.v1.Timestamp",
    "apis.meta.v1.Patch",
    "runtime.Unknown",
];

const HEAD: &str = "\
# Messages of the Kubernetes API on the wire and as JSON.
# Written by `generator protobuf` from the modules k8s.io/*@v0.36.3; not to be edited.
#
#   package NAME [API-VERSION]
#   message NAME [kind] [FORM]      kind: may be a body; FORM: the JSON form, where it is no struct
#   NUMBER JSON-NAME RSW [MESSAGE]  JSON-NAME `-`: its fields stand in the message around it
#
# R, what the JSON form has where the wire has nothing: o nothing, e nothing (nor for the zero
# value), n null, z the zero value. S: 1 one, * a list, % a map from text. W: s text, i int32,
# l int64, b bool, d double, y bytes, m a message (of this package where its name has no dot).
";

/// A package with all that is known of it.
struct Package {
    name: String,
    api_version: Option<String>,
    proto: ProtoFile,
    go: GoPackage,
}

/// Reads the modules and writes the data.
pub(crate) fn generate(modules: &Path, out: &Path) -> Result<(), String> {
    let mut packages = BTreeMap::new();
    for module in MODULES {
        let root = modules.join(format!("k8s.io/{module}@v0.{RELEASE}"));
        for folder in folders_with_messages(&root)? {
            let package = read_package(&folder)?;
            packages.insert(package.name.clone(), package);
        }
    }
    let mut table = HEAD.to_owned();
    for package in packages.values() {
        write_package(&mut table, package, &packages)?;
    }
    let file = out.join("protobuf.txt");
    fs::write(&file, table).map_err(|why| format!("cannot write {}: {why}", file.display()))
}

fn folders_with_messages(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        if folder.ends_with("testapigroup") {
            continue;
        }
        let entries = fs::read_dir(&folder)
            .map_err(|why| format!("cannot read {}: {why}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|why| why.to_string())?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.ends_with("generated.proto") {
                found.push(folder.clone());
            }
        }
    }
    Ok(found)
}

fn read_package(folder: &Path) -> Result<Package, String> {
    let proto = proto::read(&read(&folder.join("generated.proto"))?)?;
    let mut go = GoPackage::default();
    let entries =
        fs::read_dir(folder).map_err(|why| format!("cannot read {}: {why}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|why| why.to_string())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_go = path.extension().is_some_and(|extension| extension == "go");
        if is_go && !name.ends_with("_test.go") && !name.contains("generated") {
            go.read(&read(&path)?);
        }
    }
    let version = folder.file_name().unwrap_or_default().to_string_lossy();
    let api_version = go.group.as_ref().map(|group| match group.as_str() {
        "" => version.to_string(),
        group => format!("{group}/{version}"),
    });
    Ok(Package {
        name: short(&proto.package).to_owned(),
        api_version,
        proto,
        go,
    })
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|why| format!("cannot read {}: {why}", file.display()))
}

/// The name of a package or message without what all of them begin with.
fn short(name: &str) -> &str {
    const BEGINNINGS: [&str; 4] = [
        "k8s.io.apimachinery.pkg.",
        "k8s.io.apiextensions_apiserver.pkg.apis.",
        "k8s.io.kube_aggregator.pkg.apis.",
        "k8s.io.api.",
    ];
    let name = name.trim_start_matches('.');
    BEGINNINGS
        .iter()
        .find_map(|beginning| name.strip_prefix(beginning))
        .unwrap_or(name)
}

fn write_package(
    table: &mut String,
    package: &Package,
    packages: &BTreeMap<String, Package>,
) -> Result<(), String> {
    if package.proto.messages.is_empty() {
        return Ok(());
    }
    let name = &package.name;
    let api_version = package.api_version.as_deref().unwrap_or_default();
    let _ = writeln!(
        table,
        "{}",
        format!("package {name} {api_version}").trim_end()
    );
    for (message, fields) in &package.proto.messages {
        let full = format!("{name}.{message}");
        if LEFT_OUT.contains(&full.as_str()) {
            continue;
        }
        // `type List metav1.List` has the tags of the type that it repeats.
        let (go, ty) = match package.go.repeats.get(message) {
            Some((path, ty)) => {
                let of = path.replace('/', ".").replace('-', "_");
                let of = packages.get(short(&of));
                (
                    &of.ok_or_else(|| format!("{full}: no package {path}"))?.go,
                    ty,
                )
            }
            None => (&package.go, message),
        };
        let mut line = format!("message {message}");
        if package.api_version.is_some() && go.kinds.contains(ty) {
            line.push_str(" kind");
        }
        let form = if go.lists.contains(ty) {
            Some("list")
        } else {
            special(&full, message)
        };
        if let Some(form) = form {
            line.push(' ');
            line.push_str(form);
        }
        let _ = writeln!(table, "{line}");
        for field in fields {
            if let Some(line) = field_line(package, go, ty, field, packages)
                .map_err(|why| format!("{full}: {why}"))?
            {
                let _ = writeln!(table, "{line}");
            }
        }
    }
    Ok(())
}

fn special(full: &str, message: &str) -> Option<&'static str> {
    SPECIAL
        .iter()
        .find(|(name, _)| *name == full || *name == message)
        .map(|(_, form)| *form)
}

/// The line of a field; none for a field that has no JSON form.
fn field_line(
    package: &Package,
    go: &GoPackage,
    ty: &str,
    field: &ProtoField,
    packages: &BTreeMap<String, Package>,
) -> Result<Option<String>, String> {
    let number = field.number;
    let tags = go.fields.get(&(ty.to_owned(), number));
    let known = tags.is_some() || special(&format!("{}.{ty}", package.name), ty).is_some();
    if !known && !go.lists.contains(ty) {
        return Err(format!("no Go field has the number {number}"));
    }
    let tags = tags.cloned().unwrap_or_default();
    if tags.json.as_deref() == Some("-") {
        return Ok(None);
    }
    let name = match &tags.json {
        _ if tags.inline => "-",
        Some(name) if !name.is_empty() => name,
        _ => &field.name,
    };
    let wire = match field.ty.as_str() {
        "string" => 's',
        "int32" => 'i',
        "int64" => 'l',
        "bool" => 'b',
        "double" => 'd',
        "bytes" => 'y',
        _ => 'm',
    };
    let message = if wire == 'm' {
        let prefix = format!("{}.", package.name);
        let message = short(&field.ty);
        let message = message.strip_prefix(&prefix).unwrap_or(message);
        format!(" {message}")
    } else {
        String::new()
    };
    // A nil slice, map or pointer is null, and so is a type that is a slice by another name.
    let is_list_type = wire == 'm' && is_list(package, &field.ty, packages);
    let nilable = tags.pointer || field.shape != Shape::One || is_list_type;
    let rule = match (nilable, wire) {
        (true, 'm') if is_list_type && tags.omit_empty => 'e',
        (true, _) if tags.omit_empty => 'o',
        (false, 'm') if tags.omit_zero => 'e',
        // `omitempty` never leaves out a struct.
        (false, 'm') => 'z',
        (false, _) if tags.omit_empty => 'e',
        (true, _) | (false, 'y') => 'n',
        (false, _) => 'z',
    };
    let shape = match field.shape {
        Shape::One => '1',
        Shape::List => '*',
        Shape::Map => '%',
    };
    Ok(Some(format!(
        "{number} {name} {rule}{shape}{wire}{message}"
    )))
}

fn is_list(package: &Package, message: &str, packages: &BTreeMap<String, Package>) -> bool {
    let message = short(message);
    match message.rsplit_once('.') {
        Some((package, message)) => packages
            .get(package)
            .is_some_and(|package| package.go.lists.contains(message)),
        None => package.go.lists.contains(message),
    }
}
