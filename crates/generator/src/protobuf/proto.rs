//! Reads one `generated.proto`: messages of numbered fields, nothing nested, no enums.

use std::collections::BTreeMap;

/// What one file says.
#[derive(Default)]
pub(super) struct ProtoFile {
    /// The package (`k8s.io.api.core.v1`).
    pub(super) package: String,
    /// The messages by name, their fields by number.
    pub(super) messages: BTreeMap<String, Vec<ProtoField>>,
}

/// One field.
pub(super) struct ProtoField {
    pub(super) number: u32,
    pub(super) name: String,
    /// The type of one value, as it is written.
    pub(super) ty: String,
    pub(super) shape: Shape,
}

/// How many values a field has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// At most one.
    One,
    /// A list.
    List,
    /// A map from text.
    Map,
}

/// Reads a file.
pub(super) fn read(text: &str) -> Result<ProtoFile, String> {
    let mut file = ProtoFile::default();
    let mut open: Option<(String, Vec<ProtoField>)> = None;
    let mut in_comment = false;
    for line in text.lines() {
        let line = line.trim();
        if in_comment || line.starts_with("/*") {
            in_comment = !line.ends_with("*/");
            continue;
        }
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        if let Some(package) = line.strip_prefix("package ") {
            package.trim_end_matches(';').clone_into(&mut file.package);
        } else if let Some(message) = line.strip_prefix("message ") {
            let name = message.trim_end_matches('{').trim().to_owned();
            open = Some((name, Vec::new()));
        } else if line == "}" {
            let (name, mut fields) = open.take().ok_or("a `}` without a message")?;
            fields.sort_by_key(|field| field.number);
            file.messages.insert(name, fields);
        } else if let Some((_, fields)) = &mut open {
            fields.push(field(line).ok_or_else(|| format!("not a field: {line}"))?);
        }
    }
    Ok(file)
}

fn field(line: &str) -> Option<ProtoField> {
    let (left, number) = line.strip_suffix(';')?.rsplit_once(" = ")?;
    let (before, name) = left.rsplit_once(' ')?;
    let (shape, ty) = if let Some(ty) = before.strip_prefix("repeated ") {
        (Shape::List, ty)
    } else if let Some(ty) = before.strip_prefix("map<string, ") {
        (Shape::Map, ty.strip_suffix('>')?)
    } else {
        (Shape::One, before.strip_prefix("optional ")?)
    };
    Some(ProtoField {
        number: number.parse().ok()?,
        name: name.to_owned(),
        ty: ty.to_owned(),
        shape,
    })
}
