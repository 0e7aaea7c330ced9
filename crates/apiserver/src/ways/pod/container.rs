//! What is wrong with the containers of a Pod.

use std::collections::BTreeSet;

use serde_json::Value;

use super::resource::{self, Of};
use super::volume::Volumes;
use super::{check, mount, probe, security, variable};
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, names};
use crate::ways::rule;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const PULLS: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGES: [&str; 2] = ["File", "FallbackToLogsOnError"];
const RESTARTS: [&str; 3] = ["Always", "Never", "OnFailure"];
const ACTIONS: [&str; 2] = ["Restart", "RestartAllContainers"];

/// Looks at all containers.
pub(super) fn check<'a>(
    spec: &'a Value,
    at: &Path<'_>,
    volumes: &'a Volumes<'a>,
    faults: &mut Faults,
) {
    let pod = Pod {
        spec,
        volumes,
        claims: names(spec.items("resourceClaims"), "name"),
    };
    main(&pod, &at.field("containers"), faults);
    before(&pod, &at.field("initContainers"), faults);
    added(&pod, &at.field("ephemeralContainers"), faults);
}

/// What containers may refer to.
struct Pod<'a> {
    spec: &'a Value,
    volumes: &'a Volumes<'a>,
    /// The names of claims.
    claims: BTreeSet<&'a str>,
}

fn main(pod: &Pod<'_>, at: &Path<'_>, faults: &mut Faults) {
    let spec = pod.spec;
    let all = spec.items("containers");
    if all.is_empty() {
        faults.required(at, "");
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, container) in all.iter().enumerate() {
        let at = at.index(index);
        common(container, pod, &at, faults);
        repeated(container, &mut seen, &at, faults);
        probe::check(container, spec, &at, faults);
        restarts(container, &at, faults);
    }
    host_ports(all, at, faults);
}

fn before(pod: &Pod<'_>, at: &Path<'_>, faults: &mut Faults) {
    let spec = pod.spec;
    let all = spec.items("initContainers");
    let mut seen = names(spec.items("containers"), "name");
    for (index, container) in all.iter().enumerate() {
        let place = at.index(index);
        common(container, pod, &place, faults);
        if container.has("restartPolicy") || !container.items("restartPolicyRules").is_empty() {
            restarts(container, &place, faults);
        }
        repeated(container, &mut seen, &place, faults);
        host_ports(&all[index..=index], at, faults);
        if container.text("restartPolicy") == "Always" {
            probe::check(container, spec, &place, faults);
            continue;
        }
        for name in [
            "lifecycle",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
        ] {
            if container.has(name) {
                let why = "may not be set for init containers without restartPolicy=Always";
                faults.forbidden(&place.field(name), why);
            }
        }
    }
}

fn added(pod: &Pod<'_>, at: &Path<'_>, faults: &mut Faults) {
    let spec = pod.spec;
    let all = spec.items("ephemeralContainers");
    let mut others = names(spec.items("containers"), "name");
    others.extend(names(spec.items("initContainers"), "name"));
    let mut seen = others.clone();
    for (index, container) in all.iter().enumerate() {
        let at = at.index(index);
        common(container, pod, &at, faults);
        check::untrimmed(container, &at, faults);
        repeated(container, &mut seen, &at, faults);
        let target = container.text("targetContainerName");
        if !target.is_empty() && !others.contains(target) {
            faults.not_found(&at.field("targetContainerName"), target);
        }
        for name in [
            "ports",
            "resources",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle",
            "resizePolicy",
            "restartPolicy",
        ] {
            let is_set = match &container[name] {
                Value::Null => false,
                Value::Object(fields) => !fields.is_empty(),
                Value::Array(items) => !items.is_empty(),
                _ => true,
            };
            if is_set {
                faults.forbidden(&at.field(name), "cannot be set for an Ephemeral Container");
            }
        }
        let mounts = at.field("volumeMounts");
        for (index, mount) in container.items("volumeMounts").iter().enumerate() {
            let at = mounts.index(index);
            for name in ["subPath", "subPathExpr"] {
                if !mount.text(name).is_empty() {
                    faults.forbidden(&at.field(name), "cannot be set for an Ephemeral Container");
                }
            }
        }
    }
}

/// A container's name is its own.
fn repeated<'a>(
    container: &'a Value,
    seen: &mut BTreeSet<&'a str>,
    at: &Path<'_>,
    faults: &mut Faults,
) {
    let name = container.text("name");
    if !seen.insert(name) {
        faults.duplicate(&at.field("name"), name);
    }
}

fn common(container: &Value, pod: &Pod<'_>, at: &Path<'_>, faults: &mut Faults) {
    let name = container.text("name");
    if name.is_empty() {
        faults.required(&at.field("name"), "");
    } else {
        faults.label(&at.field("name"), name);
    }
    if container.text("image").is_empty() {
        faults.required(&at.field("image"), "");
    }
    let policy = container.text("terminationMessagePolicy");
    faults.one_of(&at.field("terminationMessagePolicy"), policy, &MESSAGES);
    ports(container, &at.field("ports"), faults);
    variable::check(container, at, faults);
    mount::mounts(container, at, pod.volumes, faults);
    let policy = container.text("imagePullPolicy");
    faults.one_of(&at.field("imagePullPolicy"), policy, &PULLS);
    let of = Of::Container(&pod.claims);
    let resources = container.part("resources");
    resource::requirements(resources, &at.field("resources"), of, faults);
    resizes(container, pod.spec, &at.field("resizePolicy"), faults);
    security::of_container(container, pod.spec, &at.field("securityContext"), faults);
}

fn ports(container: &Value, at: &Path<'_>, faults: &mut Faults) {
    let mut names = BTreeSet::new();
    for (index, port) in container.items("ports").iter().enumerate() {
        let at = at.index(index);
        let name = port.text("name");
        if !name.is_empty() {
            let found = rule::port_name(name);
            if !found.is_empty() {
                faults.each(&at.field("name"), name, found);
            } else if !names.insert(name) {
                faults.duplicate(&at.field("name"), name);
            }
        }
        match port.number("containerPort") {
            0 => faults.required(&at.field("containerPort"), ""),
            number => faults.port(&at.field("containerPort"), number),
        }
        let host = port.number("hostPort");
        if host != 0 {
            faults.port(&at.field("hostPort"), host);
        }
        faults.one_of(&at.field("protocol"), port.text("protocol"), &PROTOCOLS);
    }
}

/// A node's port can be had once.
fn host_ports(containers: &[Value], at: &Path<'_>, faults: &mut Faults) {
    let mut taken = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        let at = at.index(index);
        let at = at.field("ports");
        for (index, port) in container.items("ports").iter().enumerate() {
            let number = port.number("hostPort");
            if number == 0 {
                continue;
            }
            let key = (port.text("protocol"), port.text("hostIP"), number);
            if !taken.insert(key) {
                let shown = format!("{}/{}/{}", key.0, key.1, key.2);
                faults.duplicate(&at.index(index).field("hostPort"), shown);
            }
        }
    }
}

fn resizes(container: &Value, spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let all = container.items("resizePolicy");
    let mut seen = BTreeSet::new();
    for (index, policy) in all.iter().enumerate() {
        let (name, restart) = (policy.text("resourceName"), policy.text("restartPolicy"));
        if !seen.insert(name) {
            faults.duplicate(&at.index(index), name);
        }
        faults.one_of(at, name, &["cpu", "memory"]);
        faults.one_of(at, restart, &["NotRequired", "RestartContainer"]);
        if spec.text("restartPolicy") == "Never" && restart != "NotRequired" {
            let why = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            faults.invalid(at, restart, why);
        }
    }
}

fn restarts(container: &Value, at: &Path<'_>, faults: &mut Faults) {
    let rules = container.items("restartPolicyRules");
    match container["restartPolicy"].as_str() {
        None if !rules.is_empty() => {
            let why = "must specify restartPolicy when restart rules are used";
            faults.required(&at.field("restartPolicy"), why);
        }
        Some(policy) if !RESTARTS.contains(&policy) => {
            faults.unsupported(&at.field("restartPolicy"), policy, &RESTARTS);
        }
        _ => {}
    }
    let at = at.field("restartPolicyRules");
    if rules.len() > 20 {
        faults.too_many(&at, rules.len(), 20);
    }
    for (index, rule) in rules.iter().enumerate() {
        let at = at.index(index);
        let action = rule.text("action");
        if !ACTIONS.contains(&action) {
            faults.unsupported(&at.field("action"), action, &ACTIONS);
        }
        let at = at.field("exitCodes");
        if !rule.has("exitCodes") {
            faults.required(&at, "must be specified");
            continue;
        }
        let codes = rule.part("exitCodes");
        let operator = codes.text("operator");
        if !["In", "NotIn"].contains(&operator) {
            faults.unsupported(&at.field("operator"), operator, &["In", "NotIn"]);
        }
        let values = codes.items("values").len();
        if values > 255 {
            faults.too_many(&at.field("values"), values, 255);
        }
    }
}
