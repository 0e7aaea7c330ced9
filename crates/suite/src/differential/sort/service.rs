//! Services.

use serde_json::{Value, json};

use super::{Sort, maybe, some, texts};
use crate::chance::Chance;

pub(super) const SERVICE: Sort = Sort {
    plural: "services",
    kind: "Service",
    status: Some(status),
    make: service,
    ..super::config::CONFIG_MAP
};

fn service(chance: &mut Chance) -> Value {
    let mut spec = json!({});
    let targets = [json!(8080), json!("web"), json!(80)];
    let mut web = json!({"name": "web", "port": 80});
    maybe(chance, 60, &mut web, "targetPort", &targets);
    maybe(
        chance,
        30,
        &mut web,
        "protocol",
        &[json!("TCP"), json!("UDP")],
    );
    maybe(
        chance,
        20,
        &mut web,
        "appProtocol",
        &[json!("http"), json!("kubernetes.io/h2c")],
    );
    let more = [
        web,
        json!({"name": "dns", "port": 53, "protocol": "UDP"}),
        json!({"name": "dns-tcp", "port": 53, "protocol": "TCP"}),
        json!({"name": "admin", "port": 81, "targetPort": "admin"}),
    ];
    spec["ports"] = if chance.percent(25) {
        json!([{"port": 80}])
    } else {
        some(chance, &more)
    };
    if chance.percent(75) {
        spec["selector"] = texts(chance, &["app", "tier"], &["a", "b"]);
    }
    maybe(
        chance,
        15,
        &mut spec,
        "type",
        &[json!("ClusterIP"), json!("ExternalName")],
    );
    if spec["type"] == "ExternalName" {
        spec["externalName"] = json!("example.com");
    }
    maybe(
        chance,
        12,
        &mut spec,
        "clusterIP",
        &[json!("None"), json!("")],
    );
    maybe(
        chance,
        15,
        &mut spec,
        "sessionAffinity",
        &[json!("ClientIP"), json!("None")],
    );
    if chance.percent(6) {
        spec["sessionAffinityConfig"] = json!({"clientIP": {"timeoutSeconds": 60}});
    }
    let truth = [json!(true), json!(false)];
    maybe(chance, 8, &mut spec, "publishNotReadyAddresses", &truth);
    maybe(
        chance,
        8,
        &mut spec,
        "internalTrafficPolicy",
        &[json!("Local"), json!("Cluster")],
    );
    let families = [json!("SingleStack"), json!("PreferDualStack")];
    maybe(chance, 8, &mut spec, "ipFamilyPolicy", &families);
    maybe(
        chance,
        5,
        &mut spec,
        "externalIPs",
        &[json!(["192.0.2.7"]), json!([])],
    );
    maybe(
        chance,
        5,
        &mut spec,
        "trafficDistribution",
        &[json!("PreferClose")],
    );
    json!({"spec": spec})
}

fn status(chance: &mut Chance) -> Value {
    let mut status = json!({});
    if chance.percent(60) {
        let conditions = [condition("Ready", "True"), condition("Other", "False")];
        status["conditions"] = some(chance, &conditions);
    }
    if chance.percent(20) {
        status["loadBalancer"] = json!({"ingress": [{"ip": "192.0.2.8"}]});
    }
    status
}

fn condition(of: &str, status: &str) -> Value {
    json!({
        "type": of, "status": status, "reason": "Because", "message": "",
        "lastTransitionTime": "2026-01-31T12:00:00Z",
    })
}
