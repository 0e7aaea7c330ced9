//! What is wrong with the environment variables of a container.

use serde_json::Value;

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
    if source.has("fieldRef") {
        field(source["fieldRef"].text("fieldPath"), at, faults);
    }
    if source.has("resourceFieldRef") {
        let name = source["resourceFieldRef"].text("resource");
        let at = at.field("resourceFieldRef");
        faults.one_of(&at.field("resource"), name, &RESOURCES);
    }
    for name in ["configMapKeyRef", "secretKeyRef"] {
        if source.has(name) {
            let (key, at) = (source.part(name), at.field(name));
            faults.subdomain(&at.field("name"), key.text("name"));
            match key.text("key") {
                "" => faults.required(&at.field("key"), ""),
                key => faults.each(&at.field("key"), key, rule::config_key(key)),
            }
        }
    }
    let given = source.as_object().into_iter().flatten();
    let why = match given.filter(|(_, value)| !value.is_null()).count() {
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
fn field(path: &str, at: &Path<'_>, faults: &mut Faults) {
    let at = at.field("fieldRef");
    let at = at.field("fieldPath");
    let is_entry =
        path.starts_with("metadata.labels['") || path.starts_with("metadata.annotations['");
    if path.is_empty() {
        faults.required(&at, "");
    } else if !is_entry && !FIELDS.contains(&path) {
        let why = format!("error converting fieldPath: field label not supported: {path}");
        faults.invalid(&at, path, why);
    }
}
