//! What is wrong with the containers of a Pod.

use std::collections::BTreeSet;

use serde_json::Value;

use super::volume::Volumes;
use super::{probe, resource, variable, volume};
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::{Part as _, names};
use crate::ways::rule;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const PULLS: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGES: [&str; 2] = ["File", "FallbackToLogsOnError"];

/// Looks at all containers.
pub(super) fn check(spec: &Value, at: &Path<'_>, volumes: &Volumes<'_>, faults: &mut Faults) {
    main(spec, &at.field("containers"), volumes, faults);
    before(spec, &at.field("initContainers"), volumes, faults);
}

fn main(spec: &Value, at: &Path<'_>, volumes: &Volumes<'_>, faults: &mut Faults) {
    let all = spec.items("containers");
    if all.is_empty() {
        faults.required(at, "");
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, container) in all.iter().enumerate() {
        let at = at.index(index);
        common(container, volumes, &at, faults);
        repeated(container, &mut seen, &at, faults);
        probe::check(container, spec, &at, faults);
    }
}

fn before(spec: &Value, at: &Path<'_>, volumes: &Volumes<'_>, faults: &mut Faults) {
    let mut seen = names(spec.items("containers"), "name");
    for (index, container) in spec.items("initContainers").iter().enumerate() {
        let place = at.index(index);
        common(container, volumes, &place, faults);
        repeated(container, &mut seen, &place, faults);
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

fn common(container: &Value, volumes: &Volumes<'_>, at: &Path<'_>, faults: &mut Faults) {
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
    volume::mounts(container, &at.field("volumeMounts"), volumes, faults);
    let policy = container.text("imagePullPolicy");
    faults.one_of(&at.field("imagePullPolicy"), policy, &PULLS);
    let resources = container.part("resources");
    resource::requirements(resources, &at.field("resources"), faults);
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
