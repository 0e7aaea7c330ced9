//! ConfigMaps, Secrets, ServiceAccounts and Roles.

use serde_json::{Value, json};

use super::{Sort, maybe, some, texts};
use crate::chance::Chance;

pub(super) const CONFIG_MAP: Sort = Sort {
    group: "",
    version: "v1",
    plural: "configmaps",
    kind: "ConfigMap",
    custom: false,
    scale: false,
    status: None,
    make: config_map,
};

pub(super) const SECRET: Sort = Sort {
    plural: "secrets",
    kind: "Secret",
    make: secret,
    ..CONFIG_MAP
};

pub(super) const SERVICE_ACCOUNT: Sort = Sort {
    plural: "serviceaccounts",
    kind: "ServiceAccount",
    make: service_account,
    ..CONFIG_MAP
};

pub(super) const ROLE: Sort = Sort {
    group: "rbac.authorization.k8s.io",
    plural: "roles",
    kind: "Role",
    make: role,
    ..CONFIG_MAP
};

const KEYS: [&str; 3] = ["one", "two", "three.txt"];

fn config_map(chance: &mut Chance) -> Value {
    let mut object = json!({});
    if chance.percent(85) {
        object["data"] = texts(chance, &KEYS, &["1", "2", ""]);
    }
    if chance.percent(25) {
        object["binaryData"] = texts(chance, &["four", "five"], &["YQ==", "YmI="]);
    }
    maybe(
        chance,
        6,
        &mut object,
        "immutable",
        &[json!(true), json!(false)],
    );
    object
}

fn secret(chance: &mut Chance) -> Value {
    let mut object = json!({});
    if chance.percent(75) {
        object["data"] = texts(chance, &KEYS, &["YQ==", "YmI=", ""]);
    }
    if chance.percent(30) {
        object["stringData"] = texts(chance, &KEYS, &["plain", "b", ""]);
    }
    match chance.below(10) {
        0 => object["type"] = json!("example.com/own"),
        1 => {
            object["type"] = json!("kubernetes.io/basic-auth");
            object["stringData"] = texts(chance, &["username", "password"], &["u", "p"]);
        }
        2 => {
            object["type"] = json!("kubernetes.io/tls");
            object["data"] = json!({"tls.crt": "YQ==", "tls.key": "YQ=="});
        }
        3 => {
            object["type"] = json!("kubernetes.io/dockerconfigjson");
            object["stringData"] = json!({".dockerconfigjson": "{\"auths\":{}}"});
        }
        4 => object["type"] = json!("Opaque"),
        _ => {}
    }
    maybe(
        chance,
        6,
        &mut object,
        "immutable",
        &[json!(true), json!(false)],
    );
    object
}

fn service_account(chance: &mut Chance) -> Value {
    let mut object = json!({});
    let names = [
        json!({"name": "one"}),
        json!({"name": "two"}),
        json!({"name": "three"}),
    ];
    if chance.percent(60) {
        object["secrets"] = some(chance, &names);
    }
    if chance.percent(60) {
        object["imagePullSecrets"] = some(chance, &names);
    }
    maybe(
        chance,
        40,
        &mut object,
        "automountServiceAccountToken",
        &[json!(true), json!(false)],
    );
    object
}

fn role(chance: &mut Chance) -> Value {
    let rules = [
        json!({"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", "list"]}),
        json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"], "resourceNames": ["web"]}),
        json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["watch"]}),
    ];
    json!({"rules": some(chance, &rules)})
}
