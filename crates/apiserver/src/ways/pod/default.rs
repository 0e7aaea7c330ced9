//! What Pods are by default.
//!
//! External rules: `SetDefaults_Pod` and what it calls, of k8s.io/kubernetes, pkg/apis/core/v1, and the
//! conversions there, which bring old and new names of fields together.

use serde_json::{Map, Value};

use super::resource;
use crate::ways::part::{Part as _, drop_field, each, fill, fill_empty, found, made, put};

const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
/// Files of volumes may be read by all: 0644.
const MODE: i64 = 0o644;

/// A Pod.
pub(super) fn pod(pod: &mut Value) {
    let Some(spec) = made(pod, "spec") else {
        return;
    };
    for list in &CONTAINERS[..2] {
        for container in each(spec, list) {
            resource::request_what_is_limited(container);
        }
    }
    fill(spec, "enableServiceLinks", true);
    self::spec(spec);
}

/// The template of Pods in a field of an object.
pub(in crate::ways) fn template(holder: &mut Value, name: &str) {
    if let Some(spec) = made(holder, name).and_then(|template| made(template, "spec")) {
        self::spec(spec);
    }
}

/// The spec of a Pod or of a template.
fn spec(spec: &mut Value) {
    account(spec);
    fill_empty(spec, "dnsPolicy", "ClusterFirst");
    fill_empty(spec, "restartPolicy", "Always");
    fill(spec, "securityContext", Map::new());
    fill(spec, "terminationGracePeriodSeconds", 30);
    fill_empty(spec, "schedulerName", "default-scheduler");
    for volume in each(spec, "volumes") {
        self::volume(volume);
    }
    for list in CONTAINERS {
        for container in each(spec, list) {
            self::container(container);
        }
    }
}

/// The account has two names.
fn account(spec: &mut Value) {
    let name = match spec.text("serviceAccountName") {
        "" => spec.text("serviceAccount"),
        name => name,
    };
    if name.is_empty() {
        return;
    }
    let name = name.to_owned();
    for field in ["serviceAccountName", "serviceAccount"] {
        if spec.text(field) != name {
            put(spec, field, name.as_str());
        }
    }
}

fn container(container: &mut Value) {
    let policy = pull_policy(container.text("image"));
    fill_empty(container, "imagePullPolicy", policy);
    fill_empty(container, "terminationMessagePath", "/dev/termination-log");
    fill_empty(container, "terminationMessagePolicy", "File");
    for port in each(container, "ports") {
        fill_empty(port, "protocol", "TCP");
    }
    for variable in each(container, "env") {
        if let Some(source) = found(variable, "valueFrom") {
            field(source);
        }
    }
    if let Some(resources) = found(container, "resources") {
        resource::round_up(resources, "limits");
        resource::round_up(resources, "requests");
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = found(container, name) else {
            continue;
        };
        fill_empty(probe, "timeoutSeconds", 1);
        fill_empty(probe, "periodSeconds", 10);
        fill_empty(probe, "successThreshold", 1);
        fill_empty(probe, "failureThreshold", 3);
        get(probe);
        if let Some(call) = found(probe, "grpc") {
            fill(call, "service", "");
        }
    }
    if let Some(lifecycle) = found(container, "lifecycle") {
        for name in ["postStart", "preStop"] {
            if let Some(hook) = found(lifecycle, name) {
                get(hook);
            }
        }
    }
}

fn get(handler: &mut Value) {
    if let Some(get) = found(handler, "httpGet") {
        fill_empty(get, "path", "/");
        fill_empty(get, "scheme", "HTTP");
    }
}

/// A reference to a field of the Pod, where there is one.
fn field(holder: &mut Value) {
    if let Some(field) = found(holder, "fieldRef") {
        fill_empty(field, "apiVersion", "v1");
    }
}

fn volume(volume: &mut Value) {
    let is_bare = volume.as_object().is_some_and(|fields| {
        fields
            .iter()
            .all(|(name, value)| name == "name" || value.is_null())
    });
    if is_bare {
        put(volume, "emptyDir", Map::new());
        return;
    }
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = found(volume, name) {
            fill(source, "defaultMode", MODE);
        }
    }
    if let Some(path) = found(volume, "hostPath") {
        fill(path, "type", "");
    }
    if let Some(source) = found(volume, "downwardAPI") {
        each(source, "items").for_each(field);
    }
    if let Some(source) = found(volume, "projected") {
        for source in each(source, "sources") {
            if let Some(source) = found(source, "downwardAPI") {
                each(source, "items").for_each(field);
            }
            if let Some(token) = found(source, "serviceAccountToken") {
                fill(token, "expirationSeconds", 3600);
            }
        }
    }
    // The schema's defaults leave `null` alone in a volume that names another source.
    if volume["emptyDir"].is_null() {
        drop_field(volume, "emptyDir");
    }
}

/// When an image is pulled that does not say: `latest` may be another one tomorrow.
fn pull_policy(image: &str) -> &'static str {
    if is_latest(image) {
        "Always"
    } else {
        "IfNotPresent"
    }
}

/// Whether a reference names the tag `latest`, be it by naming none.
fn is_latest(image: &str) -> bool {
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    let path = name.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match name[path..].rfind(':') {
        Some(colon) => (&name[..path + colon], Some(&name[path + colon + 1..])),
        None => (name, None),
    };
    match (tag, digest) {
        _ if name.is_empty() => false,
        (Some(tag), _) => tag == "latest",
        (None, digest) => digest.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn images_of_the_tag_latest_are_always_pulled() {
        for (image, latest) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("nginx:1.27", false),
            ("registry.example.com:5000/web", true),
            ("registry.example.com:5000/web:v1", false),
            ("web@sha256:0123", false),
            ("web:latest@sha256:0123", true),
            ("", false),
        ] {
            assert_eq!(is_latest(image), latest, "{image}");
        }
    }

    #[test]
    fn parts_of_another_type_are_left_alone() {
        for mut object in [
            json!({"spec": []}),
            json!({"spec": {"containers": {}, "volumes": [1, null, {"secret": 3}]}}),
            json!({"spec": {"containers": [null, {"resources": 1, "env": [{"valueFrom": []}]}]}}),
            json!([]),
        ] {
            pod(&mut object);
        }
    }
}
