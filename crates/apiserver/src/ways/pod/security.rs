//! What is wrong with the security contexts of a Pod and of its containers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::volume::relative;
use crate::validate::Path;
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;
use crate::ways::rule;

const PROFILES: [&str; 3] = ["Localhost", "RuntimeDefault", "Unconfined"];

/// That of a Pod.
pub(super) fn of_pod(spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let context = spec.part("securityContext");
    ids(context, &["fsGroup", "runAsUser", "runAsGroup"], at, faults);
    let groups = at.field("supplementalGroups");
    for (index, group) in context.items("supplementalGroups").iter().enumerate() {
        let group = group.as_i64().unwrap_or_default();
        faults.each_number(&groups.index(index), group, rule::id(group));
    }
    if spec.is_true("shareProcessNamespace") && spec.is_true("hostPID") {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        faults.invalid(&at.field("shareProcessNamespace"), true, why);
    }
    let controls = at.field("sysctls");
    let all = context.items("sysctls");
    let mut seen = BTreeSet::new();
    for (index, control) in all.iter().enumerate() {
        let at = controls.index(index);
        let name = control.text("name");
        if name.is_empty() {
            faults.required(&at.field("name"), "");
        } else if !seen.insert(name) {
            faults.duplicate(&at.field("name"), name);
        }
    }
    let policy = context.part("fsGroupChangePolicy");
    faults.one_of_if(
        &at.field("fsGroupChangePolicy"),
        policy,
        &["Always", "OnRootMismatch"],
    );
    seccomp(context, at, faults);
    app_armor(context, at, faults);
    let policy = context.part("supplementalGroupsPolicy");
    faults.one_of_if(
        &at.field("supplementalGroupsPolicy"),
        policy,
        &["Merge", "Strict"],
    );
    let policy = context.part("seLinuxChangePolicy");
    faults.one_of_if(
        &at.field("seLinuxChangePolicy"),
        policy,
        &["MountOption", "Recursive"],
    );
}

/// That of a container.
pub(super) fn of_container(container: &Value, spec: &Value, at: &Path<'_>, faults: &mut Faults) {
    let context = container.part("securityContext");
    if context.is_null() {
        return;
    }
    ids(context, &["runAsUser", "runAsGroup"], at, faults);
    let mount = context.part("procMount");
    faults.one_of_if(&at.field("procMount"), mount, &["Default", "Unmasked"]);
    if mount == "Unmasked" && spec["hostUsers"] != Value::Bool(false) {
        let why = "`hostUsers` must be false to use `Unmasked`";
        faults.invalid(&at.field("procMount"), "Unmasked", why);
    }
    seccomp(context, at, faults);
    if context["allowPrivilegeEscalation"] == Value::Bool(false) {
        if context.is_true("privileged") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            faults.invalid(at, context.clone(), why);
        }
        if context["capabilities"]
            .texts("add")
            .any(|name| name == "CAP_SYS_ADMIN")
        {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            faults.invalid(at, context.clone(), why);
        }
    }
    app_armor(context, at, faults);
}

fn ids(context: &Value, names: &[&str], at: &Path<'_>, faults: &mut Faults) {
    for name in names {
        if let Some(id) = context.some_number(name) {
            faults.each_number(&at.field(name), id, rule::id(id));
        }
    }
}

fn seccomp(context: &Value, at: &Path<'_>, faults: &mut Faults) {
    let profile = context.part("seccompProfile");
    if profile.is_null() {
        return;
    }
    let at = at.field("seccompProfile");
    let kind = profile.text("type");
    if kind.is_empty() {
        let why = "type is required when seccompProfile is set";
        faults.required(&at.field("type"), why);
    } else if !PROFILES.contains(&kind) {
        faults.unsupported(&at.field("type"), kind, &PROFILES);
    }
    let path_at = at.field("localhostProfile");
    match profile["localhostProfile"].as_str() {
        None if kind == "Localhost" => {
            faults.required(&path_at, "must be set when seccomp type is Localhost");
        }
        Some(path) if kind == "Localhost" => relative(path, &path_at, faults),
        Some(_) => {
            let why = "can only be set when seccomp type is Localhost";
            faults.invalid(&path_at, profile.clone(), why);
        }
        None => {}
    }
}

fn app_armor(context: &Value, at: &Path<'_>, faults: &mut Faults) {
    let profile = context.part("appArmorProfile");
    if profile.is_null() {
        return;
    }
    let at = at.field("appArmorProfile");
    let name_at = at.field("localhostProfile");
    let name = profile["localhostProfile"].as_str();
    match (profile.text("type"), name) {
        ("", _) => {
            let why = "type is required when appArmorProfile is set";
            faults.required(&at.field("type"), why);
        }
        ("Localhost", None) => {
            faults.required(&name_at, "must be set when AppArmor type is Localhost");
        }
        ("Localhost", Some(name)) => {
            if name.trim() != name {
                faults.invalid(&name_at, name, "must not be padded with whitespace");
            } else if name.is_empty() {
                faults.required(&name_at, "must be set when AppArmor type is Localhost");
            } else if name.len() > 4095 {
                faults.too_long(&name_at, 4095);
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(name)) => {
            let why = "can only be set when AppArmor type is Localhost";
            faults.invalid(&name_at, name, why);
        }
        ("RuntimeDefault" | "Unconfined", None) => {}
        (other, _) => faults.unsupported(&at.field("type"), other, &PROFILES),
    }
}
