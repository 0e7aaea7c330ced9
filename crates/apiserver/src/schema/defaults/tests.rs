//! Objects before and after; what is expected is what kube-apiserver v1.36.3 writes.

use serde_json::json;

use super::*;
use crate::schema::Type;
use crate::schema::builtin::Builtin;

#[track_caller]
fn check(kind: (&str, &str, &str), mut value: Value, wanted: &Value) {
    let builtin = Builtin::load();
    let of = builtin
        .by_gvk(kind.0, kind.1, kind.2)
        .expect("the kind is there");
    settle(&builtin.schema, of, &mut value);
    assert_eq!(value, *wanted);
    settle(&builtin.schema, of, &mut value);
    assert_eq!(value, *wanted, "twice");
}

#[test]
fn what_go_does_not_tell_from_absent_is_left_out() {
    check(
        ("", "v1", "Pod"),
        json!({
            "metadata": {"name": "a", "labels": {}, "finalizers": []},
            "spec": {
                "hostNetwork": false,
                "nodeName": "",
                "securityContext": {},
                "terminationGracePeriodSeconds": 0,
                "volumes": [{"name": "v", "emptyDir": {}}],
                "containers": [{"name": "c", "command": [], "ports": [{"containerPort": 80, "hostPort": 0}]}],
            },
        }),
        &json!({
            "metadata": {"name": "a"},
            "spec": {
                "securityContext": {},
                "terminationGracePeriodSeconds": 0,
                "volumes": [{"name": "v", "emptyDir": {}}],
                "containers": [{"name": "c", "resources": {}, "ports": [{"containerPort": 80, "protocol": "TCP"}]}],
            },
            "status": {},
        }),
    );
}

#[test]
fn what_go_always_writes_is_there() {
    check(
        ("rbac.authorization.k8s.io", "v1", "ClusterRole"),
        json!({"metadata": {"name": "a"}, "rules": []}),
        &json!({"metadata": {"name": "a"}, "rules": null}),
    );
    check(
        ("apps", "v1", "DaemonSet"),
        json!({"metadata": {"name": "a"}, "spec": {"selector": {}, "template": {"spec": {"containers": []}}}}),
        &json!({
            "metadata": {"name": "a"},
            "spec": {"selector": {}, "template": {"metadata": {}, "spec": {"containers": null}}, "updateStrategy": {}},
            "status": {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0},
        }),
    );
}

#[test]
fn quantities_and_times_are_written_in_one_form() {
    check(
        ("", "v1", "ResourceQuota"),
        json!({"metadata": {"name": "a"}, "spec": {"hard": {"cpu": 1, "memory": "1024Mi", "pods": "0.5"}}}),
        &json!({"metadata": {"name": "a"}, "spec": {"hard": {"cpu": "1", "memory": "1Gi", "pods": "500m"}}, "status": {}}),
    );
    check(
        ("coordination.k8s.io", "v1", "Lease"),
        json!({"metadata": {"name": "a", "creationTimestamp": "2026-01-02T03:04:05.678Z"}, "spec": {"renewTime": "2026-01-02T03:04:05.000000Z"}}),
        &json!({"metadata": {"name": "a", "creationTimestamp": "2026-01-02T03:04:05Z"}, "spec": {"renewTime": "2026-01-02T03:04:05.000000Z"}}),
    );
}

#[test]
fn null_items_become_zero_values() {
    check(
        ("", "v1", "ConfigMap"),
        json!({"metadata": {"name": "a", "ownerReferences": [null]}, "data": {"a": null}}),
        &json!({"metadata": {"name": "a", "ownerReferences": [{"apiVersion": "", "kind": "", "name": "", "uid": ""}]}, "data": {"a": ""}}),
    );
}

#[test]
fn custom_defaults_reach_into_defaults_lists_and_maps() {
    let mut schema = Schema::default();
    let text = schema.add(Type::of(Shape::Scalar(Scalar::String)));
    let with_default = |of, default: Value| Field {
        default: Some(default),
        ..Field::of(of)
    };
    let structure = |fields: Vec<(&str, Field)>| {
        let fields = fields.into_iter().map(|(name, field)| (name.into(), field));
        Type::of(Shape::Struct(Struct {
            fields: fields.collect(),
            ..Struct::default()
        }))
    };
    let inner = schema.add(structure(vec![("mode", with_default(text, json!("a")))]));
    let map = schema.add(Type::of(Shape::Map {
        value: inner,
        atomic: false,
    }));
    let outer = schema.add(structure(vec![
        ("inner", with_default(inner, json!({}))),
        ("map", Field::of(map)),
    ]));
    for (mut value, wanted) in [
        (json!({}), json!({"inner": {"mode": "a"}})),
        (json!({"inner": null}), json!({"inner": {"mode": "a"}})),
        (
            json!({"inner": {"mode": "b"}}),
            json!({"inner": {"mode": "b"}}),
        ),
        (
            json!({"map": {"x": {}}}),
            json!({"inner": {"mode": "a"}, "map": {"x": {"mode": "a"}}}),
        ),
        (json!(3), json!(3)),
    ] {
        apply(&schema, outer, &mut value);
        assert_eq!(value, wanted);
    }
}
