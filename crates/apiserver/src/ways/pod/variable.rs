//! What is wrong with the environment variables of a container.

use serde_json::Value;

use super::resource;
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;
use crate::ways::rule;

const FIELDS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// Looks at `env` and `envFrom`.
pub(super) fn check(container: &Value, at: &Path<'_>, faults: &mut Faults) {
    let env = at.field("env");
    for (index, variable) in container.items("env").iter().enumerate() {
        let at = env.index(index);
        let name = variable.text("name");
        if name.is_empty() {
            faults.required(&at.field("name"), "");
        } else {
            faults.each(&at.field("name"), name, rule::variable(name));
        }
        if variable.has("valueFrom") {
            source(variable, &at.field("valueFrom"), faults);
        }
    }
    let from = at.field("envFrom");
    for (index, source) in container.items("envFrom").iter().enumerate() {
        let at = from.index(index);
        let prefix = source.text("prefix");
        if !prefix.is_empty() {
            faults.each(&at.field("prefix"), prefix, rule::variable(prefix));
        }
        let mut given = 0;
        for name in ["configMapRef", "secretRef"] {
            if source.has(name) {
                given += 1;
                let at = at.field(name);
                match source[name].text("name") {
                    "" => faults.required(&at.field("name"), ""),
                    name => faults.subdomain(&at.field("name"), name),
                }
            }
        }
        if given == 0 {
            faults.invalid(
                &from,
                "",
                "must specify one of: `configMapRef` or `secretRef`",
            );
        } else if given > 1 {
            let why = "may not have more than one field specified at a time";
            faults.invalid(&from, "", why);
        }
    }
}

fn source(variable: &Value, at: &Path<'_>, faults: &mut Faults) {
    let source = variable.part("valueFrom");
    let mut given = 0;
    if source.has("fieldRef") {
        given += 1;
        field(
            source.part("fieldRef"),
            &FIELDS,
            &at.field("fieldRef"),
            faults,
        );
    }
    if source.has("resourceFieldRef") {
        given += 1;
        let at = at.field("resourceFieldRef");
        resource_field(source.part("resourceFieldRef"), &at, faults);
    }
    for name in ["configMapKeyRef", "secretKeyRef"] {
        if source.has(name) {
            given += 1;
            let (key, at) = (source.part(name), at.field(name));
            faults.subdomain(&at.field("name"), key.text("name"));
            match key.text("key") {
                "" => faults.required(&at.field("key"), ""),
                key => faults.each(&at.field("key"), key, rule::config_key(key)),
            }
        }
    }
    if source.has("fileKeyRef") {
        given += 1;
        let (file, at) = (source.part("fileKeyRef"), at.field("fileKeyRef"));
        match file.text("key") {
            "" => faults.required(&at.field("key"), ""),
            key => faults.each(&at.field("key"), key, rule::variable(key)),
        }
        for name in ["volumeName", "path"] {
            if file.text(name).is_empty() {
                faults.required(&at.field(name), "");
            }
        }
    }
    let why = match given {
        0 => {
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        }
        _ if !variable.text("value").is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    faults.invalid(at, "", why);
}

/// A reference to a field of the Pod.
pub(super) fn field(reference: &Value, known: &[&str], at: &Path<'_>, faults: &mut Faults) {
    let path = reference.text("fieldPath");
    let version = reference.text("apiVersion");
    if path.is_empty() {
        faults.required(&at.field("fieldPath"), "");
        return;
    }
    if version != "v1" {
        let why = format!("error converting fieldPath: unsupported pod version: {version}");
        faults.invalid(&at.field("fieldPath"), path, why);
        return;
    }
    let subscript = path
        .strip_suffix("']")
        .and_then(|path| path.split_once("['"));
    match subscript {
        Some(("metadata.annotations", key)) => faults.qualified(at, &key.to_lowercase()),
        Some(("metadata.labels", key)) => faults.qualified(at, key),
        Some(_) => {
            let why = format!(
                "error converting fieldPath: field label does not support subscript: {path}"
            );
            faults.invalid(&at.field("fieldPath"), path, why);
        }
        None if known.contains(&path) => {}
        None if is_known(path) => faults.unsupported(&at.field("fieldPath"), path, known),
        None => {
            let why = format!("error converting fieldPath: field label not supported: {path}");
            faults.invalid(&at.field("fieldPath"), path, why);
        }
    }
}

fn is_known(path: &str) -> bool {
    let others = [
        "metadata.annotations",
        "metadata.labels",
        "spec.restartPolicy",
        "spec.schedulerName",
        "status.phase",
    ];
    FIELDS.contains(&path) || others.contains(&path)
}

/// A reference to an amount that a container asks for.
pub(super) fn resource_field(reference: &Value, at: &Path<'_>, faults: &mut Faults) {
    let name = reference.text("resource");
    let huge = ["requests.hugepages-", "limits.hugepages-"];
    if name.is_empty() {
        faults.required(&at.field("resource"), "");
    } else if !RESOURCES.contains(&name) && !huge.iter().any(|start| name.starts_with(start)) {
        faults.unsupported(&at.field("resource"), name, &RESOURCES);
    }
    let divisor = reference.part("divisor");
    let text = divisor.as_str().unwrap_or_default();
    if resource::amount(divisor).unwrap_or(0) == 0 {
        return;
    }
    let (known, why) = match name.split_once('.').map_or("", |(_, name)| name) {
        "cpu" => (
            &["1m", "1"][..],
            "only divisor's values 1m and 1 are supported with the cpu resource",
        ),
        "memory" => (
            SIZES,
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource",
        ),
        "ephemeral-storage" => (
            SIZES,
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource",
        ),
        _ => return,
    };
    if !known.contains(&text) {
        faults.invalid(&at.field("divisor"), name, why);
    }
}

const SIZES: &[&str] = &[
    "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
];
