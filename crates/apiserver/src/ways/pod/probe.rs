//! What is wrong with the probes and hooks of a container.

use serde_json::Value;

use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;

const COUNTS: [&str; 5] = [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
];

/// Looks at all of them.
pub(super) fn check(container: &Value, spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let grace = spec.number("terminationGracePeriodSeconds");
    if container.has("lifecycle") {
        let (lifecycle, at) = (container.part("lifecycle"), at.field("lifecycle"));
        for name in ["postStart", "preStop"] {
            if lifecycle.has(name) {
                handler(lifecycle.part(name), &at.field(name), grace, faults);
            }
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if !container.has(name) {
            continue;
        }
        let (probe, at) = (container.part(name), at.field(name));
        handler(probe, &at, grace, faults);
        faults.none_negative(&at, probe, &COUNTS);
        let seconds = probe.some_number("terminationGracePeriodSeconds");
        let seconds_at = at.field("terminationGracePeriodSeconds");
        if let Some(seconds) = seconds.filter(|seconds| *seconds <= 0) {
            faults.invalid(&seconds_at, seconds, "must be greater than 0");
        }
        if name == "readinessProbe" {
            if let Some(seconds) = seconds {
                faults.invalid(&seconds_at, seconds, "must not be set for readinessProbes");
            }
        } else if probe.number("successThreshold") != 1 {
            let count = probe.number("successThreshold");
            faults.invalid(&at.field("successThreshold"), count, "must be 1");
        }
    }
}

fn handler(handler: &Value, at: &Path<'_>, grace: i64, faults: &mut Faults) {
    let mut given = false;
    for name in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        if !handler.has(name) {
            continue;
        }
        let (action, at) = (handler.part(name), at.field(name));
        if given {
            faults.forbidden(&at, "may not specify more than 1 handler type");
            continue;
        }
        given = true;
        match name {
            "exec" => {
                if action.items("command").is_empty() {
                    faults.required(&at.field("command"), "");
                }
            }
            "httpGet" => get(action, &at, faults),
            "sleep" => {
                let seconds = action.number("seconds");
                if seconds < 0 || seconds > grace {
                    let why = format!(
                        "must be non-negative and less than terminationGracePeriodSeconds ({grace})"
                    );
                    faults.invalid(&at, seconds, why);
                }
            }
            _ => faults.port_or_name(&at.field("port"), action.part("port")),
        }
    }
    if !given {
        faults.required(at, "must specify a handler type");
    }
}

fn get(get: &Value, at: &Path<'_>, faults: &mut Faults) {
    if get.text("path").is_empty() {
        faults.required(&at.field("path"), "");
    }
    faults.port_or_name(&at.field("port"), get.part("port"));
    let scheme = get.text("scheme");
    if !["HTTP", "HTTPS"].contains(&scheme) {
        faults.unsupported(&at.field("scheme"), scheme, &["HTTP", "HTTPS"]);
    }
}
