//! What is wrong with the spec of a Pod.
//!
//! External rules: `ValidatePodSpec`, `ValidatePodTemplateSpec` and `ValidatePodCreate` of
//! k8s.io/kubernetes, pkg/apis/core/validation. Left out: what places a Pod on a node, its security,
//! its resolver, host ports, and ephemeral containers.

use serde_json::Value;

use super::{container, volume};
use crate::status::FieldError;
use crate::validate::{Path, label_value};
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;
use crate::ways::rule;

const RESTARTS: [&str; 3] = ["Always", "OnFailure", "Never"];
const RESOLVERS: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

/// What is wrong with any Pod.
pub(super) fn pod(pod: &Value, faults: &mut Faults) {
    let at = Path::at("spec");
    let value = pod.part("spec");
    spec(value, &at, &[], faults);
    for list in ["containers", "initContainers"] {
        let at = at.field(list);
        for (index, container) in value.items(list).iter().enumerate() {
            untrimmed(container, &at.index(index), faults);
        }
    }
}

/// An image's name with blanks around it.
fn untrimmed(container: &Value, at: &Path<'_>, faults: &mut Faults) {
    let image = container.text("image");
    if image.trim() != image {
        let why = "must not have leading or trailing whitespace";
        faults.invalid(&at.field("image"), image, why);
    }
}

/// What is wrong with the template of Pods, to which its owner may add volumes: claims.
pub(in crate::ways) fn template(
    template: &Value,
    at: &Path<'_>,
    claims: &[Value],
) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let metadata = template.part("metadata");
    faults.labels(&at.field("labels"), metadata.part("labels"));
    annotations(metadata, &at.field("annotations"), &mut faults);
    let value = template.part("spec");
    spec(value, &at.field("spec"), claims, &mut faults);
    faults.into_errors()
}

fn annotations(metadata: &Value, at: &Path<'_>, faults: &mut Faults) {
    for (key, _) in metadata.entries("annotations") {
        faults.each(
            at,
            key,
            crate::validate::qualified_name(&key.to_lowercase()),
        );
    }
}

fn spec(value: &Value, at: &Path<'_>, claims: &[Value], faults: &mut Faults) {
    let volumes = volume::check(value, &at.field("volumes"), claims, faults);
    container::check(value, at, &volumes, faults);
    faults.one_of(
        &at.field("restartPolicy"),
        value.text("restartPolicy"),
        &RESTARTS,
    );
    faults.one_of(&at.field("dnsPolicy"), value.text("dnsPolicy"), &RESOLVERS);
    faults.labels(&at.field("nodeSelector"), value.part("nodeSelector"));
    for name in ["serviceAccountName", "nodeName"] {
        subdomain(value, name, at, faults);
    }
    if let Some(seconds) = value.some_number("activeDeadlineSeconds") {
        let fault = rule::range(seconds, 1, i64::from(i32::MAX));
        faults.each_number(&at.field("activeDeadlineSeconds"), seconds, fault);
    }
    let tolerations = at.field("tolerations");
    for (index, toleration) in value.items("tolerations").iter().enumerate() {
        self::toleration(toleration, &tolerations.index(index), faults);
    }
    let aliases = at.field("hostAliases");
    for (index, alias) in value.items("hostAliases").iter().enumerate() {
        let (at, ip) = (aliases.index(index), alias.text("ip"));
        faults.each(&at.field("ip"), ip, rule::ip_faults(ip));
        let at = at.field("hostnames");
        for (index, name) in alias.texts("hostnames").enumerate() {
            faults.subdomain(&at.index(index), name);
        }
    }
    subdomain(value, "priorityClassName", at, faults);
}

fn toleration(toleration: &Value, at: &Path<'_>, faults: &mut Faults) {
    let text = |name| toleration.text(name);
    let (key, value, operator) = (text("key"), text("value"), text("operator"));
    let operator_at = at.field("operator");
    if !key.is_empty() {
        faults.qualified(&at.field("key"), key);
    } else if operator != "Exists" {
        let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        faults.invalid(&operator_at, operator, why);
    }
    let (effect, effect_at) = (text("effect"), at.field("effect"));
    if toleration.has("tolerationSeconds") && effect != "NoExecute" {
        let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        faults.invalid(&effect_at, effect, why);
    }
    match operator {
        "Equal" | "" => {
            let why = label_value(value).join(";");
            if !why.is_empty() {
                faults.invalid(&operator_at, value, why);
            }
        }
        "Exists" if value.is_empty() => {}
        "Exists" => {
            let why = "value must be empty when `operator` is 'Exists'";
            faults.invalid(&operator_at, value, why);
        }
        "Lt" | "Gt" => faults.unsupported(&operator_at, operator, &["Equal", "Exists", "Gt", "Lt"]),
        _ => faults.unsupported(&operator_at, operator, &["Equal", "Exists"]),
    }
    let known = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
    if !effect.is_empty() && !known.contains(&effect) {
        faults.unsupported(&effect_at, effect, &known);
    }
}

fn subdomain(spec: &Value, name: &str, at: &Path<'_>, faults: &mut Faults) {
    let value = spec.text(name);
    if !value.is_empty() {
        faults.subdomain(&at.field(name), value);
    }
}
