//! Deployments and Jobs.

use serde_json::{Value, json};

use super::{Sort, maybe, some, texts};
use crate::chance::Chance;

pub(super) const DEPLOYMENT: Sort = Sort {
    group: "apps",
    version: "v1",
    plural: "deployments",
    kind: "Deployment",
    custom: false,
    scale: true,
    status: Some(deployment_status),
    make: deployment,
};

pub(super) const JOB: Sort = Sort {
    group: "batch",
    version: "v1",
    plural: "jobs",
    kind: "Job",
    custom: false,
    scale: false,
    status: Some(job_status),
    make: job,
};

fn deployment(chance: &mut Chance) -> Value {
    let mut spec = json!({"selector": {"matchLabels": {"app": "web"}}});
    if chance.percent(4) {
        spec["selector"]["matchLabels"]["app"] = json!("other");
    }
    if chance.percent(5) {
        spec["selector"]["matchExpressions"] =
            json!([{"key": "app", "operator": "In", "values": ["web", "other"]}]);
    }
    let counts = [json!(0), json!(1), json!(3)];
    maybe(chance, 55, &mut spec, "replicas", &counts);
    let strategies = [
        json!({"type": "Recreate"}),
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}}),
        json!({"rollingUpdate": {"maxUnavailable": 0, "maxSurge": "50%"}}),
    ];
    maybe(chance, 25, &mut spec, "strategy", &strategies);
    maybe(
        chance,
        12,
        &mut spec,
        "paused",
        &[json!(true), json!(false)],
    );
    maybe(
        chance,
        12,
        &mut spec,
        "minReadySeconds",
        &[json!(5), json!(0)],
    );
    maybe(chance, 12, &mut spec, "revisionHistoryLimit", &counts);
    maybe(
        chance,
        8,
        &mut spec,
        "progressDeadlineSeconds",
        &[json!(60), json!(4)],
    );
    spec["template"] = template(chance, "Always");
    spec["template"]["metadata"]["labels"]["app"] = json!("web");
    json!({"spec": spec})
}

fn job(chance: &mut Chance) -> Value {
    let mut spec = json!({});
    let counts = [json!(1), json!(2)];
    maybe(chance, 30, &mut spec, "parallelism", &counts);
    maybe(chance, 30, &mut spec, "completions", &counts);
    maybe(chance, 20, &mut spec, "backoffLimit", &[json!(0), json!(4)]);
    maybe(
        chance,
        20,
        &mut spec,
        "suspend",
        &[json!(true), json!(false)],
    );
    maybe(
        chance,
        15,
        &mut spec,
        "ttlSecondsAfterFinished",
        &[json!(0), json!(60)],
    );
    maybe(
        chance,
        12,
        &mut spec,
        "activeDeadlineSeconds",
        &[json!(60), json!(90)],
    );
    maybe(
        chance,
        8,
        &mut spec,
        "completionMode",
        &[json!("Indexed"), json!("NonIndexed")],
    );
    let policy = *chance.pick(&["Never", "OnFailure", "Never"]);
    spec["template"] = template(chance, policy);
    json!({"spec": spec})
}

/// A template of Pods.
fn template(chance: &mut Chance, restarts: &str) -> Value {
    let mut containers = vec![container(chance, "main")];
    if chance.percent(35) {
        containers.push(container(chance, "side"));
    }
    if chance.percent(25) {
        containers.reverse();
    }
    let mut spec = json!({"containers": containers});
    if restarts != "Always" || chance.percent(15) {
        spec["restartPolicy"] = json!(restarts);
    }
    let volumes = [
        json!({"name": "scratch", "emptyDir": {}}),
        json!({"name": "settings", "configMap": {"name": "settings"}}),
        json!({"name": "keys", "secret": {"secretName": "keys", "optional": true}}),
    ];
    // Containers mount these two, if any.
    spec["volumes"] = some(chance, &volumes[2..]);
    if let Some(list) = spec["volumes"].as_array_mut() {
        list.extend_from_slice(&volumes[..2]);
    }
    maybe(
        chance,
        15,
        &mut spec,
        "serviceAccountName",
        &[json!("robot"), json!("other")],
    );
    maybe(
        chance,
        10,
        &mut spec,
        "terminationGracePeriodSeconds",
        &[json!(5), json!(0)],
    );
    maybe(
        chance,
        10,
        &mut spec,
        "nodeSelector",
        &[json!({"disk": "ssd"}), json!({})],
    );
    maybe(
        chance,
        8,
        &mut spec,
        "imagePullSecrets",
        &[json!([{"name": "pull"}]), json!([])],
    );
    let tolerations = [json!([{"key": "a", "operator": "Exists", "effect": "NoSchedule"}])];
    maybe(chance, 8, &mut spec, "tolerations", &tolerations);
    let security = [json!({"runAsNonRoot": true, "fsGroup": 5}), json!({})];
    maybe(chance, 10, &mut spec, "securityContext", &security);
    let aliases = [json!([{"ip": "192.0.2.1", "hostnames": ["one", "two"]}])];
    maybe(chance, 6, &mut spec, "hostAliases", &aliases);
    if chance.percent(15) {
        spec["initContainers"] = json!([container(chance, "first")]);
    }
    let mut template = json!({"spec": spec, "metadata": {"labels": {}}});
    if chance.percent(30) {
        template["metadata"]["labels"] = texts(chance, &["tier"], &["front", "back"]);
    }
    if chance.percent(15) {
        template["metadata"]["annotations"] = texts(chance, &["note"], &["x", "y"]);
    }
    template
}

fn container(chance: &mut Chance, name: &str) -> Value {
    let image = *chance.pick(&["nginx", "nginx:1.27", "example.com/app:latest"]);
    let mut container = json!({"name": name, "image": image});
    if chance.percent(40) {
        let ports = [
            json!({"containerPort": 80, "name": "web"}),
            json!({"containerPort": 53, "protocol": "UDP"}),
            json!({"containerPort": 53, "protocol": "TCP"}),
        ];
        container["ports"] = some(chance, &ports);
    }
    if chance.percent(45) {
        let value = *chance.pick(&["1", "2", ""]);
        let env = [
            json!({"name": "ONE", "value": value}),
            json!({"name": "TWO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
            json!({"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k"}}}),
        ];
        container["env"] = some(chance, &env);
    }
    let resources = [
        json!({"requests": {"cpu": "100m", "memory": "64Mi"}}),
        json!({"limits": {"cpu": "0.5"}, "requests": {"cpu": 0.25}}),
        json!({"limits": {"memory": "1000Ki"}}),
    ];
    maybe(chance, 25, &mut container, "resources", &resources);
    maybe(
        chance,
        15,
        &mut container,
        "command",
        &[json!(["sh", "-c"]), json!([])],
    );
    maybe(
        chance,
        15,
        &mut container,
        "args",
        &[json!(["run"]), json!(["run", "fast"])],
    );
    maybe(
        chance,
        15,
        &mut container,
        "imagePullPolicy",
        &[json!("Always"), json!("Never")],
    );
    maybe(chance, 8, &mut container, "workingDir", &[json!("/work")]);
    let mounts = [
        json!([{"name": "scratch", "mountPath": "/tmp"}]),
        json!([{"name": "settings", "mountPath": "/etc/app", "readOnly": true}, {"name": "scratch", "mountPath": "/tmp"}]),
    ];
    maybe(chance, 20, &mut container, "volumeMounts", &mounts);
    let probes = [
        json!({"httpGet": {"path": "/", "port": "web"}}),
        json!({"tcpSocket": {"port": 80}, "periodSeconds": 3}),
        json!({"exec": {"command": ["true"]}}),
    ];
    if name != "first" {
        maybe(chance, 15, &mut container, "readinessProbe", &probes);
        maybe(chance, 8, &mut container, "livenessProbe", &probes);
    }
    let security = [
        json!({"privileged": false}),
        json!({"capabilities": {"drop": ["ALL"]}}),
    ];
    maybe(chance, 8, &mut container, "securityContext", &security);
    container
}

fn deployment_status(chance: &mut Chance) -> Value {
    let mut status = json!({});
    let counts = [json!(0), json!(1), json!(2)];
    maybe(chance, 60, &mut status, "replicas", &counts[1..]);
    maybe(chance, 40, &mut status, "readyReplicas", &counts[..2]);
    maybe(chance, 40, &mut status, "observedGeneration", &counts[1..]);
    if chance.percent(50) {
        let condition = |of: &str, status: &str| {
            json!({
                "type": of, "status": status, "reason": "Because", "message": "So it is",
                "lastTransitionTime": "2026-01-31T12:00:00Z", "lastUpdateTime": "2026-01-31T12:00:00Z",
            })
        };
        let conditions = [
            condition("Available", "True"),
            condition("Progressing", "False"),
        ];
        status["conditions"] = some(chance, &conditions);
    }
    status
}

fn job_status(chance: &mut Chance) -> Value {
    let mut status = json!({});
    let counts = [json!(0), json!(1), json!(2)];
    maybe(chance, 60, &mut status, "active", &counts);
    maybe(chance, 20, &mut status, "ready", &counts);
    maybe(
        chance,
        40,
        &mut status,
        "startTime",
        &[json!("2026-01-31T12:00:00Z")],
    );
    status
}
