//! What is delivered: an application of four objects, as in Flux's own benchmark.

use serde_json::{Value, json};

use crate::Outcome;

/// An object of an application.
pub(crate) struct Object {
    /// Its file in the application's folder.
    pub(crate) file: &'static str,
    /// The collection below which it lies, such as `/apis/apps/v1/namespaces/shop/deployments`.
    pub(crate) collection: String,
    /// The manifest, without a namespace.
    pub(crate) manifest: Value,
}

/// The name of an application, and of its folder below `apps`.
pub(crate) fn name(index: usize) -> String {
    format!("app-{index:04}")
}

/// The four objects of an application.
pub(crate) fn application(namespace: &str, name: &str) -> [Object; 4] {
    let object = |file, group: &str, plural: &str, manifest| Object {
        file,
        collection: format!("{group}/namespaces/{namespace}/{plural}"),
        manifest,
    };
    [
        object(
            "serviceaccount.yaml",
            "/api/v1",
            "serviceaccounts",
            json!({
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name}},
            }),
        ),
        object("service.yaml", "/api/v1", "services", service(name)),
        object(
            "deployment.yaml",
            "/apis/apps/v1",
            "deployments",
            deployment(name, "1"),
        ),
        object(
            "ingress.yaml",
            "/apis/networking.k8s.io/v1",
            "ingresses",
            ingress(name),
        ),
    ]
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name}},
        "spec": {
            "type": "ClusterIP",
            "selector": {"app.kubernetes.io/name": name},
            "ports": [
                {"name": "http", "port": 9898, "protocol": "TCP", "targetPort": "http"},
                {"name": "grpc", "port": 9999, "protocol": "TCP", "targetPort": "grpc"},
            ],
        },
    })
}

/// The Deployment, with a value that scenarios change.
pub(crate) fn deployment(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": name},
            "annotations": {"example.org/value": value},
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": 3,
            "progressDeadlineSeconds": 60,
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": name}},
                "spec": {"serviceAccountName": name, "containers": [container()]},
            },
        },
    })
}

fn container() -> Value {
    let probe = |path| json!({"httpGet": {"path": path, "port": "http"}, "initialDelaySeconds": 5, "timeoutSeconds": 5});
    json!({
        "name": "app",
        "image": "registry.example.org/shop/app:6.7.1",
        "command": ["./app", "--port=9898", "--grpc-port=9999", "--level=info"],
        "env": [{"name": "APP_COLOR", "value": "#34577c"}],
        "ports": [
            {"name": "http", "containerPort": 9898, "protocol": "TCP"},
            {"name": "grpc", "containerPort": 9999, "protocol": "TCP"},
        ],
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/readyz"),
        "resources": {
            "limits": {"cpu": "2", "memory": "512Mi"},
            "requests": {"cpu": "100m", "memory": "64Mi"},
        },
    })
}

fn ingress(name: &str) -> Value {
    let backend = json!({"service": {"name": name, "port": {"name": "http"}}});
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": name}},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [{
                "host": format!("{name}.example.org"),
                "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
            }],
        },
    })
}

/// The ConfigMap of the scenarios that change one value.
pub(crate) fn config_map(name: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"greeting": "hello", "value": value},
    })
}

/// A manifest as a person writes it.
pub(crate) fn yaml(manifest: &Value) -> Outcome<String> {
    serde_saphyr::to_string(manifest).map_err(|error| format!("not writable as YAML: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_four_objects_in_four_files() {
        let objects = application("shop", &name(7));
        let paths: Vec<_> = objects
            .iter()
            .map(|object| format!("{}/{}", object.collection, object.file))
            .collect();
        assert_eq!(
            paths,
            [
                "/api/v1/namespaces/shop/serviceaccounts/serviceaccount.yaml",
                "/api/v1/namespaces/shop/services/service.yaml",
                "/apis/apps/v1/namespaces/shop/deployments/deployment.yaml",
                "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/ingress.yaml",
            ]
        );
        assert_eq!(objects[2].manifest["metadata"]["name"], "app-0007");
    }

    #[test]
    fn yaml_reads_back_as_the_same() {
        let written = yaml(&deployment("web", "1")).expect("it can be written");
        assert!(written.contains("example.org/value"), "{written}");
        let read: Value = serde_saphyr::from_str(&written).expect("it can be read");
        assert_eq!(read, deployment("web", "1"));
    }
}
