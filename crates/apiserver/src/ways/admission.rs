//! Kinds that the server asks itself: webhooks, policies, priorities of requests, certificates.
//!
//! External rules: `SetDefaults_*` of k8s.io/kubernetes, pkg/apis/admissionregistration/v1 and
//! pkg/apis/flowcontrol/v1. What is wrong with them is checked in part.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::fault::Faults;
use super::part::{Part as _, each, fill, fill_empty, found, is_same, keep, made};
use super::{PLAIN, STATUS, Ways, drop_status, keep_spec};
use crate::status::FieldError;
use crate::validate::{NameRule, Path, dns1123_subdomain};

pub(super) static VALIDATING_WEBHOOKS: Ways = VALIDATING;

pub(super) static MUTATING_WEBHOOKS: Ways = Ways {
    default: |object| {
        for hook in each(object, "webhooks") {
            webhook(hook);
            fill(hook, "reinvocationPolicy", "Never");
        }
    },
    ..VALIDATING
};

/// As a constant, since statics are not copied.
const VALIDATING: Ways = Ways {
    default: |object| each(object, "webhooks").for_each(webhook),
    validate: check_webhooks,
    generation: true,
    counts: |new, old| !is_same(new, old, "webhooks"),
    unconditional_update: false,
    ..PLAIN
};

pub(super) static POLICY: Ways = Ways {
    default: |object| {
        if let Some(spec) = made(object, "spec") {
            fill(spec, "failurePolicy", "Fail");
            if let Some(matches) = found(spec, "matchConstraints") {
                match_resources(matches);
            }
        }
    },
    generation: true,
    unconditional_update: false,
    status_resets: &["spec", "metadata"],
    ..STATUS
};

pub(super) static POLICY_BINDING: Ways = Ways {
    default: |object| {
        if let Some(spec) = made(object, "spec")
            && let Some(matches) = found(spec, "matchResources")
        {
            match_resources(matches);
        }
    },
    generation: true,
    unconditional_update: false,
    ..PLAIN
};

pub(super) static FLOW_SCHEMA: Ways = Ways {
    default: |object| {
        if let Some(spec) = made(object, "spec") {
            fill_empty(spec, "matchingPrecedence", 1000);
        }
    },
    generation: true,
    status_resets: &["metadata", "spec"],
    ..STATUS
};

pub(super) static PRIORITY_LEVEL: Ways = Ways {
    default: |object| {
        let Some(spec) = made(object, "spec") else {
            return;
        };
        if let Some(exempt) = found(spec, "exempt") {
            fill(exempt, "nominalConcurrencyShares", 0);
            fill(exempt, "lendablePercent", 0);
        }
        if let Some(limited) = found(spec, "limited") {
            fill(limited, "nominalConcurrencyShares", 30);
            fill(limited, "lendablePercent", 0);
            let response = found(limited, "limitResponse");
            if let Some(queuing) = response.and_then(|response| found(response, "queuing")) {
                fill_empty(queuing, "handSize", 8);
                fill_empty(queuing, "queues", 64);
                fill_empty(queuing, "queueLengthLimit", 50);
            }
        }
    },
    generation: true,
    status_resets: &["spec", "metadata"],
    ..STATUS
};

pub(super) static SIGNING_REQUEST: Ways = Ways {
    prepare_create: drop_status,
    prepare_update: |new, old| {
        keep(new, old, "spec");
        keep(new, old, "status");
    },
    prepare_status_update: keep_spec,
    name: NameRule::PathSegment,
    selectable: &[("spec.signerName", |request| {
        request["spec"].text("signerName").to_owned()
    })],
    resets: &["spec", "status"],
    ..STATUS
};

fn webhook(hook: &mut Value) {
    fill(hook, "failurePolicy", "Fail");
    fill(hook, "timeoutSeconds", 10);
    match_resources(hook);
    let service = found(hook, "clientConfig").and_then(|config| found(config, "service"));
    if let Some(service) = service {
        fill(service, "port", 443);
    }
    for rule in each(hook, "rules") {
        fill(rule, "scope", "*");
    }
}

/// What is asked about, for webhooks and policies.
fn match_resources(matches: &mut Value) {
    fill(matches, "matchPolicy", "Equivalent");
    fill(matches, "namespaceSelector", Map::new());
    fill(matches, "objectSelector", Map::new());
    for list in ["resourceRules", "excludeResourceRules"] {
        for rule in each(matches, list) {
            fill(rule, "scope", "*");
        }
    }
}

fn check_webhooks(new: &Value, _: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let hooks = Path::at("webhooks");
    let all = new.items("webhooks");
    let mut seen = BTreeSet::new();
    for (index, hook) in all.iter().enumerate() {
        let at = hooks.index(index);
        let name = hook.text("name");
        if name.is_empty() {
            faults.required(&at.field("name"), "");
        } else {
            let found = dns1123_subdomain(name);
            if !found.is_empty() {
                faults.invalid(&at.field("name"), name, found.join(","));
            } else if name.split('.').count() < 3 {
                let why = "should be a domain with at least three segments separated by dots";
                faults.invalid(&at.field("name"), name, why);
            }
        }
        if !seen.insert(name) {
            faults.duplicate(&at.field("name"), name);
        }
        if hook.items("admissionReviewVersions").is_empty() {
            let why = "must specify one of v1, v1beta1";
            faults.required(&at.field("admissionReviewVersions"), why);
        }
        let effects = hook["sideEffects"].as_str();
        let effects_at = at.field("sideEffects");
        match effects {
            None => faults.required(&effects_at, "must specify one of None, NoneOnDryRun"),
            Some(effects) if !["None", "NoneOnDryRun"].contains(&effects) => {
                faults.unsupported(&effects_at, effects, &["None", "NoneOnDryRun"]);
            }
            Some(_) => {}
        }
        let policy = hook.part("failurePolicy");
        faults.one_of_if(&at.field("failurePolicy"), policy, &["Fail", "Ignore"]);
        let policy = hook.part("matchPolicy");
        faults.one_of_if(&at.field("matchPolicy"), policy, &["Equivalent", "Exact"]);
        let seconds = hook.number("timeoutSeconds");
        if !(1..=30).contains(&seconds) {
            let why = "the timeout value must be between 1 and 30 seconds";
            faults.invalid(&at.field("timeoutSeconds"), seconds, why);
        }
        let config = hook.part("clientConfig");
        if config.has("url") == config.has("service") {
            let why = "exactly one of url or service is required";
            faults.required(&at.field("clientConfig"), why);
        }
    }
    faults.into_errors()
}
